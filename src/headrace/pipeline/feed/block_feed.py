"""The thin shell around the follower: reads hints, does what the follower wishes, passes its changes on."""

import asyncio
from collections.abc import AsyncGenerator

from headrace.errors import MalformedAnswerError, NodeUnreachableError, RpcError
from headrace.model.block import BlockHeader
from headrace.model.event import Announcement, BlockApplied, Change, Event, Head, Stale
from headrace.pipeline.feed.audit import ReceiptAudit
from headrace.pipeline.feed.follower import Block, FetchBlock, Follower, FollowLimits, Wish
from headrace.ports.chain import Chain

NODE_FAILURES = (NodeUnreachableError, RpcError, MalformedAnswerError)


class BlockFeed:
    """Complete blocks of one chain, in order; for one reader."""

    def __init__(self, chain: Chain, limits: FollowLimits | None = None, audit: ReceiptAudit | None = None) -> None:
        self._chain = chain
        self._limits = limits or FollowLimits()
        self._events = chain.events()
        self._announced_ns = 0
        self._audit = audit

    async def start(self) -> Head | None:
        """Wait for a sign of life and read the head; None when the chain's events have ended.

        Raises:
            WrongChainError: a reconnection reached a node of another chain.
        """
        async for event in self._events:
            self._note(event)
            head = await self.head() if isinstance(event, Announcement) else None
            if head is not None:
                return head
        return None

    async def head(self) -> Head | None:
        """The node's head now, or None while the node fails.

        Raises:
            WrongChainError: a reconnection reached a node of another chain.
        """
        try:
            return Head(await self._chain.head(), self._announced_ns)
        except NODE_FAILURES:
            return None

    async def follow(self, start: BlockHeader) -> AsyncGenerator[Change, None]:
        """What happens after `start`; ends after a `Stale` that is lost, or with the chain's events.

        Raises:
            WrongChainError: a reconnection reached a node of another chain.
        """
        follower = Follower(start, self._limits)
        if self._audit is not None:
            self._audit.restart()
        async for event in self._events:
            self._note(event)
            if self._audit is not None and self._audit.fault:
                yield Stale(self._audit.fault, is_lost=True)
                return
            follower.hint(event)
            for change in follower.changes():
                yield change
            while follower.wish is not None:
                await self._fulfil(follower, follower.wish)
                if follower.failures and follower.wish is not None:
                    await asyncio.sleep(self._limits.pause_seconds * 2.0 ** (follower.failures - 1))
                for change in follower.changes():
                    yield change
                    if self._audit is not None and isinstance(change, BlockApplied):
                        self._audit.add(change.header, change.logs)  # the reader has dealt with it by now
            if follower.is_lost:
                return

    def _note(self, event: Event) -> None:
        if isinstance(event, Announcement):
            self._announced_ns = event.at_ns

    async def _fulfil(self, follower: Follower, wish: Wish) -> None:
        try:
            if isinstance(wish, FetchBlock):
                block = await self._fetch(wish)
                if block is None:
                    follower.failed(f"the node does not know block {wish.hash}, which it named itself")
                else:
                    follower.fetched_block(block)
            else:
                follower.fetched_head(await self._chain.head())
        except NODE_FAILURES as error:
            follower.failed(str(error))

    async def _fetch(self, wish: FetchBlock) -> Block | None:
        if wish.header is not None:
            return Block(wish.header, await self._chain.logs(wish.hash))
        header, logs = await asyncio.gather(self._chain.header_by_hash(wish.hash), self._chain.logs(wish.hash))
        return None if header is None else Block(header, logs)
