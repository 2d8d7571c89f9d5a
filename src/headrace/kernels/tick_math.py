"""Ticks, square-root prices and one step of a swap, exactly as Uniswap v3's contracts compute them.

Idea. A pool's price p (token1 per token0) is held as its square root in Q64.96: `sqrt_price_x96` = floor(sqrt(p)
2^96). Tick t names the price 1.0001^t. Between two initialised ticks the liquidity L is constant and the amounts
follow from the two square roots a < b alone:

    amount of token0 = L 2^96 (b - a) / (a b)          amount of token1 = L (b - a) / 2^96

Rounding. What the pool is owed is rounded up, what it pays is rounded down; every function here says which in its
name. Nested ceilings of integer divisions equal one ceiling, so the formulas are written as one division.

Ranges. Python's integers do not overflow. Where the contract's 256-bit arithmetic would, it takes a second formula,
and so does `next_price_from_amount0_in_up`. The contract's other checks cannot fail for a price within its bounds and
an amount that does not reach the step's target, which is when the formulas are used.

Source: Uniswap v3 core 1.0.1, TickMath.sol, SqrtPriceMath.sol, SwapMath.sol; whitepaper sections 6.1 to 6.3.
"""

from functools import lru_cache
from typing import NamedTuple

TICK_MIN = -887_272
TICK_MAX = 887_272
SQRT_PRICE_MIN = 4_295_128_739
SQRT_PRICE_MAX = 1_461_446_703_485_210_103_287_273_052_203_988_822_378_723_970_342
FEE_DENOMINATOR = 1_000_000  # fees are in pips, millionths

_Q96 = 96
_UINT256_MAX = 2**256 - 1
_WORD_LIMIT = 2**256
_RATIOS = (  # sqrt(1.0001^-(2^i)) in Q128.128
    0xFFFCB933BD6FAD37AA2D162D1A594001,
    0xFFF97272373D413259A46990580E213A,
    0xFFF2E50F5F656932EF12357CF3C7FDCC,
    0xFFE5CACA7E10E4E61C3624EAA0941CD0,
    0xFFCB9843D60F6159C9DB58835C926644,
    0xFF973B41FA98C081472E6896DFB254C0,
    0xFF2EA16466C96A3843EC78B326B52861,
    0xFE5DEE046A99A2A811C461F1969C3053,
    0xFCBE86C7900A88AEDCFFC83B479AA3A4,
    0xF987A7253AC413176F2B074CF7815E54,
    0xF3392B0822B70005940C7A398E4B70F3,
    0xE7159475A2C29B7443B29C7FA6E889D9,
    0xD097F3BDFD2022B8845AD8F792AA5825,
    0xA9F746462D870FDF8A65DC1F90E061E5,
    0x70D869A156D2A1B890BB3DF62BAF32F7,
    0x31BE135F97D08FD981231505542FCFA6,
    0x9AA508B5B7A84E1C677DE54F3E99BC9,
    0x5D6AF8DEDB81196699C329225EE604,
    0x2216E584F5FA1EA926041BEDFE98,
    0x48A170391F7DC42444E8FA2,
)
_LOG_SQRT_1_0001 = 255_738_958_999_603_826_347_141  # 2^64 / log2(sqrt(1.0001))
_LOG_ERROR_LOW = 3_402_992_956_809_132_418_596_140_100_660_247_210
_LOG_ERROR_HIGH = 291_339_464_771_989_622_907_027_621_153_398_088_495
_LOG_BITS = range(63, 49, -1)  # the contract computes 14 binary digits of the logarithm


class SwapStep(NamedTuple):
    """What one step did: the price it ended at, what it took (without the fee), what it paid, and the fee it took."""

    sqrt_price_x96: int
    amount_in: int
    amount_out: int
    fee: int


@lru_cache(maxsize=1 << 16)
def sqrt_price_at_tick_up(tick: int) -> int:
    """sqrt(1.0001^tick) as Q64.96, rounded up from Q128.128 (TickMath.getSqrtRatioAtTick); tick in its bounds."""
    assert TICK_MIN <= tick <= TICK_MAX, tick
    ratio = 1 << 128
    for i, factor in enumerate(_RATIOS):
        if abs(tick) >> i & 1:
            ratio = ratio * factor >> 128
    if tick > 0:
        ratio = _UINT256_MAX // ratio
    return -(-ratio >> 32)


def tick_at_sqrt_price_down(sqrt_price_x96: int) -> int:
    """The greatest tick whose price is not above (TickMath.getTickAtSqrtRatio); price in [min, max)."""
    assert SQRT_PRICE_MIN <= sqrt_price_x96 < SQRT_PRICE_MAX, sqrt_price_x96
    ratio = sqrt_price_x96 << 32
    highest = ratio.bit_length() - 1
    mantissa = ratio >> highest - 127 if highest > 127 else ratio << 127 - highest  # noqa: PLR2004 - Q128.128
    log2 = highest - 128 << 64
    for bit in _LOG_BITS:
        mantissa = mantissa * mantissa >> 127
        carry = mantissa >> 128
        log2 |= carry << bit
        mantissa >>= carry
    log = log2 * _LOG_SQRT_1_0001
    low, high = log - _LOG_ERROR_LOW >> 128, log + _LOG_ERROR_HIGH >> 128
    return high if low != high and sqrt_price_at_tick_up(high) <= sqrt_price_x96 else low


