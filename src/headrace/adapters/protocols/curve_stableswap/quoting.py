"""State to numbers: what a pool pays in a block, the least input, and the shape.

A quote is what `exchange` or `exchange_underlying` pays. The contract's own `get_dy` is another number in many pools:
see `views`. A pool whose state may have changed without a log is refused until it has been read again.
"""

import numpy as np

from headrace.adapters.protocols.curve_stableswap.least_input import Order, least_input
from headrace.adapters.protocols.curve_stableswap.paying import payer
from headrace.adapters.protocols.curve_stableswap.state import CurveStableswapState, rates_at
from headrace.adapters.protocols.curve_stableswap.ways import Way, way_between
from headrace.errors import UnquotableError
from headrace.kernels import stable_shape
from headrace.kernels.shape import Stable
from headrace.kernels.stableswap import FEE_DENOMINATOR, PRECISION
from headrace.kernels.stableswap_liquidity import common_units
from headrace.model.address import Address
from headrace.model.block import BlockContext
from headrace.model.executor_step import CurveCall


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
    _refuse_outdated(state, at)
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
    _refuse_outdated(state, at)
    if amount_out <= 0:
        raise UnquotableError(state.pool.id, "the output is not positive")
    order = _order(state, way)
    guess = 1 if order is Order.TREMBLING else _input_in_floats(state, way, amount_out)
    try:
        found = least_input(payer(state, way, at), amount_out, guess, order)
    except ArithmeticError as error:
        raise UnquotableError(state.pool.id, f"its arithmetic reverts ({error})") from error
    if found is None:
        raise UnquotableError(state.pool.id, f"no input buys {amount_out} of {token_out}")
    return found


def shape(state: CurveStableswapState, token_in: Address, token_out: Address) -> Stable:
    """The curve in floats as of the state's last reading; nothing where no single curve stands for the swap.

    Nothing comes out of an empty pool, of tokens that no call swaps, and of ways through a base pool: those are quoted,
    but they are two curves in a row.

    Raises:
        UnquotableError: a token is not the pool's.
    """
    for token in (token_in, token_out):
        if token not in state.pool.tokens:
            raise UnquotableError(state.pool.id, f"{token} is not the pool's")
    try:
        way = way_between(state, token_in, token_out)
        return _curve(state, way)
    except (UnquotableError, ArithmeticError):
        return _NOTHING


_NOTHING = Stable(np.zeros(2), ann=1.0, index_in=0, index_out=1, scale_in=1.0, scale_out=1.0)


def _curve(state: CurveStableswapState, way: Way) -> Stable:
    if state.base is not None and way.call is CurveCall.EXCHANGE_UNDERLYING:
        return _NOTHING
    timestamp = state.ramp.future_time if state.read_at is None else state.read_time
    rates = rates_at(state, state.read_at or 0, timestamp)
    scales = [rate / PRECISION for rate in rates]
    if way.call is CurveCall.EXCHANGE_UNDERLYING:
        scales = [10.0 ** (18 - decimals) for decimals in state.terms.decimals]
    return Stable(
        balances=np.array([float(unit) for unit in common_units(state.balances, rates)]),
        ann=state.ramp.at(timestamp) * len(rates) / state.terms.a_precision,
        index_in=way.index_in,
        index_out=way.index_out,
        scale_in=scales[way.index_in],
        scale_out=scales[way.index_out],
        gamma_out=1.0 - state.fee / FEE_DENOMINATOR,
        offpeg_multiplier=max(1.0, state.offpeg_multiplier / FEE_DENOMINATOR),
    )


def _order(state: CurveStableswapState, way: Way) -> Order:
    if state.base is None or way.call is not CurveCall.EXCHANGE_UNDERLYING:
        return Order.SAW if state.offpeg_multiplier > FEE_DENOMINATOR else Order.STEADY
    if max(state.offpeg_multiplier, state.base.offpeg_multiplier) > FEE_DENOMINATOR:
        raise UnquotableError(state.pool.id, "the least input is not told through a base pool and a fee off the peg")
    return Order.TREMBLING


def _input_in_floats(state: CurveStableswapState, way: Way, amount_out: int) -> int:
    try:
        return int(stable_shape.input_for(_curve(state, way), float(amount_out)))
    except ArithmeticError:
        return 1


def _refuse_outdated(state: CurveStableswapState, at: BlockContext) -> None:
    if is_outdated(state, at.number - 1):
        raise UnquotableError(state.pool.id, "something may have changed that no log tells: it must be read again")
