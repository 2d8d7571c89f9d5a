"""State to numbers: what a pool pays in a block, the least input, and the shape.

A quote is what `exchange` or `exchange_underlying` pays. The contract's own `get_dy` is another number in many pools:
see `views`. A pool whose state may have changed without a log is refused until it has been read again.
"""

import numpy as np

from headrace.adapters.protocols.curve_stableswap.least_input import Order, least_input
from headrace.adapters.protocols.curve_stableswap.paying import payer
from headrace.adapters.protocols.curve_stableswap.state import CurveStableswapState, rates_at
from headrace.adapters.protocols.curve_stableswap.ways import Way, way_between
from headrace.errors import UnansweredError, UnquotableError
from headrace.kernels import stable_shape
from headrace.kernels.shape import FloatArray, Stable, TickSegments
from headrace.kernels.stable_route import BaseLeg, deposit_then_swap, swap_then_withdraw
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
    order = _order(state, way)
    guess = 1 if order is Order.TREMBLING else _input_in_floats(state, way, amount_out)
    try:
        found = least_input(payer(state, way, at), amount_out, guess, order)
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
        return _curve(state, way_between(state, token_in, token_out))
    except (UnquotableError, ArithmeticError):
        return _NOTHING


_NOTHING = Stable(np.zeros(2), ann=1.0, index_in=0, index_out=1, scale_in=1.0, scale_out=1.0)


def _curve(state: CurveStableswapState, way: Way) -> Stable | TickSegments:
    if state.base is None or way.call is not CurveCall.EXCHANGE_UNDERLYING:
        return _pool_curve(state, way)
    last = len(state.terms.coins) - 1
    from_base, to_base = way.index_in - last, way.index_out - last
    has_offpeg_base = state.base.offpeg_multiplier > FEE_DENOMINATOR
    if has_offpeg_base or (from_base >= 0 and to_base >= 0):
        return _NOTHING
    direct = Way(CurveCall.EXCHANGE_INT128, min(way.index_in, last), min(way.index_out, last))
    leg = _base_leg(state.base, max(from_base, to_base))
    meta = _pool_curve(state, direct)
    return deposit_then_swap(leg, meta) if from_base >= 0 else swap_then_withdraw(leg, meta)


def _pool_curve(state: CurveStableswapState, way: Way) -> Stable:
    timestamp = _timestamp(state)
    rates = rates_at(state, state.read_at or 0, timestamp)
    scales = [rate / PRECISION for rate in rates]
    if way.call is CurveCall.EXCHANGE_UNDERLYING:
        scales = [10.0 ** (18 - decimals) for decimals in state.terms.decimals]
    return Stable(
        balances=_floats(common_units(state.balances, rates)),
        ann=state.ramp.at(timestamp) * len(rates) / state.terms.a_precision,
        index_in=way.index_in,
        index_out=way.index_out,
        scale_in=scales[way.index_in],
        scale_out=scales[way.index_out],
        gamma_out=1.0 - state.fee / FEE_DENOMINATOR,
        offpeg_multiplier=max(1.0, state.offpeg_multiplier / FEE_DENOMINATOR),
    )


def _base_leg(base: CurveStableswapState, index: int) -> BaseLeg:
    timestamp, count = _timestamp(base), len(base.balances)
    return BaseLeg(
        balances=_floats(common_units(base.balances, base.rates)),
        ann=base.ramp.at(timestamp) * count / base.terms.a_precision,
        supply=float(base.supply),
        index=index,
        scale=base.rates[index] / PRECISION,
        fee=base.fee * count / (4 * (count - 1)) / FEE_DENOMINATOR,
    )


def _timestamp(state: CurveStableswapState) -> int:
    """The time a state was read at, or any at which its A stands."""
    return state.ramp.future_time if state.read_at is None else state.read_time


def _floats(units: tuple[int, ...]) -> FloatArray:
    return np.array([float(unit) for unit in units])


def _order(state: CurveStableswapState, way: Way) -> Order:
    if state.base is None or way.call is not CurveCall.EXCHANGE_UNDERLYING:
        return Order.SAW if state.offpeg_multiplier > FEE_DENOMINATOR else Order.STEADY
    if max(state.offpeg_multiplier, state.base.offpeg_multiplier) > FEE_DENOMINATOR:
        raise UnansweredError(state.pool.id, "the least input is not told through a base pool and a fee off the peg")
    return Order.TREMBLING


def _input_in_floats(state: CurveStableswapState, way: Way, amount_out: int) -> int:
    try:
        return int(stable_shape.input_for(_pool_curve(state, way), float(amount_out)))
    except ArithmeticError:
        return 1


def refuse_outdated(state: CurveStableswapState, at: BlockContext) -> None:
    """Nothing, if the state holds in that block.

    Raises:
        UnansweredError: something may have changed since it was read.
    """
    if is_outdated(state, at.number - 1):
        raise UnansweredError(state.pool.id, "something may have changed that no log tells: it must be read again")
