"""Where a pool's liquidity lies: its initialised ticks, and what it costs to walk through each word of its tick bitmap.

Idea. A pool finds its next initialised tick in a bitmap of 256-bit words and stops at a word's edge even where
nothing is initialised. Each stop rounds, so the edges belong to the arithmetic: leaving them out is off by some wei.
Going down a word ends at tick 256 w s, going up at (256 w + 255) s, where s is the tick spacing.

Invariant. The liquidity in force between two ticks is the sum of `net` over all ticks at or below: it follows from
the ticks alone, not from the price. So the exact amounts of every whole piece between two stops are fixed until a
position changes, and a `WordRun` keeps their running sums for one word and one direction. Runs are made when first
walked, shared by all states that differ in price alone, and kept over a change of position for the words that it does
not touch.

Representation. A tick is initialised while its `gross` liquidity is positive, be its `net` zero or not. Everything is
an integer; `liquidity_from[i]` is in force from `ticks[i]` up to the next.

Coverage. Whoever recorded a pool may have kept only the ticks around its price, or only `net` of each. Such a table
says so (`coverage`); beyond it there is no liquidity, so a quote that would leave it finds nothing to trade with and is
refused. Its quotes are the pool's, but no change of a position can be followed: `flaw` then says why.

Source: Uniswap v3 core 1.0.1, TickBitmap.sol, Tick.sol; whitepaper sections 6.2 and 6.3.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from copy import copy
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

import msgspec
import numpy as np

from headrace.kernels.shape import FloatArray
from headrace.kernels.tick_math import (
    SQRT_PRICE_MAX,
    SQRT_PRICE_MIN,
    TICK_MAX,
    TICK_MIN,
    amount0_down,
    amount0_up,
    amount1_down,
    amount1_up,
    sqrt_price_at_tick_up,
    with_fee_up,
)

WORD_BITS = 8  # a word of the bitmap holds 2^8 ticks
LIQUIDITY_MAX = 2**128 - 1
_X96 = 2.0**96
_GUESSED = "only part of the ticks is known, so a changed position cannot be followed"


class TickLiquidity(NamedTuple):
    """One initialised tick: all liquidity that refers to it, and what is added when the price crosses it upwards."""

    gross: int
    net: int


class Coverage(NamedTuple):
    """Between which ticks a table is the pool's, and whether its `gross` are the pool's or just as large as `net`."""

    tick_lower: int
    tick_upper: int
    is_gross_known: bool

    @property
    def is_cut(self) -> bool:
        """Whether there are ticks that are not known."""
        return (self.tick_lower, self.tick_upper) != (TICK_MIN, TICK_MAX)

    def holds(self, tick_reached: int) -> bool:
        """Whether a swap that stops here stays where the table is the pool's; the cut itself is no stop of the pool."""
        is_above = self.tick_lower == TICK_MIN or tick_reached > self.tick_lower
        return is_above and (self.tick_upper == TICK_MAX or tick_reached < self.tick_upper)


WHOLE = Coverage(TICK_MIN, TICK_MAX, is_gross_known=True)


class PricePoint(msgspec.Struct, frozen=True):
    """Where a pool stands. After a downward crossing `tick` is one below the tick whose price it stands at."""

    sqrt_price_x96: int
    tick: int
    liquidity: int


class WordRun(msgspec.Struct, frozen=True):
    """The pieces of one word in walking order.

    Stop 0 is where the walk enters (the edge of the word before), the others are initialised ticks and the word's own
    edge. The lists are parallel to the stops.

    Attributes:
        keys: ticks when walking up, negated ticks when walking down: ascending either way.
        sqrt_prices: at the stops, within what a swap may reach.
        liquidity: in force on the piece that ends at the stop.
        taken: input to walk from stop 0 to this stop, fee included, each piece rounded as the pool rounds it.
        paid: output of the same.
        liquidity_after: in force beyond the last stop.
    """

    keys: tuple[int, ...]
    sqrt_prices: tuple[int, ...]
    liquidity: tuple[int, ...]
    taken: tuple[int, ...]
    paid: tuple[int, ...]
    liquidity_after: int


