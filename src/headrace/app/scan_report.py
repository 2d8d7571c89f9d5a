"""What `headrace scan` found, and its table: whole where the terminal is wide, folded where it is not."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from headrace.model.token import decimal_text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_NATIVE_DECIMALS = 18
_SHOWN = 40
_WHOLE_WIDTH = 180  # below, nine columns squeeze each other into a few letters a line


class ScanRow(msgspec.Struct, frozen=True):
    """One opportunity; `profit_wei` and `net_profit_native_wei` are exact and None where it was refused before.

    `rivals_certain` and `rivals_possible` count pending transactions of others that touch its pools: for certain, and
    perhaps. None where that is not followed, or not known.
    """

    strategy: str
    route: str
    engine: str
    amount_in_wei: int
    profit_token: str
    profit_token_decimals: int
    profit_estimate_wei: int
    profit_wei: int | None
    gas: int | None
    net_profit_native_wei: int | None
    edge_bps: int
    verdict: str
    rivals_certain: int | None = None
    rivals_possible: int | None = None


class ScanReport(msgspec.Struct, frozen=True):
    """Opportunities at one block, the executable first, each with what would become of it.

    `listened_seconds` is how long the node had announced pending transactions when rivals were counted: those announced
    before are not among them. None where they are not followed, 0 where the node announced nothing.
    """

    chain: str
    block: int
    block_timestamp: int
    pools: int
    listened_seconds: float | None
    opportunities: tuple[ScanRow, ...]


def render_scan(result: object, console: "Console") -> None:
    """The table, the executable first."""
    assert isinstance(result, ScanReport)
    shown = result.opportunities[:_SHOWN]
    if shown:
        console.print(_whole(shown) if console.width >= _WHOLE_WIDTH else _folded(shown))
    hidden = len(result.opportunities) - _SHOWN
    more = f"; {hidden} more with --json" if hidden > 0 else ""
    console.print(
        f"block {result.block} of {result.chain}: {len(result.opportunities)} opportunities"
        f" in {result.pools} pools{more}",
        highlight=False,
    )
    if result.listened_seconds is not None:
        console.print(
            f"rivals are those announced as pending in {result.listened_seconds:g} s of listening, and a plus counts"
            " those that may be; what was pending before and what is sent privately is not seen",
            highlight=False,
        )


def _whole(rows: Sequence[ScanRow]) -> "Table":
    """A column for each figure."""
    table = _table()
    names = ("route", "strategy", "engine", "edge bps", "amount in", "gross profit", "net native", "rivals", "verdict")
    for name in names:
        table.add_column(name, overflow="fold", justify="left" if name in {"route", "verdict"} else "right")
    for row in rows:
        route, verdict = _texts(row)
        amount = decimal_text(row.amount_in_wei, row.profit_token_decimals)[:12]
        figures = (str(row.edge_bps), amount, _gross(row), _net(row), _rivals(row))
        table.add_row(route, row.strategy, row.engine, *figures, verdict)
    return table


def _folded(rows: Sequence[ScanRow]) -> "Table":
    """The figures that decide, and beside them the route, with its engine and the verdict below it."""
    table = _table()
    figures = [("edge bps", [str(row.edge_bps) for row in rows]), ("gross profit", [_gross(row) for row in rows])]
    figures += [("net native", [_net(row) for row in rows]), ("rivals", [_rivals(row) for row in rows])]
    known = [(name, cells) for name, cells in figures if any(cells)]
    for name, _ in known:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("route, and what becomes of it", overflow="fold")
    for at, row in enumerate(rows):
        route, verdict = _texts(row)
        outcome = f"{verdict}, by {row.engine}" if row.engine else verdict
        table.add_row(*(cells[at] for _, cells in known), f"{route}\n  {outcome}")
    return table


def _table() -> "Table":
    from rich.table import Table  # noqa: PLC0415 - `--json` draws no table

    return Table(box=None, header_style="bold", pad_edge=False)


def _texts(row: ScanRow) -> tuple[str, str]:
    """Route and verdict; tokens are named by strangers."""
    from rich.markup import escape  # noqa: PLC0415 - `--json` draws no table

    return escape(row.route), escape(row.verdict)


def _gross(row: ScanRow) -> str:
    from rich.markup import escape  # noqa: PLC0415 - `--json` draws no table

    profit = row.profit_estimate_wei if row.profit_wei is None else row.profit_wei
    return escape(f"{decimal_text(profit, row.profit_token_decimals)[:12]} {row.profit_token}")


def _net(row: ScanRow) -> str:
    return "" if row.net_profit_native_wei is None else decimal_text(row.net_profit_native_wei, _NATIVE_DECIMALS)[:9]


def _rivals(row: ScanRow) -> str:
    return "" if row.rivals_certain is None else f"{row.rivals_certain}+{row.rivals_possible}"
