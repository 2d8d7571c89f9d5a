"""The least input that buys an output, settled by the exact quote.

From a close guess (the curve's inverse in floats) the bracket of `kernels.least_input` finds an input that reaches
while one unit less falls short. At one fee rate more never buys less, as `kernels.stableswap` shows, so that is the
least of all inputs. Two things break this order:

- A fee that grows off the peg (`least_on_saw`): at each step of its rate, 1e-10, the output falls back by that much of
  itself, like a saw. Up to the peg the rate falls, and nothing is broken. From there on it only rises, so what would be
  the least input if the rate of some input were charged for ever is a bound: no input between those two reaches. The
  climb goes from bound to bound, each at the rate of the last, and ends at the first that reaches, the least of all.
- A deposit into a base pool, or a withdrawal of one coin, passes through a D that is right to a unit or two, so what
  it gives trembles. Before or after it stands the pool's own swap, which does not. So the trembling part is searched
  alone, within the bounds of `kernels.least_input`, for what the other part needs. The tremble is measured and not
  shown: 3 units (10^-18 of a coin or token) at most in random base pools whose coins lie up to 300 times apart, 7 up
  to 10^5 times apart; `_TREMBLE` allows for four times that.
"""

from collections.abc import Callable
from typing import NamedTuple

from headrace.adapters.protocols.curve_stableswap.paying import Legs, Payer, at_fee_rate, legs, payer
from headrace.adapters.protocols.curve_stableswap.shaping import input_in_floats
from headrace.adapters.protocols.curve_stableswap.state import CurveStableswapState
from headrace.adapters.protocols.curve_stableswap.ways import Way, resolved
from headrace.errors import UnansweredError
from headrace.kernels import least_input as searching
from headrace.kernels.stableswap import FEE_DENOMINATOR, PRECISION
from headrace.model.block import BlockContext
from headrace.model.executor_step import CurveCall

_INPUT_MAX = 1 << 200
_TREMBLE = 32
_CLIMBS_MAX = 4096  # a few mostly; 1,400 were seen for 10^-12 less than the most that a drained pool pays


def least_input(state: CurveStableswapState, way: Way, at: BlockContext, wanted: int) -> int | None:
    """Least input whose output reaches `wanted` (at least 1), or None.

    Raises:
        ArithmeticError: the contract reverts for every input.
        UnansweredError: a base pool and a fee off the peg are passed one after the other, or an output is asked that
            is within some 10^-12 of the most that a pool with such a fee ever pays.
    """
    state, way = resolved(state, way)
    if way.call is CurveCall.EXCHANGE_UNDERLYING and state.base is not None:
        return _through_base(state, way, at, wanted)
    guess = input_in_floats(state, way, wanted)
    if state.offpeg_multiplier <= FEE_DENOMINATOR:
        return least_at_one_rate(payer(state, way, at), wanted, guess)
    saw = Saw(payer(state, way, at), lambda rate: payer(at_fee_rate(state, rate), way, at), state.fee)
    try:
        return least_on_saw(saw, wanted, guess)
    except ClimbError as error:
        raise UnansweredError(state.pool.id, str(error)) from error


def least_at_one_rate(pay: Payer, wanted: int, guess: int) -> int | None:
    """Where the fee rate is always the same."""

    def output(amount: int) -> int | None:
        return _or_none(lambda given: pay(given).amount_out, amount)

    payable = guess if guess > 0 and output(guess) is not None else 1
    return searching.least_input(output, wanted, guess=payable, input_max=_INPUT_MAX)


class ClimbError(Exception):
    """A climb of many thousand teeth: the output is asked of a drained pool that pays that much at the very most."""


class Saw(NamedTuple):
    """What a pool pays, what it would pay at one fee rate (of 1e10), and its least rate, charged at the peg."""

    pay: Payer
    pay_at: Callable[[int], Payer]
    fee_rate_min: int


def least_on_saw(saw: Saw, wanted: int, guess: int) -> int | None:
    """Where the fee rate falls to the peg and then rises.

    Raises:
        ClimbError: the climb takes too long.
    """
    bound = least_at_one_rate(saw.pay_at(saw.fee_rate_min), wanted, guess)
    if bound is not None and not saw.pay(bound).is_past_peg:
        bound = searching.crossing(lambda at: _is_settled(saw.pay, at, wanted), guess=bound, input_max=_INPUT_MAX)
    for _ in range(_CLIMBS_MAX):
        if bound is None:
            return None
        paid = saw.pay(bound)
        if paid.amount_out >= wanted:
            return bound
        bound = least_at_one_rate(saw.pay_at(paid.fee_rate), wanted, bound)
    raise ClimbError(f"the least input is not told so near the most that it pays ({wanted})")


def _is_settled(pay: Payer, amount: int, wanted: int) -> bool:
    """Whether it reaches, or is so much that no more can be gained from a falling fee."""
    try:
        paid = pay(amount)
    except ArithmeticError:
        return False
    return paid.is_past_peg or paid.amount_out >= wanted


def _through_base(state: CurveStableswapState, way: Way, at: BlockContext, wanted: int) -> int | None:
    base = state.base
    assert base is not None, state.pool.id
    if max(state.offpeg_multiplier, base.offpeg_multiplier) > FEE_DENOMINATOR:
        raise UnansweredError(state.pool.id, "the least input is not told through a base pool and a fee off the peg")
    through = legs(state, way, at)
    if through.minted is not None:
        return _least_deposited(through.swapped, through.minted, wanted)
    assert through.withdrawn_units is not None, state.pool.id
    return _least_withdrawn(through, through.withdrawn_units, wanted)


def _least_deposited(swapped: Payer, minted: Callable[[int], int], wanted: int) -> int | None:
    """Of all inputs that mint what the swap needs, the least."""
    tokens = least_at_one_rate(swapped, wanted, 1)
    if tokens is None:
        return None
    return searching.least_trembling(
        lambda amount: _or_none(minted, amount), tokens, _TREMBLE, guess=1, input_max=_INPUT_MAX
    )


def _least_withdrawn(through: Legs, units: Callable[[int], int], wanted: int) -> int | None:
    """Of all inputs for which the swap pays tokens that are worth enough, the least."""
    wanted_units = -(-wanted * through.rate_out // PRECISION)

    def worth(tokens: int) -> int | None:
        return _or_none(units, tokens)

    among = searching.holding_least(worth, wanted_units, _TREMBLE, guess=1, input_max=_INPUT_MAX)
    if among is None:
        return None
    tokens = among[0] if len(among) <= searching.TRIES_MAX else among[-1]
    if (worth(0) or 0) >= wanted_units:  # roundings alone may be worth a unit
        tokens = 0
    amount = least_at_one_rate(through.swapped, tokens, 1)
    while amount is not None:
        tokens = through.swapped(amount).amount_out
        if (worth(tokens) or 0) >= wanted_units:
            return amount
        amount = least_at_one_rate(through.swapped, tokens + 1, amount)
    return None


def _or_none(quote: Callable[[int], int], amount: int) -> int | None:
    try:
        return quote(amount)
    except ArithmeticError:
        return None
