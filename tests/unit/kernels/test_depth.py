"""Oracle: brute force, differences of exact integer quotes over fine grids of inputs; never the shapes' own slopes."""

import math
import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pytest

from headrace.kernels import constant_product, solidly, weighted
from headrace.kernels.curve import Curves
from headrace.kernels.depth import depth_to_price, price_after, single_edge, spot_price, write_depths
from headrace.kernels.shape import ConstantProduct, Shape, SolidlyStable, Weighted
from headrace.kernels.solidly import Root, SolidlyPair
from headrace.kernels.tick_math import sqrt_price_at_tick_up
from headrace.kernels.tick_segments import fill
from headrace.kernels.tick_shape import tick_segments
from headrace.kernels.tick_table import PricePoint, TickTable
from headrace.kernels.weighted import WeightedPair

SEED = 20_260_111
ONE = 10**18
GRID = 400  # inputs in each factor of e


class Twin(NamedTuple):
    """A shape and the exact quote that it stands for."""

    kind: str
    shape: Shape
    quote: Callable[[int], int]
    size: int


def constant_products(draw: random.Random) -> Twin:
    reserve_in, reserve_out = (int(10 ** draw.uniform(21, 27)) for _ in range(2))
    fee = draw.choice((0, 2500, 3000))

    def quote(amount: int) -> int:
        return constant_product.amount_out(reserve_in, reserve_out, fee, amount)

    shape = ConstantProduct(float(reserve_in), float(reserve_out), 1 - fee / 10**6)
    return Twin("constant product", shape, quote, reserve_in)


def weighteds(draw: random.Random) -> Twin:
    weight = draw.choice((2, 5, 8)) * ONE // 10
    reserve_in, reserve_out = (int(10 ** draw.uniform(24, 27)) for _ in range(2))
    pair = WeightedPair(reserve_in, reserve_out, weight, ONE - weight, ONE // 500, has_shortcuts=True)
    shape = Weighted(float(reserve_in), float(reserve_out), 1 - 1 / 500, weight / (ONE - weight))
    return Twin("weighted", shape, lambda amount: weighted.amount_out(pair, amount) or 0, reserve_in // 4)


def stables(draw: random.Random) -> Twin:
    reserve_in, reserve_out = (int(10 ** draw.uniform(24, 25)) for _ in range(2))
    pair = SolidlyPair(reserve_in, reserve_out, ONE, ONE, 5, 10_000, True, Root.VELODROME_V2, is_zero_for_one=True)
    shape = SolidlyStable(float(reserve_in), float(reserve_out), 1 - 5 / 10_000, 1.0)
    return Twin("solidly stable", shape, lambda amount: solidly.amount_out(pair, amount) or 0, reserve_in)


def ticks(draw: random.Random) -> Twin:
    table = TickTable(3000, 60, {})
    for lower, upper in ((-6000, 6000), (-600, 600), (-120, 60), (1200, 3600), (-4200, -900)):
        table = table.with_position(lower, upper, int(10 ** draw.uniform(21, 23)))
    tick, down = draw.randint(-700, 700), draw.random() < 0.5
    point = PricePoint(sqrt_price_at_tick_up(tick) + 10**20, tick, table.liquidity_at(tick))
    shape = tick_segments(table, point, zero_for_one=down)

    def quote(amount: int) -> int:
        filled = fill(table, point, amount, zero_for_one=down)
        return 0 if filled is None else filled.amount_out

    return Twin("tick segments", shape, quote, int(shape.input_max * 0.999))


MAKERS = (constant_products, weighteds, stables, ticks)


def twins(count: int) -> Iterator[Twin]:
    draw = random.Random(SEED)
    for i in range(count):
        yield MAKERS[i % len(MAKERS)](draw)


def brute_price(twin: Twin, amount: int, width: int) -> float:
    """Of the next `width` units, by the exact quotes."""
    return (twin.quote(amount + width) - twin.quote(amount)) / width


def test_spot_and_later_prices_are_those_of_the_exact_quotes() -> None:
    draw, reached = random.Random(SEED + 1), Counter[str]()
    for twin in twins(80):
        arrays = single_edge(twin.shape)
        width = twin.size // 10**6
        assert spot_price(arrays, 0) == pytest.approx(brute_price(twin, 0, width), rel=1e-4)
        for _ in range(5):
            amount = int(twin.size * 10 ** draw.uniform(-4, -0.1))
            before, after = (brute_price(twin, amount + side, width) for side in (-width, 0))
            assert after * (1 - 1e-6) <= price_after(arrays, 0, float(amount)) <= before * (1 + 1e-6), twin
            reached[twin.kind] += 1
    print("reached", dict(reached))  # noqa: T201 - a test that passes says what it covered
    assert len(reached) == len(MAKERS)
    assert min(reached.values()) >= 50


def test_the_depth_is_where_the_exact_quotes_fall_to_the_price() -> None:
    """Walk a grid of inputs until the price of the step ahead is below: the depth is in the step before or this."""
    draw, reached = random.Random(SEED + 2), Counter[str]()
    for twin in twins(40):
        arrays = single_edge(twin.shape)
        wanted = spot_price(arrays, 0) * draw.uniform(0.75, 0.99)
        found = depth_to_price(arrays, 0, wanted)
        amount, step = 0, max(int(twin.size / 10**5), 1)
        while amount + step < twin.size and brute_price(twin, amount, step) >= wanted:
            amount, step = amount + step, max(step, amount // GRID)
        if amount + step >= twin.size:
            reached["ended first"] += 1
            continue
        assert amount - step <= found <= amount + step, (twin.kind, found, amount, step)
        reached[twin.kind] += 1
    print("reached", dict(reached))  # noqa: T201 - a test that passes says what it covered
    assert min(reached[one] for one in ("constant product", "weighted", "solidly stable", "tick segments")) >= 4


def test_a_price_above_the_spot_has_no_depth_and_a_bounded_pool_no_more_than_it_takes() -> None:
    for twin in twins(16):
        arrays = single_edge(twin.shape)
        assert depth_to_price(arrays, 0, spot_price(arrays, 0) * 1.001) == 0.0
        assert depth_to_price(arrays, 0, 0.0) == math.inf
        if twin.kind == "tick segments":
            least = depth_to_price(arrays, 0, 1e-30)
            assert least == pytest.approx(twin.size / 0.999, rel=1e-6)


def test_an_empty_pool_has_no_price_and_no_depth() -> None:
    curves = Curves(2)
    curves.put(1, ConstantProduct(10.0**20, 10.0**20, 1.0))
    assert spot_price(curves.arrays, 0) == 0.0
    assert depth_to_price(curves.arrays, 0, 1e-9) == 0.0
    depth = np.zeros(2)
    write_depths(curves.arrays, np.arange(2), np.array([1.0, 0.25]), depth)
    assert depth.tolist() == [0.0, pytest.approx(10.0**20, rel=1e-12)]


def test_less_than_a_unit_is_a_depth_too() -> None:
    arrays = single_edge(ConstantProduct(0.5, 10.0, 1.0))
    assert depth_to_price(arrays, 0, 10.0) == pytest.approx(math.sqrt(0.5) - 0.5, rel=1e-9)
