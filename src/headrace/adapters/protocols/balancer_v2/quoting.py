"""State to numbers: what vault and pool take and give, to the unit, and when they revert.

On top of the pool's arithmetic stand the vault's own refusals (`balancer_v2_vault.quoting`).
"""

from headrace.adapters.protocols.balancer_v2.state import BalancerV2State
from headrace.adapters.protocols.balancer_v2_vault import quoting as vault
from headrace.errors import UnquotableError
from headrace.kernels import weighted
from headrace.kernels.fixed_point_power import ONE
from headrace.kernels.shape import Weighted
from headrace.model.address import Address
from headrace.model.block import BlockContext


def quote_out(state: BalancerV2State, token_in: Address, token_out: Address, amount_in: int, at: BlockContext) -> int:
    """What the pool gives for exactly `amount_in`, rounded down; 0 for an input too small to count.

    Raises:
        UnquotableError: vault or pool would revert.
    """
    index_in, index_out = vault.swap_indices(state, token_in, token_out)
    vault.refuse_pause(state, at.timestamp)
    vault.refuse_amount_in(state, amount_in)
    amount_out = weighted.amount_out(_pair(state, index_in, index_out), amount_in)
    if amount_out is None:
        raise UnquotableError(state.pool.id, "the input is over 30 % of the balance, or there is none (MAX_IN_RATIO)")
    vault.refuse_balances(state, state.balance(index_in) + amount_in, state.cash[index_out] - amount_out)
    return amount_out


def quote_in(state: BalancerV2State, token_in: Address, token_out: Address, amount_out: int, at: BlockContext) -> int:
    """Least input whose `quote_out` reaches `amount_out`.

    Raises:
        UnquotableError: no input reaches it.
    """
    index_in, index_out = vault.swap_indices(state, token_in, token_out)
    vault.refuse_amount_out(state, amount_out)
    amount_in = weighted.amount_in(_pair(state, index_in, index_out), amount_out)
    if amount_in is None:
        raise UnquotableError(state.pool.id, f"30 % of the balance in does not buy {amount_out} (MAX_IN_RATIO)")
    quote_out(state, token_in, token_out, amount_in, at)
    return amount_in


def asked_in(state: BalancerV2State, token_in: Address, token_out: Address, amount_out: int, at: BlockContext) -> int:
    """What the vault takes for exactly `amount_out` (GIVEN_OUT), rounded up.

    Raises:
        UnquotableError: vault or pool would revert.
    """
    index_in, index_out = vault.swap_indices(state, token_in, token_out)
    vault.refuse_pause(state, at.timestamp)
    if amount_out <= 0:
        raise UnquotableError(state.pool.id, "the output is not positive (UNKNOWN_AMOUNT_IN_FIRST_SWAP)")
    amount_in = weighted.amount_in_asked(_pair(state, index_in, index_out), amount_out)
    if amount_in is None:
        raise UnquotableError(state.pool.id, "the output is over 30 % of the balance, or there is none (MAX_OUT_RATIO)")
    vault.refuse_balances(state, state.balance(index_in) + amount_in, state.cash[index_out] - amount_out)
    return amount_in


def shape(state: BalancerV2State, token_in: Address, token_out: Address) -> Weighted:
    """The curve in floats; nothing comes out of an empty or paused pool."""
    index_in, index_out = vault.swap_indices(state, token_in, token_out)
    ratio = state.terms.weights[index_in] / state.terms.weights[index_out]
    gamma = 1.0 - state.swap_fee / ONE
    if state.is_paused or state.is_vault_paused or state.balance(index_in) == 0:
        return Weighted(1.0, 0.0, gamma, ratio)
    return Weighted(float(state.balance(index_in)), float(state.balance(index_out)), gamma, ratio)


def _pair(state: BalancerV2State, index_in: int, index_out: int) -> weighted.WeightedPair:
    terms = state.terms
    return weighted.WeightedPair(
        balance_in=state.balance(index_in),
        balance_out=state.balance(index_out),
        weight_in=terms.weights[index_in],
        weight_out=terms.weights[index_out],
        swap_fee=state.swap_fee,
        has_shortcuts=terms.has_shortcuts,
    )