class TickTable:
    """The initialised ticks of one pool, in ascending order; equal when fee, spacing, ticks and coverage are."""

    __slots__ = (
        "_at_fee",
        "_columns",
        "_is_guessed",
        "_runs",
        "coverage",
        "fee_pips",
        "gross",
        "liquidity_from",
        "net",
        "tick_spacing",
        "ticks",
    )

    def __init__(
        self, fee_pips: int, tick_spacing: int, entries: Mapping[int, TickLiquidity], coverage: Coverage = WHOLE
    ) -> None:
        """Sort the ticks; `flaw` tells whether a pool could have them."""
        self.fee_pips = fee_pips
        self.tick_spacing = tick_spacing
        self.coverage = coverage
        self._is_guessed = False
        ticks = tuple(sorted(entries))
        self._fill(ticks, tuple(entries[t].gross for t in ticks), tuple(entries[t].net for t in ticks))
        self._columns: tuple[FloatArray, FloatArray] | None = None
        self._runs: dict[bool, dict[int, WordRun]] = {True: {}, False: {}}
        self._at_fee: dict[int, TickTable] = {}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TickTable):
            return NotImplemented
        return self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def __repr__(self) -> str:
        return f"TickTable({self.fee_pips}, {self.tick_spacing}, {self.entries()})"

    def entries(self) -> dict[int, TickLiquidity]:
        """The ticks as a mapping."""
        return {
            tick: TickLiquidity(gross, net) for tick, gross, net in zip(self.ticks, self.gross, self.net, strict=True)
        }

    def flaw(self) -> str:
        """Why no pool can have these ticks, or an empty string."""
        spacing = self.tick_spacing
        if self._is_guessed or not self.ticks:
            return _GUESSED if self._is_guessed else ""
        if self.ticks[0] < TICK_MIN or self.ticks[-1] > TICK_MAX or any(map(spacing.__rmod__, self.ticks)):
            return f"a tick is out of bounds or no multiple of the spacing {spacing}"
        if min(self.gross) <= 0 or max(self.gross) > liquidity_per_tick_max(spacing):
            return "a tick's gross liquidity is out of bounds"
        if any(map(int.__lt__, self.gross, map(abs, self.net))):
            return "a tick's net liquidity exceeds its gross liquidity"
        if min(self.liquidity_from) < 0 or self.liquidity_from[-1] != 0:
            return "the ticks' net liquidity does not add up to positions"
        return ""

    def liquidity_at(self, tick: int) -> int:
        """Liquidity in force at a tick."""
        index = bisect_right(self.ticks, tick) - 1
        return self.liquidity_from[index] if index >= 0 else 0

    def with_position(self, tick_lower: int, tick_upper: int, liquidity_delta: int) -> "TickTable":
        """The table after a mint (positive) or burn (negative); check `flaw` where the caller is not trusted."""
        ticks, gross, net = list(self.ticks), list(self.gross), list(self.net)
        for tick, sign in ((tick_lower, 1), (tick_upper, -1)):
            index = bisect_left(ticks, tick)
            if index == len(ticks) or ticks[index] != tick:
                for column, value in ((ticks, tick), (gross, 0), (net, 0)):
                    column.insert(index, value)
            gross[index] += liquidity_delta
            net[index] += sign * liquidity_delta
            if not gross[index]:
                del ticks[index], gross[index], net[index]
        changed = TickTable(self.fee_pips, self.tick_spacing, {}, self.coverage)
        changed._is_guessed = self.coverage != WHOLE
        changed._fill(tuple(ticks), tuple(gross), tuple(net))
        first, last = self.word_of(tick_lower) - 1, self.word_of(tick_upper) + 1
        touched = range(first, last + 1)
        changed._runs = _kept(self._runs, touched)
        for fee_pips, table in self._at_fee.items():
            changed.with_fee(fee_pips)._runs = _kept(table._runs, touched)  # noqa: SLF001 - tables of this class
        return changed

    def with_fee(self, fee_pips: int) -> "TickTable":
        """The same ticks at another fee, for pools whose fee depends on the direction; itself at its own fee.

        Made once: it lives as long as this table, and keeps what was worked out for it when a position changes.
        """
        if fee_pips == self.fee_pips:
            return self
        found = self._at_fee.get(fee_pips)
        if found is None:
            found = self._at_fee[fee_pips] = copy(self)
            found.fee_pips = fee_pips
            found._at_fee, found._runs = {}, {True: {}, False: {}}  # noqa: SLF001 - a table of this class
        return found

    def word_of(self, tick: int) -> int:
        """Index of the bitmap word that holds a tick, or the usable tick below it."""
        return tick // self.tick_spacing >> WORD_BITS

    def float_columns(self) -> tuple[FloatArray, FloatArray]:
        """Square roots of the ticks' prices and `liquidity_from`, as floats for search."""
        if self._columns is None:
            roots = np.array([_root(tick) for tick in self.ticks])
            self._columns = roots, np.array(self.liquidity_from, dtype=np.float64)
        return self._columns

    def run(self, word: int, *, zero_for_one: bool) -> WordRun:
        """The pieces of a word in one direction."""
        runs = self._runs[zero_for_one]
        found = runs.get(word)
        if found is None:
            found = runs[word] = self._make_run_down(word) if zero_for_one else self._make_run_up(word)
        return found

    def word_after(self, word: int, run: WordRun, *, zero_for_one: bool) -> int | None:
        """The word to walk next: the neighbour, beyond a stretch without liquidity the next with a tick, or none."""
        towards = -1 if zero_for_one else 1
        if run.liquidity_after:
            return word + towards
        if zero_for_one:
            below = bisect_left(self.ticks, -run.keys[-1]) - 1
            return self.word_of(self.ticks[below]) if below >= 0 else None
        above = bisect_right(self.ticks, run.keys[-1])
        return self.word_of(self.ticks[above]) if above < len(self.ticks) else None

    def _fill(self, ticks: tuple[int, ...], gross: tuple[int, ...], net: tuple[int, ...]) -> None:
        self.ticks, self.gross, self.net = ticks, gross, net
        self.liquidity_from = tuple(accumulate(net))

    def _make_run_down(self, word: int) -> WordRun:
        size = self.tick_spacing << WORD_BITS
        edge, entry = max(word * size, TICK_MIN), min((word + 1) * size, TICK_MAX)
        inside = self.ticks[bisect_left(self.ticks, edge) : bisect_left(self.ticks, entry)]
        stops = [entry, *reversed(inside)]
        if stops[-1] != edge:
            stops.append(edge)
        prices = [_reachable_price(tick) for tick in stops]
        liquidity = [self.liquidity_at(tick) for tick in stops]
        pieces = list(zip(prices[1:], prices, liquidity[1:], strict=False))
        taken = (with_fee_up(amount0_up(*piece), self.fee_pips) for piece in pieces)
        paid = (amount1_down(*piece) for piece in pieces)
        return _run([-tick for tick in stops], prices, liquidity, (taken, paid), self.liquidity_at(edge - 1))

    def _make_run_up(self, word: int) -> WordRun:
        spacing, size = self.tick_spacing, self.tick_spacing << WORD_BITS
        edge, entry = min((word + 1) * size - spacing, TICK_MAX), max(word * size - spacing, TICK_MIN)
        inside = self.ticks[bisect_right(self.ticks, entry) : bisect_right(self.ticks, edge)]
        stops = [entry, *inside]
        if stops[-1] != edge:
            stops.append(edge)
        prices = [_reachable_price(tick) for tick in stops]
        liquidity = [0, *(self.liquidity_at(tick) for tick in stops[:-1])]
        pieces = list(zip(prices, prices[1:], liquidity[1:], strict=False))
        taken = (with_fee_up(amount1_up(*piece), self.fee_pips) for piece in pieces)
        paid = (amount0_down(*piece) for piece in pieces)
        return _run(stops, prices, liquidity, (taken, paid), self.liquidity_at(edge))

    def _identity(self) -> tuple[object, ...]:
        return self.fee_pips, self.tick_spacing, self.ticks, self.gross, self.net, self.coverage


