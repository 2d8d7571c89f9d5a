"""Uniswap v4 as one of the market's protocols: logs, storage and keys here, arithmetic in the kernels."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from headrace.adapters.protocols.documents import from_document, to_document
from headrace.adapters.protocols.uniswap_v4 import logs, quoting, reading
from headrace.adapters.protocols.uniswap_v4.key import NATIVE, PoolKey
from headrace.adapters.protocols.uniswap_v4.keyring import Keyring, UniswapV4Venue
from headrace.adapters.protocols.uniswap_v4.state import PROTOCOL, UniswapV4State, checked_state
from headrace.errors import UnexecutableError
from headrace.kernels.shape import TickSegments
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.block import BlockContext
from headrace.model.codec import JsonValue
from headrace.model.event import Log
from headrace.model.executor_step import UniswapV4Step
from headrace.model.limited_swap import FilledSwap, LimitedSwap
from headrace.model.pool import Pool, ProtocolId
from headrace.model.proof import Proof
from headrace.ports.chain import Chain
from headrace.ports.pool import PoolState

_NO_VENUES: Mapping[str, UniswapV4Venue] = MappingProxyType({})
_NEITHER: Mapping[str, JsonValue] = MappingProxyType({"hooks": NATIVE, "protocol_fee": ["0", "0"]})


class UniswapV4:
    """Pools of Uniswap v4 core 1.0.2 that no hook can interfere with; implements `headrace.ports.pool.DEX`."""

    def __init__(self, venues: Mapping[str, UniswapV4Venue] = _NO_VENUES) -> None:
        """Know where each venue's pools are, by the venue's name in the configuration; `describe` needs that alone."""
        self._keyring = Keyring(venues)

    @property
    def protocol_id(self) -> ProtocolId:
        """The folder's name."""
        return PROTOCOL

    @property
    def topics(self) -> frozenset[Hash32]:
        """Initialize, Swap, ModifyLiquidity, ProtocolFeeUpdated."""
        return logs.TOPICS

    @property
    def supports_flash_swap(self) -> bool:
        """The manager would let amounts be owed until its lock ends; the Executor settles each step at once."""
        return False

    def learn(self, log: Log) -> PoolId:
        """Know a pool's key from its Initialize log, so that it can be described; answers its id.

        Raises:
            MalformedLogError: it is no Initialize log of a manager that is known, or its parts do not hash to its id.
        """
        key = logs.key_of(log)
        self._keyring.require_manager(log)
        return self.learn_key(key)

    def learn_key(self, key: PoolKey) -> PoolId:
        """Know a pool's key, wherever it was kept; answers the pool's id."""
        self._keyring.learn(key)
        return key.id

    def pool_of(self, log: Log) -> PoolId:
        """The pool whose id a manager's log carries; a stranger's log speaks of the stranger, who is no pool.

        Raises:
            MalformedLogError: the log has not the event's form.
        """
        pool = logs.pool_of(log)
        return pool if self._keyring.is_manager(log.address) else PoolId(log.address)

    def apply(self, state: PoolState, log: Log) -> UniswapV4State:
        """The state after a log of this pool; a swap shares the tick table and all that was worked out from it.

        Raises:
            MalformedLogError: the log has not the event's form, or cannot follow this state.
        """
        return logs.apply_log(_own(state), log)

    def is_outdated(self, state: PoolState, block_number: int) -> bool:
        """Never: its logs tell everything."""
        del state, block_number
        return False

    def proof_of(self, state: PoolState) -> Proof:
        """Bytecode: the published manager's."""
        del state
        return Proof.BYTECODE

    async def describe(self, chain: Chain, venue: str, pool: PoolId, block: Hash32) -> Pool:
        """Find a pool's key and read its tokens and fee from it.

        Raises:
            MalformedPoolError: no key is to be had, the manager is none, or the pool is refused: a dynamic fee, or a
                hook that takes part in swaps.
            ChainError: the node failed.
        """
        return await reading.describe(self._keyring, chain, venue, pool, block)

    async def read(self, chain: Chain, pools: Sequence[Pool], block: Hash32) -> tuple[UniswapV4State, ...]:
        """States after `block`, parallel to `pools`, whose logs are known from now on.

        Raises:
            MalformedPoolError: a pool's state cannot be one of this protocol.
            ChainError: the node failed.
        """
        states = await reading.read(self._keyring, chain, pools, block)
        for pool in pools:
            self._keyring.enter(pool.address)
        return states

    def state_to_document(self, state: PoolState) -> dict[str, JsonValue]:
        """Hooks, the protocol's fee, price, liquidity and ticks; of a table known in part what is known."""
        return to_document(_own(state))

    def state_from_document(
        self, pool: Pool, document: Mapping[str, JsonValue], at: BlockContext | None = None
    ) -> UniswapV4State:
        """The state that such a document describes; its logs are known from now on.

        `tick` and `liquidity` follow from price and ticks if left out; no hooks and no protocol fee if those are.

        Raises:
            MalformedPoolError: a field is missing, unknown or not of its form, or no pool of that id could store it.
        """
        del at  # its logs tell everything
        state = checked_state(from_document(UniswapV4State, pool, document, _NEITHER))
        self._keyring.learn(state.key)
        self._keyring.enter(pool.address)
        return state

    def quote_out(
        self, state: PoolState, token_in: Address, token_out: Address, amount_in: int, at: BlockContext
    ) -> int:
        """What the pool pays for exactly `amount_in`; 0 is possible for a few units.

        Raises:
            UnquotableError: not the pool's tokens, no positive amount, an amount over 127 bits, or the liquidity ends
                before it is taken.
        """
        del at  # a quote depends on no time
        return quoting.quote_out(_own(state), token_in, token_out, amount_in)

    def quote_in(
        self, state: PoolState, token_in: Address, token_out: Address, amount_out: int, at: BlockContext
    ) -> int:
        """The least input whose `quote_out` reaches `amount_out`; the pool's own exact-output swap may ask for more.

        Raises:
            UnquotableError: not the pool's tokens, no positive amount, or no input buys it.
        """
        del at  # a quote depends on no time
        return quoting.quote_in(_own(state), token_in, token_out, amount_out)

    def asked_in(
        self, state: PoolState, token_in: Address, token_out: Address, amount_out: int, at: BlockContext
    ) -> int:
        """What the pool's exact-output swap takes for `amount_out`: it walks a piece to its end that pays just that.

        Raises:
            UnquotableError: not the pool's tokens, no positive amount, or the liquidity does not hold it.
        """
        del at  # a quote depends on no time
        return quoting.asked_in(_own(state), token_in, token_out, amount_out)

    def filled(self, state: PoolState, swap: LimitedSwap) -> FilledSwap:
        """What the pool's `swap` takes and pays up to its price limit.

        Raises:
            UnquotableError: not the pool's tokens, no positive amount, or a limit that the price has passed or that is
                out of bounds.
        """
        return quoting.filled(_own(state), swap)

    def shape(self, state: PoolState, token_in: Address, token_out: Address) -> TickSegments:
        """Rows from the current price to the last tick."""
        return quoting.shape(_own(state), token_in, token_out)

    def step(self, state: PoolState, token_in: Address, token_out: Address) -> UniswapV4Step:
        """The Executor's step.

        Raises:
            UnexecutableError: the pool trades the native currency, which the Executor neither holds nor pays.
            UnquotableError: not the pool's tokens.
        """
        own = _own(state)
        quoting.is_zero_for_one(own, token_in, token_out)
        if NATIVE in own.pool.tokens:
            raise UnexecutableError(own.pool.id, "it trades the native currency, which the Executor does not pay yet")
        manager, fee_pips, tick_spacing = own.pool.address, own.pool.fee_pips, own.table.tick_spacing
        return UniswapV4Step(token_in, token_out, manager, fee_pips, tick_spacing, own.hooks)

    def gas(self, state: PoolState, token_in: Address, token_out: Address, amount_in: int) -> int:
        """Base, plus a price per initialised tick crossed and per bitmap word; just the base for a refused amount."""
        return quoting.gas(_own(state), token_in, token_out, amount_in)


def _own(state: PoolState) -> UniswapV4State:
    assert isinstance(state, UniswapV4State), type(state)
    return state
