"""`headrace config`."""

import json
import re
from pathlib import Path

import pytest
import yaml
from tests.support.config_sample import SAMPLE, spoiled

from headrace.app.cli.invocation import invoke
from headrace.app.config.load import load_config, parse_config

IDLE = r"var_confidence|(ultra_low|[^_]low|medium|extreme)_gwei"  # settings without effect


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "headrace.yaml"
    file.write_text("".join(line for line in SAMPLE.splitlines(keepends=True) if not re.search(IDLE, line)))
    return file


def test_a_valid_file_is_called_valid(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["config", "check", str(file)]) == 0
    assert capsys.readouterr().out == f"{file} is valid: 1 agent(s) on ethereum, 2 pools\n"
    assert invoke(["config", "check", str(file), "--json"]) == 0
    expected = {"file": str(file), "chain": "ethereum", "pools": 2, "is_valid": True, "without_effect": []}
    assert json.loads(capsys.readouterr().out) == expected


def test_settings_that_nothing_acts_on_are_named_so_that_nobody_relies_on_them(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(SAMPLE)
    assert invoke(["config", "check", str(file)]) == 0
    _, risk, gas = capsys.readouterr().out.splitlines()
    assert risk.startswith("warning: defi.risk.var_confidence has no effect yet: ")
    assert gas == (
        "warning: defi.chains.ethereum.gas_thresholds: ultra_low_gwei, low_gwei, medium_gwei, extreme_gwei have no"
        " effect yet; only high_gwei acts"
    )
    assert invoke(["config", "check", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["without_effect"] == [
        line.removeprefix("warning: ") for line in (risk, gas)
    ]


def test_a_typo_is_code_2_with_its_line(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(spoiled("min_spread_bps: 10", "min_spred_bps: 10"))
    assert invoke(["config", "check", str(file)]) == 2
    assert f'{file}:5:7: unknown key `defi.strategies.arbitrage.min_spred_bps`, did you mean "min_spread_bps"?' in (
        capsys.readouterr().err
    )


def test_the_file_is_named_as_everywhere_or_as_an_argument(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(file.parent)
    for command in ("check", "show"):
        told = []
        for way in (["--config", file.name], ["-c", file.name], [file.name], []):  # the fixture's name is the default
            assert invoke(["config", command, *way]) == 0
            told.append(capsys.readouterr().out)
        assert set(told) == {told[0]}
        assert invoke(["config", command, str(file), "--config", str(file)]) == 2
        assert "are both given: name one file" in capsys.readouterr().err


def test_what_is_shown_is_the_same_configuration(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["config", "show", str(file)]) == 0
    assert parse_config(capsys.readouterr().out, file) == load_config(file)
    assert invoke(["config", "show", str(file), "--json"]) == 0
    assert parse_config(yaml.safe_dump(json.loads(capsys.readouterr().out)), file) == load_config(file)


def test_secrets_are_not_shown(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (file.parent / "secrets").mkdir()
    (file.parent / "secrets" / "relay").write_text("https://relay/top-secret")
    for flags in ([], ["--json"]):
        assert invoke(["config", "show", str(file), *flags]) == 0
        assert "top-secret" not in capsys.readouterr().out


def test_the_schema_is_json_either_way(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["config", "schema"]) == 0
    text = capsys.readouterr().out
    assert invoke(["config", "schema", "--json"]) == 0
    compact = capsys.readouterr().out
    assert json.loads(text) == json.loads(compact)
    assert compact.count("\n") == 1 < text.count("\n")
