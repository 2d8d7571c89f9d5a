"""The least input whose output reaches an amount, where the contract's own inverse is close but not least.

Idea. Both directions of a contract round to the pool, so what it asks for an exact output is a few units from the least
input that gives as much. Around that guess a bracket grows by doubling, and halving inside it ends at two neighbours of
which one falls short and one is enough.

Bound. The answer is exact as to its neighbour: it reaches, one unit less does not. It is the least of all where the
output never falls when the input grows; each kernel says how far that holds for it. Where it falls, the same bracket
(`crossing`, `halved`) is applied piece by piece: `adapters/protocols/curve_stableswap/least_input.py`.
"""

from collections.abc import Callable

Reaches = Callable[[int], bool]
_FIRST_WIDTH_SHIFT = 40  # a contract's answer, and a guess in floats, is right to about 10^-12


def least_input(output: Callable[[int], int | None], output_min: int, *, guess: int, input_max: int) -> int | None:
    """Least of the inputs from 1 to `input_max` whose output reaches `output_min`; None where none does.

    Args:
        output: what an input gives, None where it is refused, which counts as not reaching.
        output_min: at least 1.
        guess: an input close to the answer; any positive one will do.
        input_max: the most that may be tried.
    """

    def reaches(amount: int) -> bool:
        given = output(amount)
        return given is not None and given >= output_min

    return crossing(reaches, guess=guess, input_max=input_max)


def crossing(reaches: Reaches, *, guess: int, input_max: int) -> int | None:
    """An input up to `input_max` that reaches while one unit less does not, or is 0; None where none was found.

    It is the crossing into which doubling steps from `guess` lead; there is one only where more always reaches.
    """
    guess = min(max(guess, 1), input_max)
    width = 1 + (guess >> _FIRST_WIDTH_SHIFT)
    short, enough = guess, guess
    if reaches(guess):
        while short > 0 and reaches(short):
            short, enough, width = max(0, short - width), short, 2 * width
    else:
        while not reaches(enough):
            if enough == input_max:
                return None
            short, enough, width = enough, min(input_max, enough + width), 2 * width
    return halved(reaches, short, enough)


def halved(reaches: Reaches, short: int, enough: int) -> int:
    """An input in (`short`, `enough`] that reaches while one unit less does not; `enough` reaches, `short` does not."""
    while enough - short > 1:
        middle = (short + enough) // 2
        short, enough = (short, middle) if reaches(middle) else (middle, enough)
    return enough
