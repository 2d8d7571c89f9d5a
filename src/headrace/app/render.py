"""Tables of a run for a terminal; numbers come from the report, none is computed here but its decimal point."""

from typing import TYPE_CHECKING

from headrace.model.token import decimal_text
from headrace.pipeline.report.summary import ExecutionRow, RunReport

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_NATIVE_DECIMALS = 18
_SHOWN_DECIMALS = 6


def render_run(result: object, console: "Console") -> None:
    """Executions, what was refused and why, totals, latency."""
    assert isinstance(result, RunReport)
    if result.executions:
        console.print(_executions(result.executions))
    counts = result.opportunities
    edge = "" if counts.edge_bps_median is None else f", median gross edge {counts.edge_bps_median} bps"
    console.print(
        f"{result.blocks} blocks: {counts.found} opportunities found{edge}; {counts.validated} valid,"
        f" {counts.rehearsed} rehearsed, {counts.sent} sent",
        highlight=False,
    )
    _print_ends(result, console)
    if result.refusals:
        console.print("refused: " + ", ".join(f"{name} {count}" for name, count in result.refusals.items()))
    latency = result.latency_ms
    if latency.p50 is not None and latency.p99 is not None:
        console.print(
            f"block announced to transaction accepted: p50 {latency.p50:.1f} ms, p99 {latency.p99:.1f} ms"
            f" over {latency.count}",
            highlight=False,
        )


def _print_ends(result: RunReport, console: "Console") -> None:
    ends = {status: [r for r in result.executions if r.status == status] for status in _STATUSES}
    lost = sum(row.gas_cost_wei for row in ends["reverted"] + ends["cancelled"])
    parts = [f"{len(rows)} {status}" for status, rows in ends.items() if rows]
    clean = sum(row.clean is True and row.status == "landed" for row in result.executions)
    console.print(
        f"executions: {', '.join(parts) or 'none'}; {clean} clean, largest miss of a clean quote"
        f" {result.parity_wei_max} wei",
        highlight=False,
    )
    console.print(
        f"net profit {_native(result.net_profit_native_wei)} ETH after all gas, of which {_native(lost)} ETH went to"
        " transactions that lost a race or were cancelled",
        highlight=False,
    )


_STATUSES = ("landed", "reverted", "cancelled", "pending")


def _executions(rows: tuple[ExecutionRow, ...]) -> "Table":
    from rich.table import Table  # noqa: PLC0415 - `--json` draws no table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("block", "engine", "route", "status"):
        table.add_column(name, overflow="fold")
    for name in ("quoted wei", "realised wei", "profit", "gas", "net ETH", "slip bps", "ms"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*_cells(row))
    return table


def _cells(row: ExecutionRow) -> tuple[str, ...]:
    realised = "" if row.realised_profit_wei is None else str(row.realised_profit_wei)
    earned = row.realised_profit_wei or 0
    status = f"{row.status}{' clean' if row.clean and row.status == 'landed' else ''}"
    return (
        "" if row.block is None else str(row.block),
        row.engine,
        row.route,
        f"{status}: {row.cause}" if row.cause else status,
        str(row.quoted_profit_wei),
        realised,
        f"{_shortened(earned, row.profit_token_decimals)} {row.profit_token}" if realised else "",
        str(row.gas_used),
        _native(row.net_profit_native_wei),
        "" if row.slippage_bps is None else str(row.slippage_bps),
        "" if row.latency_ms is None else f"{row.latency_ms:.1f}",
    )


def _native(wei: int) -> str:
    return _shortened(wei, _NATIVE_DECIMALS)


def _shortened(units: int, decimals: int) -> str:
    whole, _, part = decimal_text(units, decimals).partition(".")
    return f"{whole}.{part[:_SHOWN_DECIMALS]}" if part else whole
