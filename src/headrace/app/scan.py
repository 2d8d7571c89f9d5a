"""`headrace scan`: what there is to earn now, by the same line as `run`, up to the rehearsal."""

import asyncio
from contextlib import aclosing

import msgspec

from headrace.app.agents import open_agent
from headrace.app.config.tree import Config
from headrace.app.line import Pass
from headrace.app.places import Report, open_places
from headrace.app.rivals import Rivals, open_rivals
from headrace.app.scan_report import ScanReport, ScanRow, render_scan
from headrace.errors import MarketStaleError
from headrace.model.event import Stale
from headrace.model.opportunity import Opportunity, Rehearsed
from headrace.model.pending import RivalCounts
from headrace.model.snapshot import Snapshot
from headrace.pipeline.plan.intent import route_text
from headrace.ports.pool import PoolState


def scan(*, report: Report, config: Config, chain: str, listen_seconds: float = 0.0) -> ScanReport:
    """Listen for `listen_seconds` to what is pending, then read the market once and take it through the line.

    Nothing is signed.

    Raises:
        MarketStaleError: the market could not be read.
        HeadraceError: the node or the configuration failed.
    """
    return asyncio.run(_scan(report, config, chain, listen_seconds))


render = render_scan


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
