"""A protocol's DEX, put together from the parts in its folder.

Idea. Every folder holds the same files: `logs` folds, `reading` reads, `quoting` computes. What the port asks of all
protocols alike is to see that a state is of this protocol and to pass it on, which is done here, once. A part is a
module, or an object where something is remembered between calls (venues' fees, keys, what a contract turned out to be).
A folder's own class adds what is its own: its document, its step and gas, what proves it, what no log tells it.

A state of another protocol is a mistake of the caller and ends its task.
"""

from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

from headrace.adapters.protocols.documents import to_document
from headrace.kernels.shape import Shape
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.block import BlockContext
from headrace.model.codec import JsonValue
from headrace.model.event import Log
from headrace.model.pool import Pool, ProtocolId
from headrace.ports.chain import Chain
from headrace.ports.pool import PoolState

S = TypeVar("S", bound=PoolState)
S_co = TypeVar("S_co", bound=PoolState, covariant=True)
S_contra = TypeVar("S_contra", bound=PoolState, contravariant=True)


class Logs(Protocol[S]):
    """Logs to state."""

    TOPICS: frozenset[Hash32]
    HARMLESS: frozenset[Hash32]

    def apply(self, state: S, log: Log) -> S:
        """As `DEX.apply`."""
        ...


class Reading(Protocol[S_co]):
    """Chain to state."""

    async def describe(self, chain: Chain, venue: str, pool: PoolId, block: Hash32) -> Pool:
        """As `DEX.describe`."""
        ...

    async def read(self, chain: Chain, pools: Sequence[Pool], block: Hash32) -> tuple[S_co, ...]:
        """As `DEX.read`."""
        ...


class Quoting(Protocol[S_contra]):
    """State to numbers."""

    def quote_out(
        self, state: S_contra, token_in: Address, token_out: Address, amount_in: int, at: BlockContext
    ) -> int:
        """As `DEX.quote_out`."""
        ...

    def quote_in(
        self, state: S_contra, token_in: Address, token_out: Address, amount_out: int, at: BlockContext
    ) -> int:
        """As `DEX.quote_in`."""
        ...

    def shape(self, state: S_contra, token_in: Address, token_out: Address) -> Shape:
        """As `DEX.shape`."""
        ...


class Speakers(Protocol):
    """Who emits which pool's logs."""

    def enter(self, pool: Pool) -> None:
        """Know a pool's logs from now on; harmless when they are known."""
        ...

    def pool_of(self, log: Log) -> PoolId:
        """As `DEX.pool_of`."""
        ...

    def contracts_of(self, pool: Pool) -> tuple[Address, ...]:
        """As `DEX.contracts_of`."""
        ...

    def pool_named(self, log: Log) -> PoolId | None:
        """As `DEX.pool_named`."""
        ...


class EachItsOwn:
    """Every pool is a contract and emits its own logs."""

    def enter(self, pool: Pool) -> None:
        """There is nothing to know."""

    def pool_of(self, log: Log) -> PoolId:
        """The emitter."""
        return PoolId(log.address)

    def contracts_of(self, pool: Pool) -> tuple[Address, ...]:
        """The pool's own."""
        return (pool.address,)

    def pool_named(self, log: Log) -> PoolId:
        """The emitter."""
        return PoolId(log.address)


_EACH_ITS_OWN = EachItsOwn()


