"""The least input that buys an output, settled by the exact quote.

From a close guess (the curve's inverse in floats) the bracket of `kernels.least_input` finds an input that reaches
while one unit less falls short. That is the least input wherever more never buys less (`Order.STEADY`). Two things
break this order:

- `SAW`: a fee that grows off the peg does so in steps of 1e-10, and at each step the output falls back by that much of
  itself. So the tooth before the one that was found is looked at too, and the one before it, until one falls short.
- `TREMBLING`: a deposit into a base pool passes through a D that is right to a unit or two, so the tokens minted may
  tremble by as much. There the few inputs below the one that was found are tried one by one.
"""

from enum import Enum, auto

from headrace.adapters.protocols.curve_stableswap.paying import Payer
from headrace.kernels.least_input import crossing, halved

_INPUT_MAX = 1 << 200
_TREMBLE = 16  # units below the first crossing that are tried where a base pool's D stands between


class Order(Enum):
    """How far more input buys more output."""

    STEADY = auto()
    SAW = auto()
    TREMBLING = auto()


def least_input(pay: Payer, wanted: int, guess: int, order: Order) -> int | None:
    """Least input whose output reaches `wanted` (at least 1), or None."""

    def reaches(amount: int) -> bool:
        return _reaches(pay, amount, wanted)

    found = crossing(reaches, guess=guess if guess > 0 and _reaches(pay, guess, 0) else 1, input_max=_INPUT_MAX)
    if found is None or order is Order.STEADY:
        return found
    if order is Order.TREMBLING:
        below = range(max(1, found - _TREMBLE), found)
        return next((amount for amount in below if reaches(amount)), found)
    while (before := _end_of_tooth_before(pay, found)) is not None and reaches(before):
        found = halved(reaches, _start_of_tooth(pay, before) - 1, before)
    return found


def _end_of_tooth_before(pay: Payer, amount: int) -> int | None:
    """The last input below `amount` that is charged less; None where the fee does not grow on the way."""
    start = _start_of_tooth(pay, amount)
    if start <= 1 or _fee_rate(pay, start - 1) >= _fee_rate(pay, amount):
        return None
    return start - 1


def _start_of_tooth(pay: Payer, amount: int) -> int:
    """The first input of the run up to `amount` that is charged the same."""
    rate = _fee_rate(pay, amount)
    start = crossing(lambda tried: _fee_rate(pay, tried) == rate, guess=amount, input_max=amount)
    assert start is not None, "the amount itself is charged its rate"
    return start


def _fee_rate(pay: Payer, amount: int) -> int:
    """What is charged, or 0 for an input that the contract refuses as too small."""
    try:
        return pay(amount).fee_rate
    except ArithmeticError:
        return 0


def _reaches(pay: Payer, amount: int, wanted: int) -> bool:
    try:
        return pay(amount).amount_out >= wanted
    except ArithmeticError:
        return False
