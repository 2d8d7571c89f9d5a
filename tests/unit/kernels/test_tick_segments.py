"""Oracle: the readable walk (proven against bytecode elsewhere), and brute force for the least input."""

import random
from collections import Counter

import pytest

from headrace.kernels.tick_math import (
    SQRT_PRICE_MAX,
    SQRT_PRICE_MIN,
    TICK_MAX,
    sqrt_price_at_tick_up,
    tick_at_sqrt_price_down,
)
from headrace.kernels.tick_segments import crossed_ticks, fill, input_for
from headrace.kernels.tick_table import PricePoint, TickLiquidity, TickTable
from headrace.kernels.tick_walk import AMOUNT_MAX, extreme_limit, walk

SPACINGS = (1, 10, 60, 200, 16_383)
FEES = (0, 100, 500, 3000, 10_000, 500_000)


def random_table(rng: random.Random, liquidity_bits: tuple[float, float]) -> TickTable:
    spacing = rng.choice(SPACINGS)
    usable = TICK_MAX // spacing
    centre = rng.randint(-usable // 2, usable // 2)
    table = TickTable(rng.choice(FEES), spacing, {})
    for _ in range(rng.randint(1, 12)):
        lower = max(-usable, min(centre + rng.randint(-300, 300), usable - 1))
        upper = min(lower + rng.choice((1, 2, 7, 40, 256, 600)), usable)
        table = table.with_position(lower * spacing, upper * spacing, int(2 ** rng.uniform(*liquidity_bits)))
    assert table.flaw() == ""
    return table


def random_point(rng: random.Random, table: TickTable) -> PricePoint:
    """Off the ticks, on one after an upward crossing, or on one after a downward crossing."""
    tick = rng.choice(table.ticks)
    tick = max(min(tick, TICK_MAX - 1), 1 - TICK_MAX)
    price = sqrt_price_at_tick_up(tick)
    kind = rng.random()
    if kind < 0.2:
        return PricePoint(price, tick - 1, table.liquidity_at(tick - 1))
    if kind > 0.4:
        price = min(max(price + int(price * rng.uniform(-0.02, 0.02)), SQRT_PRICE_MIN), SQRT_PRICE_MAX - 1)
        tick = tick_at_sqrt_price_down(price)
    return PricePoint(price, tick, table.liquidity_at(tick))


def random_amount(rng: random.Random) -> int:
    return int(2 ** rng.uniform(0, 130))


@pytest.mark.parametrize("liquidity_bits", [(0, 12), (30, 90), (95, 103)])
def test_the_bisected_quote_equals_the_walk_and_refuses_what_is_not_taken_whole(
    liquidity_bits: tuple[float, float],
) -> None:
    rng = random.Random(11)
    reached: Counter[str] = Counter()
    for _ in range(30):
        table = random_table(rng, liquidity_bits)
        for _ in range(36):
            point, amount, down = random_point(rng, table), random_amount(rng), rng.random() < 0.5
            done = walk(table, point, amount, extreme_limit(zero_for_one=down), zero_for_one=down)
            quote = fill(table, point, amount, zero_for_one=down)
            if done is None or done.amount_in < amount:
                assert quote is None
                reached["refused"] += 1
                continue
            assert quote is not None
            assert quote.amount_out == done.amount_out, (table, point, amount, down)
            crossed = crossed_ticks(table, point, quote.tick_reached, zero_for_one=down)
            assert crossed >= done.crossed
            reached["crossed many" if crossed > 3 else "crossed some" if crossed else "crossed none"] += 1
    assert reached["refused"] >= 300, reached
    assert reached["crossed none"] >= 50, reached
    assert reached["crossed some"] + reached["crossed many"] >= 20, reached


@pytest.mark.parametrize("liquidity_bits", [(0, 12), (30, 90), (95, 103)])
def test_the_least_input_reaches_the_amount_and_one_unit_less_does_not(liquidity_bits: tuple[float, float]) -> None:
    rng = random.Random(12)
    found = 0
    for _ in range(150):
        table = random_table(rng, liquidity_bits)
        for _ in range(12):
            point, down = random_point(rng, table), rng.random() < 0.5
            quote = fill(table, point, random_amount(rng), zero_for_one=down)
            if quote is None or quote.amount_out == 0:
                continue
            wanted = rng.choice((quote.amount_out, rng.randint(1, quote.amount_out)))
            least = input_for(table, point, wanted, zero_for_one=down)
            assert least is not None
            enough = fill(table, point, least, zero_for_one=down)
            assert enough is not None
            assert enough.amount_out >= wanted
            below = fill(table, point, least - 1, zero_for_one=down)
            assert below is None or below.amount_out < wanted, (table, point, wanted, down)
            found += 1
    assert found >= 50, found


def test_where_the_pools_arithmetic_gets_coarse_the_least_input_is_found_all_the_same() -> None:
    rng = random.Random(13)
    spacing, coarse = 16_383, 0
    table = TickTable(3000, spacing, {}).with_position(-54 * spacing, 54 * spacing, 2**118)
    for _ in range(3000):
        price = int(2 ** rng.uniform(148, 158))
        point = PricePoint(price, tick_at_sqrt_price_down(price), 2**118)
        wanted = 2**118 * (price - int(2 ** rng.uniform(97, 115))) >> 96
        least = input_for(table, point, wanted, zero_for_one=True)
        assert least is not None
        enough, below = (fill(table, point, amount, zero_for_one=True) for amount in (least, least - 1))
        assert enough is not None
        assert below is not None
        assert below.amount_out < wanted <= enough.amount_out
        coarse += (2**118 << 96) + least * price >= 2**256
    assert coarse >= 100, coarse


def test_a_burst_of_liquidity_is_bought_to_its_last_unit_and_no_further() -> None:
    table = TickTable(3000, 60, {}).with_position(-120, 120, 10**12).with_position(6000, 12_000, 10**9)
    point = PricePoint(2**96, 0, 10**12)
    most = walk(table, point, AMOUNT_MAX, extreme_limit(zero_for_one=False), zero_for_one=False)
    assert most is not None
    last = fill(table, point, most.amount_in, zero_for_one=False)
    assert last is not None
    assert last.amount_out == most.amount_out
    assert fill(table, point, most.amount_in + 1, zero_for_one=False) is None
    assert input_for(table, point, most.amount_out, zero_for_one=False) is not None
    assert input_for(table, point, most.amount_out + 1, zero_for_one=False) is None


@pytest.mark.parametrize("amount", [0, AMOUNT_MAX + 1])
def test_amounts_that_the_contract_cannot_take_are_refused(amount: int) -> None:
    table = TickTable(0, 1, {}).with_position(-TICK_MAX, TICK_MAX, 2**40)
    for down in (True, False):
        assert fill(table, PricePoint(2**96, 0, 2**40), amount, zero_for_one=down) is None
        assert (
            walk(table, PricePoint(2**96, 0, 2**40), amount, extreme_limit(zero_for_one=down), zero_for_one=down)
            is None
        )


@pytest.mark.parametrize(
    ("price", "tick", "down"),
    [
        (0, 0, True),
        (0, 0, False),
        (SQRT_PRICE_MIN, -TICK_MAX, True),
        (SQRT_PRICE_MIN + 1, -TICK_MAX, True),
        (SQRT_PRICE_MAX - 1, TICK_MAX - 1, False),
    ],
)
def test_a_pool_without_price_or_at_its_bound_gives_nothing(price: int, tick: int, *, down: bool) -> None:
    table = TickTable(3000, 1, {-TICK_MAX: TickLiquidity(5, 5), TICK_MAX: TickLiquidity(5, -5)})
    point = PricePoint(price, tick, 5)
    assert fill(table, point, 10, zero_for_one=down) is None
    assert input_for(table, point, 10, zero_for_one=down) is None


def test_states_that_differ_in_price_alone_share_what_is_worked_out() -> None:
    table = TickTable(3000, 60, {}).with_position(-6000, 6000, 10**18)
    run = table.run(0, zero_for_one=True)
    assert table.run(0, zero_for_one=True) is run
    far = table.with_position(60 * 256 * 3, 60 * 256 * 3 + 60, 7)
    assert far.run(0, zero_for_one=True) is run
    near = table.with_position(60, 120, 7)
    assert near.run(0, zero_for_one=True) is not run


def test_tables_kept_over_changes_quote_like_tables_made_anew() -> None:
    rng = random.Random(14)
    for _ in range(60):
        table = random_table(rng, (30, 60))
        for _ in range(6):
            point, down = random_point(rng, table), rng.random() < 0.5
            amount = random_amount(rng)
            fill(table, point, amount, zero_for_one=down)
            usable = TICK_MAX // table.tick_spacing
            lower = max(min(table.ticks[0] // table.tick_spacing + rng.randint(-9, 300), usable - 1), -usable)
            upper = min(lower + rng.randint(1, 300), usable)
            table = table.with_position(lower * table.tick_spacing, upper * table.tick_spacing, 10**9)
            point = PricePoint(point.sqrt_price_x96, point.tick, table.liquidity_at(point.tick))
            anew = TickTable(table.fee_pips, table.tick_spacing, table.entries())
            assert anew == table
            assert hash(anew) == hash(table)
            for given in (amount, amount // 1000 + 1):
                assert fill(anew, point, given, zero_for_one=down) == fill(table, point, given, zero_for_one=down)
