"""State to numbers: what a pool pays in a block, the least input, and the shape.

A quote is what `exchange` or `exchange_underlying` pays. The contract's own `get_dy` is another number in many pools:
see `views`. A pool whose state may have changed without a log is refused until it has been read again.
"""

from headrace.adapters.protocols.curve_stableswap.least_input import least_input
from headrace.adapters.protocols.curve_stableswap.paying import payer
from headrace.adapters.protocols.curve_stableswap.shaping import NOTHING, shape_of
from headrace.adapters.protocols.curve_stableswap.state import CurveStableswapState
from headrace.adapters.protocols.curve_stableswap.ways import way_between
from headrace.errors import UnansweredError, UnquotableError
from headrace.kernels.shape import Stable, TickSegments
from headrace.model.address import Address
from headrace.model.block import BlockContext


def is_outdated(state: CurveStableswapState, block_number: int) -> bool:
    """Whether something that no log tells may have changed by the end of that block, in the pool or its base pool."""
    if state.is_doubtful or (state.base is not None and state.base.is_doubtful):
        return True
    return state.read_at is not None and block_number > state.read_at


def quote_out(
    state: CurveStableswapState, token_in: Address, token_out: Address, amount_in: int, at: BlockContext
) -> int:
    """What the pool pays for exactly `amount_in`, rounded down; may be 0.

    Raises:
        UnquotableError: the contract would revert, no call swaps these tokens, or the state must be read again.
    """
    way = way_between(state, token_in, token_out)
    refuse_outdated(state, at)
    if amount_in <= 0:
        raise UnquotableError(state.pool.id, "the input is not positive")
    try:
        return payer(state, way, at)(amount_in).amount_out
    except ArithmeticError as error:
        raise UnquotableError(state.pool.id, f"its arithmetic reverts ({error})") from error


def quote_in(
    state: CurveStableswapState, token_in: Address, token_out: Address, amount_out: int, at: BlockContext
) -> int:
    """Least input whose `quote_out` reaches `amount_out`.

    Raises:
        UnquotableError: no input reaches it, no call swaps these tokens, or the state must be read again.
    """
    way = way_between(state, token_in, token_out)
    refuse_outdated(state, at)
    if amount_out <= 0:
        raise UnquotableError(state.pool.id, "the output is not positive")
    try:
        found = least_input(state, way, at, amount_out)
    except ArithmeticError as error:
        raise UnquotableError(state.pool.id, f"its arithmetic reverts ({error})") from error
    if found is None:
        raise UnquotableError(state.pool.id, f"no input buys {amount_out} of {token_out}")
    return found


def shape(state: CurveStableswapState, token_in: Address, token_out: Address) -> Stable | TickSegments:
    """The curve in floats as of the state's last reading; ways through a base pool as sampled arcs.

    Nothing comes out of an empty pool, and of what `exchange_underlying` would swap in the base pool alone.

    Raises:
        UnquotableError: a token is not the pool's.
    """
    for token in (token_in, token_out):
        if token not in state.pool.tokens:
            raise UnansweredError(state.pool.id, f"{token} is not the pool's")
    try:
        return shape_of(state, way_between(state, token_in, token_out))
    except (UnquotableError, ArithmeticError):
        return NOTHING


def refuse_outdated(state: CurveStableswapState, at: BlockContext) -> None:
    """Nothing, if the state holds in that block.

    Raises:
        UnansweredError: something may have changed since it was read.
    """
    if is_outdated(state, at.number - 1):
        raise UnansweredError(state.pool.id, "something may have changed that no log tells: it must be read again")
