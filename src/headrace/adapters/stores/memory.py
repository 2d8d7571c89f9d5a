"""A journal in memory: for dry runs and tests. It lasts as long as its process."""

from collections.abc import Iterator, Sequence

from headrace.errors import JournalError
from headrace.model.codec import to_json
from headrace.model.record import Record, record_from_json


class MemoryJournal:
    """Records as JSON in a list, so that what cannot be stored fails here as it does on disk."""

    def __init__(self) -> None:
        self._bodies: list[bytes] = []
        self._is_closed = False

    def append(self, records: Sequence[Record], *, is_synced: bool) -> None:  # noqa: ARG002 - memory has no disk
        """Keep the records.

        Raises:
            JournalError: the journal is closed.
        """
        if self._is_closed:
            raise JournalError("the journal is closed: open it anew")
        self._bodies.extend([to_json(record) for record in records])

    def flush(self) -> None:
        """Nothing waits.

        Raises:
            JournalError: the journal is closed.
        """
        if self._is_closed:
            raise JournalError("the journal is closed: open it anew")

    def read(self) -> Iterator[Record]:
        """Every record from the first."""
        for body in tuple(self._bodies):
            yield record_from_json(body)

    def close(self) -> None:
        """Refuse further appends."""
        self._is_closed = True
