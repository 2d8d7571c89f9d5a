"""The least input that buys an output, settled by the exact quote.

From a close guess (the curve's inverse in floats) a bracket is widened until it holds one input that falls short and
one that reaches, and is halved. That is the least input wherever more never buys less (`Order.STEADY`). Two things
break this order:

- `SAW`: a fee that grows off the peg does so in steps of 1e-10, and at each step the output falls back by that much of
  itself. So the tooth before the one that was found is looked at too, and the one before it, until one falls short.
- `TREMBLING`: a deposit into a base pool passes through a D that is right to a unit or two, so the tokens minted may
  tremble by as much. There the few inputs below the one that was found are tried one by one.
"""

from enum import Enum, auto

from headrace.adapters.protocols.curve_stableswap.paying import Payer

_FIRST_WIDTH_SHIFT = 40  # a guess in floats is right to about 1e-12
_INPUT_END = 1 << 200
_TREMBLE = 16  # units below the first crossing that are tried where a base pool's D stands between


class Order(Enum):
    """How far more input buys more output."""

    STEADY = auto()
    SAW = auto()
    TREMBLING = auto()


def least_input(pay: Payer, wanted: int, guess: int, order: Order) -> int | None:
    """Least input whose output reaches `wanted` (at least 1), or None."""
    found = _crossing(pay, wanted, guess if guess > 0 and _is_paid(pay, guess) else 1)
    if found is None or order is Order.STEADY:
        return found
    if order is Order.TREMBLING:
        below = range(max(1, found - _TREMBLE), found)
        return next((amount for amount in below if _reaches(pay, amount, wanted)), found)
    while (before := _end_of_tooth_before(pay, found)) is not None and _reaches(pay, before, wanted):
        found = _halved(pay, wanted, _start_of_tooth(pay, before) - 1, before)
    return found


def _crossing(pay: Payer, wanted: int, guess: int) -> int | None:
    """An input that reaches, while one less does not."""
    width = 1 + (guess >> _FIRST_WIDTH_SHIFT)
    if _reaches(pay, guess, wanted):
        short, enough = guess - width, guess
        while short > 0 and _reaches(pay, short, wanted):
            width *= 2
            short, enough = short - width, short
        return _halved(pay, wanted, max(0, short), enough)
    short, enough = guess, guess + width
    while not _reaches(pay, enough, wanted):
        if enough > _INPUT_END:
            return None
        width *= 2
        short, enough = enough, enough + width
    return _halved(pay, wanted, short, enough)


def _halved(pay: Payer, wanted: int, short: int, enough: int) -> int:
    while enough - short > 1:
        middle = (short + enough) // 2
        if _reaches(pay, middle, wanted):
            enough = middle
        else:
            short = middle
    return enough


def _end_of_tooth_before(pay: Payer, amount: int) -> int | None:
    """The last input below `amount` that is charged less; None where the fee does not grow on the way."""
    start = _start_of_tooth(pay, amount)
    if start <= 1 or _fee_rate(pay, start - 1) >= _fee_rate(pay, amount):
        return None
    return start - 1


def _start_of_tooth(pay: Payer, amount: int) -> int:
    """The first input of the run up to `amount` that is charged the same."""
    rate, width = _fee_rate(pay, amount), 1
    while amount - width > 0 and _fee_rate(pay, amount - width) == rate:
        width *= 2
    other, same = max(0, amount - width), amount - width // 2
    while same - other > 1:
        middle = (other + same) // 2
        if _fee_rate(pay, middle) == rate:
            same = middle
        else:
            other = middle
    return same


def _fee_rate(pay: Payer, amount: int) -> int:
    """What is charged, or 0 for an input that the contract refuses as too small."""
    try:
        return pay(amount).fee_rate
    except ArithmeticError:
        return 0


def _is_paid(pay: Payer, amount: int) -> bool:
    return _reaches(pay, amount, 0)


def _reaches(pay: Payer, amount: int, wanted: int) -> bool:
    try:
        return pay(amount).amount_out >= wanted
    except ArithmeticError:
        return False
