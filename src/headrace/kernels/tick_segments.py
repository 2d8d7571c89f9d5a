"""Exact quotes of a pool with ticks, in time that hardly grows with the number of ticks crossed.

Idea. A swap is a walk through pieces between stops: initialised ticks and edges of bitmap words. It reaches the end
of a piece exactly when what remains of the input covers what the whole piece takes, fee included (see
`tick_math.with_fee_up`). The amounts of whole pieces do not depend on the swap, and `TickTable` keeps their running
sums word by word; so the last piece is found by bisection, and only the first piece, which starts at the pool's
price, and the last one, which is walked in part, are computed anew.

Error. None: the result equals the pool's to the unit, as does that of `headrace.kernels.tick_walk`, the readable
twin.

Inverse. The least input that buys an amount: within a piece the price must move at least to the rounded price at
which the rounded output reaches the amount, and the least input that moves it there follows from the rounding of the
next price. The pool's own exact-output swap asks for the same, except where the amount is exactly what a piece pays:
then the pool walks that piece to its end, while its output, rounded down, was reached earlier.

Source: Uniswap v3 core 1.0.1, UniswapV3Pool.swap; whitepaper section 6.2.
"""

from bisect import bisect_left, bisect_right
from typing import NamedTuple

from headrace.kernels.tick_math import (
    SQRT_PRICE_MAX,
    SQRT_PRICE_MIN,
    amount0_down,
    amount0_up,
    amount1_down,
    amount1_up,
    less_fee_down,
    next_price_from_amount0_in_up,
    next_price_from_amount0_out_up,
    next_price_from_amount1_in_down,
    next_price_from_amount1_out_down,
    with_fee_up,
)
from headrace.kernels.tick_table import PricePoint, TickTable, WordRun
from headrace.kernels.tick_walk import AMOUNT_MAX

_Q96 = 96
_WORD_LIMIT = 2**256


class Fill(NamedTuple):
    """A quote: what is paid, and the last stop reached (the pool's own tick, or the one above it, if none is)."""

    amount_out: int
    tick_reached: int


_Entrance = tuple[int, WordRun, int, int]  # word, its run, a stop in it, units taken; a named one costs 0.2 us a quote


def fill(table: TickTable, point: PricePoint, amount_in: int, *, zero_for_one: bool) -> Fill | None:
    """What the pool pays for exactly `amount_in`; None where it would revert or take less."""
    if not 0 < amount_in <= AMOUNT_MAX or not is_swappable(point, zero_for_one=zero_for_one):
        return None
    word, run, index, taken = _enter(table, point, zero_for_one=zero_for_one)
    if amount_in < taken:
        spendable = less_fee_down(amount_in, table.fee_pips)
        out = _paid_for(point.sqrt_price_x96, point.liquidity, spendable, zero_for_one=zero_for_one)
        return Fill(out, point.tick + zero_for_one)
    paid = _paid_to(point, run.sqrt_prices[index], zero_for_one=zero_for_one)
    remaining = amount_in - taken
    while remaining:
        reach = run.taken[index] + remaining
        last = bisect_right(run.taken, reach) - 1
        paid += run.paid[last] - run.paid[index]
        remaining, index = reach - run.taken[last], last
        if last + 1 < len(run.keys):
            spendable = less_fee_down(remaining, table.fee_pips)
            paid += _paid_for(run.sqrt_prices[last], run.liquidity[last + 1], spendable, zero_for_one=zero_for_one)
            break
        if remaining:
            following = table.word_after(word, run, zero_for_one=zero_for_one)
            if following is None:
                return None
            word, run, index = following, table.run(following, zero_for_one=zero_for_one), 0
    return Fill(paid, -run.keys[index] if zero_for_one else run.keys[index])


