"""Oracle: the decimal module with 60 digits. The deployed bytecode is asked in the conformance suite."""

from decimal import Context, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.kernels.fixed_point_power import (
    ONE,
    _exponential,
    _logarithm_times,
    divide_down,
    divide_up,
    multiply_down,
    multiply_up,
    power_down,
    power_up,
    raw_power,
)

PRECISE = Context(prec=80)
bases = st.integers(min_value=1, max_value=10 * ONE) | st.integers(min_value=ONE // 2, max_value=2 * ONE)
exponents = st.integers(min_value=ONE // 100, max_value=99 * ONE)
numbers = st.integers(min_value=0, max_value=1 << 112)


def exactly(x: int, y: int) -> Decimal:
    power = PRECISE.multiply(PRECISE.ln(Decimal(x) / ONE), Decimal(y) / ONE)
    return PRECISE.exp(power) * ONE


@settings(deadline=None)  # the first call may compile, and the machine may be busy
@given(bases, exponents)
def test_the_true_power_lies_between_down_and_up(x: int, y: int) -> None:
    down, up = power_down(x, y, has_shortcuts=False), power_up(x, y, has_shortcuts=False)
    if down is None or up is None:
        assert down is None
        assert up is None
        return
    assert down <= exactly(x, y) + 1
    assert up >= exactly(x, y)
    assert up - down <= 3 * up // 10**14 + 4


@settings(deadline=None)  # the first call may compile, and the machine may be busy
@given(st.integers(min_value=1, max_value=10 * ONE), st.sampled_from((1, 2, 4)))
def test_shortcuts_multiply(x: int, times: int) -> None:
    down, up = (f(x, times * ONE, has_shortcuts=True) for f in (power_down, power_up))
    assert down is not None
    assert up is not None
    exact = Decimal(x) ** times / Decimal(ONE) ** (times - 1)
    assert exact - 2 * times * Decimal(x) ** 2 / ONE**2 - 4 <= down <= exact <= up
    assert (down == up) or times > 1
    assert power_up(x, 3 * ONE, has_shortcuts=True) == power_up(x, 3 * ONE, has_shortcuts=False)


def test_the_logarithm_never_falls_across_a_seam_that_a_swap_reaches() -> None:
    """Inside a segment each step of the series is monotone; so what is left to look at are the seams.

    A swap's base lies in [1 / 1.3, 1]: there the segments end at 0.9 and at e^(-k / 16).
    """
    seams = [int(ONE * PRECISE.exp(Decimal(-k) / 16)) for k in range(1, 5)]
    for seam in (*seams, ONE - 10**17, ONE):
        logarithms = [_logarithm_times(x, 1000 * ONE) for x in range(seam - 300, min(seam + 300, ONE + 1))]
        assert logarithms == sorted(logarithms)


def test_the_exponential_never_falls_across_a_seam_that_a_swap_reaches() -> None:
    """A swap's exponent lies in [0, 99 ln 1.3], and its segments end at multiples of 1 / 4."""
    for quarter in range(1, 4 * 26):
        powers = [_exponential(-x) for x in range(quarter * ONE // 4 - 200, quarter * ONE // 4 + 200)]
        assert powers == sorted(powers, reverse=True)


def test_large_powers_use_the_whole_numbers_of_the_table() -> None:
    for x, y in ((10**40, ONE), (10**60, ONE), (3 * ONE, 100 * ONE), (10**50, ONE // 2)):
        raw = raw_power(x, y)
        assert raw is not None
        assert abs(raw - exactly(x, y)) <= exactly(x, y) / 10**14


def test_zero_is_answered_before_anything_else() -> None:
    assert raw_power(0, 0) == ONE
    assert raw_power(1 << 255, 0) == ONE
    assert raw_power(0, ONE) == 0
    assert power_down(0, ONE, has_shortcuts=False) == 0


@pytest.mark.parametrize(
    ("x", "y"), [(1 << 255, ONE), (ONE, (2**254) // 10**20), (1, 2 * ONE), (10 * ONE, 60 * ONE), (2 * ONE, 200 * ONE)]
)
def test_arguments_out_of_range_revert(x: int, y: int) -> None:
    assert raw_power(x, y) is None
    assert power_up(x, y, has_shortcuts=False) is None
    assert power_down(x, y, has_shortcuts=False) is None


@settings(deadline=None)  # the first call may compile, and the machine may be busy
@given(numbers, numbers)
def test_roundings_are_down_and_up(a: int, b: int) -> None:
    assert multiply_down(a, b) * ONE <= a * b <= multiply_up(a, b) * ONE
    assert multiply_up(a, b) - multiply_down(a, b) == (1 if a * b % ONE else 0)
    if b:
        assert divide_down(a, b) * b <= a * ONE <= divide_up(a, b) * b
        assert divide_up(a, b) - divide_down(a, b) == (1 if a * ONE % b else 0)
