"""`headrace market record`: the market at its start, then every block as the market applied it.

What no log tells is in the recording as it was read: a state that was read anew at a block stands behind that block.
Each line is flushed, so Ctrl-C loses nothing, and the last line says that the file is whole. A crash leaves a file
without that line, which is refused until somebody says that it ends there. A market that was lost ends the recording:
what came between cannot be replayed.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from headrace.adapters.market_files.container import require_writable
from headrace.adapters.market_files.writer import MarketWriter
from headrace.app.config.tree import Config
from headrace.app.market.snapshotting import write_prices, write_start
from headrace.app.places import Places, Report, open_places
from headrace.errors import MarketStaleError, UsageError
from headrace.model.block import BlockHeader
from headrace.model.event import BlockApplied, Change, Head, Stale
from headrace.model.snapshot import Snapshot
from headrace.pipeline.feed.block_feed import BlockFeed
from headrace.pipeline.feed.follower import FollowLimits
from headrace.pipeline.market.market import Market
from headrace.pipeline.market.market_feed import BlockSource, MarketFeed
from headrace.ports.pool import PoolState

if TYPE_CHECKING:
    from rich.console import Console


class RecordReport(msgspec.Struct, frozen=True):
    """What was recorded; `ended` says why it ended before it was asked to."""

    file: str
    first_block: int
    last_block: int
    blocks: int
    logs: int
    ended: str
    exit_code: int


def record(*, report: Report, config: Config, out: Path, blocks: int | None) -> RecordReport:
    """Follow the configuration's chain.

    Raises:
        UsageError: there is such a file already: what took hours to record is not written over.
        MarketFileError: the file cannot be written; said before the chain is read.
        HeadraceError: the node or the configuration failed.
    """
    if out.is_file():
        raise UsageError(f"--out: {out} exists, and a recording is never written over: name another, or remove it")
    require_writable(out)
    return asyncio.run(_record(report, config, out, blocks))


def render(result: object, console: "Console") -> None:
    """A sentence."""
    assert isinstance(result, RecordReport)
    console.print(
        f"{result.file}: {result.blocks} blocks with {result.logs} logs, {result.first_block} to {result.last_block}"
        f"{f'; it ended because {result.ended}' if result.ended else ''}",
        highlight=False,
    )


class Noting:
    """A source of blocks that keeps what passes, for one reader."""

    def __init__(self, source: BlockSource) -> None:
        self._source = source
        self.passed: list[BlockApplied] = []

    async def start(self) -> Head | None:
        """As the source."""
        return await self._source.start()

    async def head(self) -> Head | None:
        """As the source."""
        return await self._source.head()

    async def follow(self, start: BlockHeader) -> AsyncGenerator[Change, None]:
        """As the source; blocks are kept."""
        async with aclosing(self._source.follow(start)) as changes:
            async for change in changes:
                if isinstance(change, BlockApplied):
                    self.passed.append(change)
                yield change


async def _record(report: Report, config: Config, out: Path, blocks: int | None) -> RecordReport:
    depth = config.chain.reorg_depth_blocks
    async with open_places(config, config.chain_name, report) as places:
        source = Noting(BlockFeed(places.chain, FollowLimits(depth_max=depth)))
        market = Market(places.pools, places.dexes, places.tokens, depth)
        feed = MarketFeed(places.chain, market, source)
        with MarketWriter(out, places.dexes, is_followed=True) as writer:
            recorder = Recorder(writer, places, source, out)
            async with aclosing(feed.snapshots()) as outputs:
                report("recording")
                async for output in outputs:
                    await recorder.take(output)
                    if recorder.is_ended or (blocks is not None and recorder.blocks >= blocks):
                        break
            return recorder.report()


class Recorder:
    """Writes what a feed gives."""

    def __init__(self, writer: MarketWriter, places: Places, source: Noting, out: Path) -> None:
        self._writer = writer
        self._places = places
        self._source = source
        self._out = out
        self._before: Snapshot[PoolState] | None = None
        self._first = 0
        self._logs = 0
        self._why = ""
        self.blocks = 0
        self.is_ended = False

    async def take(self, output: Snapshot[PoolState] | Stale) -> None:
        """Write what is new.

        Raises:
            MarketStaleError: the market could not even be read once.
        """
        if isinstance(output, Stale):
            if self._before is None:
                raise MarketStaleError(f"the market could not be read: {output.why}")
            self.is_ended, self._why = output.is_lost, output.why
        elif self._before is None:
            self._first = output.header.number
            write_start(self._writer, self._places, output)
            self._before = output
        else:
            await self._take_blocks(output, self._before)
            self._before = output

    def report(self) -> RecordReport:
        """What there is."""
        last = self._first if self._before is None else self._before.header.number
        why = self._why if self.is_ended else ""
        return RecordReport(str(self._out), self._first, last, self.blocks, self._logs, why, int(self.is_ended))

    async def _take_blocks(self, output: Snapshot[PoolState], before: Snapshot[PoolState]) -> None:
        for block in self._source.passed:
            self._writer.block(block.header, block.logs)
            self.blocks += 1
            self._logs += len(block.logs)
        self._source.passed.clear()
        for index in output.changed:
            if index not in output.quarantined and index not in before.quarantined:
                dex = self._places.dexes[output.pools[index].protocol]
                if dex.is_outdated(before.states[index], output.header.number):
                    self._writer.state(output.states[index])
        await self._places.refresh(output.header)
        write_prices(self._writer, self._places, output.header.timestamp)
