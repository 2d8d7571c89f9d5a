"""x to the power y in 18-decimal integers, digit for digit as Balancer v2's contracts compute it.

Idea. x^y = exp(y ln x). The logarithm splits its argument by a table of powers of e (128, 64, 32, ... 1/16) and sums
the series of artanh for the rest; the exponential splits by the same table and sums Taylor's series. Close to one,
where ln x nearly vanishes, a series with 36 decimals takes over: inside (0.9, 1.1).

Representation. A number is an integer with 18 decimals; inside, 20 and 36. The EVM's signed division truncates
towards zero while Python's floors, so every division whose dividend may be negative goes through `_divide`. The
contract's arithmetic is unchecked, yet its own bounds (x < 2^255, y < 2^254 / 10^20, y ln x in [-41, 130]) keep each
product inside 256 bits: integers without limit give its digits.

Error bound. `raw_power` is off by less than 10^-14 of itself, either way. `power_up` adds that bound and one unit, so
it is at least the true power: what the pool gives is rounded to the pool's favour.

Pools of 2021 always take the series. Later ones shortcut the exponents 1, 2 and 4 by multiplication, which rounds
differently: `has_shortcuts` says which contract is meant.

Source: LogExpMath.sol and FixedPoint.sol of balancer-v2-monorepo, as deployed (pool tasks 20210418 and 20220908).
"""

from collections.abc import Callable

ONE = 10**18
_ONE_20 = 10**20
_ONE_36 = 10**36
_X_BITS = 255
_EXPONENT_END = 2**254 // _ONE_20
_PRODUCT_MIN = -41 * ONE
_PRODUCT_MAX = 130 * ONE
_LN_36_LOWER = ONE - 10**17
_LN_36_UPPER = ONE + 10**17
_RELATIVE_ERROR_MAX = 10_000  # in 18 decimals: 10^-14
_TAYLOR_TERMS = 12
_ARTANH_TERMS_20 = 11  # the last odd divisor
_ARTANH_TERMS_36 = 15

# (n, e^n), n with 18 decimals, e^n without any: the contract's x0, a0 and x1, a1
_WHOLE = (
    (128 * ONE, 38877084059945950922200000000000000000000000000000000000),
    (64 * ONE, 6235149080811616882910000000),
)
# (n, e^n), both with 20 decimals: x2, a2 to x11, a11
_FRACTIONAL = (
    (32 * _ONE_20, 7896296018268069516100000000000000),
    (16 * _ONE_20, 888611052050787263676000000),
    (8 * _ONE_20, 298095798704172827474000),
    (4 * _ONE_20, 5459815003314423907810),
    (2 * _ONE_20, 738905609893065022723),
    (_ONE_20, 271828182845904523536),
    (_ONE_20 // 2, 164872127070012814685),
    (_ONE_20 // 4, 128402541668774148407),
    (_ONE_20 // 8, 113314845306682631683),
    (_ONE_20 // 16, 106449445891785942956),
)
_EXPONENTIAL_FRACTIONS = _FRACTIONAL[:8]  # the exponential does without the last two


def power_up(x: int, y: int, *, has_shortcuts: bool) -> int | None:
    """x^y rounded up beyond every error; all numbers carry 18 decimals. None where the contract reverts."""
    if has_shortcuts and (exact := _shortcut(x, y, multiply_up)) is not None:
        return exact
    raw = raw_power(x, y)
    return None if raw is None else raw + multiply_up(raw, _RELATIVE_ERROR_MAX) + 1


def power_down(x: int, y: int, *, has_shortcuts: bool) -> int | None:
    """x^y rounded down beyond every error; all numbers carry 18 decimals. None where the contract reverts."""
    if has_shortcuts and (exact := _shortcut(x, y, multiply_down)) is not None:
        return exact
    raw = raw_power(x, y)
    return None if raw is None else max(0, raw - multiply_up(raw, _RELATIVE_ERROR_MAX) - 1)


def raw_power(x: int, y: int) -> int | None:
    """exp(y ln x), off by less than 10^-14 of itself; None where the contract reverts.

    It reverts for x of 2^255 and more, for y of 2^254 / 10^20 and more, and for y ln x outside [-41, 130].
    """
    if y == 0:
        return ONE
    if x == 0:
        return 0
    if x >> _X_BITS or y >= _EXPONENT_END:
        return None
    product = _divide(_logarithm_times(x, y), ONE)
    return _exponential(product) if _PRODUCT_MIN <= product <= _PRODUCT_MAX else None


def multiply_down(a: int, b: int) -> int:
    """Product of two non-negative 18-decimal numbers, rounded down."""
    return a * b // ONE


def multiply_up(a: int, b: int) -> int:
    """Product of two non-negative 18-decimal numbers, rounded up."""
    return -(-a * b // ONE)


def divide_down(a: int, b: int) -> int:
    """Quotient of two 18-decimal numbers, a >= 0 and b > 0, rounded down."""
    return a * ONE // b


def divide_up(a: int, b: int) -> int:
    """Quotient of two 18-decimal numbers, a >= 0 and b > 0, rounded up."""
    return -(-a * ONE // b)


def _shortcut(x: int, y: int, multiply: Callable[[int, int], int]) -> int | None:
    if y == ONE:
        return x
    if y not in {2 * ONE, 4 * ONE}:
        return None
    square = multiply(x, x)
    return square if y == 2 * ONE else multiply(square, square)


def _divide(a: int, b: int) -> int:
    return a // b if a >= 0 else -(-a // b)


def _logarithm_times(x: int, y: int) -> int:
    if not _LN_36_LOWER < x < _LN_36_UPPER:
        return _logarithm(x) * y
    precise = _logarithm_36(x)
    whole = _divide(precise, ONE)
    return whole * y + _divide((precise - whole * ONE) * y, ONE)


def _logarithm(x: int) -> int:
    if x < ONE:
        return -_logarithm(ONE * ONE // x)
    total = 0
    for exponent, power in _WHOLE:
        if x >= power * ONE:
            x //= power
            total += exponent
    total *= 100
    x *= 100
    for exponent, power in _FRACTIONAL:
        if x >= power:
            x = x * _ONE_20 // power
            total += exponent
    z = (x - _ONE_20) * _ONE_20 // (x + _ONE_20)
    return (total + 2 * _artanh(z, _ONE_20, _ARTANH_TERMS_20)) // 100


def _logarithm_36(x: int) -> int:
    x *= ONE
    return 2 * _artanh(_divide((x - _ONE_36) * _ONE_36, x + _ONE_36), _ONE_36, _ARTANH_TERMS_36)


def _artanh(z: int, one: int, last: int) -> int:
    square = z * z // one
    term = total = z
    for divisor in range(3, last + 1, 2):
        term = _divide(term * square, one)
        total += _divide(term, divisor)
    return total


def _exponential(x: int) -> int:
    if x < 0:
        return ONE * ONE // _exponential(-x)
    whole = 1
    for exponent, power in _WHOLE:
        if x >= exponent:
            x -= exponent
            whole = power
            break
    x *= 100
    product = _ONE_20
    for exponent, power in _EXPONENTIAL_FRACTIONS:
        if x >= exponent:
            x -= exponent
            product = product * power // _ONE_20
    return product * _taylor(x) // _ONE_20 * whole // 100


def _taylor(x: int) -> int:
    term = x
    total = _ONE_20 + x
    for divisor in range(2, _TAYLOR_TERMS + 1):
        term = term * x // _ONE_20 // divisor
        total += term
    return total
