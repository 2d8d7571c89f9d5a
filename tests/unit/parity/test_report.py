"""The parity report says 0 only where everything was compared and nothing differs."""

import json
from importlib import import_module
from pathlib import Path

import pytest
from tests.parity import __main__ as command
from tests.parity.bytecode import deviation
from tests.parity.measured import Measured
from tests.parity.registry import RECORDED, SUBJECTS
from tests.parity.report import markdown, parity, write

from headrace.app.dexes import every_dex

GOOD = Measured("one", "bytecode", "pools", out_cases=10, in_cases=5, refusals=2)
WRONG = Measured("two", "recorded", "quotes", out_cases=3, out_deviation_wei_max=7, mismatches=1)
ABSENT = Measured("three", "recorded", "quotes", absent="recorded data is not here")


def test_totals_stand_in_one_last_line() -> None:
    found = parity([GOOD, WRONG, ABSENT])
    assert not found.is_exact
    assert found.summary == (
        "parity: 2 protocols, 15 quotes against bytecode, 3 against recordings, 2 refusals: 1 differ,"
        " largest deviation 7 wei; unproven: three"
    )
    assert markdown(found).splitlines()[-1] == found.summary
    assert parity([GOOD, ABSENT]).is_exact
    assert not parity([ABSENT]).is_exact


def test_it_is_written_for_people_and_machines(tmp_path: Path) -> None:
    write(parity([GOOD]), tmp_path / "new")
    assert "| one | bytecode | pools | 10 | 5 | 2 | 0, 0 | 0 | 0 |" in (tmp_path / "new" / "parity.md").read_text()
    assert json.loads((tmp_path / "new" / "parity.json").read_text())["is_exact"] is True


@pytest.mark.parametrize(("row", "code"), [(GOOD, 0), (WRONG, 1)])
def test_the_command_ends_in_1_unless_all_is_0(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], row: Measured, code: int
) -> None:
    monkeypatch.setattr("tests.parity.bytecode.measure", lambda _: row)
    monkeypatch.setattr(command, "RECORDED", ())
    assert command.main(["uniswap_v2", "--out", str(tmp_path)]) == code
    assert capsys.readouterr().out.splitlines()[-1].startswith("parity: 1 protocols")


def test_a_protocol_without_a_source_is_unproven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "RECORDED", ())
    monkeypatch.setattr(command, "SUBJECTS", ())
    assert command.main(["--out", str(tmp_path)]) == 1
    unproven = ", ".join(sorted(every_dex()))
    assert f"unproven: {unproven}" in (tmp_path / "parity.md").read_text()


def test_every_registered_source_is_there_and_of_a_protocol_that_is() -> None:
    for subject in SUBJECTS:
        module, _, name = subject.maker.partition(":")
        assert callable(getattr(import_module(module), name))
    for recorded in RECORDED:
        assert callable(import_module(recorded.module).lines)
    assert {entry.protocol for entry in (*SUBJECTS, *RECORDED)} <= {str(protocol) for protocol in every_dex()}


def test_a_refusal_against_an_amount_has_no_deviation_but_counts() -> None:
    assert deviation([(5, 9), (None, 3), (None, None)]) == 4
    assert deviation([]) == 0
