"""Frames that wait to be read, bounded in number and in bytes: the oldest give way, since the newest are worth more."""

import asyncio
from collections import deque

import msgspec

from headrace.ports.mempool import FeedCounters

FRAMES_MAX = 4096
BYTES_MAX = 64 * 1024 * 1024


class FrameQueue:
    """From one callback to one reader; what gives way is counted as dropped."""

    def __init__(self, counters: FeedCounters, *, frames_max: int = FRAMES_MAX, bytes_max: int = BYTES_MAX) -> None:
        self._counters = counters
        self._frames_max = frames_max
        self._bytes_max = bytes_max
        self._frames: deque[msgspec.Raw] = deque()
        self._bytes = 0
        self._news = asyncio.Event()
        self._is_closed = False

    def put(self, frame: msgspec.Raw, _at_ns: int) -> None:
        """Keep a frame; takes no time that depends on the reader."""
        self._counters.announced += 1
        self._frames.append(frame)
        self._bytes += memoryview(frame).nbytes
        while len(self._frames) > self._frames_max or self._bytes > self._bytes_max:
            self._bytes -= memoryview(self._frames.popleft()).nbytes
            self._counters.dropped += 1
        self._news.set()

    def close(self) -> None:
        """Nothing more will come; what is kept can still be read."""
        self._is_closed = True
        self._news.set()

    async def take(self, count_max: int) -> list[msgspec.Raw]:
        """The oldest frames, at least one; none when it is closed and read out."""
        while not self._frames and not self._is_closed:
            self._news.clear()
            await self._news.wait()
        taken = [self._frames.popleft() for _ in range(min(count_max, len(self._frames)))]
        self._bytes -= sum(memoryview(frame).nbytes for frame in taken)
        return taken
