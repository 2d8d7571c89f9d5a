"""`headrace market check`: every case of a file against our exact arithmetic, to the unit, without a node.

The exit code is 0 only if every case was answered and agrees, every line and log could be used, and the blocks stand in
order. A case that we cannot answer (a state that may have changed since it was read, ticks that are not known, a token
that is not the pool's) is no agreement, whatever was expected: it is told apart.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from headrace.adapters.market_files.market_file import MarketFile, StateCase, SwapCase
from headrace.adapters.market_files.reader import read_market
from headrace.app.dexes import every_dex
from headrace.app.market.check_report import CheckReport, Finding, ProtocolCheck, draw
from headrace.app.market.comparing import compare_state, compare_swap, finding
from headrace.app.market.folding import FoldedStates
from headrace.app.places import Report
from headrace.errors import MarketFileError, UnansweredError
from headrace.model.pool import ProtocolId
from headrace.ports.pool import DEX, PoolState

if TYPE_CHECKING:
    from rich.console import Console

_UNKNOWN = ProtocolId("unknown")


def check(*, report: Report, cases: Path, snapshot: Path | None) -> CheckReport:
    """Answer every case on the states of its own file, or of `snapshot`.

    Raises:
        MarketFileError: a file cannot be used as a whole, or there is nothing in it to compare.
    """
    dexes = every_dex()
    report(f"reading {cases}")
    asked = read_market(cases, dexes)
    market = asked if snapshot is None else read_market(snapshot, dexes, asked.chain_id)
    count = len(asked.swaps) + len(asked.state_cases)
    if not count and not asked.left_out:
        raise MarketFileError(str(cases), "it holds no case to compare: was it cut, or is it a snapshot alone?")
    report(f"checking {count} cases")
    return checked(asked, market, dexes)


def checked(asked: MarketFile, market: MarketFile, dexes: Mapping[ProtocolId, DEX]) -> CheckReport:
    """The cases of one file on the states of another (or the same), after the blocks that stand before each case."""
    return _Check(asked, market, dexes).done()


def render(result: object, console: "Console") -> None:
    """A line per protocol, then what differs and what has no answer."""
    assert isinstance(result, CheckReport)
    draw(result, console)


class _Check:
    """The cases so far."""

    def __init__(self, asked: MarketFile, market: MarketFile, dexes: Mapping[ProtocolId, DEX]) -> None:
        self._asked, self._market, self._dexes = asked, market, dexes
        self._folded = FoldedStates(asked.header, market.states, dexes)
        self._known_blocks = 0
        self._counts: dict[str, ProtocolCheck] = {}
        self._mismatches: list[Finding] = []
        self._unanswered: list[Finding] = []

    def done(self) -> CheckReport:
        """Every case, and the blocks behind the last one too: their logs are to be read as well."""
        cases: list[SwapCase | StateCase] = [*self._asked.swaps, *self._asked.state_cases]
        for case in sorted(cases, key=lambda one: one.line):
            self._follow(case.blocks_before)
            self._take(case)
        self._follow(len(self._asked.blocks))
        asked, market = self._asked, self._market
        left_out = asked.left_out if asked is market else (*asked.left_out, *market.left_out)
        left_out = (*left_out, *self._folded.left_out)
        flaws = (self._mismatches, self._unanswered, left_out, asked.disorder)
        return CheckReport(
            file=asked.name,
            cases=len(asked.swaps) + len(asked.state_cases),
            protocols=dict(sorted(self._counts.items())),
            mismatches=tuple(self._mismatches),
            unanswered=tuple(self._unanswered),
            left_out=left_out,
            disorder=asked.disorder,
            gaps=asked.gaps,
            has_end=asked.has_end,
            passed_over=dict(self._folded.passed_over.most_common()),
            exit_code=int(any(flaws)),
        )

    def _follow(self, blocks: int) -> None:
        for block in self._asked.blocks[self._known_blocks : blocks]:
            self._folded.apply(block)
        self._known_blocks = max(blocks, self._known_blocks)

    def _take(self, case: SwapCase | StateCase) -> None:
        state = self._folded.states.get(case.pool)
        protocol = _UNKNOWN if state is None else state.pool.protocol
        count = self._counts.setdefault(protocol, ProtocolCheck())
        _count(case, count)
        if state is None:
            self._refuse(case, protocol, self._missing(case))
            return
        known_after = self._known_after(case)
        if isinstance(case, SwapCase) and case.at.number < known_after:
            self._refuse(case, protocol, f"it is asked in block {case.at.number}, the state is of block {known_after}")
            return
        try:
            found = _compare(case, state, self._dexes[state.pool.protocol], count)
        except UnansweredError as error:
            self._refuse(case, protocol, error.why)
            return
        if found is not None:
            count.mismatches += 1
            self._mismatches.append(found)

    def _known_after(self, case: SwapCase | StateCase) -> int:
        """The block after which the case's state holds."""
        start = self._market.as_of.get(case.pool, self._market.header.number)
        return max(start, self._asked.blocks[self._known_blocks - 1].header.number) if self._known_blocks else start

    def _refuse(self, case: SwapCase | StateCase, protocol: ProtocolId, why: str) -> None:
        self._counts[protocol].unanswered += 1
        self._unanswered.append(finding(case, protocol, why))

    def _missing(self, case: SwapCase | StateCase) -> str:
        """Why the pool has no state here."""
        if case.pool in self._folded.lost:
            return self._folded.lost[case.pool]
        reasons = [str(one) for one in self._market.left_out if one.pool == case.pool]
        return reasons[0] if reasons else f"no such pool in {self._market.name}"


def _compare(case: SwapCase | StateCase, state: PoolState, dex: DEX, count: ProtocolCheck) -> Finding | None:
    return compare_swap(case, state, dex, count) if isinstance(case, SwapCase) else compare_state(case, state, dex)


def _count(case: SwapCase | StateCase, count: ProtocolCheck) -> None:
    if isinstance(case, StateCase):
        count.states += 1
        return
    count.exact_out += case.is_exact_output
    count.exact_in += not case.is_exact_output
    count.refusals += case.expected is None
