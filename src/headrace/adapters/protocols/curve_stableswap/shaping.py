"""The swap's curve in floats, as of the state's last reading: one curve, or through a base pool sampled arcs."""

import numpy as np

from headrace.adapters.protocols.curve_stableswap.state import CurveStableswapState, rates_at
from headrace.adapters.protocols.curve_stableswap.ways import Way
from headrace.kernels import stable_shape
from headrace.kernels.shape import FloatArray, Stable, TickSegments
from headrace.kernels.stable_route import BaseLeg, deposit_then_swap, swap_then_withdraw
from headrace.kernels.stableswap import FEE_DENOMINATOR, PRECISION
from headrace.kernels.stableswap_liquidity import common_units
from headrace.model.executor_step import CurveCall

NOTHING = Stable(np.zeros(2), ann=1.0, index_in=0, index_out=1, scale_in=1.0, scale_out=1.0)


def shape_of(state: CurveStableswapState, way: Way) -> Stable | TickSegments:
    """Nothing for a swap between two coins of a base pool, and through one whose fee grows off the peg.

    Raises:
        ArithmeticError: the pool is empty.
    """
    if state.base is None or way.call is not CurveCall.EXCHANGE_UNDERLYING:
        return _pool_curve(state, way)
    last = len(state.terms.coins) - 1
    from_base, to_base = way.index_in - last, way.index_out - last
    has_offpeg_base = state.base.offpeg_multiplier > FEE_DENOMINATOR
    if has_offpeg_base or (from_base >= 0 and to_base >= 0):
        return NOTHING
    direct = Way(CurveCall.EXCHANGE_INT128, min(way.index_in, last), min(way.index_out, last))
    leg = _base_leg(state.base, max(from_base, to_base))
    meta = _pool_curve(state, direct)
    return deposit_then_swap(leg, meta) if from_base >= 0 else swap_then_withdraw(leg, meta)


def input_in_floats(state: CurveStableswapState, way: Way, amount_out: int) -> int:
    """About what a swap in the pool itself asks for an output, raw units; 1 where floats do not tell."""
    try:
        return int(stable_shape.input_for(_pool_curve(state, way), float(amount_out)))
    except ArithmeticError:
        return 1


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
