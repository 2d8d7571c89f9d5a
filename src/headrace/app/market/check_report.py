"""What `headrace market check` found: counts by protocol, what differs, what has no answer, what could not be used."""

from typing import TYPE_CHECKING

import msgspec

from headrace.adapters.market_files.market_file import LeftOut, Misplaced

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_SHOWN = 40


class Finding(msgspec.Struct, frozen=True):
    """A case on which we do not agree with the file.

    Attributes:
        direction: "exact in", "exact out", or "state"; of a state there are no tokens and no amounts.
        expected_units: the amount that the file expects, None for a revert.
        ours_units: ours, None where we refuse; `why` then tells the reason.
    """

    line: int
    protocol: str
    pool: str
    direction: str
    token_in: str = ""
    token_out: str = ""
    amount_units: int | None = None
    expected_units: int | None = None
    ours_units: int | None = None
    why: str = ""


class ProtocolCheck(msgspec.Struct):
    """Counts of one protocol's cases.

    Attributes:
        refusals: swaps that are expected to revert.
        states: expected states.
        mismatches: cases that differ.
        unanswered: cases that we cannot answer: they count neither as agreed nor as differing.
        out_deviation_units_max: largest difference between two outputs, in units, `in_` between two inputs; a refusal
            has none.
        below: exact outputs for which a smaller input than the contract asks for is proven to be enough.
        below_units_max: by how much at most.
    """

    exact_in: int = 0
    exact_out: int = 0
    refusals: int = 0
    states: int = 0
    mismatches: int = 0
    unanswered: int = 0
    out_deviation_units_max: int = 0
    in_deviation_units_max: int = 0
    below: int = 0
    below_units_max: int = 0


class CheckReport(msgspec.Struct, frozen=True):
    """Every case of a file; the exit code is 0 only where all agree, and every line was used and stands in order.

    Attributes:
        cases: swaps and expected states.
        unanswered: cases that we cannot answer, each with the reason.
        left_out: lines and logs that could not be used.
        disorder: blocks that cannot follow the one before them.
        gaps: blocks before which others are missing; they do not change the exit code.
        has_end: whether the file says that it is whole; if not, that does not change the exit code either.
        passed_over: by first topic, how many logs of the file's pools' contracts are of events that change no state of
            theirs; neither do these.
    """

    file: str
    cases: int
    protocols: dict[str, ProtocolCheck]
    mismatches: tuple[Finding, ...]
    unanswered: tuple[Finding, ...]
    left_out: tuple[LeftOut, ...]
    disorder: tuple[Misplaced, ...]
    gaps: tuple[Misplaced, ...]
    has_end: bool
    passed_over: dict[str, int]
    exit_code: int


def draw(report: CheckReport, console: "Console") -> None:
    """A line per protocol, then what differs, what is not answered, what could not be used, and one sentence."""
    console.print(_table(report))
    print_lines(console, [_differing(one) for one in report.mismatches])
    print_lines(console, [f"{_asked(one)}: not answered: {one.why}" for one in report.unanswered])
    print_lines(console, [str(one) for one in (*report.left_out, *report.disorder)])
    print_lines(console, remarks(report.gaps, has_end=report.has_end))
    print_lines(console, _passed_over(report.passed_over))
    console.print(f"{report.cases} cases of {report.file}: {_verdict(report)}", highlight=False, markup=False)


def print_lines(console: "Console", lines: list[str]) -> None:
    """Lines as they are, the first of many."""
    for line in lines[:_SHOWN]:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    if len(lines) > _SHOWN:
        console.print(f"{len(lines) - _SHOWN} more like these with --json", highlight=False)


def remarks(gaps: tuple[Misplaced, ...], *, has_end: bool) -> list[str]:
    """What a reader of a file should know, and what does not make it wrong."""
    told = [] if has_end else ["it has no end line: whether lines are missing at its end cannot be told"]
    return [*told, *(f"gap: {gap}" for gap in gaps)]


def _passed_over(counts: dict[str, int]) -> list[str]:
    if not counts:
        return []
    events = ", ".join(f"{topic or 'without a topic'} ({count})" for topic, count in counts.items())
    return [f"passed over: {sum(counts.values())} logs of events that change no state: {events}"]


def _table(report: CheckReport) -> "Table":
    from rich.table import Table  # noqa: PLC0415 - `--json` draws no table

    table = Table(box=None, header_style="bold", pad_edge=False)
    cases = ("exact in", "exact out", "reverts", "states")
    for name in ("protocol", *cases, "below the contract's", "largest deviation", "differ", "not answered"):
        table.add_column(name, justify="left" if name == "protocol" else "right")
    for protocol, one in report.protocols.items():
        below = f"{one.below} by {one.below_units_max} at most" if one.below else "0"
        deviation = max(one.out_deviation_units_max, one.in_deviation_units_max)
        counts = (one.exact_in, one.exact_out, one.refusals, one.states)
        table.add_row(protocol, *(str(count) for count in (*counts, below, deviation, one.mismatches, one.unanswered)))
    return table


def _asked(one: Finding) -> str:
    amount = "" if one.amount_units is None else f" {one.amount_units}"
    return f"line {one.line}: pool {one.pool}: {one.direction}{amount}"


def _differing(one: Finding) -> str:
    if one.amount_units is None:
        return f"{_asked(one)}: {one.why}"
    why = f" ({one.why})" if one.why else ""
    return f"{_asked(one)}: expected {_said(one.expected_units)}, ours {_said(one.ours_units)}{why}"


def _said(units: int | None) -> str:
    return "a revert" if units is None else str(units)


def _verdict(report: CheckReport) -> str:
    if not report.exit_code:
        return "all agree to the unit"
    differ, unanswered = len(report.mismatches), len(report.unanswered)
    told = [f"{report.cases - differ - unanswered} agree", f"{differ} differ", f"{unanswered} not answered"]
    told += [f"{len(report.left_out)} lines or logs left out"] if report.left_out else []
    told += [f"{len(report.disorder)} blocks out of order"] if report.disorder else []
    return ", ".join(told)
