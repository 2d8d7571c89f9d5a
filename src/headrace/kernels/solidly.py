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

Inverse. Of a volatile pair it is a division. Of a stable one: by halving, the least input after which k is met with the
output gone; then the least among the 64 inputs on either side that the pair itself trades for enough. That is the least
where the root ends on the curve. The first root may end a unit in the 18th decimal beyond it, so a smaller input can
remain where that unit is worth more than 64 units of input. In pairs that hold dust (much less than a token) roundings
exceed the curve, and halving goes over the pair's own trades.

Error: none. Source: the contracts' published sources (Solidly BaseV1-core, Velodrome v1 Pair, Velodrome v2 / Aerodrome
Pool); confirmed on quotes recorded from Aerodrome. The invariant's formula: Solidly's announcement, "x3y + y3x >= k".
"""

from enum import IntEnum

import msgspec

ONE = 10**18
_ITERATIONS_MAX = 255
_WORD_BITS = 256
_LOOK_AROUND = 64  # inputs; the tests look at every input of small pools


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
        near = _least_on_curve(pair, amount_out_min)
    except OverflowError:
        return None
    if near is None:
        return None
    return _least_nearby(pair, near, amount_out_min) or _least_traded(pair, amount_out_min)


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
    x, y = _scaled(pair.reserve_in, pair.scale_in), _scaled(pair.reserve_out, pair.scale_out)
    left = y + -amount_out * ONE // pair.scale_out

    def reaches(amount: int) -> bool:
        net = amount - amount * pair.fee // pair.fee_unit
        return _f_unbounded(x + net * ONE // pair.scale_in, left) >= k

    short, enough = 0, 1
    while not reaches(enough):
        short, enough = enough, enough * 2
        if enough >> _WORD_BITS:
            return None
    while enough - short > 1:
        middle = (short + enough) // 2
        short, enough = (short, middle) if reaches(middle) else (middle, enough)
    return enough


def _least_traded(pair: SolidlyPair, amount_out_min: int) -> int | None:
    """For pairs that hold dust, where roundings exceed the curve: halving over the pair's own trades."""
    enough = next((1 << bits for bits in range(_WORD_BITS) if _reaches(pair, 1 << bits, amount_out_min)), None)
    if enough is None:
        return None
    short = enough // 2
    while enough - short > 1:
        middle = (short + enough) // 2
        short, enough = (short, middle) if _reaches(pair, middle, amount_out_min) else (middle, enough)
    return _least_nearby(pair, enough, amount_out_min)


def _f_unbounded(x: int, y: int) -> int:
    return (x * y // ONE) * (x * x // ONE + y * y // ONE) // ONE


def _with_fee(pair: SolidlyPair, net: int) -> int:
    """The least input that leaves `net` (at least 1): the fee is rounded down, so what is left is rounded up."""
    return (net - 1) * pair.fee_unit // (pair.fee_unit - pair.fee) + 1


def _least_nearby(pair: SolidlyPair, near: int, amount_out_min: int) -> int | None:
    """The least among the inputs around `near` that is traded for enough."""
    least, at = None, near
    while at > 0 and near - at < _LOOK_AROUND:
        if _reaches(pair, at, amount_out_min):
            least = near = at
        at -= 1
    if least is not None:
        return least
    return next((at for at in range(near + 1, near + _LOOK_AROUND) if _reaches(pair, at, amount_out_min)), None)


def _reaches(pair: SolidlyPair, amount: int, amount_out_min: int) -> bool:
    given = traded(pair, amount)
    return given is not None and given >= amount_out_min
