"""The invariant of CryptoSwap by Newton's method in integers: one balance from the others, and D from all.

Invariant. With n balances x in common units, their sum S and product P, K0 = P n^n / D^n and 1 >= K0 > 0:

    K D^(n-1) S + P = K D^n + (D / n)^n,    K = A K0 gamma^2 / (gamma + 1 - K0)^2

A pool near balance (K0 near 1) behaves as StableSwap with A, far from it as a constant product.

Representation. Fractions carry 18 decimals, `ann` is A n^n with four decimals. The order of every multiplication and
division below is the contracts', because each division rounds down: regrouping a product moves the result by units.
Two groupings of one term of the derivative are deployed for pools of two coins; `is_grouped` says which. The
iterations stop at a relative step of 10^-14, so where they stop is part of the answer too.

Error. None against the contracts. Against the true root the balance is right to about 10^-17 of D, because the step
that stops the iteration is the last of a quadratic descent; with the second grouping, whose derivative is not the
true one, only to 10^-8 where gamma is large. The tests measure it against arithmetic of 60 digits.

Source: Egorov, "Automatic market-making with dynamic peg" (2021), the invariant; Curve's documentation of the math
contracts, for order and rounding.
"""

from collections.abc import Sequence
from typing import NamedTuple

ONE = 10**18
A_MULTIPLIER = 10_000
ROUNDS_MAX = 255
TOLERANCE = 10**14
_WORD_END = 1 << 256
_TOLERANCE_MIN = 100  # units of a balance
_PAIR = 2


class RevertError(ArithmeticError):
    """The contract reverts here; `str()` says why."""


class DustError(RevertError):
    """It reverts because the amount is too small."""


class Curve(NamedTuple):
    """What one solution needs beside balances.

    Attributes:
        coins: how many, 2 or 3.
        ann: A n^n, four decimals.
        gamma: 18-decimal fraction.
        invariant: D, in the common units of the balances.
    """

    coins: int
    ann: int
    gamma: int
    invariant: int


def balance_by_newton(curve: Curve, others: Sequence[int], *, is_grouped: bool = False) -> int:
    """The missing balance, given the others (all positive); within the contracts' tolerance of the root.

    Raises:
        RevertError: it does not converge, or a step does not fit 256 bits.
        ZeroDivisionError: a step divides by nothing, where the contracts revert.
    """
    count, _, gamma, invariant = curve
    falling = sorted(others, reverse=True)
    balance = _first_balance(curve, falling)
    k0_others = ONE
    for other in falling:
        k0_others = k0_others * other * count // invariant
    total_others = sum(falling)
    tolerance = max(falling[0] // TOLERANCE, invariant // TOLERANCE, _TOLERANCE_MIN)
    for _ in range(ROUNDS_MAX):
        before = balance
        k0 = k0_others * before * count // invariant
        gap = abs(gamma + ONE - k0) + 1
        weight = _weight(curve, invariant, gap)
        factor = (ONE + 2 * ONE * k0) // gap if is_grouped else ONE + 2 * ONE * k0 // gap
        rise = ONE * before + (total_others + before) * factor + weight - invariant * factor
        if rise < 0:
            balance = before // 2
            continue
        slope = rise // before
        down = weight // slope
        up = (rise + ONE * invariant) // slope + down * ONE // k0
        down += ONE * (total_others + before) // slope
        balance = before // 2 if up < down else up - down
        if abs(balance - before) < max(tolerance, balance // TOLERANCE):
            return balance
    raise RevertError("the balance does not converge")


def invariant_by_newton(ann: int, gamma: int, balances: Sequence[int], first: int) -> int:
    """D of all balances, from the estimate `first`; `balances` are sorted, the largest first.

    Raises:
        RevertError: it does not converge, or a step leaves its range.
        ZeroDivisionError: a step divides by nothing, where the contracts revert.
    """
    count, total, invariant = len(balances), sum(balances), first
    for _ in range(ROUNDS_MAX):
        before = invariant
        k0 = _balance_product(balances, before)
        gap = abs(gamma + ONE - k0) + 1
        weight = _weight(Curve(count, ann, gamma, before), before, gap)
        factor = 2 * ONE * count * k0 // gap
        slope = total + total * factor // ONE + weight * count // k0 - factor * before // ONE
        if slope < 0:
            raise RevertError("the derivative of D is negative")
        up = before * (slope + total) // slope
        change = before * (weight // slope) // ONE * abs(ONE - k0) // k0
        down = before * before // slope + (change if k0 < ONE else -change)
        if down < 0:
            raise RevertError("a step of D is negative")
        invariant = up - down if up > down else (down - up) // 2
        if abs(invariant - before) * TOLERANCE < max(10**16, invariant):
            return invariant
    raise RevertError("D does not converge")


def mean_by_newton(balances: Sequence[int]) -> int:
    """Geometric mean as the original contracts compute it; `balances` are sorted, the largest first.

    Raises:
        RevertError: it does not converge.
        ZeroDivisionError: a balance is 0.
    """
    mean, count = balances[0], len(balances)
    for _ in range(ROUNDS_MAX):
        before = mean
        if count == _PAIR:
            mean = (mean + balances[0] * balances[1] // mean) // count
        else:
            share = ONE
            for balance in balances:
                share = share * balance // mean
            mean = mean * ((count - 1) * ONE + share) // (count * ONE)
        difference = abs(mean - before)
        if difference <= 1 or difference * ONE < mean:
            return mean
    raise RevertError("the geometric mean does not converge")


def _first_balance(curve: Curve, falling: Sequence[int]) -> int:
    """Where the iteration starts: the constant product's balance."""
    count, _, _, invariant = curve
    if count == _PAIR:
        return invariant * invariant // (falling[0] * count * count)
    balance = invariant // count
    for other in reversed(falling):
        balance = balance * invariant // (other * count)
    return balance


def _weight(curve: Curve, invariant: int, gap: int) -> int:
    """D (gamma + 1 - K0)^2 / (gamma^2 A n^n)."""
    gamma = curve.gamma
    product = ONE * invariant // gamma * gap // gamma * gap * A_MULTIPLIER
    if product >= _WORD_END:
        raise RevertError("a product does not fit 256 bits")
    return product // curve.ann


def _balance_product(balances: Sequence[int], invariant: int) -> int:
    """K0, 18 decimals, rounded down at each balance."""
    if len(balances) == _PAIR:
        return ONE * 4 * balances[0] // invariant * balances[1] // invariant
    k0 = ONE
    for balance in balances:
        k0 = k0 * balance * len(balances) // invariant
    return k0
