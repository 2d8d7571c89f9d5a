"""Solidly pairs, to the unit: the volatile curve x y = k, and the stable one x^3 y + x y^3 = k.

Idea. A pair first takes its fee off the input, then answers `getAmountOut` for the rest. A volatile pair divides as
constant product does. A stable pair scales both reserves to 18 decimals, computes k, and looks for the y at which the
curve is met again with the larger x, by Newton's method on integers; what y fell by, scaled back, is the output.

Versions. Three things differ between contracts of this family, and all are parts of `SolidlyPair`:
  * the root (`Root`). The first contracts (Solidly, Velodrome v1, Equalizer, Thena ...) end at the first step of at
    most 1, evaluate f(x, y) as x (y y y) + (x x x) y, and may end a unit short of the curve. Velodrome v2 and Aerodrome
    evaluate f as k is evaluated, and end at a y that reaches k: at the least such y, or one above it.
  * one slip of the latter is part of its arithmetic: before it answers y + 1 it asks k(x, y + 1) of numbers that were
    scaled already, and so scales them twice where a token has not 18 decimals.
  * the fee's unit: 1 / 10^4 in most, 1 / 10^18 in Equalizer. The fee is rounded down.

When a swap fails. `swap` compares k of the balances afterwards (less the fee) with k before. The first contracts' root
can break that by its missing unit; then the router's own quote cannot be traded, and neither can ours: `accepts` is
that comparison. Contracts of this family are compiled with checked arithmetic: an intermediate product over 256
bits reverts, and so it does here (`OverflowError` inside, None outside); reserves of 3 * 10^10 tokens reach that.

Gaps. The slip above overflows where a token has few decimals: `getAmountOut` then reverts, for single amounts that end
just under the curve; mostly in pairs that hold much more of one token than of the other. Such an amount is refused.

Inverse. Of a volatile pair it is a division. Of a stable one, no input is traded for an output or more before k is met
with that output gone, because `swap` compares: the first input for which it is, found by halving (k never falls when a
balance grows), is a bound from below. From there up the inputs are tried one by one, as many as `_TRIES_MAX`: the first
that the pair itself trades for enough is the least of all. Mostly it is the bound; the last unit of a root, and the
slip, may put it some units higher. Pairs that hold less than a token of something have roundings of f beyond that: of
5,500 random pairs 4 went past 3,000, and all past 64 were such. There halving goes over the pair's own trades, and
only the `_LOOK_BELOW` inputs below where it ends are tried: a smaller one can remain, by what those roundings are
worth.

Error: none. Source: the contracts' published sources (Solidly BaseV1-core, Velodrome v1 Pair, Velodrome v2 / Aerodrome
Pool); confirmed on quotes recorded from Aerodrome. The invariant's formula: Solidly's announcement, "x3y + y3x >= k".
"""

from enum import IntEnum

import msgspec

ONE = 10**18
_ITERATIONS_MAX = 255
_WORD_BITS = 256
_TRIES_MAX = 4096
_LOOK_BELOW = 64


class Root(IntEnum):
    """How a contract solves its stable curve."""

    SOLIDLY = 0
    VELODROME_V2 = 1


class SolidlyPair(msgspec.Struct, frozen=True):
    """One direction of a pair.

    Attributes:
        reserve_in: raw units, like `reserve_out`.
        scale_in: 10^decimals of the token in, like `scale_out`.
        fee: in parts of `fee_unit`.
        is_stable: which of the two curves.
        root: how the stable one is solved.
        is_zero_for_one: whether the token in is the pair's first.
    """

    reserve_in: int
    reserve_out: int
    scale_in: int
    scale_out: int
    fee: int
    fee_unit: int
    is_stable: bool
    root: Root
    is_zero_for_one: bool


