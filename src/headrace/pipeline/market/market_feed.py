"""The market, kept true: read at the head, moved block by block, rolled back, and read anew when it was lost."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Protocol

from headrace.errors import ChainError, MarketStaleError, WrongChainError
from headrace.model.block import BlockHeader
from headrace.model.event import BlockApplied, Change, Head, Resumed, RolledBack, Stale
from headrace.model.snapshot import Snapshot
from headrace.pipeline.market.market import Market
from headrace.ports.chain import Chain
from headrace.ports.pool import PoolState


class BlockSource(Protocol):
    """What the feed stage gives; see `headrace.pipeline.feed.block_feed.BlockFeed`."""

    async def start(self) -> Head | None:
        """Wait for a sign of life and read the head; None when there will be no more."""
        ...

    async def head(self) -> Head | None:
        """The head now, or None while the node fails."""
        ...

    def follow(self, start: BlockHeader) -> AsyncGenerator[Change, None]:
        """What happens after `start`, until it is lost or there will be no more."""
        ...


REREAD_SECONDS_MAX = 0.5


class MarketFeed:
    """Drives one market; for one reader. Its newest output says whether, and on what, may be traded.

    A snapshot waits at most `reread_seconds_max` for pools that are read again because no log tells their state.
    """

    def __init__(
        self, chain: Chain, market: Market, source: BlockSource, reread_seconds_max: float = REREAD_SECONDS_MAX
    ) -> None:
        self._chain = chain
        self._market = market
        self._source = source
        self._reread_seconds_max = reread_seconds_max

    async def snapshots(self) -> AsyncGenerator[Snapshot[PoolState] | Stale, None]:
        """A snapshot for each announcement that moved the chain, or `Stale`: then nothing may be traded until the next.

        Blocks that were filled in behind an announcement give one snapshot together, with the union of their changes.
        After a `Stale` that is lost the market is read anew at once, or, while the node fails, at its next sign of
        life.

        Raises:
            WrongChainError: a reconnection reached a node of another chain.
        """
        while (head := await self._source.start()) is not None:
            async for output in self._from(head):
                yield output

    async def _from(self, head: Head | None) -> AsyncGenerator[Snapshot[PoolState] | Stale, None]:
        while head is not None:
            read = await self._read(head)
            yield read
            if isinstance(read, Stale):
                return
            is_lost = False
            async for output in self._follow(head.header):
                yield output
                is_lost = isinstance(output, Stale) and output.is_lost
            head = await self._source.head() if is_lost else None

    async def _read(self, head: Head) -> Snapshot[PoolState] | Stale:
        try:
            return await self._market.read_all(self._chain, head.header, head.announced_ns)
        except WrongChainError:
            raise
        except ChainError as error:
            return Stale(str(error), is_lost=True)

    async def _follow(self, start: BlockHeader) -> AsyncGenerator[Snapshot[PoolState] | Stale, None]:
        async with aclosing(self._source.follow(start)) as changes:
            async for change in changes:
                try:
                    due = self._take(change)
                except MarketStaleError as error:
                    yield Stale(str(error), is_lost=True)
                    return
                if isinstance(due, Stale):
                    yield due
                elif due is not None:
                    if self._market.has_outdated:
                        await self._market.read_outdated(self._chain, self._reread_seconds_max)
                    yield self._market.snapshot(due)

    def _take(self, change: Change) -> int | Stale | None:
        """Move the market; when what led to it was announced, where a snapshot is due."""
        match change:
            case BlockApplied():
                self._market.advance(change.header, change.logs)
                return change.announced_ns if change.is_last else None
            case RolledBack():
                self._market.roll_back(change.to)
                return None
            case Resumed():
                return change.at_ns
            case Stale():
                return change