def amount0_up(low_x96: int, high_x96: int, liquidity: int) -> int:
    """Token0 between two square-root prices, rounded up (SqrtPriceMath.getAmount0Delta)."""
    return -((liquidity << _Q96) * (low_x96 - high_x96) // (low_x96 * high_x96))


def amount0_down(low_x96: int, high_x96: int, liquidity: int) -> int:
    """Token0 between two square-root prices, rounded down."""
    return (liquidity << _Q96) * (high_x96 - low_x96) // (low_x96 * high_x96)


def amount1_up(low_x96: int, high_x96: int, liquidity: int) -> int:
    """Token1 between two square-root prices, rounded up (SqrtPriceMath.getAmount1Delta)."""
    return -(liquidity * (low_x96 - high_x96) >> _Q96)


def amount1_down(low_x96: int, high_x96: int, liquidity: int) -> int:
    """Token1 between two square-root prices, rounded down."""
    return liquidity * (high_x96 - low_x96) >> _Q96


def next_price_from_amount0_in_up(sqrt_price_x96: int, liquidity: int, amount: int) -> int:
    """Price after `amount` of token0 came in, rounded up (getNextSqrtPriceFromAmount0RoundingUp, add).

    Where the contract's product would overflow 256 bits it falls back to a coarser formula, and so does this.
    """
    shifted = liquidity << _Q96
    denominator = shifted + amount * sqrt_price_x96
    if denominator < _WORD_LIMIT:
        return -(-shifted * sqrt_price_x96 // denominator)
    return -(-shifted // (shifted // sqrt_price_x96 + amount))


def next_price_from_amount0_out_up(sqrt_price_x96: int, liquidity: int, amount: int) -> int:
    """Price after `amount` of token0 went out, rounded up; the liquidity must hold more than `amount`."""
    shifted = liquidity << _Q96
    return -(-shifted * sqrt_price_x96 // (shifted - amount * sqrt_price_x96))


def next_price_from_amount1_in_down(sqrt_price_x96: int, liquidity: int, amount: int) -> int:
    """Price after `amount` of token1 came in, rounded down (getNextSqrtPriceFromAmount1RoundingDown, add)."""
    return sqrt_price_x96 + (amount << _Q96) // liquidity


def next_price_from_amount1_out_down(sqrt_price_x96: int, liquidity: int, amount: int) -> int:
    """Price after `amount` of token1 went out, rounded down."""
    return sqrt_price_x96 + (-amount << _Q96) // liquidity


def less_fee_down(amount: int, fee_pips: int) -> int:
    """What is left of an input after the fee, rounded down: the amount that moves the price."""
    return amount * (FEE_DENOMINATOR - fee_pips) // FEE_DENOMINATOR


def with_fee_up(amount: int, fee_pips: int) -> int:
    """The least input of which `amount` is left after the fee.

    Equal to the contract's amountIn + mulDivRoundingUp(amountIn, fee, 1e6 - fee). Since `amount` is an integer,
    less_fee_down(x) >= amount exactly when x >= with_fee_up(amount): a step reaches its target exactly when what
    remains covers this.
    """
    return -(-amount * FEE_DENOMINATOR // (FEE_DENOMINATOR - fee_pips))


def swap_step(sqrt_price_x96: int, target_x96: int, liquidity: int, remaining: int, fee_pips: int) -> SwapStep:
    """Move the price towards a target by what remains (SwapMath.computeSwapStep).

    Args:
        sqrt_price_x96: where the step starts.
        target_x96: where it ends at the latest; below the start when token0 comes in.
        liquidity: constant over the step; 0 moves to the target for nothing.
        remaining: input still to be spent, fee included, when positive; output still wanted, negated, when negative.
        fee_pips: fee in millionths of the input.
    """
    zero_for_one = sqrt_price_x96 >= target_x96
    if remaining >= 0:
        spendable = less_fee_down(remaining, fee_pips)
        if spendable >= _taken_up(sqrt_price_x96, target_x96, liquidity, zero_for_one=zero_for_one):
            reached = target_x96
        elif zero_for_one:
            reached = next_price_from_amount0_in_up(sqrt_price_x96, liquidity, spendable)
        else:
            reached = next_price_from_amount1_in_down(sqrt_price_x96, liquidity, spendable)
    elif -remaining >= _paid_down(sqrt_price_x96, target_x96, liquidity, zero_for_one=zero_for_one):
        reached = target_x96
    elif zero_for_one:
        reached = next_price_from_amount1_out_down(sqrt_price_x96, liquidity, -remaining)
    else:
        reached = next_price_from_amount0_out_up(sqrt_price_x96, liquidity, -remaining)
    taken = _taken_up(sqrt_price_x96, reached, liquidity, zero_for_one=zero_for_one)
    paid = _paid_down(sqrt_price_x96, reached, liquidity, zero_for_one=zero_for_one)
    if remaining >= 0:
        if reached != target_x96:
            return SwapStep(reached, taken, paid, remaining - taken)
        return SwapStep(reached, taken, paid, with_fee_up(taken, fee_pips) - taken if taken else 0)
    return SwapStep(reached, taken, min(paid, -remaining), with_fee_up(taken, fee_pips) - taken)


def _taken_up(start_x96: int, end_x96: int, liquidity: int, *, zero_for_one: bool) -> int:
    if zero_for_one:
        return amount0_up(end_x96, start_x96, liquidity)
    return amount1_up(start_x96, end_x96, liquidity)


def _paid_down(start_x96: int, end_x96: int, liquidity: int, *, zero_for_one: bool) -> int:
    if zero_for_one:
        return amount1_down(end_x96, start_x96, liquidity)
    return amount0_down(start_x96, end_x96, liquidity)
