"""Tables that no pool can have are named; those that differ only in how they were made are equal."""

import pytest

from headrace.kernels.tick_math import TICK_MAX, TICK_MIN
from headrace.kernels.tick_table import WHOLE, Coverage, TickLiquidity, TickTable, liquidity_per_tick_max


@pytest.mark.parametrize(
    ("entries", "word"),
    [
        ({-887_280: (5, 5), 0: (5, -5)}, "out of bounds"),
        ({0: (5, 5), 887_280: (5, -5)}, "out of bounds"),
        ({0: (5, 5), 61: (5, -5)}, "multiple"),
        ({0: (0, 0), 60: (5, 0)}, "gross"),
        ({0: (2**120, 2**120), 60: (2**120, -(2**120))}, "gross"),
        ({0: (5, 6), 60: (6, -6)}, "exceeds"),
        ({0: (5, -5), 60: (5, 5)}, "add up"),
        ({0: (5, 5), 60: (5, -4)}, "add up"),
    ],
)
def test_ticks_that_no_pool_can_have_are_named(entries: dict[int, tuple[int, int]], word: str) -> None:
    table = TickTable(3000, 60, {tick: TickLiquidity(*one) for tick, one in entries.items()})
    assert word in table.flaw()


def test_a_position_taken_back_leaves_no_trace() -> None:
    empty = TickTable(3000, 60, {})
    assert empty.flaw() == ""
    one = empty.with_position(-60, 60, 7)
    two = one.with_position(60, 120, 7)
    assert two.entries()[60] == TickLiquidity(14, 0)  # still initialised, though nothing changes across it
    assert two.with_position(60, 120, -7) == one
    assert one.with_position(-60, 60, -7) == empty
    assert one != empty
    assert one != "a table"
    assert "TickTable(3000, 60" in repr(one)


def test_liquidity_in_force_is_the_sum_below() -> None:
    table = TickTable(3000, 60, {}).with_position(-60, 60, 7).with_position(0, 120, 5)
    assert [table.liquidity_at(tick) for tick in (-61, -60, -1, 0, 59, 60, 119, 120)] == [0, 7, 7, 12, 12, 5, 5, 0]


@pytest.mark.parametrize(
    ("spacing", "most"),
    [  # maxLiquidityPerTick of the deployed pools of each tier, as in v3-core's own tests of Tick
        (10, 1917569901783203986719870431555990),
        (60, 11505743598341114571880798222544994),
        (200, 38350317471085141830651933667504588),
    ],
)
def test_the_most_liquidity_of_a_tick_is_the_published_one(spacing: int, most: int) -> None:
    assert liquidity_per_tick_max(spacing) == most


def test_the_same_ticks_at_another_fee_share_everything_but_the_fee() -> None:
    table = TickTable(3000, 60, {}).with_position(-60, 60, 10**9)
    assert table.with_fee(3000) is table
    other = table.with_fee(500)
    assert other is table.with_fee(500)
    assert other == TickTable(500, 60, {}).with_position(-60, 60, 10**9)
    assert other.ticks is table.ticks
    assert other.run(0, zero_for_one=True).taken != table.run(0, zero_for_one=True).taken


def test_a_changed_position_keeps_what_it_does_not_touch_at_every_fee() -> None:
    table = TickTable(3000, 60, {}).with_position(-60, 60, 10**9)
    for fee in (3000, 500):
        far, near = (table.with_fee(fee).run(word, zero_for_one=True) for word in (9, 0))
        changed = table.with_position(0, 120, 5).with_fee(fee)
        assert changed.run(9, zero_for_one=True) is far
        assert changed.run(0, zero_for_one=True) != near
        fresh = TickTable(fee, 60, {}).with_position(-60, 60, 10**9).with_position(0, 120, 5)
        assert changed.run(0, zero_for_one=True) == fresh.run(0, zero_for_one=True)


def test_a_table_known_in_part_says_where_and_follows_no_position() -> None:
    part = TickTable(3000, 60, {0: TickLiquidity(5, 5), 60: TickLiquidity(5, -5)}, Coverage(0, 60, is_gross_known=True))
    assert part.flaw() == ""
    assert part.coverage.is_cut
    assert part != TickTable(3000, 60, part.entries())
    assert [part.coverage.holds(tick) for tick in (-1, 0, 1, 59, 60, 61)] == [False, False, True, True, False, False]
    assert "cannot be followed" in part.with_position(0, 60, 7).flaw()
    nets = TickTable(3000, 60, part.entries(), WHOLE._replace(is_gross_known=False))
    assert not nets.coverage.is_cut
    assert all(nets.coverage.holds(tick) for tick in (TICK_MIN, 0, TICK_MAX))
    assert "cannot be followed" in nets.with_position(0, 60, 7).flaw()
    assert TickTable(3000, 60, part.entries()).with_position(0, 60, 7).flaw() == ""
