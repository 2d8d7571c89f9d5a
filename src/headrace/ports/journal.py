"""The journal: what was decided, written before it is done. Everything else is folded from it and from the chain.

A journal only grows. Its order is the order of the appends, and a crash may cut off its end, never its middle: what was
appended without `is_synced` may be lost together with everything after it, and is safe once a later synced append has
returned. One process writes; any number may read.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

from headrace.model.record import Record


class Journal(Protocol):
    """An append-only sequence of records with one writer."""

    def append(self, records: Sequence[Record], *, is_synced: bool) -> None:
        """Write all of the records, or none; with `is_synced`, return when everything appended so far is durable.

        After an error nothing can be appended any more: what is in memory and what is on disk may differ, and only
        reading the journal anew tells. Whoever gets the error sends nothing.

        Raises:
            JournalError: the records could not be written or synced (full disk, lost device), an earlier append
                failed, or the journal is closed.
        """
        ...

    def read(self) -> Iterator[Record]:
        """Every record from the first, in the order of the appends.

        Raises:
            JournalCorruptError: a record is missing or cannot be read.
            JournalError: the journal cannot be read.
        """
        ...

    def close(self) -> None:
        """Let another process write; harmless when done twice."""
        ...
