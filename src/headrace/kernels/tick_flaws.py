"""Why a pool with ticks cannot stand where it is said to stand: checks on numbers that came from a log or a node.

Price, tick and liquidity of a pool say the same thing three times: the tick is the price's, and the liquidity is what
the ticks at or below add up to. So a lost change of a position shows here, instead of in a wrong quote.

Source: Uniswap v3 core 1.0.1, UniswapV3Pool.sol; v4 core 1.0.2, Pool.sol.
"""

from typing import NamedTuple

from headrace.kernels.tick_math import SQRT_PRICE_MAX, SQRT_PRICE_MIN, TICK_MAX, TICK_MIN, sqrt_price_at_tick_up
from headrace.kernels.tick_table import LIQUIDITY_MAX, PricePoint, TickTable

UNSET = PricePoint(0, 0, 0)  # where a pool stands that has no price yet


class Flaw(NamedTuple):
    """What is wrong with a pool's numbers."""

    field: str
    why: str


def price_range(sqrt_price_x96: int) -> str:
    """What is said of a price outside of it."""
    return f"{sqrt_price_x96} is no price: it lies from {SQRT_PRICE_MIN} to {SQRT_PRICE_MAX - 1}"


def point_flaw(point: PricePoint, table: TickTable) -> Flaw | None:
    """Why a pool with these ticks cannot stand at this point, or None."""
    price, tick = point.sqrt_price_x96, point.tick
    if not SQRT_PRICE_MIN <= price < SQRT_PRICE_MAX:
        return Flaw("sqrt_price_x96", price_range(price))
    if not TICK_MIN <= tick < TICK_MAX:
        return Flaw("tick", f"{tick} is outside the protocol's bounds")
    if not sqrt_price_at_tick_up(tick) <= price <= sqrt_price_at_tick_up(tick + 1):
        return Flaw("tick", f"{tick} is not the tick of the price {price}")
    if not 0 <= point.liquidity <= LIQUIDITY_MAX:
        return Flaw("liquidity", f"{point.liquidity} is not an unsigned 128-bit number")
    if point.liquidity != table.liquidity_at(tick):
        return Flaw("liquidity", f"{point.liquidity} in force, but the ticks add up to {table.liquidity_at(tick)}")
    return None


def state_flaw(point: PricePoint, table: TickTable) -> Flaw | None:
    """Why these cannot be the point and the ticks of a pool, or None."""
    why = table.flaw()
    if why:
        return Flaw("ticks", why)
    if point == UNSET:
        return Flaw("sqrt_price_x96", "there are ticks, but no price") if table.ticks else None
    return point_flaw(point, table)
