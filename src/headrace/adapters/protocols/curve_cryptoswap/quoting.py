"""State to exact amounts and to the shape: refusals by name, the arithmetic in the kernels."""

from headrace.adapters.protocols.curve_cryptoswap.state import CryptoSwapState
from headrace.adapters.protocols.traded import indices
from headrace.errors import UnansweredError, UnquotableError
from headrace.kernels import cryptoswap, cryptoswap_inverse
from headrace.kernels.cryptoswap_newton import RevertError
from headrace.kernels.cryptoswap_shape import cryptoswap_shape, no_shape
from headrace.kernels.shape import CryptoSwap
from headrace.model.address import Address
from headrace.model.block import BlockContext


def is_outdated(state: CryptoSwapState, block_number: int) -> bool:
    """Whether the state may be another by the end of that block without our knowing."""
    return state.stale_from is not None and block_number >= state.stale_from


def quote_out(state: CryptoSwapState, token_in: Address, token_out: Address, amount_in: int, at: BlockContext) -> int:
    """What `exchange` pays for exactly `amount_in`, rounded down as the contract rounds.

    Raises:
        UnquotableError: the contract would revert, or the state must be read first.
    """
    index_in, index_out = indices(state.pool, token_in, token_out)
    _refuse(state, amount_in, at)
    try:
        return cryptoswap.amount_out(state.in_block(at.timestamp), index_in, index_out, amount_in)
    except RevertError as error:
        raise UnquotableError(state.pool.id, str(error)) from error


def quote_in(state: CryptoSwapState, token_in: Address, token_out: Address, amount_out: int, at: BlockContext) -> int:
    """Least input whose `quote_out` reaches `amount_out`.

    Raises:
        UnquotableError: no input reaches it, or the state must be read first.
    """
    index_in, index_out = indices(state.pool, token_in, token_out)
    _refuse(state, amount_out, at)
    if amount_out >= state.balances[index_out]:
        raise UnquotableError(state.pool.id, f"it does not hold more than {amount_out}")
    try:
        return cryptoswap_inverse.amount_in(state.in_block(at.timestamp), index_in, index_out, amount_out)
    except RevertError as error:
        raise UnquotableError(state.pool.id, str(error)) from error


def shape(state: CryptoSwapState, token_in: Address, token_out: Address) -> CryptoSwap:
    """The curve in floats; nothing comes out of an empty or killed pool."""
    index_in, index_out = indices(state.pool, token_in, token_out)
    seen_at = state.ramp_read_at or state.ramp.future_time
    try:
        invariant = state.invariant_at(seen_at)
    except (RevertError, ZeroDivisionError):
        return no_shape()
    return no_shape() if state.is_killed else cryptoswap_shape(state.in_block(seen_at), index_in, index_out, invariant)


def _refuse(state: CryptoSwapState, amount: int, at: BlockContext) -> None:
    if amount <= 0:
        raise UnquotableError(state.pool.id, "the amount is not positive")
    if state.is_killed:
        raise UnquotableError(state.pool.id, "the pool is killed")
    if is_outdated(state, at.number - 1):
        raise UnansweredError(state.pool.id, f"its state may have changed since block {state.stale_from}: read it")
