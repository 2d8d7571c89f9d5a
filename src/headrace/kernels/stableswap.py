"""StableSwap in integers: what a swap pays, to the unit, in each of the roundings that Curve's pools have had.

Idea. Balances are brought to one unit (18 decimals, one coin at par = 1e18, rates included), in which the invariant

    A n^n sum(x) + D = A D n^n + D^(n+1) / (n^n prod(x))

holds. D of the balances is found by Newton's method, then, with the coin in raised, the balance out that keeps D.

Representation. `amplification` is what the contracts call A, that is A n^(n-1), times `a_precision` (1 in pools up to
the summer of 2020, 100 later). The contracts differ in one place of Newton's step for D (`ProductRounding`), in the
unit that a swap holds back against roundings, and in the fee, which may grow off the peg. They agree in all else:
every division rounds down, an iteration ends when it moves by at most one unit, after 255 rounds at the latest.

Order. More input never leaves a larger balance out, so it never buys less before the fee, nor at one fee rate. The
iteration is Newton's, y -> (y^2 + c) / (2y + b - D), whose root r falls by at least r / (2r + b + 1 - D) for each unit
of input. It ends at floor(r + e) with e = (y - r)^2 / (2y + b - D) of the last y, and a last step of at most one unit
means |y - r| < 4. So e < 16 / (2y + b - D), which the fall of r exceeds wherever more than some 32 units (10^-18 of a
coin) are left. A rate that grows off the peg first falls, to the peg (`is_past_peg`), and then rises: it depends on the
quotient of the mean balances alone, which never falls.

Error. None against the contracts; `ArithmeticError` stands where their checked arithmetic reverts (a balance of zero
divides, a difference falls below zero, a product leaves 256 bits). The oldest pools go on with an unconverged value
after 255 rounds, later ones revert; here both are refused.

Source: StableSwap whitepaper (Egorov 2019) for the invariant; for the roundings the behaviour of the contracts that
Curve published (3pool, Compound, sUSD, sBTC, Aave, the templates, the factory's, NG). Recorded answers of two of
mainnet's pools are in tests/golden.
"""

from collections.abc import Sequence
from enum import IntEnum

import msgspec

FEE_DENOMINATOR = 10**10
PRECISION = 10**18
_ROUNDS_MAX = 255
_WORD_BITS = 256


class ProductRounding(IntEnum):
    """How the step for D divides D^(n+1) by n^n prod(x), coin by coin.

    `PER_COIN` by x n; `PER_COIN_GUARDED` by x n + 1, against a balance of zero (pools of early 2020, Aave's, stETH's);
    `AT_THE_END` by x, and by n^n after all of them (factory pools since 2021, NG).
    """

    PER_COIN = 0
    PER_COIN_GUARDED = 1
    AT_THE_END = 2


class StableCurve(msgspec.Struct, frozen=True):
    """What the invariant needs beside the balances."""

    amplification: int
    a_precision: int
    rounding: ProductRounding


class StableFee(msgspec.Struct, frozen=True):
    """Of 1e10: the fee at the peg, and how much more is taken far off it (1e10 or less: no more)."""

    fee: int
    offpeg_multiplier: int = 0


class StablePool(msgspec.Struct, frozen=True):
    """A pool ready for swaps; `balances` in the common unit, `invariant` is their D."""

    curve: StableCurve
    balances: tuple[int, ...]
    invariant: int
    fee: StableFee


class StableSwap(msgspec.Struct, frozen=True):
    """A swap in the common unit: what leaves the curve, the fee on it, and the balances in and out on the curve.

    `is_past_peg`: the balance in has been the larger on the way, so that more input raises a fee that grows off the
    peg, and less input lowers it.
    """

    gross: int
    fee: int
    fee_rate: int
    balance_in: int
    balance_out: int
    is_past_peg: bool

    @property
    def net(self) -> int:
        """What is paid."""
        return self.gross - self.fee


def prepared(curve: StableCurve, balances: Sequence[int], fee: StableFee) -> StablePool:
    """A pool with its D.

    Raises:
        ArithmeticError: the contract would revert.
    """
    return StablePool(curve, tuple(balances), invariant(curve, balances), fee)


