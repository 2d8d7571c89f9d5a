"""What a run has seen so far, in counts and executions."""

from collections import Counter

from headrace.app.line import Pass
from headrace.model.execution import Execution
from headrace.model.refusal import Reason
from headrace.pipeline.report.summary import OpportunityCounts

EXECUTIONS_KEPT = 10_000


class Tally:
    """Of executions the newest `EXECUTIONS_KEPT`, since a run may last for months."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self.blocks = 0
        self.found = self.validated = self.rehearsed = self.sent = 0
        self.edges_bps: Counter[int] = Counter()
        self.refusals: Counter[Reason] = Counter()
        self.accepted_ns: dict[str, int] = {}
        self._by_serial: dict[int, Execution] = {}

    @property
    def executions(self) -> list[Execution]:
        """In the order in which they ended, whenever each was recorded."""
        return [execution for _, execution in sorted(self._by_serial.items(), key=lambda item: item[0])]

    def add(self, passed: Pass) -> None:
        """Count one block's pass."""
        self.found += len(passed.found) + len(passed.dropped_edges_bps)
        self.validated += len(passed.validated)
        self.rehearsed += len(passed.rehearsed)
        self.sent += len(passed.submitted)
        self.edges_bps.update(opportunity.edge_bps for opportunity in passed.found)
        self.edges_bps.update(passed.dropped_edges_bps)
        self.refusals.update(passed.refusals)
        self.accepted_ns |= {s.intent_id: s.answered_ns for s in passed.submitted if not s.refusal}

    def add_execution(self, serial: int, execution: Execution) -> None:
        """Keep one that ended as the `serial`-th of this run."""
        self._by_serial[serial] = execution
        if len(self._by_serial) > EXECUTIONS_KEPT:
            del self._by_serial[next(iter(self._by_serial))]

    def counts(self) -> OpportunityCounts:
        """How many reached each stage."""
        return OpportunityCounts(
            found=self.found,
            validated=self.validated,
            rehearsed=self.rehearsed,
            sent=self.sent,
            edge_bps_median=_median_low(self.edges_bps),
        )


def _median_low(counts: Counter[int]) -> int | None:
    middle, seen = (counts.total() + 1) // 2, 0
    for value in sorted(counts):
        seen += counts[value]
        if seen >= middle:
            return value
    return None
