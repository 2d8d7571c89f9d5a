"""What was looked at and how it is."""

from enum import StrEnum

import msgspec


class Outcome(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"  # a run is possible; somebody should know
    FAIL = "fail"  # a live run would not work or not be safe


class Finding(msgspec.Struct, frozen=True):
    """One check: what was seen, and what to do unless all is well."""

    name: str
    outcome: Outcome
    seen: str
    cure: str = ""


class Diagnosis(msgspec.Struct, frozen=True):
    """All checks of one run; `exit_code` is 1 when one of them failed."""

    findings: tuple[Finding, ...]
    exit_code: int


def diagnosis(findings: list[Finding]) -> Diagnosis:
    """Sum up."""
    has_failed = any(finding.outcome == Outcome.FAIL for finding in findings)
    return Diagnosis(tuple(findings), int(has_failed))


def ok(name: str, seen: str) -> Finding:
    """All is well."""
    return Finding(name, Outcome.OK, seen)


def warn(name: str, seen: str, cure: str) -> Finding:
    """Worth knowing."""
    return Finding(name, Outcome.WARN, seen, cure)


def fail(name: str, seen: str, cure: str) -> Finding:
    """Has to be changed."""
    return Finding(name, Outcome.FAIL, seen, cure)
