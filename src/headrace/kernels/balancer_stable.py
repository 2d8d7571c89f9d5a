"""Stable swaps as Balancer's pools compute them: StableSwap's invariant in integers, digit for digit.

Idea. Over n balances x_k scaled to 18 decimals (and to one value by the tokens' rates), D solves

    Ann sum(x) + D = Ann D + D^(n+1) / (n^n prod(x)),    Ann = A n^n

A swap adds the input, less the fee, to one balance; with D kept, the new balance out is the root of a quadratic. Newton
finds both, until two steps differ by one unit or less. The fee is taken from the input, rounded up.

Representation. Amplification carries three decimals and is A n^(n-1), so Ann is that times n. A scaling factor carries
18 decimals: 10^(18 - decimals), times the token's rate. Amounts are scaled down on the way in and on the way out, the
new balance is rounded up and one unit more is kept: every rounding falls to the pool.

Versions. Pools before the middle of 2022 compute D with products of balances, rounding up (`rounds_up`). Later ones of
v2 round each step down, in the order of Curve's own code. Both leave the same quadratic.

Reverts. The contracts check each product, difference and divisor: what leaves 256 bits, falls below zero or divides by
zero reverts, and is None here; so is a D or a balance that 255 steps do not find (at the least amplification steps may
swing by two units for ever). A swap too small to leave that last unit reverts too.

Inverse. The new balance never rises with the input up to Newton's last unit, which decides only in pools of a few
units; `least_input` settles it against the neighbour.

Source: StableSwap whitepaper (Egorov 2019); StableMath.sol, BaseGeneralPool.sol and FixedPoint.sol of
balancer-v2-monorepo, as deployed (pool tasks 20210624, 20210727, 20211208, 20220609, 20220817, 20220906).
"""

import msgspec

from headrace.kernels.fixed_point_power import ONE, divide_down, divide_up, multiply_down, multiply_up
from headrace.kernels.least_input import least_input

AMP_PRECISION = 1000
ROUNDS_MAX = 255
_WORD_END = 1 << 256

Balances = tuple[int, ...]


class StableCurve(msgspec.Struct, frozen=True):
    """What a stable pool's prices follow from.

    Attributes:
        amplification: A n^(n-1), in thousandths.
        balances: raw units, of every token that the invariant counts.
        scalings: 18-decimal factors from raw units to scaled ones, parallel to `balances`, rates included.
        swap_fee: 18-decimal fraction.
        rounds_up: whether the pool computes D as the first ones did.
    """

    amplification: int
    balances: Balances
    scalings: tuple[int, ...]
    swap_fee: int
    rounds_up: bool

    def scaled_balances(self) -> Balances:
        """Balances with 18 decimals, of one value each, rounded down."""
        return tuple(multiply_down(one, by) for one, by in zip(self.balances, self.scalings, strict=True))


def amount_out(curve: StableCurve, index_in: int, index_out: int, amount_in: int) -> int | None:
    """What the pool gives for exactly `amount_in` (raw units, at least 0), rounded down; None where it reverts."""
    try:
        return _Swap(curve, index_in, index_out).output(amount_in)
    except ArithmeticError:
        return None


def amount_in_asked(curve: StableCurve, index_in: int, index_out: int, amount_out: int) -> int | None:
    """What the pool asks for exactly `amount_out` (raw units, at least 0), rounded up; None where it reverts.

    That is not the least input that gives as much, and may be less or more: the quadratic loses up to three digits,
    other ones in either direction.
    """
    try:
        return _Swap(curve, index_in, index_out).asked(amount_out)
    except ArithmeticError:
        return None


def amount_in(
    curve: StableCurve, index_in: int, index_out: int, *, amount_out_min: int, amount_in_max: int
) -> int | None:
    """Least input whose `amount_out` reaches `amount_out_min` (at least 1), None where none up to the most does."""
    try:
        swap = _Swap(curve, index_in, index_out)
        guess = swap.asked(amount_out_min)
    except ArithmeticError:
        return None

    def output(amount: int) -> int | None:
        try:
            return swap.output(amount)
        except ArithmeticError:
            return None

    return least_input(output, amount_out_min, guess=guess, input_max=amount_in_max)