def amount_out(pair: SolidlyPair, amount_in: int) -> int | None:
    """What `getAmountOut` answers for `amount_in` (raw units, at least 0), rounded down; None where it reverts."""
    try:
        net = amount_in - _product(amount_in, pair.fee) // pair.fee_unit
        return _stable_out(pair, net) if pair.is_stable else _volatile_out(pair, net)
    except (OverflowError, ZeroDivisionError):
        return None


def accepts(pair: SolidlyPair, amount_in: int, amount_out: int) -> bool:
    """Whether `swap` pays `amount_out` for `amount_in` (raw units): some, not all it holds, and k stays."""
    if amount_in <= 0 or not 0 < amount_out < pair.reserve_out:
        return False
    try:
        balance_in = pair.reserve_in + amount_in - _product(amount_in, pair.fee) // pair.fee_unit
        after = _invariant(pair, balance_in, pair.reserve_out - amount_out)
        return after >= _invariant(pair, pair.reserve_in, pair.reserve_out)
    except OverflowError:
        return False


def traded(pair: SolidlyPair, amount_in: int) -> int | None:
    """What a swap of `amount_in` for the pair's own quote pays; None where quote or swap reverts."""
    given = amount_out(pair, amount_in)
    return given if given is not None and accepts(pair, amount_in, given) else None


