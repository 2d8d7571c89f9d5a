"""From a node's notifications to announcements: the first frame that names a block stamps it, later ones are dropped.

Frames are hints and may be lost, late, doubled or out of order; nothing here tries to repair that. A reader that has
fallen behind gets the highest block that waits, then the one that was named last (a reorg may have gone down to it),
and none of the others: whoever works through old heads one by one trades on what is no longer true.
"""

import asyncio
from collections import deque
from collections.abc import Callable

import msgspec

from headrace.adapters.chains.evm.answer import read_header, read_log
from headrace.adapters.chains.evm.hexadecimal import read_quantity
from headrace.model.address import Hash32
from headrace.model.block import BlockHeader
from headrace.model.event import Announcement

_KEPT_MAX = 256
_RECENT_MAX = 64


class Announcer:
    """Collects for one reader; `close` lets it read what is left. `highest` is the highest block number named.

    `on_new` is called at once with the hash of each block whose header a notification brought.
    """

    def __init__(self, on_new: Callable[[Hash32], None] = lambda _block: None) -> None:
        self._on_new = on_new
        self._kept: deque[Announcement] = deque(maxlen=_KEPT_MAX)
        self._recent: deque[bytes] = deque(maxlen=_RECENT_MAX)
        self._news = asyncio.Event()
        self._is_closed = False
        self.malformed_count = 0
        self.highest = 0

    def on_head(self, result: msgspec.Raw, at_ns: int) -> None:
        """A frame of `newHeads`."""
        try:
            header = read_header(result)
        except ValueError:
            header = None
        if header is None:
            self.malformed_count += 1  # the poll for a silent node finds the block
        else:
            self._on_new(header.hash)
            self.announce(header, at_ns)

    def on_log(self, result: msgspec.Raw, at_ns: int) -> None:
        """A frame of `logs`: only the first of a block says anything new."""
        frame = bytes(result)
        if any(known in frame for known in self._recent):
            return
        try:
            log = read_log(result)
            number = read_quantity(log.block_number)
        except ValueError:
            self.malformed_count += 1
            return
        if not log.removed:
            self._add(Announcement(number, Hash32(log.block_hash), at_ns))

    def announce(self, header: BlockHeader, at_ns: int) -> None:
        """A header from wherever; the same block twice in a row is one announcement."""
        if not self._recent or self._recent[-1] != header.hash.encode():
            self._add(Announcement(header.number, header.hash, at_ns, header))

    def close(self) -> None:
        """Nothing more will come."""
        self._is_closed = True
        self._news.set()

    async def next(self, silence_seconds: float) -> Announcement | None:
        """The next announcement; None when it is closed and read out.

        Raises:
            TimeoutError: nothing came for that long.
        """
        async with asyncio.timeout(silence_seconds):
            while not self._kept and not self._is_closed:
                self._news.clear()
                await self._news.wait()
        return self._newest() if self._kept else None

    def _newest(self) -> Announcement:
        last = self._kept[-1]
        highest = max(reversed(self._kept), key=lambda announcement: announcement.number)
        self._kept.clear()
        if highest is not last:
            self._kept.append(last)
        return highest

    def _add(self, announcement: Announcement) -> None:
        self._recent.append(announcement.hash.encode())
        self._kept.append(announcement)
        self.highest = max(self.highest, announcement.number)
        self._news.set()
