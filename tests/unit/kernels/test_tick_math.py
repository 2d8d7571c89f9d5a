"""Oracles: the constants published with TickMath, exact rational arithmetic, and exhaustive search nearby."""

import random
from collections import Counter
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest

from headrace.kernels import tick_math
from headrace.kernels.tick_math import (
    SQRT_PRICE_MAX,
    SQRT_PRICE_MIN,
    TICK_MAX,
    TICK_MIN,
    amount0_down,
    amount0_up,
    amount1_down,
    amount1_up,
    less_fee_down,
    next_price_from_amount0_in_up,
    next_price_from_amount0_out_up,
    next_price_from_amount1_in_down,
    next_price_from_amount1_out_down,
    sqrt_price_at_tick_up,
    swap_step,
    tick_at_sqrt_price_down,
    with_fee_up,
)

Q96 = 1 << 96


def ceiling(value: Fraction) -> int:
    return -(-value.numerator // value.denominator)


def random_price(rng: random.Random) -> int:
    return min(int(2 ** rng.uniform(32.1, 159.9)), SQRT_PRICE_MAX - 1)


def test_the_lowest_and_highest_ticks_have_the_published_prices() -> None:
    assert sqrt_price_at_tick_up(TICK_MIN) == SQRT_PRICE_MIN
    assert sqrt_price_at_tick_up(TICK_MAX) == SQRT_PRICE_MAX
    assert sqrt_price_at_tick_up(0) == Q96


def test_prices_of_ticks_agree_with_the_power_to_seventeen_digits() -> None:
    rng = random.Random(1)
    with localcontext() as context:
        context.prec = 90
        for tick in [rng.randint(TICK_MIN, TICK_MAX) for _ in range(500)]:
            exact = Decimal("1.0001") ** (Decimal(tick) / 2) * Q96
            assert abs(sqrt_price_at_tick_up(tick) - exact) <= 1 + exact * Decimal("1e-17"), tick


def test_a_tick_is_found_again_at_its_price_and_one_unit_below() -> None:
    rng = random.Random(2)
    ticks = [TICK_MIN + 1, -1, 0, 1, TICK_MAX - 1, *(rng.randint(TICK_MIN + 1, TICK_MAX - 1) for _ in range(2000))]
    for tick in ticks:
        price = sqrt_price_at_tick_up(tick)
        assert tick_at_sqrt_price_down(price) == tick
        assert tick_at_sqrt_price_down(price - 1) == tick - 1
    assert tick_at_sqrt_price_down(SQRT_PRICE_MIN) == TICK_MIN
    assert tick_at_sqrt_price_down(SQRT_PRICE_MAX - 1) == TICK_MAX - 1


@pytest.mark.parametrize("price", [0, SQRT_PRICE_MIN - 1, SQRT_PRICE_MAX])
def test_a_price_out_of_bounds_is_a_bug(price: int) -> None:
    with pytest.raises(AssertionError):
        tick_at_sqrt_price_down(price)


@pytest.mark.parametrize("tick", [TICK_MIN - 1, TICK_MAX + 1])
def test_a_tick_out_of_bounds_is_a_bug(tick: int) -> None:
    with pytest.raises(AssertionError):
        sqrt_price_at_tick_up(tick)


def test_amounts_between_prices_are_the_exact_ones_rounded_as_named() -> None:
    rng = random.Random(3)
    for _ in range(2000):
        low, high = sorted((random_price(rng), random_price(rng)))
        liquidity = int(2 ** rng.uniform(0, 127))
        amount0 = Fraction(liquidity * Q96 * (high - low), low * high)
        amount1 = Fraction(liquidity * (high - low), Q96)
        assert amount0_up(low, high, liquidity) == ceiling(amount0)
        assert amount0_down(low, high, liquidity) == int(amount0)
        assert amount1_up(low, high, liquidity) == ceiling(amount1)
        assert amount1_down(low, high, liquidity) == int(amount1)


def test_next_prices_are_the_exact_ones_rounded_as_named() -> None:
    rng = random.Random(4)
    for _ in range(2000):
        price, liquidity = random_price(rng), int(2 ** rng.uniform(10, 120))
        amount = int(2 ** rng.uniform(0, 90))
        if liquidity * Q96 + amount * price < 2**256:
            exact = Fraction(liquidity * Q96 * price, liquidity * Q96 + amount * price)
            assert next_price_from_amount0_in_up(price, liquidity, amount) == ceiling(exact)
        assert next_price_from_amount1_in_down(price, liquidity, amount) == int(
            price + Fraction(amount * Q96, liquidity)
        )
        out1 = Fraction(price) - Fraction(amount * Q96, liquidity)
        if out1 > 0:
            assert next_price_from_amount1_out_down(price, liquidity, amount) == out1.numerator // out1.denominator
        if liquidity * Q96 > amount * price:
            exact = Fraction(liquidity * Q96 * price, liquidity * Q96 - amount * price)
            assert next_price_from_amount0_out_up(price, liquidity, amount) == ceiling(exact)


def test_where_the_product_overflows_the_price_is_coarser_and_never_lower() -> None:
    rng = random.Random(5)
    coarser = 0
    for _ in range(2000):
        price, liquidity = int(2 ** rng.uniform(140, 159)), int(2 ** rng.uniform(100, 127))
        amount = int(2 ** rng.uniform(256 - price.bit_length(), 150))
        exact = Fraction(liquidity * Q96 * price, liquidity * Q96 + amount * price)
        reached = next_price_from_amount0_in_up(price, liquidity, amount)
        if liquidity * Q96 + amount * price >= 2**256:
            shifted = liquidity * Q96
            assert reached == ceiling(Fraction(shifted, shifted // price + amount))
            coarser += reached > ceiling(exact)
        assert reached >= exact
    assert coarser >= 50, coarser


def test_an_amount_is_covered_exactly_from_its_price_with_fee_on() -> None:
    rng = random.Random(6)
    for _ in range(5000):
        amount, fee = int(2 ** rng.uniform(0, 120)), rng.choice((0, 1, 100, 500, 3000, 10_000, 999_999))
        gross = with_fee_up(amount, fee)
        assert less_fee_down(gross, fee) >= amount > less_fee_down(gross - 1, fee)
        assert gross == amount + ceiling(Fraction(amount * fee, 10**6 - fee))


def one_step(rng: random.Random) -> tuple[int, int, int, int, int]:
    price = int(2 ** rng.uniform(70, 120))
    target = int(price * 1.0001 ** rng.uniform(-3000, 3000))
    liquidity = 0 if rng.random() < 0.05 else int(2 ** rng.uniform(20, 110))
    down = price >= target
    whole = amount0_up(target, price, liquidity) if down else amount1_up(price, target, liquidity)
    remaining = max(int(whole * 10 ** rng.uniform(-3, 1)), 1) * rng.choice((1, -1))
    return price, target, liquidity, remaining, rng.choice((100, 500, 3000, 10_000))


def test_a_step_never_passes_its_target_nor_spends_more_than_there_is() -> None:
    rng = random.Random(7)
    reached: Counter[str] = Counter()
    for _ in range(10_000):
        price, target, liquidity, remaining, fee = one_step(rng)
        step = swap_step(price, target, liquidity, remaining, fee)
        assert min(price, target) <= step.sqrt_price_x96 <= max(price, target)
        is_whole = step.sqrt_price_x96 == target
        if remaining > 0:
            assert step.amount_in + step.fee <= remaining
            assert is_whole or step.amount_in + step.fee == remaining
        else:
            assert step.amount_out <= -remaining
            assert is_whole or step.amount_out == -remaining
        assert step.fee * (10**6 - fee) >= step.amount_in * fee or not is_whole
        way = "down" if price >= target else "up"
        reached[f"{way} {'in' if remaining > 0 else 'out'} {'whole' if is_whole else 'part'}"] += 1
        reached["no liquidity"] += liquidity == 0
    assert len(reached) == 9, reached
    assert min(reached.values()) >= 300, reached


@pytest.mark.parametrize("fault", ["amount0_up", "amount1_up", "less_fee_down", "next_price_from_amount1_in_down"])
def test_a_step_with_a_rounding_turned_round_breaks_its_own_bounds(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = getattr(tick_math, fault)
    rng = random.Random(8)
    cases = [one_step(rng) for _ in range(2000)]
    expected = [swap_step(*case) for case in cases]
    monkeypatch.setattr(tick_math, fault, lambda *args: sound(*args) + (1 if "up" not in fault else -1))
    assert sum(swap_step(*case) != step for case, step in zip(cases, expected, strict=True)) > 100
