"""Oracle: the exact integer quote of the same state."""

import random
from itertools import pairwise

import numpy as np
import pytest

from headrace.kernels.shape import FloatArray
from headrace.kernels.tick_math import SQRT_PRICE_MIN, TICK_MAX, sqrt_price_at_tick_up
from headrace.kernels.tick_segments import fill
from headrace.kernels.tick_shape import segments_output_and_slope, tick_segments
from headrace.kernels.tick_table import PricePoint, TickTable


def segments_output(segments: FloatArray, gamma: float, input_max: float, amount_in: float) -> float:
    return segments_output_and_slope(segments, gamma, input_max, amount_in)[0]


def segments_marginal(segments: FloatArray, gamma: float, input_max: float, amount_in: float) -> float:
    return segments_output_and_slope(segments, gamma, input_max, amount_in)[1]


def pool_with_a_gap() -> TickTable:
    table = TickTable(3000, 60, {})
    for lower, upper, liquidity in (
        (-600, 600, 10**22),
        (-120, 60, 10**23),
        (1200, 6000, 10**21),
        (-9000, -3000, 10**21),
    ):
        table = table.with_position(lower, upper, liquidity)
    return table


def at(table: TickTable, tick: int) -> PricePoint:
    return PricePoint(sqrt_price_at_tick_up(tick) + 10**20, tick, table.liquidity_at(tick))


@pytest.mark.parametrize("tick", [-8000, -2000, -60, 17, 900, 1200, 5999])
@pytest.mark.parametrize("down", [True, False])
def test_outputs_equal_the_exact_quote_to_a_billionth(tick: int, *, down: bool) -> None:
    table = pool_with_a_gap()
    point = at(table, tick)
    shape = tick_segments(table, point, zero_for_one=down)
    rng = random.Random(tick)
    compared = 0
    for _ in range(200):
        amount = int(10 ** rng.uniform(12, 23))
        exact = fill(table, point, amount, zero_for_one=down)
        if exact is None:
            assert amount > shape.input_max * (1 - 1e-9)
            continue
        found = segments_output(shape.segments, shape.gamma, shape.input_max, float(amount))
        assert found == pytest.approx(exact.amount_out, rel=1e-9, abs=10)
        compared += 1
    assert compared >= 20


@pytest.mark.parametrize("down", [True, False])
def test_the_marginal_price_is_the_slope_and_falls(*, down: bool) -> None:
    table = pool_with_a_gap()
    shape = tick_segments(table, at(table, 17), zero_for_one=down)
    amounts = np.linspace(0, shape.input_max * 0.999, 400)
    slopes = [segments_marginal(shape.segments, shape.gamma, shape.input_max, x) for x in amounts]
    assert all(after <= before * (1 + 1e-12) for before, after in pairwise(slopes))
    step = shape.input_max * 1e-6
    for x in amounts[1::37]:
        low, high = (segments_output(shape.segments, shape.gamma, shape.input_max, x + d) for d in (-step, step))
        middle = segments_marginal(shape.segments, shape.gamma, shape.input_max, x)
        assert (high - low) / (2 * step) == pytest.approx(middle, rel=0.05)


def test_rows_start_at_nothing_ascend_and_leave_out_gaps() -> None:
    table = pool_with_a_gap()
    rows = tick_segments(table, at(table, 17), zero_for_one=False).segments
    assert tuple(rows[0, :2]) == (0.0, 0.0)
    assert (np.diff(rows[:, 0]) > 0).all()
    assert (np.diff(rows[:, 1]) > 0).all()
    assert (rows[:, 2:] > 0).all()
    assert len(rows) == 3  # to 60, to 600, and 1200 to 6000 behind the gap


def test_beyond_the_last_tick_nothing_more_comes() -> None:
    table = pool_with_a_gap()
    shape = tick_segments(table, at(table, 17), zero_for_one=True)
    args = (shape.segments, shape.gamma, shape.input_max)
    assert segments_output(*args, shape.input_max * 9) == segments_output(*args, shape.input_max)
    assert segments_marginal(*args, shape.input_max) == 0.0
    assert segments_output(*args, 0.0) == 0.0
    assert segments_marginal(*args, -1.0) == segments_marginal(*args, 0.0)


@pytest.mark.parametrize(
    ("table", "point", "down"),
    [
        (TickTable(3000, 60, {}), PricePoint(2**96, 0, 0), True),
        (TickTable(3000, 60, {}), PricePoint(0, 0, 0), False),
        (TickTable(3000, 60, {}).with_position(60, 120, 9), PricePoint(2**96, 0, 0), True),
        (TickTable(3000, 60, {}).with_position(-120, -60, 9), PricePoint(2**96, 0, 0), False),
        (TickTable(100, 1, {}).with_position(-TICK_MAX, 0, 9), PricePoint(SQRT_PRICE_MIN, -TICK_MAX, 9), True),
    ],
)
def test_a_pool_that_gives_nothing_has_no_rows_and_no_capacity(
    table: TickTable, point: PricePoint, *, down: bool
) -> None:
    shape = tick_segments(table, point, zero_for_one=down)
    assert shape.segments.shape == (0, 4)
    assert shape.input_max == 0.0
    assert segments_output(shape.segments, shape.gamma, shape.input_max, 5.0) == 0.0
    assert segments_marginal(shape.segments, shape.gamma, shape.input_max, 5.0) == 0.0
