"""State to numbers: what a pool pays and takes by the kernels over ticks, within the ticks that are known.

A quote depends on no time: the pool writes its oracle and does not read it.
"""

from headrace.adapters.protocols.tick_pools import TickGas
from headrace.adapters.protocols.traded import is_zero_for_one
from headrace.adapters.protocols.uniswap_v3.refusing import limit_refusal
from headrace.adapters.protocols.uniswap_v3.state import UniswapV3State
from headrace.errors import UnansweredError, UnquotableError
from headrace.kernels.shape import TickSegments
from headrace.kernels.tick_segments import Fill, fill, input_for
from headrace.kernels.tick_shape import tick_segments
from headrace.kernels.tick_walk import extreme_limit, walk
from headrace.model.address import Address
from headrace.model.block import BlockContext
from headrace.model.limited_swap import FilledSwap, LimitedSwap

_GAS = TickGas(
    base=105_000,  # a swap inside one range with its callback and both transfers
    per_crossed_tick=38_000,  # of a tick crossed for the first time, which fills empty storage; later ones cost less
    per_word=7_500,
)


def quote_out(state: UniswapV3State, token_in: Address, token_out: Address, amount_in: int, at: BlockContext) -> int:
    """What the pool pays for exactly `amount_in`; 0 is possible for a few units.

    Raises:
        UnquotableError: not the pool's tokens, no positive amount, or the liquidity ends before it is taken.
    """
    del at
    down = is_zero_for_one(state.pool, token_in, token_out)
    done = fill(state.table, state.point, amount_in, zero_for_one=down)
    _require_covered(state, done)
    if done is None:
        raise UnquotableError(state.pool.id, f"it would not take {amount_in} of {token_in} as a whole")
    return done.amount_out


def quote_in(state: UniswapV3State, token_in: Address, token_out: Address, amount_out: int, at: BlockContext) -> int:
    """The least input whose `quote_out` reaches `amount_out`; the pool's own exact-output swap may ask for more.

    Raises:
        UnquotableError: not the pool's tokens, no positive amount, or the liquidity does not hold it.
    """
    del at
    down = is_zero_for_one(state.pool, token_in, token_out)
    least = input_for(state.table, state.point, amount_out, zero_for_one=down)
    if state.table.coverage.is_cut:
        _require_covered(state, fill(state.table, state.point, least or 0, zero_for_one=down))
    if least is None:
        raise UnquotableError(state.pool.id, f"no input buys {amount_out} of {token_out}")
    return least


def asked_in(state: UniswapV3State, token_in: Address, token_out: Address, amount_out: int, at: BlockContext) -> int:
    """What the pool's exact-output swap takes for `amount_out`: it walks a piece to its end that pays just that.

    Raises:
        UnquotableError: not the pool's tokens, no positive amount, or the liquidity does not hold it.
    """
    del at
    limit = extreme_limit(zero_for_one=is_zero_for_one(state.pool, token_in, token_out))
    done = filled(state, LimitedSwap(token_in, token_out, amount_out, limit, is_exact_output=True))
    if done.amount_out != amount_out:
        raise UnquotableError(state.pool.id, f"it would not give {amount_out} of {token_out} as a whole")
    return done.amount_in


def filled(state: UniswapV3State, swap: LimitedSwap) -> FilledSwap:
    """What the pool's `swap` takes and pays up to its price limit.

    Raises:
        UnquotableError: not the pool's tokens, no positive amount, a limit that the price has passed or that is out of
            bounds, or the ticks known of do not reach so far.
    """
    down = is_zero_for_one(state.pool, swap.token_in, swap.token_out)
    signed = -swap.amount if swap.is_exact_output else swap.amount
    done = walk(state.table, state.point, signed, swap.price_limit_x96, zero_for_one=down)
    if swap.amount <= 0 or done is None:
        raise UnquotableError(state.pool.id, limit_refusal(state.point, swap))
    _require_covered(state, Fill(done.amount_out, done.point.tick))
    return FilledSwap(done.amount_in, done.amount_out)


def shape(state: UniswapV3State, token_in: Address, token_out: Address) -> TickSegments:
    """Rows from the current price to the last tick."""
    return tick_segments(state.table, state.point, zero_for_one=is_zero_for_one(state.pool, token_in, token_out))


def gas(state: UniswapV3State, token_in: Address, token_out: Address, amount_in: int) -> int:
    """Base, plus a price per initialised tick crossed and per bitmap word; just the base for a refused amount."""
    down = is_zero_for_one(state.pool, token_in, token_out)
    done = fill(state.table, state.point, amount_in, zero_for_one=down)
    return _GAS.of(state.table, state.point, done, zero_for_one=down)


def _require_covered(state: UniswapV3State, done: Fill | None) -> None:
    coverage = state.table.coverage
    if coverage.is_cut and (done is None or not coverage.holds(done.tick_reached)):
        known = f"{coverage.tick_lower} to {coverage.tick_upper}"
        raise UnansweredError(state.pool.id, f"it would leave the ticks that are known, {known}")
