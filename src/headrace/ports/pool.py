"""What a protocol's folder gives: pools decoded, quoted exactly, shaped for search, encoded for the Executor."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from headrace.kernels.log_table import IntArray, LogTable
from headrace.kernels.shape import Shape
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.block import BlockContext
from headrace.model.codec import JsonValue
from headrace.model.event import Log
from headrace.model.executor_step import SwapStep
from headrace.model.limited_swap import FilledSwap, LimitedSwap
from headrace.model.pool import Pool, ProtocolId
from headrace.model.proof import Proof
from headrace.ports.chain import Chain


class PoolState(Protocol):
    """A pool's frozen state; only its own protocol looks inside. Equality is by value."""

    @property
    def pool(self) -> Pool:
        """The pool's constants."""
        ...


class DEX(Protocol):
    """One protocol of pools."""

    @property
    def protocol_id(self) -> ProtocolId:
        """Its folder's name: "uniswap_v2"."""
        ...

    @property
    def topics(self) -> frozenset[Hash32]:
        """First topics of the logs that change its pools' states."""
        ...

    @property
    def harmless_topics(self) -> frozenset[Hash32]:
        """First topics of the other logs that its pools' contracts emit, or what they share: they change no state.

        A log of a pool with a first topic in neither set is an event of no version of the protocol that is known, and
        may change what nobody here follows.
        """
        ...

    @property
    def supports_flash_swap(self) -> bool:
        """Whether a pool pays out before it is paid, so that a first step can fund its plan."""
        ...

    def pool_of(self, log: Log) -> PoolId:
        """The pool a log with one of `topics` speaks of: its address, or the id in a vault's log.

        Raises:
            MalformedLogError: the log has not the event's form.
        """
        ...

    def contracts_of(self, pool: Pool) -> tuple[Address, ...]:
        """The contracts whose logs may speak of the pool: its own, and one that it shares with others."""
        ...

    def pool_named(self, log: Log) -> PoolId | None:
        """The pool that a log of such a contract speaks of, whatever its first topic is; None where it names none.

        The emitter, where that is a pool's own contract. Of a contract that many pools share, the pool that the second
        topic names: a log that names none there speaks of nobody, and least of all of everybody.
        """
        ...

    def apply(self, state: PoolState, log: Log) -> PoolState:
        """The state after a log of this pool, in the chain's order; what follows an outdated state stays outdated.

        Raises:
            MalformedLogError: the log has not the event's form, or cannot follow this state.
        """
        ...

    def is_outdated(self, state: PoolState, block_number: int) -> bool:
        """Whether something that no log tells may have changed by the end of that block.

        Such a pool is read again at that block before it is quoted on it; `quote_out` and `quote_in` refuse a state
        that is outdated at the block before the one they are asked for. False for ever where logs tell everything.
        """
        ...

    def proof_of(self, state: PoolState) -> Proof:
        """What `quote_out` was compared with for pools of this one's kind.

        Bytecode: the deployed contract's own code, run beside ours. Recorded: answers that a chain gave, kept with the
        state they were given on. Unproven: neither; it follows documents, and is not traded unless somebody says so.
        What a pool answers when it is described is no proof: the same contract may answer otherwise tomorrow.
        """
        ...

    async def describe(self, chain: Chain, venue: str, pool: PoolId, block: Hash32) -> Pool:
        """Read a pool's constants.

        Raises:
            MalformedPoolError: the contract is not a pool of this protocol.
            ChainError: the node failed.
        """
        ...

    async def read(self, chain: Chain, pools: Sequence[Pool], block: Hash32) -> tuple[PoolState, ...]:
        """States after `block`, from the contracts themselves, parallel to `pools`.

        Raises:
            MalformedPoolError: a pool's state cannot be one of this protocol.
            ChainError: the node failed.
        """
        ...

    def state_to_document(self, state: PoolState) -> dict[str, JsonValue]:
        """The state without its pool as JSON, integers as decimal strings, under the names of its fields."""
        ...

    def state_from_document(
        self, pool: Pool, document: Mapping[str, JsonValue], at: BlockContext | None = None
    ) -> PoolState:
        """The state that a document describes; logs of the pool are known from now on.

        `at` is the block after which it holds, for a state that says when it was read where the document does not.

        Raises:
            MalformedPoolError: a field is missing, unknown or not of its form, or no pool could store it.
        """
        ...

    def quote_out(
        self, state: PoolState, token_in: Address, token_out: Address, amount_in: int, at: BlockContext
    ) -> int:
        """What the contract pays for exactly `amount_in`, to the unit, rounded as the contract rounds.

        Raises:
            UnquotableError: the contract would revert, or would not take all of it.
        """
        ...

    def quote_in(
        self, state: PoolState, token_in: Address, token_out: Address, amount_out: int, at: BlockContext
    ) -> int:
        """The least input whose `quote_out` reaches `amount_out`.

        Raises:
            UnquotableError: no input reaches it.
        """
        ...

    def shape(self, state: PoolState, token_in: Address, token_out: Address) -> Shape:
        """The swap as arrays of floats for the kernels; a shape with zero capacity for an empty pool."""
        ...

    def step(self, state: PoolState, token_in: Address, token_out: Address) -> SwapStep:
        """The typed step that the Executor walks.

        Raises:
            UnexecutableError: the pool can be quoted, but the Executor has no step for it.
        """
        ...

    def gas(self, state: PoolState, token_in: Address, token_out: Address, amount_in: int) -> int:
        """Estimate of the step's gas inside an Executor plan, from measured tables; simulation decides later."""
        ...


