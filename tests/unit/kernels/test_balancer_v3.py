"""Oracle: brute force over every input of small pools; bytecode in the conformance suite."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.kernels.balancer_v3 import (
    BALANCE_END,
    Curve,
    StableCurve,
    VaultPool,
    WeightedCurve,
    _input_max,
    _net,
    amount_in,
    amount_in_asked,
    amount_out,
)
from headrace.kernels.fixed_point_power import ONE

HALVES = (ONE // 2, ONE // 2)
CURVES: tuple[Curve, ...] = (WeightedCurve(HALVES, None), WeightedCurve(HALVES, (10**6, 10**6)), StableCurve(100_000))
RATES = st.integers(ONE // 3, 3 * ONE)


def pool(curve: Curve, balances: tuple[int, ...], rates: tuple[int, ...] = (ONE, ONE), fee: int = 10**15) -> VaultPool:
    return VaultPool(curve, balances, (10**14,) * 2, rates, fee, trade_min=10**6)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(CURVES), st.tuples(*[st.integers(2, 150)] * 2), st.tuples(RATES, RATES), st.integers(0, 10**17))
def test_the_inverse_is_the_least_input_of_all(
    curve: Curve, balances: tuple[int, int], rates: tuple[int, int], fee: int
) -> None:
    small = pool(curve, balances, rates, fee)
    outputs = [amount_out(small, 0, 1, x) or 0 for x in range(1500)]
    for wanted in range(1, max(outputs) + 1):
        assert amount_in(small, 0, 1, wanted) == next(x for x, out in enumerate(outputs) if out >= wanted)
    if not isinstance(curve, StableCurve):
        assert amount_in(small, 0, 1, max(outputs) + 1) is None


@given(st.sampled_from(CURVES), st.integers(1, 10**20), RATES, st.integers(0, ONE - 1))
def test_the_most_that_is_tried_is_the_last_that_the_curve_takes(
    curve: Curve, balance: int, rate: int, fee: int
) -> None:
    held = pool(curve, (balance, 10**9), (rate, ONE), fee)
    scaled = held.scaled_balances()
    most, limit = _input_max(held, scaled, 0), curve.input_max(scaled, 0)
    assert _net(held, 0, most) <= limit < _net(held, 0, most + 1)


def test_what_is_too_small_too_much_or_out_of_proportion_is_refused() -> None:
    for curve in CURVES:
        held = pool(curve, (10**6, 10**6))
        assert amount_out(held, 0, 1, 10)
        assert amount_out(msgspec.structs.replace(held, trade_min=10**16), 0, 1, 10) is None
        assert amount_out(held, 0, 1, BALANCE_END) is None
        assert amount_in_asked(held, 0, 1, 10**7) is None
        assert amount_in_asked(msgspec.structs.replace(held, trade_min=10**30), 0, 1, 1) is None
        assert amount_out(pool(curve, (0, 0)), 0, 1, 5) is None
    assert amount_out(pool(StableCurve(100_000), (10**6, 101)), 0, 1, 10) is not None
    assert amount_out(pool(StableCurve(100_000), (10**6, 100)), 0, 1, 10) is None
    few = pool(WeightedCurve(HALVES, (10**20, 10**20)), (10**6, 10**6))
    assert amount_out(few, 0, 1, 10) is None


@pytest.mark.parametrize("wanted", [1, 10, 1000])
def test_a_rate_out_is_rounded_up_unless_it_is_whole(wanted: int) -> None:
    plain = pool(CURVES[0], (10**6, 10**6), (ONE, 2 * ONE))
    odd = msgspec.structs.replace(plain, rates=(ONE, 2 * ONE + 1))
    assert (amount_out(odd, 0, 1, 3 * wanted) or 0) <= (amount_out(plain, 0, 1, 3 * wanted) or 0)
