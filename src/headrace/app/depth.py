"""How deep a pool is, for people: its price, what a trade does to it, and how much it takes until the price has moved.

Prices are those of the pool's curve in floats (`headrace.kernels.depth`), right to about nine digits, of the state as
it was read: where a curve moves by itself (a ramp of its amplification) they are those of its end. Each has the fee in
it, as each unit that is traded pays it. Amounts in are the curve's, cut to whole units; what is paid for them is the
exact quote. Nothing here is traded on.
"""

import math
from collections.abc import Sequence
from decimal import Context, Decimal

import msgspec

from headrace.errors import UnquotableError
from headrace.kernels.curve import EdgeArrays
from headrace.kernels.depth import depth_to_price, price_after, single_edge, spot_price
from headrace.model.block import BlockContext
from headrace.model.token import Token, decimal_text
from headrace.ports.pool import DEX, PoolState

PIPS = 1_000_000
_PIPS_DECIMALS_OF_BPS = 2
_BPS = 10_000
_ROUNDED = Context(prec=9)
_INPUT_MAX = 2.0**256
_SHORT = 1e-9  # of an input at which a pool ends: a contract's own end lies a few units before or after the float's


class Depth(msgspec.Struct, frozen=True):
    """How much a pool takes until its price has fallen.

    Attributes:
        move_bps: by how much the price of the next unit has fallen, of itself.
        amount_in_wei: the most that is sold until then, 0 where even one unit moves the price further.
        amount_out_wei: what is paid for it, exactly; None where the contract does not take it as one swap.
        is_all: the pool takes no more than this, though its price has not fallen so far.
        refusal: why the contract does not take it.
    """

    move_bps: str
    amount_in_wei: int
    amount_out_wei: int | None
    is_all: bool
    refusal: str = ""


class Prices(msgspec.Struct, frozen=True):
    """Whole tokens out per whole token in, the fee included, as decimal text of nine digits.

    Attributes:
        spot: of the next unit, before anything is traded.
        after: of the next unit after the quoted trade; "0" where the pool then takes no more, empty without a quote.
        moved_bps: by how much `after` is below `spot`.
        impact_bps: by how much the quoted trade's own price is below `spot`.
        depths: in the order in which they were asked for.
    """

    spot: str
    after: str
    moved_bps: str
    impact_bps: str
    depths: tuple[Depth, ...]


class Sale(msgspec.Struct, frozen=True):
    """So many units of one token for another, in a block."""

    token_in: Token
    token_out: Token
    amount_in_wei: int
    at: BlockContext


def prices_of(
    dex: DEX, state: PoolState, sale: Sale, amount_out_wei: int | None, moves_pips: Sequence[int]
) -> Prices | None:
    """Prices around a sale that pays `amount_out_wei`, and the depth to each of `moves_pips`; None for a pool without.

    A pool has none that is empty or closed, or whose state may be another by that block.
    """
    if dex.is_outdated(state, sale.at.number - 1):
        return None
    try:
        arrays = single_edge(dex.shape(state, sale.token_in.address, sale.token_out.address))
    except UnquotableError:
        return None
    spot = spot_price(arrays, 0)
    if not (0.0 < spot < math.inf):
        return None
    scale = Decimal(1).scaleb(sale.token_in.decimals - sale.token_out.decimals)
    depths = tuple(_depth(dex, state, sale, arrays, pips) for pips in moves_pips)
    if amount_out_wei is None:
        return Prices(_text(spot, scale), "", "", "", depths)
    after = price_after(arrays, 0, float(sale.amount_in_wei))
    paid = amount_out_wei / sale.amount_in_wei
    return Prices(_text(spot, scale), _text(after, scale), _fall(spot, after), _fall(spot, paid), depths)


def _depth(dex: DEX, state: PoolState, sale: Sale, arrays: EdgeArrays, pips: int) -> Depth:
    price_min = spot_price(arrays, 0) * (1 - pips / PIPS)
    found = min(depth_to_price(arrays, 0, price_min), _INPUT_MAX)
    is_all = price_after(arrays, 0, found * (1 + _SHORT) + 1) == 0.0
    amount = int(found * (1 - _SHORT)) if is_all else int(found)
    move = decimal_text(pips, _PIPS_DECIMALS_OF_BPS)
    if amount == 0:
        return Depth(move, 0, 0, is_all)
    try:
        paid = dex.quote_out(state, sale.token_in.address, sale.token_out.address, amount, sale.at)
    except UnquotableError as error:
        return Depth(move, amount, None, is_all, error.why)
    return Depth(move, amount, paid, is_all)


def rounded_text(amount: Decimal, digits: int) -> str:
    """Plain decimal notation of so many digits, without an exponent."""
    text = f"{Context(prec=digits).create_decimal(amount):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _text(price: float, scale: Decimal) -> str:
    return rounded_text(Decimal(price) * scale, _ROUNDED.prec)


def _fall(before: float, after: float) -> str:
    """In basis points, to a thousandth of one: floats tell no more where a curve is flat."""
    return f"{max(0.0, 1 - after / before) * _BPS:.3f}"
