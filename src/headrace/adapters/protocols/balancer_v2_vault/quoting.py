"""When the vault refuses, whatever the pool's curve.

It reverts for an amount of 0, where cash and managed would exceed 112 bits, and where its cash does not cover the
output. It pays an output of 0 without complaint.
"""

from headrace.adapters.protocols.balancer_v2_vault.state import BALANCE_END, VaultState, pool_contract
from headrace.adapters.protocols.traded import indices
from headrace.errors import UnansweredError, UnquotableError
from headrace.model.address import Address


def swap_indices(state: VaultState, token_in: Address, token_out: Address) -> tuple[int, int]:
    """Places of both tokens.

    Raises:
        UnquotableError: one of them is not traded, or both are one.
    """
    if pool_contract(state.pool) in {token_in, token_out}:
        raise UnansweredError(state.pool.id, "a swap for the pool's own token joins or exits: not quoted")
    return indices(state.pool, token_in, token_out)


def refuse_amount_in(state: VaultState, amount_in: int) -> None:
    """An exact input that the vault does not take.

    Raises:
        UnquotableError: it is not positive.
    """
    if amount_in <= 0:
        raise UnquotableError(state.pool.id, "the input is not positive (UNKNOWN_AMOUNT_IN_FIRST_SWAP)")


def refuse_amount_out(state: VaultState, amount_out: int) -> None:
    """An exact output that no input reaches.

    Raises:
        UnquotableError: it is not positive.
    """
    if amount_out <= 0:
        raise UnquotableError(state.pool.id, "the output is not positive")


def refuse_balances(state: VaultState, balance_in: int, cash_out: int) -> None:
    """What the vault would have to store after the swap.

    Raises:
        UnquotableError: it cannot.
    """
    if balance_in >= BALANCE_END:
        raise UnquotableError(state.pool.id, "the balance would exceed 112 bits (BALANCE_TOTAL_OVERFLOW)")
    if cash_out < 0:
        raise UnquotableError(state.pool.id, "the asset manager holds what the swap would pay (SUB_OVERFLOW)")


def refuse_pause(state: VaultState, timestamp: int) -> None:
    """A pause that holds at that time.

    Raises:
        UnquotableError: pool or vault is paused.
    """
    if state.is_paused and timestamp <= state.terms.pause_ends_at:
        raise UnquotableError(state.pool.id, "the pool is paused (PAUSED)")
    if state.is_vault_paused and timestamp <= state.terms.vault_pause_ends_at:
        raise UnquotableError(state.pool.id, "the vault is paused (PAUSED)")
