"""A CryptoSwap pool in floats for search: twelve numbers per direction, and the swap solved in ratios.

Idea. With balances as shares of D (u = n x / D), k = 1 - K0 and s = sum(u) / n - 1, the invariant is

    G(s, k) = A n^n gamma^2 s (1 - k) - k (gamma + k)^2 = 0

Both s and k are small near balance, so they are not computed from balances after the swap: the exact integers give k
before it, and the swap changes both by differences that are known exactly. G is expanded around the state before, so
that nothing large cancels, and solved for the part of the balance that leaves; it falls in that part, so a bracketed
Newton iteration always ends. A swap of nothing gives nothing.

The curve without its fee is concave. The fee falls towards balance, for all of what is bought, so where a swap restores
balance the marginal price may rise for a stretch, by a few times the span between the pool's two fees. Search takes
every curve for concave: it may then stop at a size that is not the best, never at one that is misquoted.

Error. About 10^-14 of the output, 10^-15 of the balance out, and the contract's rounding of the fee to 10^-10. While A
and gamma ramp, the curve is that of the block the state was read at. Where the contract refuses, at a hundredth of D
or a hundred times D in one coin, the curve goes on: the integer twin decides.

Source: as for `headrace.kernels.cryptoswap`.
"""

import math

import numpy as np
from numba import njit

from headrace.kernels.cryptoswap import FEE_ONE, CryptoSwapPool
from headrace.kernels.cryptoswap_newton import A_MULTIPLIER, ONE
from headrace.kernels.shape import CryptoSwap, FloatArray

_ROUNDS_MAX = 200
_STEP_MIN = 2e-16


def cryptoswap_shape(pool: CryptoSwapPool, index_in: int, index_out: int, invariant: int) -> CryptoSwap:
    """The swap in one direction, with D as the contract will take it; no rows for a pool without balances."""
    common = pool.common(pool.balances)
    if invariant <= 0 or min(common) <= 0:
        return no_shape()
    count = len(common)
    gamma, strength = pool.gamma / ONE, pool.ann / A_MULTIPLIER * (pool.gamma / ONE) ** 2
    whole = invariant**count
    lack = max(0.0, (whole - count**count * math.prod(common)) / whole)
    if lack >= 1.0:  # next to nothing of one coin: floats do not tell how little
        return no_shape()
    excess = lack * (gamma + lack) ** 2 / (strength * (1.0 - lack))
    fees = pool.fees
    per_unit = [scale * count / (ONE * invariant) for scale in pool.scales]
    rows = (
        (pool.balances[index_in] * per_unit[index_in], per_unit[index_in], lack, excess),
        (pool.balances[index_out] * per_unit[index_out], per_unit[index_out], strength, gamma),
        (fees.mid_fee / FEE_ONE, fees.out_fee / FEE_ONE, fees.fee_gamma / ONE, float(count)),
        (float(fees.has_curved_fee), 0.0, 0.0, 0.0),
    )
    return CryptoSwap(np.array(rows))


def no_shape() -> CryptoSwap:
    """What gives nothing."""
    return CryptoSwap(np.empty((0, 4)))


@njit(cache=True, error_model="numpy", nogil=True)
def output_and_slope(rows: FloatArray, amount_in: float) -> tuple[float, float]:
    """Output of an input in raw units, and units out per further unit in; (0, 0) without rows."""
    if rows.shape[0] == 0:
        return 0.0, 0.0
    added = rows[0, 1] * max(amount_in, 0.0)
    part = _part_leaving(rows, added)
    growth, share_in, share_out, count = added / rows[0, 0], rows[0, 0], rows[1, 0], rows[2, 3]
    product = 1.0 - rows[0, 2]
    change_k = product * (part - growth + part * growth)
    change_s = (added - part * share_out) / count
    steep = _derivative(rows, change_s, change_k, -share_out / count, product * (1.0 + growth))
    rise = _derivative(rows, change_s, change_k, 1.0 / count, -product * (1.0 - part) / share_in)
    part_rate = -rise / steep
    k_rate = product * ((1.0 + growth) * part_rate - (1.0 - part) / share_in)
    s_rate = (1.0 - share_out * part_rate) / count
    fee, fee_rate = _fee(rows, rows[0, 2] + change_k, rows[0, 3] + change_s, k_rate, s_rate)
    gross, gross_rate = part * share_out, part_rate * share_out
    slope = (gross_rate * (1.0 - fee) - gross * fee_rate) * rows[0, 1] / rows[1, 1]
    return gross * (1.0 - fee) / rows[1, 1], max(slope, 0.0)


