"""Oracle: brute force over every input."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.kernels.least_input import TRIES_MAX, first_reaching, least_input


@given(st.lists(st.integers(0, 6), max_size=60), st.integers(1, 100), st.integers(-5, 90), st.integers(0, 60))
def test_it_is_the_first_that_reaches(steps: list[int], wanted: int, guess: int, refused_below: int) -> None:
    outputs = [sum(steps[:count]) for count in range(len(steps) + 1)]

    def output(amount: int) -> int | None:
        return None if amount < refused_below else outputs[amount]

    reaching = [x for x in range(1, len(outputs)) if (output(x) or 0) >= wanted]
    if len(outputs) > 1:
        found = least_input(output, wanted, guess=guess, input_max=len(outputs) - 1)
        assert found == (reaching[0] if reaching else None)


@pytest.mark.parametrize("guess", [1, 10**20, 10**40])
def test_a_guess_far_off_costs_steps_not_the_answer(guess: int) -> None:
    assert least_input(lambda x: x // 3, 10**30, guess=guess, input_max=1 << 200) == 3 * 10**30


def test_what_the_steps_go_over_is_found_where_more_is_refused() -> None:
    def narrow(amount: int) -> int | None:
        return amount if 1000 <= amount <= 1020 else None if amount > 1020 else 0

    for wanted in range(1000, 1021):
        assert least_input(narrow, wanted, guess=1, input_max=1 << 200) == wanted
    assert least_input(narrow, 1021, guess=1, input_max=1 << 200) is None
    assert least_input(lambda _: None, 1, guess=1, input_max=1 << 200) is None


def test_more_inputs_than_are_tried_are_looked_at_in_strides() -> None:
    looked = []

    def reaches(amount: int) -> bool:
        looked.append(amount)
        return amount >= 70_001

    assert first_reaching(reaches, range(5, 100_000)) == 70_001
    assert len(looked) < 4 * TRIES_MAX
    assert first_reaching(lambda _: False, range(5, 100_000)) == 99_999


def test_one_unit_less_than_what_strides_find_does_not_reach() -> None:
    """Few reach, close to the end, between two looks. The oracle asks the input below."""
    rng = random.Random(4)
    strided = 0
    for _ in range(2_000):
        among = range(7, 7 + rng.randint(TRIES_MAX + 1, 40 * TRIES_MAX))
        near = -(-len(among) // TRIES_MAX) * 2
        reaching = {among[-1], *(among[-1] - rng.randint(1, near) for _ in range(rng.randint(1, near)))}
        found = first_reaching(reaching.__contains__, among)
        assert found in reaching
        assert found - 1 not in reaching
        strided += found != min(reaching)
    assert strided >= 500
