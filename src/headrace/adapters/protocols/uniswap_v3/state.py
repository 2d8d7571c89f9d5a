"""What a pool's next quote depends on: where its price stands, and where its liquidity lies.

Fees earned, observations and the protocol's share of the fee are left out: no quote depends on them. The tick table is
shared by every state between two changes of a position, and with it the amounts worked out from it.
"""

import msgspec

from headrace.kernels import tick_flaws
from headrace.kernels.tick_flaws import Flaw
from headrace.kernels.tick_table import PricePoint, TickTable
from headrace.model.pool import Pool

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
