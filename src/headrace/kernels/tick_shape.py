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
    price, liquidity = point.sqrt_price_x96 / _X96, float(point.liquidity)
    rows, taken = _rows(roots, liquidity_from, above, price, liquidity, gamma, zero_for_one)
    return TickSegments(rows, gamma, taken)


@njit(cache=True, error_model="numpy", nogil=True)
def _rows(
    roots: FloatArray,
    liquidity_from: FloatArray,
    above: int,
    price: float,
    liquidity: float,
    gamma: float,
    is_down: bool,  # noqa: FBT001 - compiled functions take no keywords
) -> tuple[FloatArray, float]:
    """The rows from `price` on, and the input that all of them take; tick number `above` is the first above it."""
    count = above if is_down else len(roots) - above
    rows = np.empty((count, 4))
    kept, taken, paid = 0, 0.0, 0.0
    for at in range(count):
        if at > 0:
            liquidity = liquidity_from[above - 1 - at] if is_down else liquidity_from[above - 1 + at]
        stop = roots[above - 1 - at] if is_down else roots[above + at]
        token0 = liquidity * abs(stop - price) / (stop * price)
        token1 = liquidity * abs(stop - price)
        piece_taken = (token0 if is_down else token1) / gamma
        if piece_taken > 0.0:
            rows[kept, 0], rows[kept, 1] = taken, paid
            rows[kept, 2] = liquidity / price if is_down else liquidity * price
            rows[kept, 3] = liquidity * price if is_down else liquidity / price
            kept += 1
            taken += piece_taken
            paid += token1 if is_down else token0
        price = stop
    return rows[:kept], taken


@njit(cache=True, error_model="numpy", nogil=True)
def segments_output_and_slope(
    segments: FloatArray, gamma: float, input_max: float, amount_in: float
) -> tuple[float, float]:
    """Output of an input in raw units, and units out per further unit in; flat, so 0, from `input_max` on.

    Both are 0 for an empty pool.
    """
    if segments.shape[0] == 0:
        return 0.0, 0.0
    given = min(max(amount_in, 0.0), input_max)
    low, high = 0, segments.shape[0]
    while high - low > 1:
        middle = (low + high) // 2
        if segments[middle, 0] <= given:
            low = middle
        else:
            high = middle
    spent, reserve_in, reserve_out = gamma * (given - segments[low, 0]), segments[low, 2], segments[low, 3]
    after = reserve_in + spent
    slope = reserve_out * gamma * (reserve_in / after) / after if amount_in < input_max else 0.0
    return segments[low, 1] + reserve_out * spent / after, slope
