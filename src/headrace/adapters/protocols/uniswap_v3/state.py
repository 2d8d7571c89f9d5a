"""What a pool's next quote depends on: where its price stands, and where its liquidity lies.

Fees earned, observations and the protocol's share of the fee are left out: no quote depends on them. The tick table is
shared by every state between two changes of a position, and with it the amounts worked out from it.
"""

from typing import NamedTuple

import msgspec

from headrace.errors import MalformedPoolError
from headrace.kernels.tick_math import (
    FEE_DENOMINATOR,
    SQRT_PRICE_MAX,
    SQRT_PRICE_MIN,
    TICK_MAX,
    TICK_MIN,
    sqrt_price_at_tick_up,
)
from headrace.kernels.tick_table import LIQUIDITY_MAX, PricePoint, TickTable
from headrace.model.pool import Pool

TICK_SPACING_MAX = 16_383  # the factory takes no larger one
UNSET = PricePoint(0, 0, 0)  # a pool that was created and has no price yet


class UniswapV3State(msgspec.Struct, frozen=True):
    """A pool after some block."""

    pool: Pool
    point: PricePoint
    table: TickTable


class Flaw(NamedTuple):
    """What is wrong with a pool's numbers."""

    field: str
    why: str


def point_flaw(point: PricePoint, table: TickTable) -> Flaw | None:
    """Why a pool with these ticks cannot stand at this point, or None."""
    price, tick = point.sqrt_price_x96, point.tick
    if not SQRT_PRICE_MIN <= price < SQRT_PRICE_MAX:
        return Flaw("sqrt_price_x96", f"{price} is outside the protocol's bounds")
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
    if not 1 <= table.tick_spacing <= TICK_SPACING_MAX:
        return Flaw("tick_spacing", f"{table.tick_spacing} is not between 1 and {TICK_SPACING_MAX}")
    why = table.flaw()
    if why:
        return Flaw("ticks", why)
    if point == UNSET:
        return Flaw("sqrt_price_x96", "there are ticks, but no price") if table.ticks else None
    return point_flaw(point, table)


def checked_pool(pool: Pool) -> Pool:
    """The pool itself, if its constants can be such a pool's.

    Raises:
        MalformedPoolError: not two tokens in ascending order, or a fee outside [0, 10^6).
    """
    if len(pool.tokens) != 2 or not 0 < int(pool.tokens[0], 16) < int(pool.tokens[1], 16):  # noqa: PLR2004 - a pair
        raise MalformedPoolError(pool.id, "tokens", "they are not two, in ascending order")
    if not 0 <= pool.fee_pips < FEE_DENOMINATOR:
        raise MalformedPoolError(pool.id, "fee_pips", f"{pool.fee_pips} is not in [0, {FEE_DENOMINATOR})")
    return pool


def checked_state(state: UniswapV3State) -> UniswapV3State:
    """The state itself, if a pool could be in it.

    Raises:
        MalformedPoolError: point and ticks cannot be those of one pool.
    """
    flaw = state_flaw(state.point, state.table)
    if flaw is not None:
        raise MalformedPoolError(state.pool.id, flaw.field, flaw.why)
    return state
