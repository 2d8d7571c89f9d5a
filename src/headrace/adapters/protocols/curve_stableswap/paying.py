"""What `exchange` and `exchange_underlying` pay, as a function of the input, everything else computed once.

An output in common units leaves the pool after its fee, rounded down to the coin's own units. `exchange_underlying`

- of a lending pool turns the input into the lender's shares and the output back, each rounded down;
- of a metapool deposits a base pool's coin and swaps the tokens that are really minted, or swaps for tokens and
  withdraws one coin for them; the base pool's price is the one from before the deposit.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import msgspec

from headrace.adapters.protocols.curve_stableswap.state import CurveStableswapState, rates_at
from headrace.adapters.protocols.curve_stableswap.ways import Way, resolved
from headrace.kernels.stableswap import PRECISION, StableSwap, prepared, swap, word
from headrace.kernels.stableswap_liquidity import common_units, tokens_minted, units_withdrawn
from headrace.model.block import BlockContext
from headrace.model.executor_step import CurveCall


class Paid(NamedTuple):
    """An output in raw units, the fee rate (of 1e10) that was taken from it in the pool, and whether more raises it."""

    amount_out: int
    fee_rate: int
    is_past_peg: bool


class Legs(NamedTuple):
    """A way through a base pool: which calls come one after another.

    Attributes:
        minted: pool tokens for a deposit, raw units; None where the way does not begin with one.
        swapped: the metapool's own swap, raw units.
        withdrawn_units: what pool tokens are worth in one coin, in the common unit; None where it does not end so.
        rate_out: of that coin, times 1e18.
    """

    minted: Callable[[int], int] | None
    swapped: "Payer"
    withdrawn_units: Callable[[int], int] | None
    rate_out: int


Payer = Callable[[int], Paid]


def payer(state: CurveStableswapState, way: Way, at: BlockContext) -> Payer:
    """The function from input to output in a block. It raises ArithmeticError where the contract reverts.

    Raises:
        ArithmeticError: the contract reverts for every input.
    """
    state, way = resolved(state, way)
    if way.call is CurveCall.EXCHANGE_UNDERLYING:
        return _lending_payer(state, way, at) if state.base is None else _meta_payer(legs(state, way, at))
    swapped, rates = swapper(state, way.index_in, way.index_out, at)

    def pay(amount_in: int) -> Paid:
        done = swapped(word(amount_in * rates[way.index_in]) // PRECISION)
        return Paid(done.net * PRECISION // rates[way.index_out], done.fee_rate, done.is_past_peg)

    return pay


def at_fee_rate(state: CurveStableswapState, fee_rate: int) -> CurveStableswapState:
    """The same pool if it charged all swaps that much (of 1e10)."""
    return msgspec.structs.replace(state, fee=fee_rate, offpeg_multiplier=0)


def swapper(
    state: CurveStableswapState, index_in: int, index_out: int, at: BlockContext
) -> tuple[Callable[[int], StableSwap], tuple[int, ...]]:
    """The swap of common units, and the rates.

    Raises:
        ArithmeticError: the contract reverts for every input.
    """
    rates = rates_at(state, at.number, at.timestamp)
    pool = prepared(state.curve(at.timestamp), common_units(state.balances, rates), state.stable_fee)
    held_back = state.terms.held_back

    def swapped(added: int) -> StableSwap:
        return swap(pool, index_in, index_out, added, held_back=held_back)

    return swapped, rates


def _lending_payer(state: CurveStableswapState, way: Way, at: BlockContext) -> Payer:
    swapped, rates = swapper(state, way.index_in, way.index_out, at)
    decimals = state.terms.decimals
    share_in = rates[way.index_in] // 10 ** (18 - decimals[way.index_in])
    share_out = rates[way.index_out] // 10 ** (18 - decimals[way.index_out])

    def pay(amount_in: int) -> Paid:
        shares = word(amount_in * PRECISION) // share_in
        done = swapped(word(shares * rates[way.index_in]) // PRECISION)
        paid = done.net * PRECISION // rates[way.index_out] * share_out // PRECISION
        return Paid(paid, done.fee_rate, done.is_past_peg)

    return pay


def legs(state: CurveStableswapState, way: Way, at: BlockContext) -> Legs:
    """The calls that `exchange_underlying` of a metapool makes, but for a swap between two coins of the base pool.

    Raises:
        ArithmeticError: the contract reverts for every input.
    """
    base = state.base
    assert base is not None, state.pool.id
    last = len(state.terms.coins) - 1
    from_base, to_base = way.index_in - last, way.index_out - last
    swapped = payer(state, Way(CurveCall.EXCHANGE_INT128, min(way.index_in, last), min(way.index_out, last)), at)
    rates = rates_at(base, at.number, at.timestamp)
    liquidity = base.liquidity(rates, at.timestamp)
    if from_base >= 0:
        return Legs(partial(tokens_minted, liquidity, from_base), swapped, None, PRECISION)
    held_back = base.terms.withdrawal_held_back
    return Legs(None, swapped, partial(units_withdrawn, liquidity, to_base, held_back=held_back), rates[to_base])


def _meta_payer(through: Legs) -> Payer:
    def pay(amount_in: int) -> Paid:
        paid = through.swapped(amount_in if through.minted is None else through.minted(amount_in))
        if through.withdrawn_units is None:
            return paid
        return paid._replace(amount_out=word(through.withdrawn_units(paid.amount_out) * PRECISION) // through.rate_out)

    return pay
