"""Keeps a set of pending transactions up to date: two loops around a fold, neither of which blocks ever wait for."""

import asyncio

from headrace.errors import ChainError
from headrace.model.event import ConnectionLost
from headrace.model.route import Route
from headrace.model.swap_call import NOTHING_CALLED
from headrace.pipeline.pending.competition import Competition, PoolIndex, competition
from headrace.pipeline.pending.pending_set import PendingLimits, PendingSet
from headrace.ports.mempool import CallDecoder, Hidden, Listening, Mempool


class PendingWatch:
    """One mempool's transactions, from `head_number` on; `index` knows the pools in which competition is counted.

    Attributes:
        listening: set while the node announces to us.
        gaps: times at which announcements were missed because the connection was lost.
        blocks_failed: times at which a block's transactions could not be read; the next head reads them again.
    """

    def __init__(
        self,
        mempool: Mempool,
        decode: CallDecoder,
        index: PoolIndex,
        head_number: int,
        limits: PendingLimits | None = None,
    ) -> None:
        self._mempool = mempool
        self._decode = decode
        self._limits = limits or PendingLimits()
        self._index = index
        self._set = PendingSet(head_number, self._limits, index.pools)
        self._head = head_number
        self._hidden: Hidden | None = None
        if not mempool.visibility.is_visible:
            self._hidden = Hidden(mempool.visibility.hidden_because)
        self.listening = asyncio.Event()
        self._listening_since = 0.0
        self.gaps = 0
        self.blocks_failed = 0

    @property
    def listened_seconds(self) -> float:
        """How long the node has announced without a gap; 0 while it does not: what is older is not held."""
        return asyncio.get_running_loop().time() - self._listening_since if self.listening.is_set() else 0.0

    @property
    def pending(self) -> PendingSet | Hidden:
        """What is pending; where that cannot be known, why, and never an empty set instead."""
        return self._hidden or self._set

    def competition(self, route: Route) -> Competition | Hidden:
        """Who touches a route's pools; where that cannot be known, why, and never a zero instead."""
        return self._hidden or competition(route, self._set.touching(route.pools), self._index)

    async def follow_transactions(self) -> None:
        """Take up what is announced until nothing more will come; for a task of its own.

        Raises:
            WrongChainError: the node serves another chain.
        """
        async for event in self._mempool.transactions():
            if isinstance(event, Hidden):
                self._hidden = event
                return
            if isinstance(event, ConnectionLost):
                self.gaps += self.listening.is_set()
                self.listening.clear()
            elif isinstance(event, Listening):
                self._listening_since = asyncio.get_running_loop().time()
                self.listening.set()
            else:
                is_news = not self._set.has_seen(event)
                self._set.add(event, self._decode(event) if is_news else NOTHING_CALLED)

    async def on_head(self, number: int) -> bool:
        """Remove what the blocks up to a new head hold, and say whether that was done; too old blocks are passed over.

        A head that is not above the last is a reorg. A node that fails is asked again at the next head; meanwhile the
        set holds what has been mined, and only for as long as its age allows.
        """
        if self._hidden is not None:
            return False
        first = max(min(self._head + 1, number), number - self._limits.age_blocks_max)
        for height in range(first, number + 1):
            try:
                mined = await self._mempool.mined(height)
            except ChainError:
                mined = None
            if mined is None:
                self.blocks_failed += 1
                return False
            self._set.apply_block(height, mined)
            self._head = height
        return True