def invariant(curve: StableCurve, balances: Sequence[int]) -> int:
    """D of balances in the common unit; 0 of an empty pool.

    Raises:
        ArithmeticError: the contract would revert.
    """
    total, count, precision = sum(balances), len(balances), curve.a_precision
    if total == 0:
        return 0
    ann = curve.amplification * count
    weighted, guess = word(ann * total) // precision, total
    for _ in range(_ROUNDS_MAX):
        product, before = _product(curve.rounding, balances, guess), guess
        numerator = word((weighted + product * count) * guess)
        guess = numerator // (difference(ann, precision) * guess // precision + (count + 1) * product)
        if abs(guess - before) <= 1:
            return guess
    raise ArithmeticError("D does not converge")


def balance_on_curve(curve: StableCurve, balances: Sequence[int], index: int, goal: int) -> int:
    """The balance of coin `index` at which D is `goal`, the others as given; rounded as the contract rounds.

    Raises:
        ArithmeticError: the contract would revert.
    """
    count, precision = len(balances), curve.a_precision
    ann = curve.amplification * count
    constant, total = goal, 0
    for k, balance in enumerate(balances):
        if k != index:
            total += balance
            constant = word(constant * goal) // (balance * count)
    constant = word(constant * goal * precision) // (ann * count)
    linear = total + goal * precision // ann
    guess = goal
    for _ in range(_ROUNDS_MAX):
        before = guess
        guess = word(guess * guess + constant) // difference(2 * guess + linear, goal)
        if abs(guess - before) <= 1:
            return guess
    raise ArithmeticError("the balance does not converge")


def swap(pool: StablePool, index_in: int, index_out: int, added: int, *, held_back: int) -> StableSwap:
    """A swap of `added` common units; `held_back` is what the contract keeps against roundings, 1 or 0.

    Raises:
        ArithmeticError: the contract would revert.
    """
    balances = list(pool.balances)
    before_in, before_out = balances[index_in], balances[index_out]
    balances[index_in] = word(before_in + added)
    after_out = balance_on_curve(pool.curve, balances, index_out, pool.invariant)
    gross = difference(before_out, after_out + held_back)
    mean_in, mean_out = (before_in + balances[index_in]) // 2, (before_out + after_out) // 2
    rate = fee_rate(pool.fee, mean_in, mean_out)
    fee = word(gross * rate) // FEE_DENOMINATOR
    return StableSwap(gross, fee, rate, balances[index_in], after_out, is_past_peg=mean_in >= mean_out)


def fee_rate(fee: StableFee, first: int, second: int) -> int:
    """The fee between two balances: at the peg where they are equal, up to its multiple where one is gone.

    Raises:
        ArithmeticError: both are zero.
    """
    multiplier = fee.offpeg_multiplier
    if multiplier <= FEE_DENOMINATOR:
        return fee.fee
    square = word((first + second) ** 2)
    nearness = word((multiplier - FEE_DENOMINATOR) * 4 * first * second) // square
    return multiplier * fee.fee // (nearness + FEE_DENOMINATOR)


def difference(more: int, less: int) -> int:
    """`more - less`.

    Raises:
        OverflowError: it would fall below zero.
    """
    if less > more:
        raise OverflowError("a difference below zero")
    return more - less


def word(value: int) -> int:
    """The value itself.

    Raises:
        OverflowError: it does not fit 256 bits.
    """
    if value >> _WORD_BITS:
        raise OverflowError("more than 256 bits")
    return value


def _product(rounding: ProductRounding, balances: Sequence[int], guess: int) -> int:
    """guess^(n+1) / (n^n prod(x))."""
    count, product = len(balances), guess
    if rounding is ProductRounding.AT_THE_END:
        for balance in balances:
            product = word(product * guess) // balance
        return product // int(count**count)
    guard = int(rounding is ProductRounding.PER_COIN_GUARDED)
    for balance in balances:
        product = word(product * guess) // (balance * count + guard)
    return product
