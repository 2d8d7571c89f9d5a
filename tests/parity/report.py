"""The parity report: Markdown for people, JSON for machines, one last line with the totals; all must read 0."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from headrace.model.codec import to_json
from tests.parity.measured import Measured


class Parity(msgspec.Struct, frozen=True):
    """All rows and what they add up to."""

    rows: tuple[Measured, ...]
    summary: str
    is_exact: bool


def parity(rows: Sequence[Measured]) -> Parity:
    """Exact means: no case differs, and something was compared."""
    compared = [row for row in rows if row.out_cases + row.in_cases]
    by_source = {
        source: sum(row.out_cases + row.in_cases for row in compared if row.source == source)
        for source in ("bytecode", "recorded")
    }
    deviation = max((max(row.out_deviation_wei_max, row.in_deviation_wei_max) for row in compared), default=0)
    mismatches = sum(row.mismatches for row in compared)
    unproven = sorted({row.protocol for row in rows} - {row.protocol for row in compared})
    summary = (
        f"parity: {len({row.protocol for row in compared})} protocols, {by_source['bytecode']} quotes against bytecode,"
        f" {by_source['recorded']} against recordings, {sum(row.refusals for row in compared)} refusals:"
        f" {mismatches} differ, largest deviation {deviation} wei"
    )
    if unproven:
        summary += f"; unproven: {', '.join(unproven)}"
    return Parity(tuple(rows), summary, bool(compared) and mismatches == 0 and deviation == 0)


def markdown(found: Parity) -> str:
    """A table and the totals."""
    head = (
        "# Parity\n\nEvery exact quote of ours beside the chain's own, in units of the token.\n"
        "`out` are exact inputs, `in` exact outputs. `below`: exact outputs for which less than asked is enough.\n\n"
        "| protocol | source | what | out | in | refusals | largest deviation out, in | differ | below |\n"
        "|---|---|---|---|---|---|---|---|---|\n"
    )
    lines = ["| " + " | ".join(str(cell) for cell in _cells(row)) + " |\n" for row in found.rows]
    return head + "".join(lines) + f"\n{found.summary}\n"


def _cells(row: Measured) -> tuple[object, ...]:
    deviations = f"{row.out_deviation_wei_max}, {row.in_deviation_wei_max}"
    counts = (row.out_cases, row.in_cases, row.refusals, deviations, row.mismatches, row.below)
    return row.protocol, row.source, row.absent or row.what, *counts


def write(found: Parity, folder: Path) -> None:
    """parity.md and parity.json."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "parity.md").write_text(markdown(found), encoding="utf-8")
    (folder / "parity.json").write_bytes(to_json(found) + b"\n")