def liquidity_per_tick_max(tick_spacing: int) -> int:
    """The most that may refer to one tick (Tick.tickSpacingToMaxLiquidityPerTick)."""
    return LIQUIDITY_MAX // (2 * (TICK_MAX // tick_spacing) + 1)


def _kept(runs: Mapping[bool, Mapping[int, WordRun]], touched: range) -> dict[bool, dict[int, WordRun]]:
    return {way: {word: run for word, run in found.items() if word not in touched} for way, found in runs.items()}


@lru_cache(maxsize=1 << 16)
def _root(tick: int) -> float:
    return sqrt_price_at_tick_up(tick) / _X96


def _reachable_price(tick: int) -> int:
    """A swap without a limit of its own stops one short of the lowest and the highest price."""
    return min(max(sqrt_price_at_tick_up(tick), SQRT_PRICE_MIN + 1), SQRT_PRICE_MAX - 1)


def _run(
    keys: list[int],
    prices: list[int],
    liquidity: list[int],
    amounts: tuple[Iterable[int], Iterable[int]],
    liquidity_after: int,
) -> WordRun:
    taken, paid = (tuple(accumulate(pieces, initial=0)) for pieces in amounts)
    return WordRun(tuple(keys), tuple(prices), tuple(liquidity), taken, paid, liquidity_after)