class FolderDEX(Generic[S]):
    """What every protocol does alike; with what a folder adds it implements `headrace.ports.pool.DEX`.

    Attributes:
        protocol_id: the folder's name.
        supports_flash_swap: whether a pool pays out before it is paid, and the Executor can make use of it.
    """

    protocol_id: ProtocolId
    supports_flash_swap = False

    def __init__(
        self, kind: type[S], logs: Logs[S], reading: Reading[S], quoting: Quoting[S], speakers: Speakers = _EACH_ITS_OWN
    ) -> None:
        """Take the type of its states and the parts."""
        self._kind = kind
        self._speakers = speakers
        self._reading = reading
        self._topics, self._harmless_topics = logs.TOPICS, logs.HARMLESS
        self._apply = logs.apply
        self._quote_out, self._quote_in, self._shape = quoting.quote_out, quoting.quote_in, quoting.shape

    @property
    def topics(self) -> frozenset[Hash32]:
        """First topics of the logs that change its pools' states."""
        return self._topics

    @property
    def harmless_topics(self) -> frozenset[Hash32]:
        """First topics of the other logs that its pools' contracts emit, or what they share."""
        return self._harmless_topics

    def pool_of(self, log: Log) -> PoolId:
        """The pool that a log speaks of; a stranger's log speaks of the stranger, who is no pool of the market.

        Raises:
            MalformedLogError: it does not name a pool where it should.
            MarketStaleError: it concerns all pools of its emitter.
        """
        return self._speakers.pool_of(log)

    def contracts_of(self, pool: Pool) -> tuple[Address, ...]:
        """The contracts whose logs may speak of the pool."""
        return self._speakers.contracts_of(pool)

    def pool_named(self, log: Log) -> PoolId | None:
        """The pool that a log of such a contract speaks of, whatever its first topic is; None where it names none."""
        return self._speakers.pool_named(log)

    def apply(self, state: PoolState, log: Log) -> S:
        """The state after a log of this pool.

        Raises:
            MalformedLogError: the log is another pool's, not of its event's form, or cannot follow this state.
        """
        assert isinstance(state, self._kind), type(state)
        return self._apply(state, log)

    def is_outdated(self, state: PoolState, block_number: int) -> bool:
        """Never, where logs tell everything; a folder for which they do not says otherwise."""
        del state, block_number
        return False

    async def describe(self, chain: Chain, venue: str, pool: PoolId, block: Hash32) -> Pool:
        """Read a pool's constants and know its logs from now on.

        Raises:
            ConfigError: something about the venue is not configured that no call tells.
            MalformedPoolError: the contract is not a pool that this protocol quotes.
            ChainError: the node failed.
        """
        described = await self._reading.describe(chain, venue, pool, block)
        self._speakers.enter(described)
        return described

    async def read(self, chain: Chain, pools: Sequence[Pool], block: Hash32) -> tuple[S, ...]:
        """States after `block`, parallel to `pools`, whose logs are known from now on.

        Raises:
            MalformedPoolError: a pool's state cannot be one of this protocol.
            ChainError: the node failed.
        """
        states = await self._reading.read(chain, pools, block)
        for pool in pools:
            self._speakers.enter(pool)
        return states

    def state_to_document(self, state: PoolState) -> dict[str, JsonValue]:
        """The fields of the state, but for its pool's constants."""
        return to_document(self._own(state))

    def quote_out(
        self, state: PoolState, token_in: Address, token_out: Address, amount_in: int, at: BlockContext
    ) -> int:
        """What the pool pays for exactly `amount_in`, rounded down.

        Raises:
            UnquotableError: the contract would revert or not take all of it, or the state must be read first.
        """
        assert isinstance(state, self._kind), type(state)
        return self._quote_out(state, token_in, token_out, amount_in, at)

    def quote_in(
        self, state: PoolState, token_in: Address, token_out: Address, amount_out: int, at: BlockContext
    ) -> int:
        """Least input whose `quote_out` reaches `amount_out`.

        Raises:
            UnquotableError: no input reaches it, or the state must be read first.
        """
        assert isinstance(state, self._kind), type(state)
        return self._quote_in(state, token_in, token_out, amount_out, at)

    def shape(self, state: PoolState, token_in: Address, token_out: Address) -> Shape:
        """The swap as arrays of floats; nothing comes out of an empty or closed pool.

        Raises:
            UnquotableError: the pool does not trade these tokens.
        """
        return self._shape(self._own(state), token_in, token_out)

    def _own(self, state: PoolState) -> S:
        assert isinstance(state, self._kind), type(state)
        return state
