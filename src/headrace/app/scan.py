"""`headrace scan`: what there is to earn now, by the same line as `run`, up to the rehearsal."""

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

import msgspec

from headrace.app.agents import open_agent
from headrace.app.config.tree import Config
from headrace.app.line import Pass
from headrace.app.places import Report, open_places
from headrace.app.rivals import Rivals, open_rivals
from headrace.errors import MarketStaleError
from headrace.model.event import Stale
from headrace.model.opportunity import Opportunity, Rehearsed
from headrace.model.pending import RivalCounts
from headrace.model.snapshot import Snapshot
from headrace.model.token import decimal_text
from headrace.pipeline.plan.intent import route_text
from headrace.ports.pool import PoolState

if TYPE_CHECKING:
    from rich.console import Console

_NATIVE_DECIMALS = 18
_SHOWN = 40


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


def scan(*, report: Report, config: Config, chain: str, listen_seconds: float = 0.0) -> ScanReport:
    """Listen for `listen_seconds` to what is pending, then read the market once and take it through the line.

    Nothing is signed.

    Raises:
        MarketStaleError: the market could not be read.
        HeadraceError: the node or the configuration failed.
    """
    return asyncio.run(_scan(report, config, chain, listen_seconds))


def render(result: object, console: "Console") -> None:
    """The table, the executable first."""
    from rich.table import Table  # noqa: PLC0415 - `--json` draws no table

    assert isinstance(result, ScanReport)
    table = Table(box=None, header_style="bold", pad_edge=False)
    names = ("route", "strategy", "engine", "edge bps", "amount in", "gross profit", "net native", "rivals", "verdict")
    for name in names:
        table.add_column(name, overflow="fold", justify="left" if name in {"route", "verdict"} else "right")
    for row in result.opportunities[:_SHOWN]:
        table.add_row(*_cells(row))
    if result.opportunities:
        console.print(table)
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


async def _scan(report: Report, config: Config, chain: str, listen_seconds: float) -> ScanReport:
    async with (
        open_places(config, chain, report) as places,
        open_rivals(places, chain) as rivals,
        open_agent(places, None) as agent,
    ):
        if listen_seconds:
            report(f"listening for {listen_seconds:g} s")
            await asyncio.sleep(listen_seconds)
        report("searching")
        async with aclosing(agent.snapshots()) as snapshots:
            snapshot = await anext(snapshots)
        if isinstance(snapshot, Stale):
            raise MarketStaleError(f"the market could not be read: {snapshot.why}")
        passed = await agent.line.run(snapshot)
        if rivals is not None:
            await rivals.settle(snapshot.header.number)
        return ScanReport(
            chain=chain,
            block=snapshot.header.number,
            block_timestamp=snapshot.header.timestamp,
            pools=len(places.pools),
            listened_seconds=None if rivals is None else round(rivals.listened_seconds, 3),
            opportunities=tuple(_rows(passed, snapshot, rivals)),
        )


def _rows(passed: Pass, snapshot: Snapshot[PoolState], rivals: Rivals | None) -> list[ScanRow]:
    rows = [(one.plan.validated.opportunity, _executable(one, snapshot)) for one in passed.rehearsed]
    rows += [
        (opportunity, _row(opportunity, snapshot, refusal.detail and f"{refusal.reason}: {refusal.detail}"))
        for opportunity, refusal in passed.refused
    ]
    return [_beside_rivals(row, None if rivals is None else rivals.counts(one.route)) for one, row in rows]


def _beside_rivals(row: ScanRow, counts: RivalCounts | None) -> ScanRow:
    if counts is None:
        return row
    return msgspec.structs.replace(row, rivals_certain=counts.certain, rivals_possible=counts.possible)


def _executable(one: Rehearsed, snapshot: Snapshot[PoolState]) -> ScanRow:
    validated = one.plan.validated
    row = _row(validated.opportunity, snapshot, "executable")
    gas_price = validated.context.base_fee_wei + one.transaction.priority_fee_wei
    return msgspec.structs.replace(
        row,
        engine=validated.funding.funding.engine,
        amount_in_wei=validated.amounts_units[0],
        profit_wei=validated.profit_units,
        gas=one.gas_used_simulated,
        net_profit_native_wei=validated.profit_native_wei - one.gas_used_simulated * gas_price,
    )


def _row(opportunity: Opportunity, snapshot: Snapshot[PoolState], verdict: str) -> ScanRow:
    token = snapshot.tokens[opportunity.route.token_in]
    return ScanRow(
        strategy=opportunity.strategy,
        route=route_text(opportunity.route, snapshot),
        engine="",
        amount_in_wei=opportunity.amount_in_units,
        profit_token=token.symbol,
        profit_token_decimals=token.decimals,
        profit_estimate_wei=opportunity.profit_estimate_units,
        profit_wei=None,
        gas=None,
        net_profit_native_wei=None,
        edge_bps=opportunity.edge_bps,
        verdict=verdict,
    )


def _cells(row: ScanRow) -> tuple[str, ...]:
    profit = row.profit_estimate_wei if row.profit_wei is None else row.profit_wei
    net = "" if row.net_profit_native_wei is None else decimal_text(row.net_profit_native_wei, _NATIVE_DECIMALS)
    return (
        row.route,
        row.strategy,
        row.engine,
        str(row.edge_bps),
        decimal_text(row.amount_in_wei, row.profit_token_decimals)[:12],
        f"{decimal_text(profit, row.profit_token_decimals)[:12]} {row.profit_token}",
        net[:9],
        "" if row.rivals_certain is None else f"{row.rivals_certain}+{row.rivals_possible}",
        row.verdict,
    )
