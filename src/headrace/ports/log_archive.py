"""A node that gives the logs of many blocks at once; most bound how many, each in words of its own."""

from typing import Protocol

import msgspec

from headrace.model.address import Address, Hash32
from headrace.model.event import Log
from headrace.ports.chain import Chain


class LogQuery(msgspec.Struct, frozen=True):
    """Logs with one of `topics` as their first, from block `first` to block `last`, both included.

    `address` is the contract that emitted them, None for any.
    """

    address: Address | None
    topics: tuple[Hash32, ...]
    first: int
    last: int

    @property
    def blocks(self) -> int:
        """How many blocks it spans."""
        return self.last - self.first + 1


class LogArchive(Chain, Protocol):
    """A chain whose past logs can be asked for."""

    async def logs_between(self, query: LogQuery) -> tuple[Log, ...]:
        """The logs that fit the query, in the chain's order; of blocks above the node's head there are none.

        Raises:
            LogRangeRefusedError: too many blocks or too many logs; fewer blocks may do.
            NodeBusyError: the same may do later.
            MalformedAnswerError: a log that was not asked for, or the same log twice.
            ChainError: the node failed.
        """
        ...
