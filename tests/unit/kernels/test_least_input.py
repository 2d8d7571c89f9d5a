"""Oracle: brute force over every input."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.kernels.least_input import least_input


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
