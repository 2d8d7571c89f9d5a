"""Uniswap v3 as one of the market's protocols: decoding in `logs`, reading in `reading`, arithmetic in the kernels."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from headrace.adapters.protocols.documents import from_document, to_document
from headrace.adapters.protocols.uniswap_v3 import logs, reading
from headrace.adapters.protocols.uniswap_v3.refusing import limit_refusal
from headrace.adapters.protocols.uniswap_v3.state import UniswapV3State, checked_pool, checked_state
from headrace.errors import UnansweredError, UnquotableError
from headrace.kernels.shape import TickSegments
from headrace.kernels.tick_segments import Fill, crossed_ticks, fill, input_for
from headrace.kernels.tick_shape import tick_segments
from headrace.kernels.tick_walk import extreme_limit, walk
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.block import BlockContext
from headrace.model.codec import JsonValue
from headrace.model.event import Log
from headrace.model.executor_step import UniswapV3Step
from headrace.model.limited_swap import FilledSwap, LimitedSwap
from headrace.model.pool import Pool, ProtocolId
from headrace.model.proof import Proof
from headrace.ports.chain import Chain
from headrace.ports.pool import PoolState

GAS_BASE = 105_000  # a swap inside one range with its callback and both transfers
GAS_PER_CROSSED_TICK = 38_000  # of a tick crossed for the first time, which fills empty storage; later ones cost less
GAS_PER_WORD = 7_500  # one more word of the bitmap


class UniswapV3:
    """Pools of Uniswap v3 core 1.0.1, of PancakeSwap v3, and of forks with the same contracts.

    Implements `headrace.ports.pool.DEX`.
    """

    @property
    def protocol_id(self) -> ProtocolId:
        """The folder's name."""
        return reading.PROTOCOL

    @property
    def topics(self) -> frozenset[Hash32]:
        """Initialize, Swap (Uniswap's and PancakeSwap's), Mint, Burn."""
        return logs.TOPICS

    @property
    def supports_flash_swap(self) -> bool:
        """A pool pays out before it calls back for its input."""
        return True

    def pool_of(self, log: Log) -> PoolId:
        """The address that speaks.

        Raises:
            MalformedLogError: the log has not the event's form.
        """
        return logs.pool_of(log)

    def apply(self, state: PoolState, log: Log) -> UniswapV3State:
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
        """Bytecode: the published core's, and PancakeSwap v3's."""
        del state
        return Proof.BYTECODE

    async def describe(self, chain: Chain, venue: str, pool: PoolId, block: Hash32) -> Pool:
        """Read tokens and fee.

        Raises:
            MalformedPoolError: the contract is not a pool of this protocol.
            ChainError: the node failed.
        """
        return await reading.describe(chain, venue, pool, block)

    async def read(self, chain: Chain, pools: Sequence[Pool], block: Hash32) -> tuple[UniswapV3State, ...]:
        """States after `block`, parallel to `pools`.

        Raises:
            MalformedPoolError: a pool's state cannot be one of this protocol.
            ChainError: the node failed.
        """
        return await reading.read(chain, pools, block)

    def state_to_document(self, state: PoolState) -> dict[str, JsonValue]:
        """Price, liquidity and ticks; of a table known in part what is known."""
        return to_document(_own(state))

    def state_from_document(
        self, pool: Pool, document: Mapping[str, JsonValue], at: BlockContext | None = None
    ) -> UniswapV3State:
        """The state that such a document describes; `tick` and `liquidity` follow from price and ticks if left out.

        Raises:
            MalformedPoolError: a field is missing, unknown or not of its form, or no pool could store it.
        """
        del at  # its logs tell everything
        return checked_state(from_document(UniswapV3State, checked_pool(pool), document))

    def quote_out(
        self, state: PoolState, token_in: Address, token_out: Address, amount_in: int, at: BlockContext
    ) -> int:
        """What the pool pays for exactly `amount_in`; 0 is possible for a few units.

        Raises:
            UnquotableError: not the pool's tokens, no positive amount, or the liquidity ends before it is taken.
        """
        del at  # a quote depends on no time: the oracle is written, not read
        own = _own(state)
        down = _is_zero_for_one(own, token_in, token_out)
        filled = fill(own.table, own.point, amount_in, zero_for_one=down)
        _require_covered(own, filled)
        if filled is None:
            raise UnquotableError(own.pool.id, f"it would not take {amount_in} of {token_in} as a whole")
        return filled.amount_out

    @property
    def views(self) -> Mapping[str, bool]:
        """QuoterV2's: they also answer for a swap that the pool fills in part."""
        return MappingProxyType({"quoteExactInputSingle": False, "quoteExactOutputSingle": True})

    def view(self, state: PoolState, call: str, way: tuple[Address, Address], amount: int, at: BlockContext) -> int:
        """What QuoterV2 answers, with the widest price limit, to compare with recordings of it.

        Raises:
            UnquotableError: not the pool's tokens, no positive amount, or the ticks known of do not reach so far.
        """
        del at  # as a quote
        own, is_exact_output = _own(state), self.views[call]
        limit = extreme_limit(zero_for_one=_is_zero_for_one(own, *way))
        done = self.filled(own, LimitedSwap(*way, amount, limit, is_exact_output))
        return done.amount_in if is_exact_output else done.amount_out

    def filled(self, state: PoolState, swap: LimitedSwap) -> FilledSwap:
        """What the pool's `swap` takes and pays up to its price limit.

        Raises:
            UnquotableError: not the pool's tokens, no positive amount, a limit that the price has passed or that is out
                of bounds, or the ticks known of do not reach so far.
        """
        own = _own(state)
        down = _is_zero_for_one(own, swap.token_in, swap.token_out)
        signed = -swap.amount if swap.is_exact_output else swap.amount
        done = walk(own.table, own.point, signed, swap.price_limit_x96, zero_for_one=down)
        if swap.amount <= 0 or done is None:
            raise UnquotableError(own.pool.id, limit_refusal(own.point, swap))
        _require_covered(own, Fill(done.amount_out, done.point.tick))
        return FilledSwap(done.amount_in, done.amount_out)

    def quote_in(
        self, state: PoolState, token_in: Address, token_out: Address, amount_out: int, at: BlockContext
    ) -> int:
        """The least input whose `quote_out` reaches `amount_out`; the pool's own exact-output swap may ask for more.

        Raises:
            UnquotableError: not the pool's tokens, no positive amount, or the liquidity does not hold it.
        """
        del at  # a quote depends on no time: the oracle is written, not read
        own = _own(state)
        down = _is_zero_for_one(own, token_in, token_out)
        least = input_for(own.table, own.point, amount_out, zero_for_one=down)
        if own.table.coverage.is_cut:
            _require_covered(own, fill(own.table, own.point, least or 0, zero_for_one=down))
        if least is None:
            raise UnquotableError(own.pool.id, f"no input buys {amount_out} of {token_out}")
        return least

    def asked_in(
        self, state: PoolState, token_in: Address, token_out: Address, amount_out: int, at: BlockContext
    ) -> int:
        """What the pool's exact-output swap takes for `amount_out`: it walks a piece to its end that pays just that.

        Raises:
            UnquotableError: not the pool's tokens, no positive amount, or the liquidity does not hold it.
        """
        del at  # as a quote
        own = _own(state)
        limit = extreme_limit(zero_for_one=_is_zero_for_one(own, token_in, token_out))
        done = self.filled(own, LimitedSwap(token_in, token_out, amount_out, limit, is_exact_output=True))
        if done.amount_out != amount_out:
            raise UnquotableError(own.pool.id, f"it would not give {amount_out} of {token_out} as a whole")
        return done.amount_in

    def shape(self, state: PoolState, token_in: Address, token_out: Address) -> TickSegments:
        """Rows from the current price to the last tick."""
        own = _own(state)
        return tick_segments(own.table, own.point, zero_for_one=_is_zero_for_one(own, token_in, token_out))

    def step(self, state: PoolState, token_in: Address, token_out: Address) -> UniswapV3Step:
        """The Executor's step."""
        own = _own(state)
        _is_zero_for_one(own, token_in, token_out)
        return UniswapV3Step(token_in, token_out, own.pool.address)

    def gas(self, state: PoolState, token_in: Address, token_out: Address, amount_in: int) -> int:
        """Base, plus a price per initialised tick crossed and per bitmap word; just the base for a refused amount."""
        own = _own(state)
        down = _is_zero_for_one(own, token_in, token_out)
        filled = fill(own.table, own.point, amount_in, zero_for_one=down)
        if filled is None:
            return GAS_BASE
        crossed = crossed_ticks(own.table, own.point, filled.tick_reached, zero_for_one=down)
        words = abs(own.table.word_of(filled.tick_reached) - own.table.word_of(own.point.tick))
        return GAS_BASE + GAS_PER_CROSSED_TICK * crossed + GAS_PER_WORD * words


def _require_covered(state: UniswapV3State, filled: Fill | None) -> None:
    coverage = state.table.coverage
    if coverage.is_cut and (filled is None or not coverage.holds(filled.tick_reached)):
        known = f"{coverage.tick_lower} to {coverage.tick_upper}"
        raise UnansweredError(state.pool.id, f"it would leave the ticks that are known, {known}")


def _own(state: PoolState) -> UniswapV3State:
    assert isinstance(state, UniswapV3State), type(state)
    return state


def _is_zero_for_one(state: UniswapV3State, token_in: Address, token_out: Address) -> bool:
    token0, token1 = state.pool.tokens
    if (token_in, token_out) == (token0, token1):
        return True
    if (token_in, token_out) == (token1, token0):
        return False
    raise UnansweredError(state.pool.id, f"it does not swap {token_in} for {token_out}")
