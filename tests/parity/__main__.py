"""`python -m tests.parity [protocols] [--out FOLDER]`: compare, report, end in one line; exits 1 unless all is 0."""

import argparse
import sys
from pathlib import Path

from headrace.app.dexes import every_dex
from tests.parity import bytecode, recordings
from tests.parity.measured import Measured
from tests.parity.registry import RECORDED, SUBJECTS
from tests.parity.report import markdown, parity, write
from tests.support.places import PROJECT


def measured(protocols: list[str]) -> list[Measured]:
    """Every source of each protocol; one without any is unproven."""
    rows = []
    for protocol in protocols:
        sources = [bytecode.measure(one) for one in SUBJECTS if one.protocol == protocol]
        sources += [recordings.measure(one) for one in RECORDED if one.protocol == protocol]
        rows += sources or [Measured(protocol, "unproven", "neither bytecode nor recordings")]
        print(f"{protocol}: {sum(row.out_cases + row.in_cases for row in sources)} quotes compared", flush=True)  # noqa: T201
    return rows


def main(arguments: list[str] | None = None) -> int:
    known: list[str] = [str(protocol) for protocol in every_dex()]
    parser = argparse.ArgumentParser(prog="parity", description="Our exact quotes beside the chain's own.")
    parser.add_argument("protocols", nargs="*", metavar="protocol", choices=[*known, []], help="all by default")
    parser.add_argument("--out", type=Path, default=PROJECT / ".cache" / "parity", help="folder of the report")
    chosen = parser.parse_args(arguments)
    protocols: list[str] = chosen.protocols or known
    found = parity(measured(protocols))
    write(found, chosen.out)
    print(markdown(found), end="")  # noqa: T201 - the report is the command's output
    return 0 if found.is_exact else 1


if __name__ == "__main__":
    sys.exit(main())
