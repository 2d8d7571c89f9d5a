"""The invariant of CryptoSwap in closed form, as the contracts of the second generation ("NG") solve it.

Idea. With D and the other balances fixed, the invariant is a cubic in K0, and the wanted balance is proportional to K0:

    a K0^3 + b K0^2 + c K0 + d = 0,   one real root: K0 = (b + b delta0 / C1 - C1) / 3a

where C1 comes from two cube roots. Where the term under the square root is not positive, the contracts fall back to
Newton's method, and so does this.

Representation. Coefficients are signed 256-bit integers, scaled down by powers of ten before they are squared. Signed
division truncates towards zero. The contracts check some operations for overflow and revert, and leave others
unchecked: an unchecked division by zero gives zero. Both are repeated here; unchecked products cannot overflow within
the limits on A, gamma, D and the balances, which are tested before.

Error. None against the contracts' arithmetic as documented; against the true root about 10^-17 of D, which the tests
measure against arithmetic of 60 digits.

Source: Curve's documentation of the math contracts of tricrypto-NG and twocrypto-NG; Cardano's formula.
"""

import math
from typing import NamedTuple

from headrace.kernels.cryptoswap_newton import A_MULTIPLIER, ONE, Curve, RevertError, balance_by_newton

_WORD_END = 1 << 256
_SIGNED_END = 1 << 255
_CUBE_ROUNDS = 7
_CUBE_SCALED = (_WORD_END - 1) // 10**36  # up to here a cube root is taken of 10^36 times the value
_TRIPLE_SCALES = tuple((10**least, 10**scale) for least, scale in zip(range(48, 20, -4), range(30, 2, -4), strict=True))
_PAIR_SCALES = tuple((10**least, 10**scale) for least, scale in zip(range(48, 22, -2), range(30, 4, -2), strict=True))
_LAST_SCALE = (10**20, 10**2)


class _Cubic(NamedTuple):
    a: int
    b: int
    c: int
    d: int

    def times(self, factor: int) -> "_Cubic":
        return _Cubic(*(_signed(one * factor) for one in self))

    def over(self, divisor: int) -> "_Cubic":
        return _Cubic(*(_quotient(one, divisor) for one in self))


def balance_of_three(curve: Curve, other_low: int, other_high: int) -> tuple[int, int]:
    """The third balance and K0 (0 after the fallback); the other two in the pool's order.

    Raises:
        RevertError: an overflow, or a negative root.
        ZeroDivisionError: a checked division by zero, where the contract reverts.
    """
    a, b, c, d = _scaled_triple(_triple(curve, other_low, other_high))
    triple_ac = _signed(3 * a * c)
    delta0 = _quotient(triple_ac, b) - b
    delta1 = _quotient(_signed(3 * triple_ac), b) - 2 * b - _quotient(_signed(_quotient(27 * a * a, b) * d), b)
    under = _signed(_signed(delta1 * delta1) + _signed(_quotient(_signed(4 * delta0 * delta0), b) * delta0))
    if under <= 0:
        return balance_by_newton(curve, (other_low, other_high)), 0
    c1 = _product_of_cube_roots(b, delta1, math.isqrt(under))
    root = _quotient(b + _checked_quotient(_signed(b * delta0), c1) - c1, 3)
    invariant = curve.invariant
    scale = invariant * invariant // 27 // other_high * invariant // other_low
    return _unsigned(_quotient(_signed(scale * root), a)), _unsigned(_quotient(_signed(ONE * root), a))


def balance_of_two(curve: Curve, other: int) -> tuple[int, int]:
    """The second balance and K0 (0 after the fallback).

    Raises:
        RevertError: an overflow, or a negative root.
        ZeroDivisionError: a checked division by zero, where the contract reverts.
    """
    a, b, c, d = _scaled_pair(_pair(curve, other))
    delta0, delta1 = _deltas_of_pair(a, b, c, d)
    under = _signed(_signed(delta1 * delta1) + _quotient(_signed(4 * delta0 * delta0), b) * delta0)
    if under <= 0:
        return balance_by_newton(curve, (other,)), 0
    c1 = _product_of_cube_roots(b, delta1, math.isqrt(under))
    sum_of_terms = _signed(ONE * c1 - ONE * b - _signed(_checked_quotient(ONE * b, c1) * delta0))
    root = _quotient(sum_of_terms, 3 * a)
    scale = curve.invariant * curve.invariant // other
    return _unsigned(_quotient(_quotient(scale * root, 4), ONE)), _unsigned(root)


