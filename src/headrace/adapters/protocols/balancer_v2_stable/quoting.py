"""State to numbers: what vault and pool take and give, to the unit, and when they revert.

On top of the pool's arithmetic stand the vault's own refusals (`balancer_v2_vault.quoting`) and what cannot be known:
a rate whose cache has run out and whose provider was asked at another block, amplification on an unseen way.
"""

import numpy as np

from headrace.adapters.protocols.balancer_v2_stable.state import RATE_END, BalancerV2StableState, CachedRate
from headrace.adapters.protocols.balancer_v2_vault import quoting as vault
from headrace.adapters.protocols.balancer_v2_vault.state import BALANCE_END
from headrace.errors import UnansweredError, UnquotableError
from headrace.kernels import balancer_stable
from headrace.kernels.balancer_stable import AMP_PRECISION, StableCurve
from headrace.kernels.fixed_point_power import ONE, multiply_down
from headrace.kernels.shape import Stable
from headrace.model.address import Address
from headrace.model.block import BlockContext


def quote_out(
    state: BalancerV2StableState, token_in: Address, token_out: Address, amount_in: int, at: BlockContext
) -> int:
    """What the pool gives for exactly `amount_in`, rounded down.

    Raises:
        UnquotableError: vault or pool would revert, or the state does not tell what holds in that block.
    """
    index_in, index_out = vault.swap_indices(state, token_in, token_out)
    vault.refuse_pause(state, at.timestamp)
    vault.refuse_amount_in(state, amount_in)
    amount_out = balancer_stable.amount_out(curve_at(state, at), index_in, index_out, amount_in)
    if amount_out is None:
        raise UnquotableError(state.pool.id, "the pool is empty, or the input too small or too large for it")
    vault.refuse_balances(state, state.balance(index_in) + amount_in, state.cash[index_out] - amount_out)
    return amount_out


def quote_in(
    state: BalancerV2StableState, token_in: Address, token_out: Address, amount_out: int, at: BlockContext
) -> int:
    """Least input whose `quote_out` reaches `amount_out`.

    Raises:
        UnquotableError: no input reaches it, or the state does not tell what holds in that block.
    """
    index_in, index_out = vault.swap_indices(state, token_in, token_out)
    vault.refuse_amount_out(state, amount_out)
    amount_in = balancer_stable.amount_in(
        curve_at(state, at),
        index_in,
        index_out,
        amount_out_min=amount_out,
        amount_in_max=BALANCE_END - 1 - state.balance(index_in),
    )
    if amount_in is None:
        raise UnquotableError(state.pool.id, f"no input buys {amount_out}")
    quote_out(state, token_in, token_out, amount_in, at)
    return amount_in


def asked_in(
    state: BalancerV2StableState, token_in: Address, token_out: Address, amount_out: int, at: BlockContext
) -> int:
    """What the vault takes for exactly `amount_out` (GIVEN_OUT), rounded up.

    Raises:
        UnquotableError: vault or pool would revert, or the state does not tell what holds in that block.
    """
    index_in, index_out = vault.swap_indices(state, token_in, token_out)
    vault.refuse_pause(state, at.timestamp)
    vault.refuse_amount_out(state, amount_out)
    amount_in = balancer_stable.amount_in_asked(curve_at(state, at), index_in, index_out, amount_out)
    if amount_in is None:
        raise UnquotableError(state.pool.id, "the pool is empty, or the output too large for it")
    vault.refuse_balances(state, state.balance(index_in) + amount_in, state.cash[index_out] - amount_out)
    return amount_in


def curve_at(state: BalancerV2StableState, at: BlockContext) -> StableCurve:
    """The curve of a swap in that block.

    Raises:
        UnquotableError: the state does not tell it.
    """
    if state.is_outdated(at.number - 1):
        raise UnansweredError(state.pool.id, "its rates may have changed since they were read")
    if state.amplification is None:
        raise UnansweredError(state.pool.id, "its amplification moves, and since when was not seen")
    rates = (_rate_at(state, rate, at) for rate in state.rates)
    return StableCurve(
        amplification=state.amplification.value(at.timestamp),
        balances=_balances(state),
        scalings=tuple(multiply_down(by, rate) for by, rate in zip(state.terms.scalings, rates, strict=True)),
        swap_fee=state.swap_fee,
        rounds_up=state.terms.rounds_up,
    )


def shape(state: BalancerV2StableState, token_in: Address, token_out: Address) -> Stable:
    """The curve in floats, with the amplification that it moves to; nothing comes out of an empty or paused pool."""
    index_in, index_out = vault.swap_indices(state, token_in, token_out)
    ramp, count = state.amplification, len(state.pool.tokens)
    is_closed = state.is_paused or state.is_vault_paused or state.must_be_read or ramp is None
    scalings = [
        by * _rate_now(state, rate) / ONE / ONE for by, rate in zip(state.terms.scalings, state.rates, strict=True)
    ]
    amplification = 0 if ramp is None or is_closed else ramp.end
    return Stable(
        balances=np.array([one * by for one, by in zip(_balances(state), scalings, strict=True)]),
        ann=float(amplification * count / AMP_PRECISION),
        index_in=index_in,
        index_out=index_out,
        scale_in=scalings[index_in],
        scale_out=scalings[index_out],
        gamma_in=1.0 - state.swap_fee / ONE,
    )


def _balances(state: BalancerV2StableState) -> tuple[int, ...]:
    return tuple(state.balance(index) for index in range(len(state.pool.tokens)))


def _rate_at(state: BalancerV2StableState, rate: CachedRate | None, at: BlockContext) -> int:
    if rate is None:
        return ONE
    if at.timestamp <= rate.expires_at:
        return rate.cached
    if state.read_at is None or state.read_at.number not in {at.number - 1, at.number}:
        raise UnansweredError(state.pool.id, "a rate's cache has run out since it was read")
    if rate.provided is None or not 0 < rate.provided < RATE_END:
        raise UnquotableError(state.pool.id, "a rate's cache has run out, and its provider gives none")
    return rate.cached if state.terms.renews_late else rate.provided


def _rate_now(state: BalancerV2StableState, rate: CachedRate | None) -> int:
    if rate is None:
        return ONE
    has_run_out = state.read_at is not None and state.read_at.timestamp >= rate.expires_at
    return rate.provided or 0 if has_run_out else rate.cached
