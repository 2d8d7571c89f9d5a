"""Constant product: the reserves' product never falls, the fee is taken from the input.

Idea. A pool holds X of the token it takes and Y of the one it gives. After a swap of x for y, with g = 1 - fee, (X +
g x)(Y - y) >= X Y, so the most it gives is y = Y g x / (X + g x), rounded down.

Representation. Fees are whole pips (millionths), so g = (10^6 - fee) / 10^6 and the quotient of integers is exact: y
= x (10^6 - fee) Y // (10^6 X + x (10^6 - fee)). A pair that writes its fee as 997 / 1000 computes the same quotient
with numerator and denominator divided by a common factor, so both floor to the same integer.

Why the pair takes it to the unit. The pair checks (10^6 (X + x) - fee x)(10^6 (Y - y)) >= 10^12 X Y, which solved for
y is the very quotient: y passes and y + 1 does not.

Inverse. y is reached as soon as x g Y >= y (X + x g), i.e. at x = ceil(10^6 X y / ((10^6 - fee)(Y - y))). The
router's `getAmountIn` is floor(...) + 1: one more than the least whenever the division leaves no rest.

Error. Integers: none. Floats: a few units in the 16th digit, and the floor that they leave out.

Source: Uniswap v2 whitepaper, sections 3.1-3.3; UniswapV2Library.getAmountOut and UniswapV2Pair.swap as deployed.
"""

from numba import njit

PIPS = 1_000_000


def amount_out(reserve_in: int, reserve_out: int, fee_pips: int, amount_in: int) -> int:
    """Most units of output for `amount_in`, rounded down; 0 for an empty pool.

    Reserves and amount are raw units, at least 0; `fee_pips` is in [0, 10^6).
    """
    taken = amount_in * (PIPS - fee_pips)
    if taken == 0 or reserve_out == 0:
        return 0
    return taken * reserve_out // (reserve_in * PIPS + taken)


def amount_in(reserve_in: int, reserve_out: int, fee_pips: int, amount_out: int) -> int | None:
    """Least input whose `amount_out` reaches `amount_out` (at least 1); None where no input reaches it."""
    left = reserve_out - amount_out
    if left <= 0:
        return None
    return -(-PIPS * reserve_in * amount_out // ((PIPS - fee_pips) * left))


@njit(cache=True, error_model="numpy", nogil=True)
def output_and_slope(reserve_in: float, reserve_out: float, gamma: float, amount_in: float) -> tuple[float, float]:
    """Output and marginal price (units out per further unit in) at `amount_in`, raw units; (0, 0) for no reserves."""
    if not reserve_in > 0.0:
        return 0.0, 0.0
    taken = gamma * amount_in
    after = reserve_in + taken
    return reserve_out * (taken / after), reserve_out * gamma * (reserve_in / after) / after
