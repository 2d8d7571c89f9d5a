"""A walk over a long range of blocks in steps that the node answers; no block is left out, none is asked for twice.

The position moves only over what was answered. Too many blocks or logs, and a connection that breaks or falls silent
under a large answer, make the next step shorter; a busy node is waited for. What fails at a single block, or again and
again, is the caller's to hear.
"""

from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec

from headrace.errors import ChainError, LogRangeRefusedError, NodeBusyError, NodeUnreachableError
from headrace.model.event import Log
from headrace.pipeline.discovery.width import Width
from headrace.ports.log_archive import LogArchive, LogQuery

_FAILURES_MAX = 8  # in a row, of the kinds that waiting may cure
_PAUSE_SECONDS = 0.5
Sleep = Callable[[float], Awaitable[None]]


class Stretch(msgspec.Struct, frozen=True):
    """Blocks `first` to `last`, both included, and all their logs that were asked for."""

    first: int
    last: int
    logs: tuple[Log, ...]


class Walk:
    """Steps through ranges of one node; what is learnt about it in one range serves the next."""

    def __init__(self, archive: LogArchive, sleep: Sleep) -> None:
        """Ask `archive`; wait with `sleep` (seconds)."""
        self._archive = archive
        self._sleep = sleep
        self._width = Width()

    async def stretches(self, query: LogQuery) -> AsyncIterator[Stretch]:
        """The whole of `query` from its first block to its last, in order and without a gap.

        Raises:
            LogRangeRefusedError: the node refuses a single block.
            ChainError: the node failed, after several attempts where another may help.
        """
        position = query.first
        while position <= query.last:
            stretch = await self._step(query, position)
            position = stretch.last + 1
            yield stretch

    async def _step(self, query: LogQuery, position: int) -> Stretch:
        failures = 0
        while True:
            last = min(position + self._width.blocks - 1, query.last)
            asked = msgspec.structs.replace(query, first=position, last=last)
            try:
                logs = await self._archive.logs_between(asked)
            except (LogRangeRefusedError, NodeBusyError, NodeUnreachableError) as error:
                failures += 0 if isinstance(error, LogRangeRefusedError) else 1
                await self._give_way(asked, error, failures)
                continue
            if asked.blocks == self._width.blocks:  # a shorter one says nothing
                self._width = self._width.answered()
            return Stretch(position, last, logs)

    async def _give_way(self, asked: LogQuery, error: ChainError, failures: int) -> None:
        """Shorten the next step, or wait; raise what neither can cure."""
        if isinstance(error, LogRangeRefusedError):
            if asked.blocks == 1:
                raise error
            self._width = self._width.refused(asked.blocks, error.blocks_max)
            return
        if failures >= _FAILURES_MAX:
            raise error
        if isinstance(error, NodeUnreachableError) and asked.blocks > 1:
            self._width = self._width.refused(asked.blocks, None)
        await self._sleep(_PAUSE_SECONDS * 2 ** (failures - 1))
