"""A swap walked step by step, as the pool's own loop does it: the readable twin of `kernels.tick_segments`.

It knows everything that the contract's `swap` knows: exact input and exact output, a price limit, the price, tick and
liquidity it ends at. It is slow, and decides nothing in production; the fast twin is proven against it and both
against the deployed bytecode.

The protocol's share of the fee is taken out of the fee that the step has charged already, so it changes no amount and
is no argument here.

Source: Uniswap v3 core 1.0.1, UniswapV3Pool.swap, TickBitmap.nextInitializedTickWithinOneWord.
"""

from bisect import bisect_left, bisect_right
from typing import NamedTuple

from headrace.kernels.tick_math import (
    SQRT_PRICE_MAX,
    SQRT_PRICE_MIN,
    TICK_MAX,
    TICK_MIN,
    sqrt_price_at_tick_up,
    swap_step,
    tick_at_sqrt_price_down,
)
from headrace.kernels.tick_table import WORD_BITS, PricePoint, TickTable

AMOUNT_MAX = 2**255 - 1  # the contract's int256


class Swap(NamedTuple):
    """What a swap did: input taken with fees, output paid, where the pool ended, initialised ticks crossed."""

    amount_in: int
    amount_out: int
    point: PricePoint
    crossed: int


class _Stop(NamedTuple):
    tick: int
    is_initialised: bool


def extreme_limit(*, zero_for_one: bool) -> int:
    """The price limit that never binds before the pool's own bounds."""
    return SQRT_PRICE_MIN + 1 if zero_for_one else SQRT_PRICE_MAX - 1


def is_limit_valid(point: PricePoint, limit_x96: int, *, zero_for_one: bool) -> bool:
    """Whether the contract accepts a price limit (else it reverts: LOK before its price is set, SPL afterwards)."""
    if zero_for_one:
        return SQRT_PRICE_MIN < limit_x96 < point.sqrt_price_x96
    return SQRT_PRICE_MIN <= point.sqrt_price_x96 < limit_x96 < SQRT_PRICE_MAX


def walk(table: TickTable, point: PricePoint, amount: int, limit_x96: int, *, zero_for_one: bool) -> Swap | None:
    """Swap until the amount is used up or the price limit is reached; None where the contract reverts.

    Args:
        table: the pool's ticks, its fee and tick spacing.
        point: where the pool stands.
        amount: input to spend when positive; output wanted, negated, when negative.
        limit_x96: the price at which to stop; see `extreme_limit`.
        zero_for_one: whether token0 comes in and the price goes down.
    """
    if not 0 < abs(amount) <= AMOUNT_MAX or not is_limit_valid(point, limit_x96, zero_for_one=zero_for_one):
        return None
    remaining, amount_in, amount_out, crossed = amount, 0, 0, 0
    while remaining and point.sqrt_price_x96 != limit_x96:
        stop = _next_stop(table, point.tick, zero_for_one=zero_for_one)
        stop_price = sqrt_price_at_tick_up(stop.tick)
        target = max(stop_price, limit_x96) if zero_for_one else min(stop_price, limit_x96)
        step = swap_step(point.sqrt_price_x96, target, point.liquidity, remaining, table.fee_pips)
        amount_in += step.amount_in + step.fee
        amount_out += step.amount_out
        remaining -= step.amount_in + step.fee if amount > 0 else -step.amount_out
        if step.sqrt_price_x96 == stop_price:
            point = _cross(table, point, stop, zero_for_one=zero_for_one)
            crossed += stop.is_initialised
        elif step.sqrt_price_x96 != point.sqrt_price_x96:
            tick = tick_at_sqrt_price_down(step.sqrt_price_x96)
            point = PricePoint(step.sqrt_price_x96, tick, point.liquidity)
    return Swap(amount_in, amount_out, point, crossed)


def _next_stop(table: TickTable, tick: int, *, zero_for_one: bool) -> _Stop:
    """The next initialised tick, at most as far as the edge of its bitmap word."""
    spacing, size = table.tick_spacing, table.tick_spacing << WORD_BITS
    if zero_for_one:
        edge = max((tick // spacing >> WORD_BITS) * size, TICK_MIN)
        below = bisect_right(table.ticks, tick) - 1
        if below >= 0 and table.ticks[below] >= edge:
            return _Stop(table.ticks[below], is_initialised=True)
    else:
        edge = min(((tick // spacing + 1 >> WORD_BITS) + 1) * size - spacing, TICK_MAX)
        above = bisect_right(table.ticks, tick)
        if above < len(table.ticks) and table.ticks[above] <= edge:
            return _Stop(table.ticks[above], is_initialised=True)
    return _Stop(edge, is_initialised=False)


def _cross(table: TickTable, point: PricePoint, stop: _Stop, *, zero_for_one: bool) -> PricePoint:
    net = table.net[bisect_left(table.ticks, stop.tick)] if stop.is_initialised else 0
    price = sqrt_price_at_tick_up(stop.tick)
    if zero_for_one:
        return PricePoint(price, stop.tick - 1, point.liquidity - net)
    return PricePoint(price, stop.tick, point.liquidity + net)
