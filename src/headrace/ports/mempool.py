"""Pending transactions, from whoever shows them; and what their calldata asks for."""

from collections.abc import AsyncIterator
from typing import Protocol

import msgspec

from headrace.model.event import ConnectionLost
from headrace.model.pending import MinedTransaction, PendingTransaction, Visibility
from headrace.model.swap_call import DecodedCall


class Hidden(msgspec.Struct, frozen=True):
    """Nothing more will come, and that says nothing about what is pending."""

    why: str


class Listening(msgspec.Struct, frozen=True):
    """From here on everything is announced, until a `ConnectionLost`. What was pending before is not."""


class FeedCounters(msgspec.Struct):
    """What became of the announcements.

    Attributes:
        announced: notifications of the node.
        dropped: the oldest that waited when the reader fell behind.
        malformed: not of the documented form, or of another chain.
        foreign: of a transaction type beyond 0 to 4, which the chain may know and this code does not.
        vanished: announced by hash only, and no longer pending when asked for.
    """

    announced: int = 0
    dropped: int = 0
    malformed: int = 0
    foreign: int = 0
    vanished: int = 0


PendingEvent = PendingTransaction | Listening | ConnectionLost | Hidden


class Mempool(Protocol):
    """One source of pending transactions, with a connection of its own: blocks are read elsewhere."""

    @property
    def visibility(self) -> Visibility:
        """What can be seen here, before anybody is asked."""
        ...

    @property
    def counters(self) -> FeedCounters:
        """Counts since the start, kept up to date in place."""
        ...

    def transactions(self) -> AsyncIterator[PendingEvent]:
        """Pending transactions as they are announced, for one reader, who may be slow: then the oldest are dropped.

        The same transaction may come twice. `Listening` comes first on each connection and `ConnectionLost` after it:
        what is announced in between is missing. `Hidden` is the last, and comes at once where nothing can be seen.

        Raises:
            WrongChainError: the node serves another chain.
        """
        ...

    async def mined(self, block_number: int) -> tuple[MinedTransaction, ...] | None:
        """The transactions of the canonical block of that number; None where the node does not know it.

        Raises:
            ChainError: the node failed.
        """
        ...


class CallDecoder(Protocol):
    """Calldata to swaps; a pure function."""

    def __call__(self, transaction: PendingTransaction) -> DecodedCall:
        """What the transaction asks for; never raises for anything that a transaction can hold."""
        ...
