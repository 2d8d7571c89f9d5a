"""The journal: what was decided, written before it is done. Everything else is folded from it and from the chain.

A journal only grows. Its order is the order of the appends, and a crash may cut off its end, never its middle: what was
appended without `is_synced` may be lost together with everything after it, with its process until it is flushed and
with its machine until a later synced append has returned. One process writes; any number may read.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

from headrace.model.record import Record


class Journal(Protocol):
    """An append-only sequence of records with one writer."""

    def append(self, records: Sequence[Record], *, is_synced: bool) -> None:
        """Write all of the records, or none; with `is_synced`, return when everything appended so far is durable.

        Without, they may wait in memory for the next synced append or for `flush`.

        After an error nothing can be appended any more: what is in memory and what is on disk may differ, and only
        reading the journal anew tells. Whoever gets the error sends nothing.

        Raises:
            JournalError: the records could not be written or synced (full disk, lost device), an earlier append
                failed, or the journal is closed.
        """
        ...

    def flush(self) -> None:
        """Hand over what was appended without `is_synced`: it outlives the process, and other readers see it.

        Raises:
            JournalError: as `append` does.
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
        """Flush, and let another process write; harmless when done twice.

        Raises:
            JournalError: what was appended could not be written; the journal is closed all the same.
        """
        ...
