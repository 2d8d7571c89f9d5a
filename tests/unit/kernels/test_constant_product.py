"""Oracles: brute force over small pools, the pair's own inequality, and exact fractions for the floats."""

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.kernels.constant_product import PIPS, amount_in, amount_out, output_and_slope

small = st.integers(min_value=1, max_value=60)
wide = st.integers(min_value=1, max_value=(1 << 112) - 1)
fees = st.sampled_from((0, 1, 500, 2000, 2500, 3000, 10_000, 999_999)) | st.integers(0, PIPS - 1)


@settings(deadline=None)  # the first call may compile, and the machine may be busy
@given(small, small, fees, small)
def test_the_inverse_is_the_least_input_of_all(reserve_in: int, reserve_out: int, fee: int, wanted: int) -> None:
    found = amount_in(reserve_in, reserve_out, fee, wanted)
    if wanted >= reserve_out:
        assert found is None
        return
    assert found is not None
    assert amount_out(reserve_in, reserve_out, fee, found) >= wanted
    start = max(0, found - 2000)
    assert all(amount_out(reserve_in, reserve_out, fee, x) < wanted for x in range(start, found))


@settings(deadline=None)  # the first call may compile, and the machine may be busy
@given(wide, wide, fees, wide)
def test_the_output_is_the_most_that_leaves_the_product(x: int, y: int, fee: int, amount: int) -> None:
    given_out = amount_out(x, y, fee, amount)

    def is_accepted(out: int) -> bool:
        return ((x + amount) * PIPS - amount * fee) * (y - out) * PIPS >= x * y * PIPS**2

    assert is_accepted(given_out)
    assert not is_accepted(given_out + 1)


@settings(deadline=None)  # the first call may compile, and the machine may be busy
@given(wide, wide, fees, wide)
def test_the_inverse_reaches_and_one_less_does_not(x: int, y: int, fee: int, wanted: int) -> None:
    found = amount_in(x, y, fee, wanted)
    assert (found is None) == (wanted >= y)
    if found is not None:
        assert amount_out(x, y, fee, found) >= wanted > amount_out(x, y, fee, found - 1)


@settings(deadline=None)  # the first call may compile, and the machine may be busy
@given(wide, wide, wide)
def test_a_fee_in_pips_gives_what_997_of_1000_gives(x: int, y: int, amount: int) -> None:
    taken = amount * 997
    assert amount_out(x, y, 3000, amount) == taken * y // (x * 1000 + taken)


def test_an_empty_pool_gives_nothing() -> None:
    assert amount_out(0, 0, 3000, 10) == 0
    assert amount_out(5, 5, 3000, 0) == 0
    assert amount_in(0, 0, 3000, 1) is None
    assert output_and_slope(0.0, 0.0, 0.0, 7.0) == (0.0, 0.0)


@settings(deadline=None)  # the first call may compile, and the machine may be busy
@given(wide, wide, st.integers(0, 100_000), wide)
def test_floats_follow_the_fraction_and_its_derivative(x: int, y: int, fee: int, amount: int) -> None:
    gamma = Fraction(PIPS - fee, PIPS)
    exact = y * gamma * amount / (x + gamma * amount)
    slope = y * gamma * x / (x + gamma * amount) ** 2
    output, marginal = output_and_slope(float(x), float(y), 1.0 - fee / PIPS, float(amount))
    assert abs(Fraction(output) - exact) <= exact / 10**13
    assert abs(Fraction(marginal) - slope) <= slope / 10**12