@runtime_checkable
class TableDEX(Protocol):
    """A protocol with one kind of log, which says all of a pool's state whatever it was; beside `DEX`.

    A block's are read together. A pool's id is the address that emits them, and no state of this protocol is ever
    outdated.
    """

    @property
    def whole_topic(self) -> Hash32:
        """The one member of `topics`."""
        ...

    def states_told(self, pools: Sequence[Pool], table: LogTable, rows: IntArray) -> list[PoolState | None]:
        """What the log of each row tells of the pool beside it; None where `apply` has to judge it.

        The logs have this topic as their first, and each was emitted by its pool.
        """
        ...


@runtime_checkable
class ExactOutputDEX(Protocol):
    """A protocol whose contracts have an exact-output swap that rounds in its own way; beside `DEX`."""

    def asked_in(
        self, state: PoolState, token_in: Address, token_out: Address, amount_out: int, at: BlockContext
    ) -> int:
        """What that swap takes for exactly `amount_out`: it may differ from `quote_in` by roundings, either way.

        Raises:
            UnquotableError: the contract would revert, or would not give all of it.
        """
        ...


@runtime_checkable
class LimitedDEX(Protocol):
    """A protocol whose contracts end a swap at a price, and then fill it in part; beside `DEX`."""

    def filled(self, state: PoolState, swap: LimitedSwap) -> FilledSwap:
        """What the contract takes and pays up to the price limit, rounded as the contract rounds; may be nothing.

        Raises:
            UnquotableError: the contract would revert, as for a limit that the price has passed already.
        """
        ...


class ToldDecimals(NamedTuple):
    """What a state says of a token's decimals, in the field of its document."""

    token: Address
    field: str
    decimals: int


@runtime_checkable
class DecimalsDEX(Protocol):
    """A protocol whose states tell their tokens' decimals, so that others can be held against them; beside `DEX`."""

    def told_decimals(self, state: PoolState) -> tuple[ToldDecimals, ...]:
        """Of each token that the state tells of; not of one whose decimals stand behind another's."""
        ...


@runtime_checkable
class ViewDEX(Protocol):
    """A protocol whose contracts have views that promise another amount than the swap pays, or where it reverts.

    Beside `DEX`, for comparing with recordings of those views; never to be traded on.
    """

    @property
    def views(self) -> Mapping[str, bool]:
        """Their names, such as "get_dy", and whether each is asked for an exact output."""
        ...

    def view(self, state: PoolState, call: str, way: tuple[Address, Address], amount: int, at: BlockContext) -> int:
        """What one of them answers for an exact amount, from the first token to the second.

        Raises:
            UnquotableError: the view would revert, or there is none for that way.
        """
        ...
