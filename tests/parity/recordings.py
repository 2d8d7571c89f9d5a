"""A protocol against recorded on-chain quotes: written as a market file, checked as `headrace market check` does."""

import time
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from headrace.adapters.market_files.container import create
from headrace.adapters.market_files.lines import Line, write_line
from headrace.app.market.check_report import CheckReport
from headrace.app.market.checking import check
from tests.parity import registry
from tests.parity.measured import Measured


def measure(entry: registry.Recorded) -> Measured:
    began = time.monotonic()
    try:
        lines: Iterable[Line] = import_module(entry.module).lines()
        report = checked(lines)
    except pytest.skip.Exception as absent:
        return Measured(entry.protocol, "recorded", entry.what, absent=str(absent))
    found = report.protocols.get(entry.protocol)
    assert found is not None, f"{entry.module} has no case of {entry.protocol}"
    return Measured(
        protocol=entry.protocol,
        source="recorded",
        what=entry.what,
        out_cases=found.exact_in,
        in_cases=found.exact_out,
        refusals=found.refusals,
        out_deviation_wei_max=found.out_deviation_units_max,
        in_deviation_wei_max=found.in_deviation_units_max,
        mismatches=len(report.mismatches) + len(report.unanswered) + len(report.left_out),
        below=found.below,
        seconds=round(time.monotonic() - began, 1),
    )


def checked(lines: Iterable[Line]) -> CheckReport:
    """What the command says of these lines."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "cases.jsonl"
        with create(path) as stream:
            stream.writelines(write_line(line) for line in lines)
        return check(report=lambda _: None, cases=path, snapshot=None)
