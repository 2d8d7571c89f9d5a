"""Oracles: brute force over every input of small pools, the invariant's equation; bytecode in the conformance suite."""

from fractions import Fraction

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.kernels.balancer_stable import (
    StableCurve,
    amount_in,
    amount_in_asked,
    amount_out,
    balance_up,
    invariant_down,
    invariant_up,
)
from headrace.kernels.fixed_point_power import ONE

AMPLIFICATIONS = st.sampled_from((1000, 50_000, 5_000_000))
MOST = 1 << 112


def curve(balances: tuple[int, ...], amplification: int = 100_000, decimals: int = 6, fee: int = 10**15) -> StableCurve:
    scalings = (ONE * 10 ** (18 - decimals),) * len(balances)
    return StableCurve(amplification, balances, scalings, fee, rounds_up=False)


@st.composite
def small_curves(draw: st.DrawFn) -> StableCurve:
    balances = tuple(draw(st.lists(st.integers(1, 150), min_size=2, max_size=4)))
    drawn = curve(balances, draw(AMPLIFICATIONS), fee=draw(st.sampled_from((10**12, 10**15, 10**17))))
    return msgspec.structs.replace(drawn, rounds_up=draw(st.booleans()))


@settings(deadline=None, max_examples=60)
@given(small_curves())
def test_the_inverse_is_the_least_input_of_all(small: StableCurve) -> None:
    outputs = [amount_out(small, 0, 1, x) or 0 for x in range(2000)]
    for wanted in range(1, max(outputs) + 1):
        least = next(x for x, out in enumerate(outputs) if out >= wanted)
        assert amount_in(small, 0, 1, amount_out_min=wanted, amount_in_max=MOST) == least


@settings(deadline=None)
@given(st.lists(st.integers(10**17, 10**32), min_size=2, max_size=5), AMPLIFICATIONS, st.floats(-12, -0.01))
def test_the_inverse_reaches_and_one_less_does_not(balances: list[int], amplification: int, exponent: float) -> None:
    pool = curve(tuple(balances), amplification, decimals=18)
    wanted = max(1, int(balances[1] * 10**exponent))
    found = amount_in(pool, 0, 1, amount_out_min=wanted, amount_in_max=MOST)
    if found is not None:
        assert (amount_out(pool, 0, 1, found) or 0) >= wanted > (amount_out(pool, 0, 1, found - 1) or 0)


@settings(deadline=None)
@given(st.lists(st.integers(10**21, 4 * 10**21), min_size=2, max_size=5), st.sampled_from((50_000, 5_000_000)))
def test_both_invariants_solve_the_equation(balances: list[int], amplification: int) -> None:
    count, ann = len(balances), Fraction(amplification * len(balances), 1000)
    product = Fraction(1)
    for balance in balances:
        product *= balance
    for find in (invariant_down, invariant_up):
        try:
            found = find(amplification, tuple(balances))
        except ArithmeticError:
            continue  # it swings, and the contract reverts

        def left_over(invariant: int) -> Fraction:
            whole = Fraction(invariant ** (count + 1), count**count) / product
            return ann * sum(balances) + invariant - ann * invariant - whole

        assert left_over(found - 200) > 0 > left_over(found + 200)
        assert abs(balance_up(amplification, tuple(balances), found, 0) - balances[0]) <= 3000


def test_nothing_comes_of_an_empty_side_or_an_input_too_small_or_too_large() -> None:
    assert amount_out(curve((0, 0)), 0, 1, 5) is None
    assert amount_out(curve((0, 100)), 0, 1, 5) is None
    assert amount_in_asked(curve((0, 100)), 0, 1, 5) is None
    assert amount_in(curve((0, 100)), 0, 1, amount_out_min=5, amount_in_max=MOST) is None
    pool = curve((10**9, 10**9), decimals=18)
    assert amount_out(pool, 0, 1, 1) is None
    assert amount_out(pool, 0, 1, 1 << 250) is None
    assert amount_out(pool, 0, 1, 1 << 256) is None
    assert amount_in_asked(pool, 0, 1, 10**9) is None
    assert amount_in(pool, 0, 1, amount_out_min=10**9, amount_in_max=MOST) is None


@pytest.mark.parametrize("find", [invariant_down, invariant_up])
def test_the_invariant_of_nothing_is_nothing(find: object) -> None:
    assert callable(find)
    assert find(1000, (0, 0)) == 0


def test_an_invariant_that_swings_by_two_units_is_a_revert() -> None:
    """The contracts' loops have the same end; the conformance suite meets such balances too."""
    swinging = (10**20, 4_077_489_570_989_855_473_590, 10**20)
    with pytest.raises(ArithmeticError):
        invariant_up(50_000, swinging)
    first = msgspec.structs.replace(curve(swinging, 50_000, decimals=18), rounds_up=True)
    assert amount_out(first, 0, 1, 10**18) is None
