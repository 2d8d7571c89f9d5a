"""The least input whose output reaches an amount, where the contract's own inverse is close but not least.

Idea. Both directions of a contract round to the pool, so what it asks for an exact output is a few units from the least
input that gives as much. Around that guess a bracket grows by doubling, and halving inside it ends at two neighbours of
which one falls short and one is enough.

Bound. Three kinds of order, from the strictest:

- The output never falls (`least_input`): the answer is the least of all. Each kernel says why that holds for it.
- It never falls by more than `tremble` below what a smaller input gave (`least_trembling`). Let s be the first input of
  a crossing at `output_min - tremble`. One below s gives less than that, so no input up to there reaches `output_min`,
  or the output would have fallen by more than it does. Inputs from s on are tried one by one: the answer is the least
  of all, as far as the tremble is right. Where they are more than `TRIES_MAX`, they are looked at in strides that get
  finer around the first that reaches: the answer reaches, but a lesser one may have stood between two looks.
- It falls in known steps: `adapters/protocols/curve_stableswap/least_input.py` climbs them.
"""

from collections.abc import Callable

Reaches = Callable[[int], bool]
Output = Callable[[int], int | None]
TRIES_MAX = 256
_FIRST_WIDTH_SHIFT = 40  # a contract's answer, and a guess in floats, is right to about 10^-12


def least_input(output: Output, output_min: int, *, guess: int, input_max: int) -> int | None:
    """Least of the inputs from 1 to `input_max` whose output reaches `output_min`; None where none does.

    Args:
        output: what an input gives, None where it is refused, which counts as not reaching.
        output_min: at least 1.
        guess: an input close to the answer; any positive one will do.
        input_max: the most that may be tried.
    """
    reaches = _reaching(output, output_min)
    found = crossing(reaches, guess=guess, input_max=input_max)
    if found is None and output(input_max) is None:  # the steps may have gone over all that is accepted
        most = _most_accepted(output, input_max)
        found = crossing(reaches, guess=most, input_max=most)
    return found


def least_trembling(output: Output, output_min: int, tremble: int, *, guess: int, input_max: int) -> int | None:
    """As `least_input`, where an output may be up to `tremble` below that of a smaller input."""
    among = holding_least(output, output_min, tremble, guess=guess, input_max=input_max)
    return None if among is None else first_reaching(_reaching(output, output_min), among)


def holding_least(output: Output, output_min: int, tremble: int, *, guess: int, input_max: int) -> range | None:
    """Neighbouring inputs of which the last reaches and none before the first does, in the sense of the essay."""
    found = least_input(output, output_min, guess=guess, input_max=input_max)
    if found is None:
        return None
    start = crossing(_reaching(output, output_min - tremble), guess=found, input_max=found)
    assert start is not None, "what reaches the whole reaches the part"
    return range(start, found + 1)


def first_reaching(reaches: Reaches, among: range) -> int:
    """The first of them that reaches, of more than `TRIES_MAX` the first that was seen to; the last of all does.

    One unit less does not, unless the answer is the first of all.
    """
    while len(among) > TRIES_MAX:
        looks = among[: -1 : -(-len(among) // TRIES_MAX)]
        short = next((i for i, at in enumerate(looks) if reaches(at)), len(looks)) - 1  # the last look before it
        seen = looks[short + 1] if short + 1 < len(looks) else among[-1]
        among = range(looks[short] + 1 if short >= 0 else seen, seen + 1)
    return next((at for at in among[:-1] if reaches(at)), among[-1])


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
    return _halved(reaches, short, enough)


def _most_accepted(output: Output, input_max: int) -> int:
    """The input of which one unit more is refused, from the largest power of two that is accepted; at least 1."""
    powers = (1 << bits for bits in reversed(range(input_max.bit_length())))
    short = next((power for power in powers if output(power) is not None), 1)
    return max(1, _halved(lambda amount: output(amount) is None, short, min(2 * short, input_max)) - 1)


def _halved(reaches: Reaches, short: int, enough: int) -> int:
    """An input in (`short`, `enough`] that reaches while one unit less does not; `enough` reaches, `short` does not."""
    while enough - short > 1:
        middle = (short + enough) // 2
        short, enough = (short, middle) if reaches(middle) else (middle, enough)
    return enough


def _reaching(output: Output, output_min: int) -> Reaches:
    def reaches(amount: int) -> bool:
        given = output(amount)
        return given is not None and given >= output_min

    return reaches
