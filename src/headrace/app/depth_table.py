"""The depths of a quote as a table: a row a pool, with its prices and what it takes until they have fallen."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from headrace.app.depth import Depth, Prices, rounded_text
from headrace.model.address import PoolId
from headrace.model.token import Token

if TYPE_CHECKING:
    from rich.table import Table

_DIGITS = 6


def depth_table(token_in: Token, token_out: Token, rows: Sequence[tuple[str, PoolId, Prices]]) -> "Table":
    """A table of one row or more, each with a venue's name, the pool and its prices."""
    from rich.table import Table  # noqa: PLC0415 - `--json` draws no table

    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("venue")
    table.add_column("pool", overflow="fold")
    pair = f"{token_out.symbol} per {token_in.symbol}"
    for name in (f"{pair}, spot", "after the swap", "price moved", "impact"):
        table.add_column(name, justify="right")
    for depth in rows[0][2].depths:
        table.add_column(f"sold until it is {depth.move_bps} bps lower", justify="right")
    for venue, pool, prices in rows:
        moved, impact = (f"{one} bps" if one else "" for one in (prices.moved_bps, prices.impact_bps))
        cells = [_cell(depth, token_in, token_out) for depth in prices.depths]
        table.add_row(venue, pool, prices.spot, prices.after, moved, impact, *cells)
    return table


def _cell(depth: Depth, token_in: Token, token_out: Token) -> str:
    sold = _amount(depth.amount_in_wei, token_in)
    if depth.amount_out_wei is None:
        return sold if depth.amount_in_wei == 0 else f"{sold}, refused: {depth.refusal}"
    bought = f"{sold} for {_amount(depth.amount_out_wei, token_out)}"
    return f"{bought}, which is all" if depth.is_all else bought


def _amount(units: int, token: Token) -> str:
    return f"{rounded_text(Decimal(units).scaleb(-token.decimals), _DIGITS)} {token.symbol}"