def invariant_down(amplification: int, balances: Balances) -> int:
    """D of scaled balances, each step rounded down.

    Raises:
        ArithmeticError: the contract reverts.
    """
    count, total = len(balances), sum(balances)
    ann = amplification * count
    invariant = total
    for _ in range(ROUNDS_MAX if total else 0):
        product = invariant
        for balance in balances:
            product = _word(product * invariant) // _word(balance * count)
        before = invariant
        gain = _word(_word(ann * total) // AMP_PRECISION + product * count)
        loss = _word((ann - AMP_PRECISION) * invariant) // AMP_PRECISION + (count + 1) * product
        invariant = _word(gain * invariant) // _word(loss)
        if abs(invariant - before) <= 1:
            return invariant
    return _found_none(total)


def invariant_up(amplification: int, balances: Balances) -> int:
    """D of scaled balances as the first pools compute it, each step rounded up.

    Raises:
        ArithmeticError: the contract reverts.
    """
    count, total = len(balances), sum(balances)
    ann = amplification * count
    invariant = total
    for _ in range(ROUNDS_MAX if total else 0):
        product = balances[0] * count
        for balance in balances[1:]:
            product = _ceiling(_word(product * balance * count), invariant)
        before = invariant
        gain = _word(count * invariant * invariant) + _ceiling(_word(ann * total * product), AMP_PRECISION)
        loss = (count + 1) * invariant + _word((ann - AMP_PRECISION) * product) // AMP_PRECISION
        invariant = _ceiling(_word(gain), _word(loss))
        if abs(invariant - before) <= 1:
            return invariant
    return _found_none(total)


def balance_up(
    amplification: int, balances: Balances, invariant: int, index: int, *, multiplies_first: bool = False
) -> int:
    """The balance at `index` that keeps D beside all the others, rounded up; the one that is there only starts it.

    `multiplies_first`: whether the precision of the amplification is multiplied in before anything is divided by the
    amplification, as in pools of v3; the digits that v2 loses there are up to three.

    Raises:
        ArithmeticError: the contract reverts.
    """
    count = len(balances)
    ann = amplification * count
    product = balances[0] * count
    for balance in balances[1:]:
        product = _word(product * balance * count) // invariant
    square = _word(invariant * invariant)
    if multiplies_first:
        constant = _word(_ceiling(_word(square * AMP_PRECISION), _word(ann * product)) * balances[index])
        linear = sum(balances) - balances[index] + invariant * AMP_PRECISION // ann
    else:
        constant = _word(_ceiling(square, _word(ann * product)) * AMP_PRECISION * balances[index])
        linear = sum(balances) - balances[index] + invariant // ann * AMP_PRECISION
    found = _ceiling(_word(square + constant), invariant + linear)
    for _ in range(ROUNDS_MAX):
        before = found
        found = _ceiling(_word(_word(found * found) + constant), _word(found * 2 + linear - invariant))
        if abs(found - before) <= 1:
            return found
    return _found_none(1)


class _Swap:
    """One direction with D computed once; its methods raise ArithmeticError where the contract reverts."""

    def __init__(self, curve: StableCurve, index_in: int, index_out: int) -> None:
        self._curve = curve
        self._in, self._out = index_in, index_out
        self._balances = curve.scaled_balances()
        find = invariant_up if curve.rounds_up else invariant_down
        self._invariant = find(curve.amplification, self._balances)

    def output(self, amount_in: int) -> int:
        curve = self._curve
        net = amount_in - multiply_up(_word(amount_in), curve.swap_fee)
        added = _word(net * curve.scalings[self._in]) // ONE
        left = self._other(self._in, added, self._out)
        return divide_down(_word(self._balances[self._out] - left - 1), curve.scalings[self._out])

    def asked(self, amount_out: int) -> int:
        curve = self._curve
        taken = multiply_down(amount_out, curve.scalings[self._out])
        grown = self._other(self._out, -taken, self._in)
        raw = divide_up(_word(grown - self._balances[self._in]) + 1, curve.scalings[self._in])
        return divide_up(raw, ONE - curve.swap_fee)

    def _other(self, index: int, change: int, wanted: int) -> int:
        """Balance at `wanted` after another has changed."""
        balances = list(self._balances)
        balances[index] = _word(balances[index] + change)
        return balance_up(self._curve.amplification, tuple(balances), self._invariant, wanted)


def _word(value: int) -> int:
    if not 0 <= value < _WORD_END:
        raise OverflowError(value)
    return value


def _ceiling(dividend: int, divisor: int) -> int:
    return -(-dividend // divisor)


def _found_none(total: int) -> int:
    if total:
        raise ArithmeticError(total)
    return 0
