"""What the contracts' own views answer: `get_dy` and `get_dy_underlying`, which are estimates in many pools.

`get_dy` of older pools scales the output to the coin's decimals before it takes the fee, `exchange` after: they differ
by a unit in about half of all swaps of 3pool. Views of Compound-type pools see an extrapolated rate. A metapool's
`get_dy_underlying` estimates a deposit without its fee, then takes off half of the base pool's swap fee.

Recorded answers prove the arithmetic through these (tests/golden), and `detection` finds a pool's kind by them.
"""

from collections.abc import Callable

from headrace.adapters.protocols.curve_stableswap.state import CurveStableswapState, ViewForm, rates_at
from headrace.adapters.protocols.curve_stableswap.ways import Way, way_between
from headrace.errors import UnquotableError
from headrace.kernels.stableswap import FEE_DENOMINATOR, PRECISION, StableSwap, difference, prepared, swap, word
from headrace.kernels.stableswap_liquidity import (
    LiquidityPool,
    coin_withdrawn,
    common_units,
    tokens_estimated,
    tokens_minted,
)
from headrace.model.address import Address
from headrace.model.block import BlockContext
from headrace.model.executor_step import CurveCall

_META_FORM = ViewForm(held_back=1, scales_first=False)


def view_out(
    state: CurveStableswapState, token_in: Address, token_out: Address, amount_in: int, at: BlockContext
) -> int:
    """What `get_dy` or `get_dy_underlying` answers in a block; never to be traded on.

    Raises:
        UnquotableError: the view would revert, or there is none.
    """
    way = way_between(state, token_in, token_out)
    try:
        return view(state, way, amount_in, at)
    except ArithmeticError as error:
        raise UnquotableError(state.pool.id, f"the view's arithmetic reverts ({error})") from error


def view(state: CurveStableswapState, way: Way, amount_in: int, at: BlockContext) -> int:
    """The same by indices.

    Raises:
        ArithmeticError: the view reverts.
    """
    if way.call is CurveCall.EXCHANGE_UNDERLYING:
        return _lending_view(state, way, amount_in, at) if state.base is None else _meta_view(state, way, amount_in, at)
    form, (swapped, rates) = state.terms.view, _swapper(state, way, at, state.terms.view.held_back)
    done = swapped(word(amount_in * rates[way.index_in]) // PRECISION)
    return _paid(done, rates[way.index_out], form)


def _swapper(
    state: CurveStableswapState, way: Way, at: BlockContext, held_back: int
) -> tuple[Callable[[int], StableSwap], tuple[int, ...]]:
    rates = rates_at(state, at.number, at.timestamp, is_view=True)
    pool = prepared(state.curve(at.timestamp), common_units(state.balances, rates), state.stable_fee)
    return lambda added: swap(pool, way.index_in, way.index_out, added, held_back=held_back), rates


def _paid(done: StableSwap, rate: int, form: ViewForm) -> int:
    if not form.scales_first:
        return done.net * PRECISION // rate
    scaled = done.gross * PRECISION // rate
    return scaled - done.fee_rate * scaled // FEE_DENOMINATOR


def _lending_view(state: CurveStableswapState, way: Way, amount_in: int, at: BlockContext) -> int:
    """In underlying coins at par; where the fee comes first, a unit is held back that `get_dy` does not hold back."""
    form = state.terms.view if state.terms.view.scales_first else _META_FORM
    swapped, _ = _swapper(state, way, at, form.held_back)
    precision_in, precision_out = (10 ** (18 - state.terms.decimals[k]) for k in (way.index_in, way.index_out))
    return _paid(swapped(amount_in * precision_in), precision_out * PRECISION, form)


def _meta_view(state: CurveStableswapState, way: Way, amount_in: int, at: BlockContext) -> int:
    base = state.base
    assert base is not None, state.pool.id
    last = len(state.terms.coins) - 1
    from_base, to_base = way.index_in - last, way.index_out - last
    if from_base >= 0 and to_base >= 0:
        return view(base, Way(CurveCall.EXCHANGE_INT128, from_base, to_base), amount_in, at)
    inside = Way(way.call, min(way.index_in, last), min(way.index_out, last))
    swapped, rates = _swapper(state, inside, at, 1)
    liquidity = base.liquidity(rates_at(base, at.number, at.timestamp, is_view=True), at.timestamp)
    if from_base >= 0:
        added = _deposit_estimated(state, liquidity, from_base, amount_in, rates[last])
    else:
        added = word(amount_in * rates[way.index_in]) // PRECISION
    paid = _paid(swapped(added), rates[inside.index_out], _META_FORM)
    if to_base < 0:
        return paid
    return coin_withdrawn(liquidity, to_base, paid, held_back=base.terms.withdrawal_held_back)


def _deposit_estimated(
    state: CurveStableswapState, liquidity: LiquidityPool, index: int, amount: int, price: int
) -> int:
    """Common units that the view expects a deposit into the base pool to be worth."""
    if state.terms.has_fee_in_estimate:
        return word(tokens_minted(liquidity, index, amount) * price) // PRECISION
    worth = word(tokens_estimated(liquidity, index, amount, is_deposit=True) * price) // PRECISION
    return difference(worth, worth * liquidity.fee.fee // (2 * FEE_DENOMINATOR))
