"""Tables of a run for a terminal; numbers come from the report, none is computed here but its decimal point."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from headrace.model.execution import WOULD_FAIL
from headrace.model.token import decimal_text
from headrace.pipeline.report.summary import ENGINES, ExecutionRow, RunReport

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_LONG_NUMBERS = re.compile(r"\(-?\d{6,}, \d+\)")  # the arguments of an error, in the smallest unit: in the JSON
_LONG_HEX = re.compile(r"0x[0-9a-f]{40,}")  # whole in the JSON
_NATIVE_DECIMALS = 18
_SHOWN_DECIMALS = 6
_TABLE_WIDTH = 160
_COLUMNS = (
    *("block", "engine", "route", "status"),
    *("quoted wei", "realised wei", "profit", "gas", "net ETH", "slip bps", "ms"),
)


def render_run(result: object, console: "Console") -> None:
    """Executions, what was lost and how, what was refused and why, totals, latency."""
    assert isinstance(result, RunReport)
    if result.executions:
        _print_executions(result.executions, console)
    ends = _ended(result) if result.executions else ()
    for line in (*_found(result), *ends, *_latency(result)):
        console.print(line, highlight=False)


def _found(result: RunReport) -> Iterator[str]:
    counts = result.opportunities
    edge = "" if counts.edge_bps_median is None else f", median gross edge {counts.edge_bps_median} bps"
    yield (
        f"{result.blocks} blocks: {counts.found} opportunities found{edge}; {counts.validated} valid,"
        f" {counts.rehearsed} rehearsed, {counts.sent} sent"
    )
    if result.refusals:
        yield "refused: " + ", ".join(f"{name} {count}" for name, count in result.refusals.items())


def _ended(result: RunReport) -> Iterator[str]:
    for engine in ENGINES:
        rows = [row for row in result.executions if row.engine == engine and row.status == "landed"]
        net = sum(row.net_profit_native_wei for row in rows)
        yield f"{engine}: {len(rows)} landed, {_native(net)} ETH net of gas"
    by_status = Counter(row.status for row in result.executions)
    lost = sum(row.gas_cost_wei for row in result.executions if row.status in {"reverted", "cancelled"})
    again = sum(row.status == "cancelled" and WOULD_FAIL in row.cause for row in result.executions)
    stopped = sum(count for name, count in result.refusals.items() if name.startswith("rehearsal"))
    yield (
        f"lost: {by_status['reverted']} reverted by the guard and {by_status['cancelled']} cancelled, at the cost of"
        f" {_native(lost)} ETH of gas; {again} of the cancelled stopped by the rehearsal on a newer block, and"
        f" {stopped} stopped by the rehearsal before they were sent; {by_status['pending']} pending"
    )
    if by_status["pending"]:
        yield "what is pending is in the journal: the next start brings it to its end"
    moved = sum(bool(row.engines_refused) for row in result.executions)
    if moved:
        yield f"on the next engine, since the first one could not pay: {moved} of {len(result.executions)}"
    clean = sum(row.clean is True and row.status == "landed" for row in result.executions)
    miss = result.parity_wei_max
    yield f"clean: {clean} of {by_status['landed']} landed; the largest miss of a clean quote is {miss} wei"
    yield f"net profit after all gas: {_native(result.net_profit_native_wei)} ETH"


def _latency(result: RunReport) -> Iterator[str]:
    latency = result.latency_ms
    if latency.p50 is not None and latency.p99 is not None:
        yield (
            f"from the first sign of a block to the node's acceptance: p50 {latency.p50:.1f} ms,"
            f" p99 {latency.p99:.1f} ms over {latency.count} transactions"
        )


def _print_executions(rows: tuple[ExecutionRow, ...], console: "Console") -> None:
    if console.width >= _TABLE_WIDTH:
        console.print(_table(rows))
        return
    for row in rows:
        block, engine, route, status, *figures = _cells(row)
        console.print(f"block {block or '-'}  {engine}  {status}", highlight=False, markup=False)
        console.print(f"    {route}", highlight=False, markup=False)
        named = (f"{name} {figure}" for name, figure in zip(_COLUMNS[4:], figures, strict=True) if figure)
        console.print("    " + ", ".join(named), highlight=False, markup=False)


def _table(rows: tuple[ExecutionRow, ...]) -> "Table":
    from rich.markup import escape  # noqa: PLC0415 - `--json` draws no table
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in _COLUMNS[:4]:
        table.add_column(name, overflow="fold")
    for name in _COLUMNS[4:]:
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*map(escape, _cells(row)))  # symbols and reverts say what strangers chose
    return table


def _cells(row: ExecutionRow) -> tuple[str, ...]:
    realised = "" if row.realised_profit_wei is None else str(row.realised_profit_wei)
    earned = row.realised_profit_wei or 0
    status = f"{row.status}{' clean' if row.clean and row.status == 'landed' else ''}"
    return (
        "" if row.block is None else str(row.block),
        _engine(row),
        row.route,
        f"{status}: {_abbreviated(row.cause)}" if row.cause else status,
        str(row.quoted_profit_wei),
        realised,
        f"{_shortened(earned, row.profit_token_decimals)} {row.profit_token}" if realised else "",
        str(row.gas_used),
        _native(row.net_profit_native_wei),
        "" if row.slippage_bps is None else str(row.slippage_bps),
        "" if row.latency_ms is None else f"{row.latency_ms:.1f}",
    )


def _engine(row: ExecutionRow) -> str:
    tried = [before.partition(":")[0] for before in row.engines_refused]
    return f"{row.engine} (after {', '.join(tried)})" if tried else row.engine


def _abbreviated(text: str) -> str:
    shortened = _LONG_HEX.sub(lambda found: f"{found.group()[:6]}…{found.group()[-4:]}", text)
    return _LONG_NUMBERS.sub("", shortened)


def _native(wei: int) -> str:
    return _shortened(wei, _NATIVE_DECIMALS)


def _shortened(units: int, decimals: int) -> str:
    whole, _, part = decimal_text(units, decimals).partition(".")
    return f"{whole}.{part[:_SHOWN_DECIMALS]}" if part else whole
