"""The stable curve in floats for search: any number of coins, one direction, in closed form.

Invariant, over balances x_k in one common unit, with `ann` = A n^n:

    ann sum(x) + D = ann D + P,    P = D^(n+1) / (n^n prod(x))

Idea. A swap moves two balances, x in and y out, and D stays. With G = P / ann the invariant says that x + y - G does
not change, and P that x y G does not. So whatever the number of coins, three numbers carry the curve: with e more of x
and d less of y,

    (x + e) (y - d) (G + e - d) = x y G

is a quadratic in d whose constant term y e (G + x + e) / (x + e) has no difference in it, and whose discriminant
(G + e - y)^2 + 4 x y G / (x + e) is a sum of what is never negative. A small input is therefore as right as a large
one, and no D is needed once G is known. The marginal price follows from the same products: y (G + x) / (x (G + y)).

Representation. The curve is homogeneous, so all lengths are counted in raw units out after the fixed fee, and the input
is brought to them by one factor: four parameters (x, y, G, factor). Only a fee that grows off the peg needs more, one
row (fee, multiplier, 0, 0); the lengths are then before the fee. (Such a curve may bend upwards a little where a swap
leads back to the peg: the fee falls on the way.)

Error bound. Newton's D is right to a few units of its last place, G to n + 1 times that; what remains against a
contract is its own rounding, a few units of the common scale.

Source: StableSwap whitepaper (Egorov 2019), section "building the StableSwap invariant"; the fee off the peg is
`_dynamic_fee` of Curve's Aave-type and NG pools (docs.curve.finance, "dynamic fees").
"""

import math

import numpy as np
from numba import njit

from headrace.kernels.shape import FloatArray, Stable

_ROUNDS_MAX = 255
_CLOSE = 1e-15
_NO_ROWS = np.empty((0, 4))


def reduced(shape: Stable) -> tuple[tuple[float, float, float, float], FloatArray]:
    """The four parameters and the rows of `output_and_slope`; zeros where a balance or `ann` is not positive."""
    if not (shape.balances.min() > 0.0 and shape.ann > 0.0):
        return (0.0, 0.0, 0.0, 0.0), _NO_ROWS
    unit = 1.0 / shape.scale_out
    rows = _NO_ROWS
    if shape.offpeg_multiplier > 1.0:
        rows = np.array([[1.0 - shape.gamma_out, shape.offpeg_multiplier, 0.0, 0.0]])
    else:
        unit *= shape.gamma_out
    spare = third_length(shape.balances, shape.ann)
    balance_in, balance_out = shape.balances[shape.index_in], shape.balances[shape.index_out]
    factor = shape.scale_in * shape.gamma_in * unit
    return (float(balance_in) * unit, float(balance_out) * unit, spare * unit, factor), rows


@njit(cache=True, error_model="numpy", nogil=True)
def third_length(balances: FloatArray, ann: float) -> float:
    """G = D^(n+1) / (n^n prod(x) ann) of positive balances, in their unit."""
    count = len(balances)
    total = balances.sum()
    invariant = total
    product = 0.0
    for _ in range(_ROUNDS_MAX):
        product = invariant
        for balance in balances:
            product *= invariant / (count * balance)
        before = invariant
        invariant *= (ann * total + count * product) / ((ann - 1.0) * invariant + (count + 1.0) * product)
        if abs(invariant - before) <= _CLOSE * invariant:
            break
    product = invariant
    for balance in balances:
        product *= invariant / (count * balance)
    return product / ann


@njit(cache=True, error_model="numpy", nogil=True)
def output_and_slope(parameters: FloatArray, rows: FloatArray, amount_in: float) -> tuple[float, float]:
    """Output and marginal price (units out per further unit in) at `amount_in`, in raw units; (0, 0) for no balance.

    Args:
        parameters: (x, y, G, factor): the lengths of the curve in raw units out, and what one raw unit in adds to x.
        rows: none, or one row (fee, multiplier off the peg, 0, 0).
        amount_in: raw units, at least 0.
    """
    balance_in, balance_out, spare, factor = parameters[0], parameters[1], parameters[2], parameters[3]
    if not balance_in > 0.0:
        return 0.0, 0.0
    added = factor * amount_in
    after_in, lead = balance_in + added, spare + added - balance_out
    square = balance_in * balance_out * (spare / after_in)
    root = math.sqrt(lead * lead + 4.0 * square)
    given = 2.0 * balance_out * added * ((spare + after_in) / after_in) / (lead + 2.0 * balance_out + root)
    left = 2.0 * square / (lead + root) if lead > 0.0 else 0.5 * (root - lead)
    after_spare = square / left
    slope = left * (after_spare + after_in) / (after_in * (after_spare + left))
    if rows.shape[0] == 0:
        return given, slope * factor
    kept, change = _kept_off_peg(rows[0], balance_in + 0.5 * added, balance_out - 0.5 * given, slope)
    return given * kept, (slope * kept + given * change) * factor


@njit(cache=True, error_model="numpy", nogil=True)
def _kept_off_peg(row: FloatArray, mean_in: float, mean_out: float, slope: float) -> tuple[float, float]:
    """Share of the output that the fee leaves, and its change per unit of input, between the balances' means."""
    fee, multiplier = row[0], row[1]
    both = mean_in + mean_out
    nearness = 4.0 * mean_in * mean_out / (both * both)
    turn = 2.0 * (mean_out - slope * mean_in) / (both * both) - nearness * (1.0 - slope) / both
    divisor = (multiplier - 1.0) * nearness + 1.0
    taken = multiplier * fee / divisor
    return 1.0 - taken, taken * (multiplier - 1.0) * turn / divisor
