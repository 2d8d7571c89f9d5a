"""What protocols over ticks share beside their kernels: a swap's gas, and how a log moves a position."""

from typing import NamedTuple

from headrace.errors import MalformedLogError
from headrace.kernels.tick_flaws import point_flaw
from headrace.kernels.tick_math import TICK_MAX, TICK_MIN
from headrace.kernels.tick_segments import Fill, crossed_ticks
from headrace.kernels.tick_table import PricePoint, TickTable
from headrace.model.pool import Pool


class TickGas(NamedTuple):
    """Gas of a swap: inside one range, per initialised tick crossed, per further word of the bitmap."""

    base: int
    per_crossed_tick: int
    per_word: int

    def of(self, table: TickTable, point: PricePoint, filled: Fill | None, *, zero_for_one: bool) -> int:
        """Gas of a swap from `point`; just the base for one that is refused."""
        if filled is None:
            return self.base
        crossed = crossed_ticks(table, point, filled.tick_reached, zero_for_one=zero_for_one)
        words = abs(table.word_of(filled.tick_reached) - table.word_of(point.tick))
        return self.base + self.per_crossed_tick * crossed + self.per_word * words


class Position(NamedTuple):
    """By how much the liquidity between two ticks changes."""

    tick_lower: int
    tick_upper: int
    liquidity_delta: int


def require_range(pool: Pool, table: TickTable, position: Position) -> None:
    """Let through what a position of this pool can span.

    Raises:
        MalformedLogError: its ticks are out of bounds, out of order or between the usable ones.
    """
    lower, upper, spacing = position.tick_lower, position.tick_upper, table.tick_spacing
    if not TICK_MIN <= lower < upper <= TICK_MAX or lower % spacing or upper % spacing:
        raise MalformedLogError(pool.id, "ticks", f"{lower} to {upper} is no range of this pool")


def with_position(
    pool: Pool, table: TickTable, point: PricePoint, position: Position, field: str
) -> tuple[PricePoint, TickTable]:
    """Point and ticks after a position changed; `field` is what the log calls the change.

    Raises:
        MalformedLogError: ticks or liquidity could not be stored.
    """
    after = table.with_position(*position)
    why = after.flaw()
    if why:
        raise MalformedLogError(pool.id, field, why)
    return PricePoint(point.sqrt_price_x96, point.tick, after.liquidity_at(point.tick)), after


def require_point(pool: Pool, point: PricePoint, table: TickTable) -> None:
    """Let through a point that a log tells and that fits the ticks.

    Raises:
        MalformedLogError: they do not fit, so a log was lost or is not the pool's.
    """
    flaw = point_flaw(point, table)
    if flaw is not None:
        raise MalformedLogError(pool.id, flaw.field, flaw.why)
