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


class MarketFeed:
    """Drives one market; for one reader. Its newest output says whether, and on what, may be traded."""

    def __init__(self, chain: Chain, market: Market, source: BlockSource) -> None:
        self._chain = chain
        self._market = market
        self._source = source

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
                    output = self._take(change)
                except MarketStaleError as error:
                    yield Stale(str(error), is_lost=True)
                    return
                if output is not None:
                    yield output

    def _take(self, change: Change) -> Snapshot[PoolState] | Stale | None:
        match change:
            case BlockApplied(is_last=True):
                return self._market.apply(change.header, change.logs, change.announced_ns)
            case BlockApplied():
                self._market.advance(change.header, change.logs)
                return None
            case RolledBack():
                self._market.roll_back(change.to)
                return None
            case Resumed():
                return self._market.snapshot(change.at_ns)
            case Stale():
                return change
