"""Weighted product: the product of balances, each raised to its token's weight, never falls.

Idea. With w = weight in / weight out and g = 1 - fee, a swap of x gives y = Y (1 - (X / (X + g x))^w). Equal weights
make it the constant product, another ratio leans the price towards the heavier token.

Representation. `WeightedPair` holds one direction: balances in raw units, weights and fee as 18-decimal fractions. The
contract scales every amount to 18 decimals by a power of ten s and scales the result back; here nothing is scaled,
because s cancels to the digit: it leaves the quotient of balances as it is, and floor(floor(s b p) / s) = floor(b p),
the same for ceilings. Every rounding falls to the pool: the fee up, the base up, the power up (by its error bound of
10^-14 too), the output down. So a swap far smaller than 10^-14 of the pool gives nothing, and the pool still takes it.

Bounds. The contract takes at most 30 % of its balance at once (after the fee) and gives at most 30 %.

Inverse. The output never falls when the input grows: every rounding is monotone, and so is the power inside each
segment of its tables and across each seam that a base in [1 / 1.3, 1] can reach (the tests look at all of them; above 1
the contract's power does step back once, at 1.1, which concerns exact outputs alone). So the least input is found by
halving, from a first bracket around the contract's own answer for an exact output.

Error. Integers: none. Floats: `expm1` and `log1p` keep small swaps free of cancellation; what remains is the
contract's own margin of about 10^-14 of the balance out.

Source: Balancer whitepaper, "out given in"; WeightedMath.sol, BaseMinimalSwapInfoPool.sol and BasePool.sol of
balancer-v2-monorepo, as deployed.
"""

import math

import msgspec
from numba import njit

from headrace.kernels.fixed_point_power import (
    ONE,
    divide_down,
    divide_up,
    multiply_down,
    multiply_up,
    power_up,
)
from headrace.kernels.least_input import least_input

RATIO_MAX = 3 * 10**17  # of a balance, in or out, 18 decimals


class WeightedPair(msgspec.Struct, frozen=True):
    """One direction of a weighted pool.

    Attributes:
        balance_in: raw units, like `balance_out`.
        weight_in: 18-decimal fraction, like `weight_out`.
        swap_fee: 18-decimal fraction.
        has_shortcuts: whether the pool's power shortcuts the exponents 1, 2 and 4.
    """

    balance_in: int
    balance_out: int
    weight_in: int
    weight_out: int
    swap_fee: int
    has_shortcuts: bool


def amount_out(pair: WeightedPair, amount_in: int) -> int | None:
    """What the pool gives for exactly `amount_in` (raw units, at least 0), rounded down; None where it reverts.

    It reverts above 30 % of the balance in and where the power leaves its range.
    """
    net = amount_in - multiply_up(amount_in, pair.swap_fee)
    balance = pair.balance_in
    if balance == 0 or net > multiply_down(balance, RATIO_MAX):
        return None
    exponent = divide_down(pair.weight_in, pair.weight_out)
    power = power_up(divide_up(balance, balance + net), exponent, has_shortcuts=pair.has_shortcuts)
    return None if power is None else multiply_down(pair.balance_out, max(0, ONE - power))


def amount_in_asked(pair: WeightedPair, amount_out: int) -> int | None:
    """What the pool asks for exactly `amount_out` (raw units, at least 0), rounded up; None where it reverts.

    It reverts above 30 % of the balance out and where the power leaves its range. It is not the least input that gives
    that much: both directions round to the pool.
    """
    balance = pair.balance_out
    if balance == 0 or amount_out > multiply_down(balance, RATIO_MAX):
        return None
    exponent = divide_up(pair.weight_out, pair.weight_in)
    power = power_up(divide_up(balance, balance - amount_out), exponent, has_shortcuts=pair.has_shortcuts)
    if power is None:
        return None
    return divide_up(multiply_up(pair.balance_in, power - ONE), ONE - pair.swap_fee)


def amount_in(pair: WeightedPair, amount_out_min: int) -> int | None:
    """Least input whose `amount_out` reaches `amount_out_min` (at least 1); None where no input does."""
    largest = amount_in_max(pair)
    guess = amount_in_asked(pair, amount_out_min) or largest
    return least_input(lambda amount: amount_out(pair, amount), amount_out_min, guess=guess, input_max=largest)


def amount_in_max(pair: WeightedPair) -> int:
    """Most raw units that the contract takes at once: the fee leaves 30 % of the balance in of them, or less."""
    net = multiply_down(pair.balance_in, RATIO_MAX)
    return ((net + 1) * ONE - 1) // (ONE - pair.swap_fee)


@njit(cache=True, error_model="numpy", nogil=True)
def output_and_slope(
    balance_in: float, balance_out: float, gamma: float, weight_ratio: float, amount_in: float
) -> tuple[float, float]:
    """Output and marginal price (units out per further unit in) at `amount_in`, in raw units; (0, 0) for no balance.

    The limit of 30 % is not part of the curve: the integer twin refuses.
    """
    if not balance_in > 0.0:
        return 0.0, 0.0
    growth = gamma * amount_in / balance_in
    exponent = -weight_ratio * math.log1p(growth)
    slope = balance_out * math.exp(exponent) / (1.0 + growth) * weight_ratio * gamma / balance_in
    return -balance_out * math.expm1(exponent), slope