def amount_in(pair: SolidlyPair, amount_out_min: int) -> int | None:
    """Least input whose `traded` reaches `amount_out_min` (at least 1); None where none does."""
    if not 0 < amount_out_min < pair.reserve_out or pair.reserve_in <= 0:
        return None
    if not pair.is_stable:
        net = -(-amount_out_min * pair.reserve_in // (pair.reserve_out - amount_out_min))
        asked = _with_fee(pair, net)
        return asked if traded(pair, asked) is not None else None
    try:
        bound = _least_on_curve(pair, amount_out_min)
    except OverflowError:
        return None
    if bound is None:
        return None
    tried = range(bound, bound + _TRIES_MAX)
    return _first_reaching(pair, tried, amount_out_min) or _least_traded(pair, tried.stop, amount_out_min)


def _volatile_out(pair: SolidlyPair, net: int) -> int:
    return _product(net, pair.reserve_out) // (pair.reserve_in + net)


def _stable_out(pair: SolidlyPair, net: int) -> int:
    k = _invariant(pair, pair.reserve_in, pair.reserve_out)
    x = _scaled(pair.reserve_in, pair.scale_in) + _scaled(net, pair.scale_in)
    y = _scaled(pair.reserve_out, pair.scale_out)
    left = _first_root(x, k, y) if pair.root is Root.SOLIDLY else _later_root(x, k, y, pair)
    return _product(_difference(y, left), pair.scale_out) // ONE


def _invariant(pair: SolidlyPair, balance_in: int, balance_out: int) -> int:
    """`_k`: symmetric in its arguments to the unit, so the order of the tokens does not matter."""
    if not pair.is_stable:
        return _product(balance_in, balance_out)
    return _f_as_k(_scaled(balance_in, pair.scale_in), _scaled(balance_out, pair.scale_out))


def _first_root(x: int, k: int, y: int) -> int:
    for _ in range(_ITERATIONS_MAX):
        found = _f_of_cubes(x, y)
        if found < k:
            step = _product(k - found, ONE) // _derivative(x, y)
            y += step
        else:
            step = _product(found - k, ONE) // _derivative(x, y)
            y = _difference(y, step)
        if step <= 1:
            break
    return y


def _later_root(x: int, k: int, y: int, pair: SolidlyPair) -> int:
    for _ in range(_ITERATIONS_MAX):
        found = _f_as_k(x, y)
        if found == k:
            _derivative_checked(x, y)
            return y
        step = _product(abs(k - found), ONE) // _derivative_checked(x, y)
        if found < k:
            if step == 0 and _k_scaled_twice(x, y + 1, pair) > k:
                return y + 1
            y += max(step, 1)
        else:
            if step == 0 and _f_as_k(x, _difference(y, 1)) < k:
                return y
            y = _difference(y, max(step, 1))
    raise OverflowError("!y")


def _k_scaled_twice(x: int, y: int, pair: SolidlyPair) -> int:
    """Scaled once more, by the first token's decimals and the second's, whichever of them x is."""
    scales = (pair.scale_in, pair.scale_out) if pair.is_zero_for_one else (pair.scale_out, pair.scale_in)
    return _f_as_k(_scaled(x, scales[0]), _scaled(y, scales[1]))


def _f_as_k(x: int, y: int) -> int:
    xy = _product(x, y) // ONE
    return _product(xy, _product(x, x) // ONE + _product(y, y) // ONE) // ONE


def _f_of_cubes(x: int, y: int) -> int:
    return _product(x, _cube(y)) // ONE + _product(_cube(x), y) // ONE


def _cube(x: int) -> int:
    return _product(_product(x, x) // ONE, x) // ONE


def _derivative(x: int, y: int) -> int:
    """Of f by y; 0 for dust, where the contract then divides by zero."""
    return _product(3 * x, _product(y, y) // ONE) // ONE + _cube(x)


def _derivative_checked(x: int, y: int) -> int:
    found = _derivative(x, y)
    if found == 0:
        raise ZeroDivisionError
    return found


def _scaled(amount: int, scale: int) -> int:
    return _product(amount, ONE) // scale


def _product(left: int, right: int) -> int:
    product = left * right
    if product >> _WORD_BITS:
        raise OverflowError
    return product


def _difference(left: int, right: int) -> int:
    if right > left:
        raise OverflowError
    return left - right


def _least_on_curve(pair: SolidlyPair, amount_out: int) -> int | None:
    """The least input after which k is met with the output gone, by halving; None where 256 bits do not hold it."""
    k = _invariant(pair, pair.reserve_in, pair.reserve_out)
    left = _scaled(pair.reserve_out - amount_out, pair.scale_out)

    def reaches(amount: int) -> bool:
        net = amount - amount * pair.fee // pair.fee_unit
        return _f_unbounded((pair.reserve_in + net) * ONE // pair.scale_in, left) >= k

    short, enough = 0, 1
    while not reaches(enough):
        short, enough = enough, enough * 2
        if enough >> _WORD_BITS:
            return None
    while enough - short > 1:
        middle = (short + enough) // 2
        short, enough = (short, middle) if reaches(middle) else (middle, enough)
    return enough


def _least_traded(pair: SolidlyPair, bound: int, amount_out_min: int) -> int | None:
    """From `bound` on, for pairs of dust, where roundings exceed the curve: halving over the pair's own trades."""
    widths = (1 << bits for bits in range(_WORD_BITS))
    enough = next((bound + width for width in widths if _reaches(pair, bound + width, amount_out_min)), None)
    if enough is None:
        return None
    short = bound
    while enough - short > 1:
        middle = (short + enough) // 2
        short, enough = (short, middle) if _reaches(pair, middle, amount_out_min) else (middle, enough)
    below = range(max(bound, enough - _LOOK_BELOW), enough)
    return _first_reaching(pair, below, amount_out_min) or enough


def _f_unbounded(x: int, y: int) -> int:
    return (x * y // ONE) * (x * x // ONE + y * y // ONE) // ONE


def _with_fee(pair: SolidlyPair, net: int) -> int:
    """The least input that leaves `net` (at least 1): the fee is rounded down, so what is left is rounded up."""
    return (net - 1) * pair.fee_unit // (pair.fee_unit - pair.fee) + 1


def _first_reaching(pair: SolidlyPair, among: range, amount_out_min: int) -> int | None:
    return next((amount for amount in among if _reaches(pair, amount, amount_out_min)), None)


def _reaches(pair: SolidlyPair, amount: int, amount_out_min: int) -> bool:
    given = traded(pair, amount)
    return given is not None and given >= amount_out_min
