"""Where the history goes for those who analyse it; a view of the journal and the chain, never a truth of its own."""

from collections.abc import Sequence
from typing import Protocol

from headrace.model.history import ExecutionEntry, OpportunityEntry


class Store(Protocol):
    """A writer of history; writing an id again replaces its row, so that a replay changes nothing."""

    def write_opportunities(self, entries: Sequence[OpportunityEntry]) -> None:
        """Keep what was taken on.

        Raises:
            StoreError: the store does not take it; trading does not depend on it.
        """
        ...

    def write_executions(self, entries: Sequence[ExecutionEntry]) -> None:
        """Keep how executions ended.

        Raises:
            StoreError: the store does not take it; trading does not depend on it.
        """
        ...

    def close(self) -> None:
        """Give the store back."""
        ...
