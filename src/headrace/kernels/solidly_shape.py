"""The stable Solidly curve in floats: x^3 y + x y^3 = k, the fee taken from the input.

Idea. The invariant is homogeneous: both reserves may be counted in any one unit. So the input is counted in units of
the token out (r = 10^decimals out / 10^decimals in of them for one unit), and everything is divided by the reserve
out. With X the reserve in, a = X + e the balance after an input worth e, and d the share of the reserve that is paid,

    e (a^2 + a X + X^2 + 1)  =  d (a^3 + 3 a)  -  3 a d^2  +  a d^3,

which is the invariant with all that cancels taken out: small trades lose no digits.

Representation. `SolidlyStable` holds raw units. The left side less the right falls in d and is convex on [0, 1], so
Newton's method from d = 0 rises to the root and never passes it.

Error. About 1e-15 of the output for balanced pools and the roundings of the contract (a unit of output, a unit of input
at the price) that it leaves out. Source: the integer twin, `headrace.kernels.solidly`.
"""

from numba import njit

_ITERATIONS_MAX = 200
_PRECISION = 1e-16


@njit(cache=True, error_model="numpy", nogil=True)
def output_and_slope(
    reserve_in: float, reserve_out: float, gamma: float, unit_ratio: float, amount_in: float
) -> tuple[float, float]:
    """Output and marginal price (units out per further unit in) at `amount_in`, raw units; (0, 0) for no reserves.

    `unit_ratio` is 10^decimals of the token out over 10^decimals of the token in.
    """
    if not (reserve_in > 0.0 and reserve_out > 0.0):
        return 0.0, 0.0
    worth = unit_ratio / reserve_out
    before, paid_in = reserve_in * worth, gamma * amount_in * worth
    after = before + paid_in
    gain = paid_in * (after * after + after * before + before * before + 1.0)
    linear = after * (after * after + 3.0)
    share = 0.0
    for _ in range(_ITERATIONS_MAX):
        left = 1.0 - share
        step = (gain - share * (linear - share * after * (3.0 - share))) / (after * (after * after + 3.0 * left * left))
        share += step
        if not abs(step) > _PRECISION * share:
            break
    share = min(share, 1.0)
    left = 1.0 - share
    slope = left * (3.0 * after * after + left * left) / (after * (after * after + 3.0 * left * left))
    return reserve_out * share, slope * gamma * unit_ratio
