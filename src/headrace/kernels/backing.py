"""How much of a pool stands behind its price: the rate at zero size, and what it pays until the price has moved.

Idea. What a pool takes until its price has fallen to a share of itself (`kernels.depth`), and what it pays for that.
Floats only: it ranks and warns, and decides no amount.

Error bound: the depth is right to a millionth of itself, or to a float's precision where the shape is nearly flat.
"""

from typing import NamedTuple

from numba import njit

from headrace.kernels.curve import EdgeArrays, hop
from headrace.kernels.depth import depth_to_price, price_after, spot_price

_WIDTH = 1e-6
_INPUT_MAX = 1e40


class Backing(NamedTuple):
    """Units out per unit in at zero size, whether `units` out move it too far, and units out until it has moved."""

    rate: float
    is_coarse: bool
    output: float


@njit(cache=True, error_model="numpy", nogil=True)
def backing(arrays: EdgeArrays, edge: int, units: float, share: float) -> tuple[float, bool, float]:
    """Measure one edge; `share` of the marginal price is what may be left of it, such as 0.99.

    `is_coarse` says that the output of `units` leaves less. An edge that gives nothing has rate and depth 0.
    """
    rate = spot_price(arrays, edge)
    if not 0.0 < rate < 1e300:  # noqa: PLR2004 - beyond it the next line would overflow
        return 0.0, False, 0.0
    is_coarse = not price_after(arrays, edge, units / rate) > share * rate
    depth = depth_to_price(arrays, edge, share * rate, units / rate, _WIDTH)
    return rate, is_coarse, hop(arrays, edge, min(depth, _INPUT_MAX))[0]
