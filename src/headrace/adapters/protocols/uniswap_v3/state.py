"""What a pool's next quote depends on: where its price stands, and where its liquidity lies.

Fees earned, observations and the protocol's share of the fee are left out: no quote depends on them. The tick table is
shared by every state between two changes of a position, and with it the amounts worked out from it.
"""

import msgspec

from headrace.errors import MalformedPoolError
from headrace.kernels import tick_flaws
from headrace.kernels.tick_flaws import Flaw
from headrace.kernels.tick_math import FEE_DENOMINATOR
from headrace.kernels.tick_table import PricePoint, TickTable
from headrace.model.pool import Pool, ProtocolId

PROTOCOL = ProtocolId("uniswap_v3")
TICK_SPACING_MAX = 16_383  # the factory takes no larger one


class UniswapV3State(msgspec.Struct, frozen=True):
    """A pool after some block."""

    pool: Pool
    point: PricePoint
    table: TickTable


def state_flaw(point: PricePoint, table: TickTable) -> Flaw | None:
    """Why these cannot be the point and the ticks of a pool of this protocol, or None."""
    if not 1 <= table.tick_spacing <= TICK_SPACING_MAX:
        return Flaw("tick_spacing", f"{table.tick_spacing} is not between 1 and {TICK_SPACING_MAX}")
    return tick_flaws.state_flaw(point, table)


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
