"""A pool with ticks as rows of floats for search: `TickSegments` from the current price, and functions over its rows.

Between two initialised ticks a pool is a constant-product curve over virtual reserves L / s and L s, where s is the
square root of the price. Edges of bitmap words move results by single units and are left out. A stretch without
liquidity takes and pays nothing, so it has no row: the next row starts at the same cumulative amounts with other
reserves.

Error bound. Against the exact quote the relative error is about 1e-11 and a few units; it is measured in the tests.

Source: Uniswap v3 whitepaper sections 6.2 and 6.3.
"""

from bisect import bisect_right

import numpy as np
from numba import njit

from headrace.kernels.shape import FloatArray, TickSegments
from headrace.kernels.tick_math import FEE_DENOMINATOR
from headrace.kernels.tick_segments import is_swappable
from headrace.kernels.tick_table import PricePoint, TickTable

_X96 = 2.0**96


def tick_segments(table: TickTable, point: PricePoint, *, zero_for_one: bool) -> TickSegments:
    """The swap in one direction, row by row from the current price to the last tick."""
    gamma = 1 - table.fee_pips / FEE_DENOMINATOR
    above = bisect_right(table.ticks, point.tick)
    ahead = above if zero_for_one else len(table.ticks) - above
    if not ahead or not is_swappable(point, zero_for_one=zero_for_one):
        return TickSegments(np.empty((0, 4)), gamma, 0.0)
    roots, liquidity_from = table.float_columns()
    price, here = point.sqrt_price_x96 / _X96, float(point.liquidity)
    if zero_for_one:
        low, liquidity = roots[:above][::-1], _led_by(here, liquidity_from[: above - 1][::-1])
        high = _led_by(price, low[:-1])
        taken, paid = liquidity * (high - low) / (low * high) / gamma, liquidity * (high - low)
        reserves = liquidity / high, liquidity * high
    else:
        high, liquidity = roots[above:], _led_by(here, liquidity_from[above:-1])
        low = _led_by(price, high[:-1])
        taken, paid = liquidity * (high - low) / gamma, liquidity * (high - low) / (low * high)
        reserves = liquidity * low, liquidity / low
    return _stacked(taken, paid, reserves, gamma)


@njit(cache=True, error_model="numpy")
def segments_output(segments: FloatArray, gamma: float, input_max: float, amount_in: float) -> float:
    """Output of an input in raw units; flat from `input_max` on, 0 for an empty pool."""
    if segments.shape[0] == 0 or amount_in <= 0.0:
        return 0.0
    given = min(amount_in, input_max)
    row = segments[np.searchsorted(segments[:, 0], given, side="right") - 1]
    spent = gamma * (given - row[0])
    return float(row[1] + row[3] * spent / (row[2] + spent))


@njit(cache=True, error_model="numpy")
def segments_marginal(segments: FloatArray, gamma: float, input_max: float, amount_in: float) -> float:
    """Output per unit of input at the margin; 0 from `input_max` on and for an empty pool."""
    if segments.shape[0] == 0 or amount_in >= input_max:
        return 0.0
    given = max(amount_in, 0.0)
    row = segments[np.searchsorted(segments[:, 0], given, side="right") - 1]
    reserve = row[2] + gamma * (given - row[0])
    return float(row[3] * gamma * row[2] / (reserve * reserve))


def _led_by(first: float, rest: FloatArray) -> FloatArray:
    column = np.empty(rest.size + 1)
    column[0], column[1:] = first, rest
    return column


def _stacked(
    taken: FloatArray, paid: FloatArray, reserves: tuple[FloatArray, FloatArray], gamma: float
) -> TickSegments:
    segments = np.empty((taken.size, 4))
    segments[0, :2] = 0.0
    np.cumsum(taken[:-1], out=segments[1:, 0])
    np.cumsum(paid[:-1], out=segments[1:, 1])
    segments[:, 2], segments[:, 3] = reserves
    return TickSegments(segments[taken > 0.0], gamma, float(taken.sum()))
