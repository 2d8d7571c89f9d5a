"""A swap of a stable pool with a deposit into another pool before it, or a withdrawal from it after it, in floats.

Idea. Neither the deposit nor the withdrawal has a closed form, but each is a handful of float operations. So the way is
sampled where it bends, and between two samples stands an arc of a constant product, as between two ticks: it meets both
ends and the slope at the first. The result is a `TickSegments` shape, which every kernel knows already.

A deposit may be a billionth of the pool it goes into, so D is never subtracted from D. The invariant is written for the
growth g of D and the changes r_k of the balances, the invariant of before taken off (P = D^(n+1) / (n^n prod(x))):

    ann sum(x_k r_k) + (1 - ann) D g = P (exp((n + 1) log(1 + g) - sum(log(1 + r_k))) - 1)

and solved by Newton's method for g (a deposit: tokens = supply g) or for one r (a withdrawal, g = -tokens / supply),
each time once before and once after the fee on what leaves the proportions.

Representation. Samples lie where the swap has given certain shares of its balance, from 1e-4 to 0.999 of it, by steps
of a third at first, of 3 % in the middle, of a tenth of what is left at last. The first slope is extrapolated from two
chords.

Error bound. About 1e-5 of the output against the exact quote (measured in the tests), where other shapes have 1e-9, and
1e-4 for dust, whose fee the contracts round down to nothing: the integers decide anyway.

Source: StableSwap whitepaper for the invariant; its form for small changes is our own; the fee is that of the integer
twin, `stableswap_liquidity`.
"""

import math

import msgspec
import numpy as np
from numba import njit

from headrace.kernels.shape import FloatArray, Stable, TickSegments
from headrace.kernels.stable_shape import input_on_curve, invariant_in_floats, output_and_slope, reduced

_FIRST, _LAST = 1e-4, 0.999  # shares of the balance out
_ARCS_MAX = 128
_ROUNDS_MAX = 60
_CLOSE = 1e-15
_STEP = 1e-4  # of a sample, for its slope


class BaseLeg(msgspec.Struct, frozen=True):
    """The pool whose token the swap takes or gives.

    Attributes:
        balances: in its common unit (1e18 is one coin at par).
        ann: A n^n.
        supply: of its token, raw units.
        index: the coin that goes in or comes out.
        scale: common units per raw unit of that coin.
        fee: share that is taken of what leaves the proportions.
    """

    balances: FloatArray
    ann: float
    supply: float
    index: int
    scale: float
    fee: float


def deposit_then_swap(leg: BaseLeg, swap: Stable) -> TickSegments:
    """`swap` takes the pool's token; its index in is that token's."""
    return _sampled(leg, swap, is_deposit=True)


def swap_then_withdraw(leg: BaseLeg, swap: Stable) -> TickSegments:
    """`swap` gives the pool's token; its index out is that token's."""
    return _sampled(leg, swap, is_deposit=False)


def _sampled(leg: BaseLeg, swap: Stable, *, is_deposit: bool) -> TickSegments:
    parameters, rows = reduced(swap)
    if not (leg.balances.min() > 0.0 and leg.supply > 0.0 and parameters[0] > 0.0):
        return TickSegments(np.empty((0, 4)), 1.0, 0.0)
    numbers = np.array([leg.ann, leg.supply, leg.scale, leg.fee, invariant_in_floats(leg.balances, leg.ann)])
    arcs, taken = _arcs(leg.balances, numbers, leg.index, np.array(parameters), rows, is_deposit)
    return TickSegments(arcs, 1.0, taken)


@njit(cache=True, error_model="numpy", nogil=True)
def _arcs(
    balances: FloatArray,
    numbers: FloatArray,
    index: int,
    parameters: FloatArray,
    rows: FloatArray,
    is_deposit: bool,  # noqa: FBT001 - compiled functions take no keywords
) -> tuple[FloatArray, float]:
    """Rows (input, output, virtual reserves in and out), and the input that all of them take."""
    arcs = np.empty((_ARCS_MAX, 4))
    per_token = numbers[4] / numbers[1] / numbers[2] if is_deposit else 1.0  # raw units of the coin at par
    kept, taken, paid, share = 0, 0.0, 0.0, _FIRST
    amount = input_on_curve(parameters, share * parameters[1]) * per_token
    half = _output(balances, numbers, index, parameters, rows, 0.5 * amount, is_deposit)
    whole = _output(balances, numbers, index, parameters, rows, amount, is_deposit)
    slope = 2.0 * half / (0.5 * amount) - whole / amount
    while kept < _ARCS_MAX and share < _LAST:
        given = _output(balances, numbers, index, parameters, rows, amount, is_deposit)
        width, chord = amount - taken, (given - paid) / (amount - taken)
        if not chord > 0.0:
            break
        bend = max(slope - chord, 1e-15 * chord)
        arcs[kept, 0], arcs[kept, 1] = taken, paid
        arcs[kept, 2] = chord * width / bend
        arcs[kept, 3] = (chord + bend) * arcs[kept, 2]
        kept += 1
        above = _output(balances, numbers, index, parameters, rows, amount * (1.0 + _STEP), is_deposit)
        below = _output(balances, numbers, index, parameters, rows, amount * (1.0 - _STEP), is_deposit)
        slope = (above - below) / (2.0 * _STEP * amount)
        taken, paid = amount, given
        share += min(share / 3.0, 0.03, (1.0 - share) / 10.0)
        amount = input_on_curve(parameters, share * parameters[1]) * per_token
    return arcs[:kept], taken


