"""Oracles: brute force over every input of small pools and the decimal module; bytecode in the conformance suite."""

from decimal import Context, Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.kernels.fixed_point_power import ONE
from headrace.kernels.weighted import (
    WeightedPair,
    amount_in,
    amount_in_asked,
    amount_in_max,
    amount_out,
    output_and_slope,
)

PRECISE = Context(prec=60)
weights = st.integers(min_value=1, max_value=99)
fees = st.sampled_from((10**12, 10**15, 3 * 10**15, 10**17))


def pair(balance_in: int, balance_out: int, weight: int = 50, fee: int = 3 * 10**15) -> WeightedPair:
    share = weight * ONE // 100
    return WeightedPair(balance_in, balance_out, share, ONE - share, fee, has_shortcuts=True)


@st.composite
def small_pairs(draw: st.DrawFn) -> WeightedPair:
    balances = st.integers(min_value=1, max_value=400)
    drawn = pair(draw(balances), draw(balances), draw(weights), draw(fees))
    return msgspec.structs.replace(drawn, has_shortcuts=draw(st.booleans()))


@settings(deadline=None)  # the first call may compile, and the machine may be busy
@given(small_pairs())
def test_the_inverse_is_the_least_input_of_all(small: WeightedPair) -> None:
    outputs = [amount_out(small, x) for x in range(small.balance_in + 2)]
    largest = max(out for out in outputs if out is not None)
    for wanted in range(1, largest + 1):
        least = next(x for x, out in enumerate(outputs) if out is not None and out >= wanted)
        assert amount_in(small, wanted) == least
    assert amount_in(small, largest + 1) is None


@settings(deadline=None)  # the first call may compile, and the machine may be busy
@given(small_pairs())
def test_the_most_that_is_taken_is_the_last_that_does_not_revert(small: WeightedPair) -> None:
    most = amount_in_max(small)
    assert amount_out(small, most) is not None
    assert amount_out(small, most + 1) is None


@settings(deadline=None)  # the first call may compile, and the machine may be busy
@given(st.integers(10**3, 1 << 111), st.integers(10**3, 1 << 111), weights, fees, st.floats(-20, -0.55), st.booleans())
def test_the_inverse_reaches_and_one_less_does_not(
    balance_in: int,
    balance_out: int,
    weight: int,
    fee: int,
    exponent: float,
    has_shortcuts: bool,  # noqa: FBT001
) -> None:
    large = msgspec.structs.replace(pair(balance_in, balance_out, weight, fee), has_shortcuts=has_shortcuts)
    wanted = max(1, int(balance_out * 10**exponent))
    found = amount_in(large, wanted)
    if found is None:
        assert (amount_out(large, amount_in_max(large)) or 0) < wanted
        return
    assert (amount_out(large, found) or 0) >= wanted > (amount_out(large, found - 1) or 0)


@pytest.mark.parametrize("weight", [1, 20, 50, 80, 99])
@pytest.mark.parametrize("share", [0.111111, 1 / 9, 0.2, 0.29, 1e-9])
def test_the_output_never_falls_where_the_series_change(weight: int, share: float) -> None:
    pool = pair(10**18, 10**27, weight)
    start = int(10**18 * share / 0.997) - 400
    outputs = [amount_out(pool, x) or 0 for x in range(start, start + 800)]
    assert outputs == sorted(outputs)


def test_an_empty_side_reverts_and_a_power_out_of_range_too() -> None:
    assert amount_out(pair(0, 10), 1) is None
    assert amount_in_asked(pair(10, 0), 1) is None
    assert amount_in_asked(pair(1000, 1000), 301) is None
    steep = msgspec.structs.replace(pair(10**18, 10**18), weight_in=ONE - 10**15, weight_out=10**15)
    assert amount_out(steep, 2 * 10**17) is None
    gentle = msgspec.structs.replace(steep, weight_in=10**15, weight_out=ONE - 10**15)
    assert amount_in_asked(gentle, 29 * 10**16) is None


@settings(deadline=None)  # the first call may compile, and the machine may be busy
@given(st.integers(10**6, 1 << 111), st.integers(10**6, 1 << 111), weights, st.floats(-12, 1))
def test_floats_follow_the_formula_and_its_derivative(
    balance_in: int, balance_out: int, weight: int, exponent: float
) -> None:
    x, y, w, g = Decimal(balance_in), Decimal(balance_out), Decimal(weight) / Decimal(100 - weight), Decimal("0.997")
    amount = float(balance_in) * 10**exponent
    growth = 1 + g * Decimal(amount) / x
    kept = PRECISE.exp(PRECISE.multiply(-w, PRECISE.ln(growth)))
    output, slope = output_and_slope(float(balance_in), float(balance_out), 0.997, weight / (100 - weight), amount)
    assert abs(Decimal(output) - y * (1 - kept)) <= y * (1 - kept) * Decimal("1e-12")
    expected = y * w * g / x * kept / growth
    assert abs(Decimal(slope) - expected) <= expected * Decimal("1e-12")


def test_no_balance_gives_nothing_in_floats() -> None:
    assert output_and_slope(0.0, 0.0, 0.0, 0.0, 5.0) == (0.0, 0.0)