def input_for(table: TickTable, point: PricePoint, amount_out: int, *, zero_for_one: bool) -> int | None:
    """The least input for which the pool pays at least `amount_out`; None where no input does."""
    if amount_out <= 0 or not is_swappable(point, zero_for_one=zero_for_one):
        return None
    word, run, index, taken = _enter(table, point, zero_for_one=zero_for_one)
    paid = _paid_to(point, run.sqrt_prices[index], zero_for_one=zero_for_one)
    if amount_out <= paid:
        least = _least_spendable(point.sqrt_price_x96, point.liquidity, amount_out, zero_for_one=zero_for_one)
        return min(taken, with_fee_up(least, table.fee_pips))
    wanted = amount_out - paid
    while True:
        reach = run.paid[index] + wanted
        end = bisect_left(run.paid, reach)
        if end < len(run.keys):
            start = end - 1
            taken += run.taken[start] - run.taken[index]
            wanted = reach - run.paid[start]
            least = _least_spendable(run.sqrt_prices[start], run.liquidity[end], wanted, zero_for_one=zero_for_one)
            return taken + min(run.taken[end] - run.taken[start], with_fee_up(least, table.fee_pips))
        taken += run.taken[-1] - run.taken[index]
        wanted = reach - run.paid[-1]
        following = table.word_after(word, run, zero_for_one=zero_for_one)
        if following is None:
            return None
        word, run, index = following, table.run(following, zero_for_one=zero_for_one), 0


def crossed_ticks(table: TickTable, point: PricePoint, tick_reached: int, *, zero_for_one: bool) -> int:
    """How many initialised ticks lie between the pool and the last stop of a fill."""
    if zero_for_one:
        return bisect_right(table.ticks, point.tick) - bisect_left(table.ticks, tick_reached)
    return bisect_right(table.ticks, tick_reached) - bisect_right(table.ticks, point.tick)


def is_swappable(point: PricePoint, *, zero_for_one: bool) -> bool:
    """Whether the contract accepts any swap: it refuses where the price is at its bound, or was never set."""
    price = point.sqrt_price_x96
    return price > SQRT_PRICE_MIN + 1 if zero_for_one else SQRT_PRICE_MIN <= price < SQRT_PRICE_MAX - 1


def _enter(table: TickTable, point: PricePoint, *, zero_for_one: bool) -> _Entrance:
    """The piece in which the pool stands, from its price to a stop of the word's run, and all that it takes."""
    price, liquidity = point.sqrt_price_x96, point.liquidity
    if zero_for_one:
        word = table.word_of(point.tick)
        run = table.run(word, zero_for_one=True)
        index = bisect_left(run.keys, -point.tick)
        taken = amount0_up(run.sqrt_prices[index], price, liquidity)
    else:
        word = table.word_of(point.tick + table.tick_spacing)
        run = table.run(word, zero_for_one=False)
        index = bisect_right(run.keys, point.tick)
        taken = amount1_up(price, run.sqrt_prices[index], liquidity)
    return word, run, index, with_fee_up(taken, table.fee_pips)


def _paid_to(point: PricePoint, stop_x96: int, *, zero_for_one: bool) -> int:
    """What the piece in which the pool stands pays as a whole."""
    if zero_for_one:
        return amount1_down(stop_x96, point.sqrt_price_x96, point.liquidity)
    return amount0_down(point.sqrt_price_x96, stop_x96, point.liquidity)


def _paid_for(price: int, liquidity: int, spendable: int, *, zero_for_one: bool) -> int:
    """Output of an input, fee taken off, that ends inside a piece."""
    if not spendable:
        return 0
    if zero_for_one:
        return amount1_down(next_price_from_amount0_in_up(price, liquidity, spendable), price, liquidity)
    return amount0_down(price, next_price_from_amount1_in_down(price, liquidity, spendable), liquidity)


def _least_spendable(price: int, liquidity: int, amount_out: int, *, zero_for_one: bool) -> int:
    """The least input, fee taken off, that moves the price to where `amount_out` is paid."""
    if not zero_for_one:
        reached = next_price_from_amount0_out_up(price, liquidity, amount_out)
        return amount1_up(price, reached, liquidity)
    reached = next_price_from_amount1_out_down(price, liquidity, amount_out)
    least = amount0_up(reached, price, liquidity)
    shifted = liquidity << _Q96
    if shifted + least * price < _WORD_LIMIT:
        return least
    return -(-shifted // reached) - shifted // price  # inverse of the contract's coarser formula
