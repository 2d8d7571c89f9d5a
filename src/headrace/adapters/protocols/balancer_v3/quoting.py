"""State to numbers: what vault and pool take and give, to the unit, and when they revert."""

import numpy as np

from headrace.adapters.protocols.balancer_v3.state import BalancerV3State, StableTerms
from headrace.adapters.protocols.traded import indices
from headrace.errors import UnansweredError, UnquotableError
from headrace.kernels import balancer_v3
from headrace.kernels.balancer_stable import AMP_PRECISION
from headrace.kernels.balancer_v3 import BALANCE_END, StableCurve, VaultPool, WeightedCurve
from headrace.kernels.fixed_point_power import ONE, multiply_down
from headrace.kernels.shape import Stable, Weighted
from headrace.model.address import Address
from headrace.model.block import BlockContext


def quote_out(state: BalancerV3State, token_in: Address, token_out: Address, amount_in: int, at: BlockContext) -> int:
    """What the vault pays for exactly `amount_in`, rounded down.

    Raises:
        UnquotableError: vault or pool would revert, or the rates may be others in that block.
    """
    index_in, index_out = indices(state.pool, token_in, token_out)
    if amount_in <= 0:
        raise UnquotableError(state.pool.id, "the input is not positive (AmountGivenZero)")
    amount_out = balancer_v3.amount_out(pool_at(state, at), index_in, index_out, amount_in)
    if amount_out is None:
        raise UnquotableError(state.pool.id, "the amount is too small, or too large for the pool's balances")
    _refuse_balance(state, index_in, amount_in)
    return amount_out


def quote_in(state: BalancerV3State, token_in: Address, token_out: Address, amount_out: int, at: BlockContext) -> int:
    """Least input whose `quote_out` reaches `amount_out`.

    Raises:
        UnquotableError: no input reaches it, or the rates may be others in that block.
    """
    index_in, index_out = indices(state.pool, token_in, token_out)
    if amount_out <= 0:
        raise UnquotableError(state.pool.id, "the output is not positive")
    amount_in = balancer_v3.amount_in(pool_at(state, at), index_in, index_out, amount_out)
    if amount_in is None:
        raise UnquotableError(state.pool.id, f"no input buys {amount_out}")
    _refuse_balance(state, index_in, amount_in)
    return amount_in


def asked_in(state: BalancerV3State, token_in: Address, token_out: Address, amount_out: int, at: BlockContext) -> int:
    """What the vault takes for exactly `amount_out` (EXACT_OUT), rounded up.

    Raises:
        UnquotableError: vault or pool would revert, or the rates may be others in that block.
    """
    index_in, index_out = indices(state.pool, token_in, token_out)
    if amount_out <= 0:
        raise UnquotableError(state.pool.id, "the output is not positive (AmountGivenZero)")
    amount_in = balancer_v3.amount_in_asked(pool_at(state, at), index_in, index_out, amount_out)
    if amount_in is None:
        raise UnquotableError(state.pool.id, "the amount is too small, or too large for the pool's balances")
    _refuse_balance(state, index_in, amount_in)
    return amount_in


def pool_at(state: BalancerV3State, at: BlockContext) -> VaultPool:
    """The pool as a swap in that block finds it.

    Raises:
        UnquotableError: it takes no swaps then, or the state does not tell.
    """
    if state.is_outdated(at.number - 1):
        raise UnansweredError(state.pool.id, "its rates may have changed since they were read")
    if not state.is_initialized:
        raise UnquotableError(state.pool.id, "it has no liquidity yet (PoolNotInitialized)")
    if state.is_paused and at.timestamp <= state.terms.pause_ends_at:
        raise UnquotableError(state.pool.id, "the pool is paused (PoolPaused)")
    if state.is_vault_paused and at.timestamp <= state.terms.vault_pause_ends_at:
        raise UnquotableError(state.pool.id, "the vault is paused (VaultPaused)")
    return _pool(state, at.timestamp)


def shape(state: BalancerV3State, token_in: Address, token_out: Address) -> Stable | Weighted:
    """The curve in floats, with the amplification that it moves to; nothing comes out of an empty or paused pool."""
    index_in, index_out = indices(state.pool, token_in, token_out)
    is_open = state.is_initialized and not (state.is_paused or state.is_vault_paused or state.must_be_read)
    units = [by * rate / ONE for by, rate in zip(state.terms.scalings, state.rates, strict=True)]
    gamma = 1.0 - state.swap_fee / ONE
    if isinstance(state.curve, StableTerms):
        ann = state.curve.amplification.end * len(units) / AMP_PRECISION if is_open else 0.0
        balances = np.array([one * unit for one, unit in zip(state.balances, units, strict=True)])
        return Stable(balances, ann, index_in, index_out, units[index_in], units[index_out], gamma_in=gamma)
    weights = state.curve.weights
    balance_in, balance_out = float(state.balances[index_in]), float(state.balances[index_out])
    ratio = weights[index_in] / weights[index_out]
    if not is_open or not balance_in:
        return Weighted(1.0, 0.0, gamma, ratio)
    return Weighted(balance_in, balance_out, gamma, ratio)


def _pool(state: BalancerV3State, timestamp: int) -> VaultPool:
    terms, curve = state.terms, state.curve
    return VaultPool(
        curve=StableCurve(curve.amplification.value(timestamp))
        if isinstance(curve, StableTerms)
        else WeightedCurve(curve.weights, curve.minima),
        balances=state.balances,
        scalings=terms.scalings,
        rates=state.rates,
        swap_fee=state.swap_fee,
        trade_min=terms.trade_min,
    )


def _refuse_balance(state: BalancerV3State, index_in: int, amount_in: int) -> None:
    """What the vault would have to store, less what leaves as fees: it packs raw and scaled into one word."""
    whole = multiply_down(amount_in * state.terms.scalings[index_in], state.rates[index_in])
    fee = -(-whole * state.swap_fee // ONE) * ONE // (state.terms.scalings[index_in] * state.rates[index_in])
    leaving = 0 if state.is_recovering else multiply_down(fee, state.aggregate_fee)
    balance = state.balances[index_in] + amount_in - leaving
    scaled = multiply_down(balance * state.terms.scalings[index_in], state.rates[index_in])
    if max(balance, scaled) >= BALANCE_END:
        raise UnquotableError(state.pool.id, "the balance would exceed 128 bits (BalanceOverflow)")