def cube_root(value: int) -> int:
    """Cube root of an 18-decimal fraction as one, by seven steps of Newton from the power of two below.

    Past 10^-36 of the word's range the value is scaled less, and the root has six or twelve digits less.
    """
    lost = 0 if value < _CUBE_SCALED else 6 if value < _CUBE_SCALED * ONE else 12
    scaled = value * 10 ** (36 - 3 * lost)
    thirds, remainder = divmod(max(scaled.bit_length() - 1, 0), 3)
    root = (1 << thirds) * 1260**remainder // 1000**remainder
    for _ in range(_CUBE_ROUNDS):
        root = (2 * root + (scaled // (root * root) if root else 0)) // 3
    return int(root * 10**lost)


def _triple(curve: Curve, low: int, high: int) -> _Cubic:
    _, ann, gamma, invariant = curve
    gamma_squared = gamma * gamma
    taken = _signed(invariant * invariant // low * gamma_squared * ann) // 729 // A_MULTIPLIER // high
    excess = _quotient(_signed(gamma_squared * (low + high - invariant)), invariant)
    return _Cubic(
        a=10**36 // 27,
        b=10**36 // 9 + 2 * ONE * gamma // 27 - taken,
        c=10**36 // 9 + gamma * (gamma + 4 * ONE) // 27 + _quotient(_quotient(excess * ann, 27), A_MULTIPLIER),
        d=(ONE + gamma) ** 2 // 27,
    )


def _scaled_triple(cubic: _Cubic) -> _Cubic:
    """Coefficients around one size, so that their products fit; a comes out near b."""
    a, b, c, _ = cubic
    size = abs(_checked_quotient(_signed(3 * a * c), b) - b)
    divider = next((scale for least, scale in (*_TRIPLE_SCALES, _LAST_SCALE) if size > least), 1)
    if a > abs(b):
        return cubic.times(abs(_quotient(a, b))).over(divider)
    return cubic.over(abs(_quotient(b, a))).over(divider)


def _pair(curve: Curve, other: int) -> _Cubic:
    _, ann, gamma, invariant = curve
    strength = ann * gamma * gamma
    quarter = 4 * strength // (4 * 10**8)
    taken = 3 * 10**32 + 2 * gamma * 10**14
    return _Cubic(
        a=10**32,
        b=_signed(invariant * strength) // (4 * 10**8) // other - taken,
        c=3 * 10**32 + 4 * gamma * 10**14 + gamma * gamma // 10**4 + _signed(quarter * other) // invariant - quarter,
        d=-((ONE + gamma) ** 2 // 10**4),
    )


def _scaled_pair(cubic: _Cubic) -> _Cubic:
    a, b, c, d = cubic
    delta0 = _checked_quotient(_signed(3 * a * c), b) - b
    delta1 = 3 * delta0 + b - _checked_quotient(_signed(_checked_quotient(27 * a * a, b) * d), b)
    size = min(abs(delta0), abs(delta1), a)
    divider = next((scale for least, scale in (*_PAIR_SCALES, _LAST_SCALE) if size > least), 1)
    return cubic.over(divider)


def _deltas_of_pair(a: int, b: int, c: int, d: int) -> tuple[int, int]:
    delta0 = _quotient(3 * a * c, b) - b
    return delta0, 3 * delta0 + b - _quotient(_quotient(27 * a * a, b) * d, b)


def _product_of_cube_roots(b: int, delta1: int, root: int) -> int:
    """C1: the cube root of b squared, times that of (delta1 +- root) / 2, with the signs of the real branch."""
    of_b = cube_root(abs(b))
    second = cube_root((delta1 + root) // 2) if delta1 > 0 else -cube_root((root - delta1) // 2)
    return _quotient(of_b * of_b // ONE * second, ONE)


def _quotient(dividend: int, divisor: int) -> int:
    """Signed division towards zero; 0 for a divisor of 0."""
    if divisor == 0:
        return 0
    size = abs(dividend) // abs(divisor)
    return size if (dividend >= 0) == (divisor > 0) else -size


def _checked_quotient(dividend: int, divisor: int) -> int:
    if divisor == 0:
        raise ZeroDivisionError
    return _quotient(dividend, divisor)


def _signed(value: int) -> int:
    if not -_SIGNED_END <= value < _SIGNED_END:
        raise RevertError("a product does not fit a signed word")
    return value


def _unsigned(value: int) -> int:
    if value < 0:
        raise RevertError("the root is negative")
    return value
