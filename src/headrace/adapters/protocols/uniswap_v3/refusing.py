"""Why a pool with ticks would not even begin a swap, in the contracts' words: of v3, then of v4."""

from headrace.kernels.tick_flaws import UNSET
from headrace.kernels.tick_table import PricePoint
from headrace.kernels.tick_walk import AMOUNT_MAX
from headrace.model.limited_swap import LimitedSwap


def limit_refusal(point: PricePoint, swap: LimitedSwap) -> str:
    """The reason, for a swap that `tick_walk.walk` refuses."""
    if not 0 < swap.amount <= AMOUNT_MAX:
        return f"the amount {swap.amount} is not from 1 to 2^255 - 1 (AS, SwapAmountCannotBeZero)"
    if point == UNSET:
        return "the pool has no price yet (LOK, PoolNotInitialized)"
    return (
        f"the price limit {swap.price_limit_x96} is behind the price {point.sqrt_price_x96} or out of bounds"
        " (SPL, PriceLimitAlreadyExceeded, PriceLimitOutOfBounds)"
    )
