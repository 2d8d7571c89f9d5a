"""The logs of the block that a node has just named, asked for in the very callback that read its name.

Between that frame and the reader who wants the logs lie some turns of the event loop; the node may work meanwhile. One
question at a time: a newer block's takes the place of an older one's that nobody took.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from headrace.errors import ChainError
from headrace.model.address import Hash32
from headrace.model.event import Log

Ask = Callable[[Hash32], Awaitable[Sequence[Log]]]


class LogsAhead:
    """Belongs to one event loop; `ask` sends its question before it returns, or raises ChainError."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._block: Hash32 | None = None
        self._under_way: asyncio.Future[Sequence[Log]] | None = None

    def begin(self, block: Hash32) -> None:
        """Ask for a block's logs, unless they were the last asked for."""
        if block == self._block:
            return
        self.close()
        try:
            self._under_way = asyncio.ensure_future(self._ask(block))
        except ChainError:
            return  # whoever wants them asks again, and is told
        self._block = block
        self._under_way.add_done_callback(_seen)

    def take(self, block: Hash32) -> asyncio.Future[Sequence[Log]] | None:
        """The answer to come, to the first who takes it.

        None where another block was asked for, or none, and where the question has failed already: it was put over a
        connection, and at a moment, that are not those of whoever wants the answer now.
        """
        if block != self._block:
            return None
        taken, self._under_way = self._under_way, None
        return None if taken is None or _has_failed(taken) else taken

    def close(self) -> None:
        """Nobody wants the answer any more."""
        if self._under_way is not None:  # what has not begun cannot end cleanly: not before the next turn of the loop
            asyncio.get_running_loop().call_soon(self._under_way.cancel)
        self._block = self._under_way = None


def _has_failed(asked: asyncio.Future[Sequence[Log]]) -> bool:
    return asked.done() and (asked.cancelled() or asked.exception() is not None)


def _seen(done: asyncio.Future[Sequence[Log]]) -> None:
    """A failure that nobody waited for is no news: whoever asks again gets his own."""
    if not done.cancelled():
        done.exception()