@njit(cache=True, error_model="numpy", nogil=True)
def _part_leaving(rows: FloatArray, added: float) -> float:
    """Part of the balance out that leaves for `added` shares of D."""
    growth, share_out, count = added / rows[0, 0], rows[1, 0], rows[2, 3]
    product = 1.0 - rows[0, 2]
    low, high = 0.0, 1.0
    part = growth / (1.0 + growth)
    for _ in range(_ROUNDS_MAX):
        change_k = product * (part - growth + part * growth)
        change_s = (added - part * share_out) / count
        error = _value(rows, change_s, change_k)
        if error == 0.0:
            break
        if error > 0.0:
            low = part
        else:
            high = part
        steep = _derivative(rows, change_s, change_k, -share_out / count, product * (1.0 + growth))
        following = part - error / steep
        if not low < following < high:
            following = 0.5 * (low + high)
        is_done = abs(following - part) <= _STEP_MIN * part
        part = following
        if is_done:
            break
    return float(part)


@njit(cache=True, error_model="numpy", nogil=True)
def _value(rows: FloatArray, change_s: float, change_k: float) -> float:
    """G after the swap, where G before it is 0."""
    lack, excess, strength, gamma = rows[0, 2], rows[0, 3], rows[1, 2], rows[1, 3]
    gap = gamma + lack
    cube = gap * gap + 2.0 * gap * lack + change_k * (lack + 2.0 * gap + change_k)
    return float(strength * ((1.0 - lack - change_k) * change_s - excess * change_k) - change_k * cube)


@njit(cache=True, error_model="numpy", nogil=True)
def _derivative(rows: FloatArray, change_s: float, change_k: float, s_rate: float, k_rate: float) -> float:
    """Rate of G where s and k change at these rates."""
    lack, excess, strength, gamma = rows[0, 2], rows[0, 3], rows[1, 2], rows[1, 3]
    gap = gamma + lack
    cube = gap * gap + 2.0 * gap * lack + change_k * (2.0 * lack + 4.0 * gap + 3.0 * change_k)
    return float(strength * ((1.0 - lack - change_k) * s_rate - (excess + change_s) * k_rate) - k_rate * cube)


@njit(cache=True, error_model="numpy", nogil=True)
def _fee(rows: FloatArray, lack: float, excess: float, k_rate: float, s_rate: float) -> tuple[float, float]:
    """Fee at k and s after the swap, and its rate."""
    mid, out, fee_gamma, count = rows[2, 0], rows[2, 1], rows[2, 2], rows[2, 3]
    shrink = (1.0 + excess) ** -count
    even = (1.0 - lack) * shrink
    even_rate = -k_rate * shrink - count * even * s_rate / (1.0 + excess)
    weight = even if rows[3, 0] > 0.0 else 1.0
    weight_rate = even_rate if rows[3, 0] > 0.0 else 0.0
    if fee_gamma > 0.0:
        whole = fee_gamma * weight + 1.0 - even
        share = fee_gamma * weight / whole
        share_rate = (fee_gamma * weight_rate * (1.0 - even) + fee_gamma * weight * even_rate) / (whole * whole)
    else:
        share, share_rate = even, even_rate
    return out + (mid - out) * share, (mid - out) * share_rate
