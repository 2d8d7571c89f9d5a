"""What `exchange` and `exchange_underlying` pay, as a function of the input, everything else computed once.

An output in common units leaves the pool after its fee, rounded down to the coin's own units. `exchange_underlying`

- of a lending pool turns the input into the lender's shares and the output back, each rounded down;
- of a metapool deposits a base pool's coin and swaps the tokens that are really minted, or swaps for tokens and
  withdraws one coin for them; the base pool's price is the one from before the deposit.
"""

from collections.abc import Callable
from typing import NamedTuple

from headrace.adapters.protocols.curve_stableswap.state import CurveStableswapState, rates_at
from headrace.adapters.protocols.curve_stableswap.ways import Way
from headrace.kernels.stableswap import PRECISION, StableSwap, prepared, swap, word
from headrace.kernels.stableswap_liquidity import coin_withdrawn, common_units, tokens_minted
from headrace.model.block import BlockContext
from headrace.model.executor_step import CurveCall


class Paid(NamedTuple):
    """An output in raw units, and the fee rate (of 1e10) that was taken from it in the pool."""

    amount_out: int
    fee_rate: int


Payer = Callable[[int], Paid]


def payer(state: CurveStableswapState, way: Way, at: BlockContext) -> Payer:
    """The function from input to output in a block. It raises ArithmeticError where the contract reverts.

    Raises:
        ArithmeticError: the contract reverts for every input.
    """
    if way.call is CurveCall.EXCHANGE_UNDERLYING:
        return _lending_payer(state, way, at) if state.base is None else _meta_payer(state, way, at)
    swapped, rates = swapper(state, way.index_in, way.index_out, at)

    def pay(amount_in: int) -> Paid:
        done = swapped(word(amount_in * rates[way.index_in]) // PRECISION)
        return Paid(done.net * PRECISION // rates[way.index_out], done.fee_rate)

    return pay


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
        return Paid(done.net * PRECISION // rates[way.index_out] * share_out // PRECISION, done.fee_rate)

    return pay


def _meta_payer(state: CurveStableswapState, way: Way, at: BlockContext) -> Payer:
    base = state.base
    assert base is not None, state.pool.id
    last = len(state.terms.coins) - 1
    from_base, to_base = way.index_in - last, way.index_out - last
    if from_base >= 0 and to_base >= 0:
        return payer(base, Way(CurveCall.EXCHANGE_INT128, from_base, to_base), at)
    meta_in, meta_out = min(way.index_in, last), min(way.index_out, last)
    swapped, rates = swapper(state, meta_in, meta_out, at)
    liquidity = base.liquidity(rates_at(base, at.number, at.timestamp), at.timestamp)
    held_back = base.terms.withdrawal_held_back

    def pay(amount_in: int) -> Paid:
        coins = tokens_minted(liquidity, from_base, amount_in) if from_base >= 0 else amount_in
        done = swapped(word(coins * rates[meta_in]) // PRECISION)
        paid = done.net * PRECISION // rates[meta_out]
        if to_base >= 0:
            paid = coin_withdrawn(liquidity, to_base, paid, held_back=held_back)
        return Paid(paid, done.fee_rate)

    return pay
