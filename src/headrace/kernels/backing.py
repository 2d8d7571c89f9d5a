"""How much of a pool stands behind its price: the rate at zero size, and what it pays until the price has moved.

Idea. Every shape is concave, so its marginal price falls with the input, and the input at which it has fallen to a
given share is found by doubling and bisection, whatever the shape. Floats only: it ranks and warns, and decides no
amount.

Error bound: the depth is right to a millionth of itself, or to a float's precision where the shape is nearly flat.
"""

from typing import NamedTuple

from numba import njit

from headrace.kernels.curve import EdgeArrays, hop

_GROWTH = 16.0
_BISECTIONS = 30
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
    _, rate = hop(arrays, edge, 0.0)
    if not 0.0 < rate < 1e300:  # noqa: PLR2004 - beyond it the next line would overflow
        return 0.0, False, 0.0
    low, high = 0.0, units / rate
    is_coarse = not hop(arrays, edge, high)[1] > share * rate
    while high < _INPUT_MAX and hop(arrays, edge, high)[1] > share * rate:
        low, high = high, high * _GROWTH
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2.0
        if hop(arrays, edge, middle)[1] > share * rate:
            low = middle
        else:
            high = middle
    return rate, is_coarse, hop(arrays, edge, low)[0]
