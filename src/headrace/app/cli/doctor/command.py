"""The command itself and how its findings are drawn."""

from pathlib import Path
from typing import TYPE_CHECKING

from headrace.app.cli.doctor.finding import Diagnosis, Outcome
from headrace.app.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile, PassphraseFd, PassphraseFile
from headrace.app.cli.output import print_result
from headrace.app.cli.passphrase import passphrase_source
from headrace.app.cli.progress import progress

if TYPE_CHECKING:
    from rich.console import Console

_COLOURS = {Outcome.OK: "green", Outcome.WARN: "yellow", Outcome.FAIL: "red"}


def doctor(
    config: ConfigFile = DEFAULT_CONFIG,
    passphrase_fd: PassphraseFd = None,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Check everything a live run stands on, and say what to do; nothing is sent."""
    from headrace.app.cli.doctor.examination import Patient, examine  # noqa: PLC0415 - the node's client is heavy

    patient = Patient(Path(config), passphrase_source(passphrase_fd, passphrase_file))
    with progress() as report:
        found = examine(patient, report)
    print_result(found, render, as_json=as_json)


def render(result: object, console: "Console") -> None:
    """One line for each finding, its cure below it."""
    from rich.text import Text  # noqa: PLC0415 - a command with --json never needs it

    assert isinstance(result, Diagnosis)
    for finding in result.findings:
        mark = Text(f"{finding.outcome.value:5}", style=_COLOURS[finding.outcome])
        console.print(mark, Text(f"{finding.name}: {finding.seen}"), soft_wrap=True)
        if finding.cure:
            console.print(Text(f"      -> {finding.cure}"), soft_wrap=True)
