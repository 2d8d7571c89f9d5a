"""Prices and depths of any shape: what one more unit fetches, and how much a pool takes until that falls to a price.

Idea. Every shape gives its output and the slope of its output at an input. The slope at 0 is the spot price, the slope
after a trade the price that is left. Outputs are concave, so the slope never rises, and the greatest input at which it
is still a given price is found by halving, with no formula per shape; where the slope jumps (a tick is crossed), that
is the input at the jump.

Units. Inputs are raw units of the token in. Prices are raw units out per further raw unit in, the fee included: for
people multiply by 10^(decimals in - decimals out). A price without the fee is this one divided by 1 - fee.

Error. The slopes are those of the shapes (about 1e-11 of themselves), the bracket ends at 1e-13 of the input. Where a
curve is flatter than its floats can tell (stable curves near balance), the depth is as uncertain as the price is.

Source: none beyond calculus; the shapes name theirs.
"""

import math

from numba import njit

from headrace.kernels.curve import Curves, EdgeArrays, IntArray, hop
from headrace.kernels.shape import FloatArray, Shape

_STEP = 16.0
_INPUT_MAX = 1e80  # above 2^256
_HALVINGS_MAX = 200
_WIDTH = 1e-13


def single_edge(shape: Shape) -> EdgeArrays:
    """Arrays in which edge 0 is this shape, for a question about one pool."""
    curves = Curves(1)
    curves.put(0, shape)
    return curves.arrays


@njit(cache=True, error_model="numpy", nogil=True)
def spot_price(arrays: EdgeArrays, edge: int) -> float:
    """Units out per unit in at no size, the fee included; 0 for an empty pool."""
    _, slope = hop(arrays, edge, 0.0)
    return slope


@njit(cache=True, error_model="numpy", nogil=True)
def price_after(arrays: EdgeArrays, edge: int, amount_in: float) -> float:
    """Units out per further unit in after a trade of `amount_in`; 0 where the pool takes no more."""
    _, slope = hop(arrays, edge, amount_in)
    return slope


@njit(cache=True, error_model="numpy", nogil=True)
def depth_to_price(arrays: EdgeArrays, edge: int, price_min: float, first: float = 1.0, width: float = _WIDTH) -> float:
    """Greatest input until the price falls to `price_min`; 0 where it is lower from the start.

    Where a pool ends at a better price, that is all it takes. Infinite where nothing is asked: a price of 0 or less.
    The search begins at an input of `first` and ends within `width` of the input found.
    """
    low, high = 0.0, first
    if price_min <= 0.0:
        return math.inf
    if not price_after(arrays, edge, low) >= price_min:
        return 0.0
    while price_after(arrays, edge, high) >= price_min:
        low, high = high, high * _STEP
        if high > _INPUT_MAX:
            return math.inf
    for _ in range(_HALVINGS_MAX):
        middle = math.sqrt(low * high) if low > 0.0 else 0.5 * high
        if price_after(arrays, edge, middle) >= price_min:
            low = middle
        else:
            high = middle
        if high - low <= width * high:
            break
    return low


@njit(cache=True, error_model="numpy", nogil=True)
def write_depths(arrays: EdgeArrays, edges: IntArray, price_min: FloatArray, depth: FloatArray) -> None:
    """Write `depth_to_price` of each of `edges` into its place in `depth`; `price_min` is parallel to `depth`."""
    for edge in edges:
        depth[edge] = depth_to_price(arrays, edge, price_min[edge])
