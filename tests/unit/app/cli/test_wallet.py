"""`headrace wallet`: keys in, addresses out, and no passphrase or key anywhere else."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.adapters.signers.keystore.envelope import COST_MIN
from headrace.adapters.signers.keystore.folder import Keystore
from headrace.app.cli.invocation import invoke
from headrace.model.address import parse_address

PASSPHRASE = "correct horse"  # noqa: S105 - of a test's own key
KEY = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"  # anvil's public second test key
ADDRESS = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


@pytest.fixture
def passphrase_file(tmp_path: Path) -> str:
    return private(tmp_path / "passphrase", PASSPHRASE)


@pytest.fixture
def keystore(tmp_path: Path) -> str:
    return str(tmp_path / "keys")


@pytest.fixture(autouse=True)
def _cheap_scrypt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Keystore.__init__, "__defaults__", (COST_MIN,))


def private(file: Path, text: str) -> str:
    file.write_text(text)
    file.chmod(0o600)
    return str(file)


def typing(monkeypatch: pytest.MonkeyPatch, *lines: str) -> list[str]:
    prompts: list[str] = []
    typed: Iterator[str] = iter(lines)

    def getpass(prompt: str) -> str:
        prompts.append(prompt)
        line = next(typed)
        if line == "EOF":
            raise EOFError
        return line

    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("getpass.getpass", getpass)
    return prompts


def test_a_created_key_opens_with_its_passphrase(
    keystore: str, passphrase_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke(["wallet", "create", "--keystore", keystore, "--passphrase-file", passphrase_file]) == 0
    address = capsys.readouterr().out.strip()
    assert Keystore(Path(keystore)).open(parse_address(address), PASSPHRASE.encode()).address == address.lower()
    for command in ("list", "address"):
        assert invoke(["wallet", command, "--keystore", keystore, "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == {"keystore": keystore, "addresses": [address]}


def test_a_passphrase_is_typed_twice_for_a_new_key(monkeypatch: pytest.MonkeyPatch, keystore: str) -> None:
    prompts = typing(monkeypatch, PASSPHRASE, PASSPHRASE)
    assert invoke(["wallet", "create", "--keystore", keystore]) == 0
    assert prompts == ["New passphrase: ", "The same again: "]


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ((PASSPHRASE, PASSPHRASE + "!"), "differ"),
        (("",), "is empty"),
        (("EOF",), "is empty"),
        ((PASSPHRASE, ""), "is empty"),
        (("eleven char",), "fewer than 12 characters"),
    ],
)
def test_a_mistyped_passphrase_stores_nothing(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    keystore: str,
    lines: tuple[str, ...],
    why: str,
) -> None:
    typing(monkeypatch, *lines)
    assert invoke(["wallet", "create", "--keystore", keystore]) == 2
    assert why in capsys.readouterr().err
    assert not Path(keystore).exists()


@pytest.mark.parametrize("command", ["create", "import"])
def test_a_short_passphrase_stores_nothing_and_is_told_why_and_what_to_take(
    command: str, keystore: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    short, enough = private(tmp_path / "short", "eleven cars"), private(tmp_path / "enough", "twelve chars")
    key = ["--key-file", private(tmp_path / "key", KEY)] if command == "import" else []
    said = ["wallet", command, "--keystore", keystore, *key, "--passphrase-file"]
    assert invoke([*said, short]) == 2
    told = capsys.readouterr().err
    assert "fewer than 12 characters" in told
    assert "can try short ones until one fits: take a longer one" in told
    assert "eleven cars" not in told
    assert not Path(keystore).exists()
    assert invoke([*said, enough]) == 0


def test_a_passphrase_comes_through_a_descriptor(keystore: str) -> None:
    reader, writer = os.pipe()
    os.write(writer, PASSPHRASE.encode())
    os.close(writer)
    assert invoke(["wallet", "create", "--keystore", keystore, "--passphrase-fd", str(reader)]) == 0
    os.close(reader)
    (address,) = Keystore(Path(keystore)).addresses()
    Keystore(Path(keystore)).open(address, PASSPHRASE.encode())


@pytest.mark.usefixtures("no_terminal")
def test_without_terminal_and_source_the_cure_is_named(keystore: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["wallet", "create", "--keystore", keystore]) == 2
    assert "give --passphrase-file or --passphrase-fd" in capsys.readouterr().err


def test_two_sources_and_an_open_file_are_refused(
    keystore: str, passphrase_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["wallet", "create", "--keystore", keystore, "--passphrase-file", passphrase_file]
    assert invoke([*command, "--passphrase-fd", "0"]) == 2
    assert "choose one" in capsys.readouterr().err
    Path(passphrase_file).chmod(0o644)
    assert invoke(command) == 2
    assert "chmod 600" in capsys.readouterr().err


def test_a_key_survives_import_and_export(
    tmp_path: Path, keystore: str, passphrase_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    key_file = private(tmp_path / "key", KEY)
    common = ["--keystore", keystore, "--passphrase-file", passphrase_file]
    assert invoke(["wallet", "import", "--key-file", key_file, *common]) == 0
    assert capsys.readouterr().out == f"{ADDRESS}\n"
    target = tmp_path / "exported"
    assert invoke(["wallet", "export", ADDRESS, "--to", str(target), *common]) == 0
    shown = capsys.readouterr()
    assert KEY[2:] not in shown.out + shown.err
    assert PASSPHRASE not in shown.out + shown.err
    assert target.read_text().strip() == KEY
    assert target.stat().st_mode & 0o777 == 0o600
    assert invoke(["wallet", "export", ADDRESS, "--to", str(target), *common]) == 4
    assert "exists already" in capsys.readouterr().err


def test_a_key_is_typed_for_import(monkeypatch: pytest.MonkeyPatch, keystore: str) -> None:
    prompts = typing(monkeypatch, KEY, PASSPHRASE, PASSPHRASE)
    assert invoke(["wallet", "import", "--keystore", keystore]) == 0
    assert prompts[0] == "Private key: "


def test_a_wrong_passphrase_is_code_4(
    tmp_path: Path, keystore: str, passphrase_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    key_file = private(tmp_path / "key", KEY)
    invoke(["wallet", "import", "--key-file", key_file, "--keystore", keystore, "--passphrase-file", passphrase_file])
    wrong = private(tmp_path / "wrong", "battery staple")
    target = tmp_path / "exported"
    command = ["wallet", "export", ADDRESS, "--to", str(target), "--keystore", keystore, "--passphrase-file", wrong]
    assert invoke(command) == 4
    message = capsys.readouterr().err
    assert "does not open the key" in message
    assert "battery staple" not in message
    assert not target.exists()


def test_address_wants_exactly_one_key(keystore: str, passphrase_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["wallet", "address", "--keystore", keystore]) == 4
    assert "holds 0 keys, not one: run `headrace wallet create`" in capsys.readouterr().err
    for _ in range(2):
        invoke(["wallet", "create", "--keystore", keystore, "--passphrase-file", passphrase_file])
    capsys.readouterr()
    assert invoke(["wallet", "address", "--keystore", keystore]) == 4
    assert "holds 2 keys, not one: see `headrace wallet list`" in capsys.readouterr().err


def test_an_empty_keystore_says_how_to_begin(keystore: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["wallet", "list", "--keystore", keystore]) == 0
    assert "run `headrace wallet create`" in capsys.readouterr().out


def test_an_address_with_a_typo_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["wallet", "export", ADDRESS[:-1] + "9", "--to", str(tmp_path / "x")]) == 2
    assert "wrong checksum" in capsys.readouterr().err