@njit(cache=True, error_model="numpy", nogil=True)
def _output(
    balances: FloatArray,
    numbers: FloatArray,
    index: int,
    parameters: FloatArray,
    rows: FloatArray,
    amount: float,
    is_deposit: bool,  # noqa: FBT001 - compiled functions take no keywords
) -> float:
    if is_deposit:
        tokens = _deposited(balances, numbers, index, amount * numbers[2])
        return float(output_and_slope(parameters, rows, tokens)[0])
    tokens, _ = output_and_slope(parameters, rows, amount)
    return float(_withdrawn(balances, numbers, index, tokens) / numbers[2])


@njit(cache=True, error_model="numpy", nogil=True)
def _deposited(balances: FloatArray, numbers: FloatArray, index: int, added: float) -> float:
    """Tokens for `added` common units of a coin; numbers are (ann, supply, scale, fee, D)."""
    changes = np.zeros(len(balances))
    changes[index] = added
    growth = _growth(balances, numbers, changes)
    for k in range(len(balances)):
        changes[k] -= numbers[3] * abs(growth * balances[k] - changes[k])
    return float(numbers[1] * _growth(balances, numbers, changes))


@njit(cache=True, error_model="numpy", nogil=True)
def _withdrawn(balances: FloatArray, numbers: FloatArray, index: int, tokens: float) -> float:
    """Common units of a coin for tokens."""
    share, fee = tokens / numbers[1], numbers[3]
    changes = np.zeros(len(balances))
    bare = _change(balances, numbers, changes, index, -share)
    for k in range(len(balances)):
        changes[k] = -fee * share * balances[k]
    changes[index] = 0.0
    paid = fee * (-share * balances[index] - bare)
    return float(-paid - _change(balances, numbers, changes, index, -share))


@njit(cache=True, error_model="numpy", nogil=True)
def _growth(balances: FloatArray, numbers: FloatArray, changes: FloatArray) -> float:
    """By what share D grows."""
    ann, before, count = numbers[0], numbers[4], len(balances)
    product, logs = _product_and_logs(balances, before, changes)
    growth = changes.sum() / before
    for _ in range(_ROUNDS_MAX):
        lift = math.expm1((count + 1.0) * math.log1p(growth) - logs)
        excess = ann * changes.sum() + (1.0 - ann) * before * growth - product * lift
        step = excess / ((1.0 - ann) * before - product * (lift + 1.0) * (count + 1.0) / (1.0 + growth))
        growth -= step
        if abs(step) <= _CLOSE * abs(growth):
            break
    return float(growth)


@njit(cache=True, error_model="numpy", nogil=True)
def _change(balances: FloatArray, numbers: FloatArray, changes: FloatArray, index: int, growth: float) -> float:
    """The change of one balance at which D grows by a share, the others' changes given."""
    ann, before, own = numbers[0], numbers[4], balances[index]
    product, logs = _product_and_logs(balances, before, changes)
    power = (len(balances) + 1.0) * math.log1p(growth) - logs
    others = ann * changes.sum() + (1.0 - ann) * before * growth
    change = max(before * growth, -0.5 * own)
    for _ in range(_ROUNDS_MAX):
        lift = math.expm1(power - math.log1p(change / own))
        step = (others + ann * change - product * lift) / (ann + product * (lift + 1.0) / (own + change))
        after = max(change - step, 0.5 * (change - own))  # never below nothing
        step, change = change - after, after
        if abs(step) <= _CLOSE * abs(change):
            break
    return float(change)


@njit(cache=True, error_model="numpy", nogil=True)
def _product_and_logs(balances: FloatArray, before: float, changes: FloatArray) -> tuple[float, float]:
    """P before the changes, and the sum of the logarithms of what they multiply the balances by."""
    product, logs = before, 0.0
    for k in range(len(balances)):
        product *= before / (len(balances) * balances[k])
        logs += math.log1p(changes[k] / balances[k])
    return product, logs
