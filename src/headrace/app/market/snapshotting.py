"""`headrace market snapshot`: every configured pool at the head, into a market file."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from headrace.adapters.market_files.container import require_writable
from headrace.adapters.market_files.writer import MarketWriter
from headrace.app.config.tree import Config
from headrace.app.market.origin import SOURCE
from headrace.app.places import Places, Report, open_places
from headrace.model.snapshot import Snapshot
from headrace.pipeline.market.market import Market
from headrace.ports.pool import PoolState

if TYPE_CHECKING:
    from rich.console import Console


class SnapshotReport(msgspec.Struct, frozen=True):
    """What was written, and why each other pool was not."""

    file: str
    chain: str
    block: int
    pools: dict[str, int]
    left_out: tuple[str, ...]


def snapshot(*, report: Report, config: Config, chain: str, out: Path) -> SnapshotReport:
    """Read the market once and write it.

    Raises:
        MarketFileError: the file cannot be written; said before the chain is read.
        HeadraceError: the node or the configuration failed.
    """
    require_writable(out)
    return asyncio.run(_snapshot(report, config, chain, out))


def render(result: object, console: "Console") -> None:
    """A sentence, and the pools that are not there."""
    assert isinstance(result, SnapshotReport)
    pools = ", ".join(f"{count} {protocol}" for protocol, count in result.pools.items()) or "no pools"
    console.print(f"{result.file}: {pools} of {result.chain} at block {result.block}", highlight=False)
    for why in result.left_out:
        console.print(f"left out: {why}", highlight=False, markup=False)


def write_start(writer: MarketWriter, places: Places, market: Snapshot[PoolState]) -> tuple[PoolState, ...]:
    """The header, tokens, prices and pools; the states that were written."""
    writer.header(places.chain.chain_id, market.header, SOURCE)
    writer.tokens(market.tokens.values())
    write_prices(writer, places, market.header.timestamp)
    states = tuple(state for at, state in enumerate(market.states) if at not in market.quarantined)
    for state in states:
        writer.state(state)
    return states


def write_prices(writer: MarketWriter, places: Places, now: int) -> None:
    """What the oracle says of each token that it prices."""
    for token in places.tokens:
        price = places.oracle.price(token, now)
        if price is not None:
            writer.price(token, price)


async def _snapshot(report: Report, config: Config, chain: str, out: Path) -> SnapshotReport:
    async with open_places(config, chain, report) as places:
        report("reading every pool")
        head = await places.chain.head()
        market = await Market(places.pools, places.dexes, places.tokens).read_all(places.chain, head, 0)
        with MarketWriter(out, places.dexes) as writer:
            states = write_start(writer, places, market)
        return SnapshotReport(
            file=str(out),
            chain=chain,
            block=head.number,
            pools=dict(Counter(str(state.pool.protocol) for state in states)),
            left_out=(*places.left_out, *market.quarantined.values()),
        )
