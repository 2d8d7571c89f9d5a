"""Every expected failure is one sentence and an exit code; nothing expected prints a traceback."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from tests.support.waiting import found

from headrace import errors
from headrace.app.cli import invocation, main
from headrace.app.cli.exit_codes import INTERRUPTED
from headrace.app.cli.invocation import invoke

HEADRACE = (sys.executable, "-m", "headrace")


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail(_: Path) -> None:
        raise error

    monkeypatch.setattr("headrace.app.cli.config.load_config", fail)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ConfigError("bad", "a.yaml:1:2"), 2),
        (errors.UsageError("bad"), 2),
        (errors.NodeTimeoutError("slow"), 3),
        (errors.WrongChainError(1, 2), 3),
        (errors.WrongPassphraseError("no"), 4),
        (errors.JournalLockedError("busy"), 5),
        (errors.DevnetError("port 1 is in use"), 6),
        (errors.MarketStaleError("two\nlines"), 1),
    ],
)
def test_an_expected_failure_is_one_sentence_and_its_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: errors.HeadraceError, code: int
) -> None:
    failing(monkeypatch, error)
    assert invoke(["config", "check"]) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == f"headrace: {' '.join(str(error).split())}\n"
    assert invoke(["config", "check", "--json"]) == code
    document = json.loads(capsys.readouterr().out)["error"]
    assert document == {
        "kind": type(error).__name__,
        "message": str(error),
        "exit_code": code,
        "retry": error.retry.value,
    }


@pytest.mark.parametrize("error", [KeyboardInterrupt(), typer.Abort()])
def test_an_interrupt_is_code_130(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    failing(monkeypatch, error)
    assert invoke(["config", "check"]) == INTERRUPTED


def test_a_refusal_of_the_system_is_one_sentence_with_a_cure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cure = "check the path and its permissions"
    failing(monkeypatch, OSError(13, "Permission denied", "journal"))
    assert invoke(["config", "check"]) == 1
    assert capsys.readouterr().err == f"headrace: the system refused: Permission denied (journal); {cure}\n"
    failing(monkeypatch, OSError(28, "No space left on device"))
    assert invoke(["config", "check"]) == 1
    assert "No space left on device; free space there and run it again" in capsys.readouterr().err


def test_a_bug_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, AssertionError("a bug"))
    with pytest.raises(AssertionError, match="a bug"):
        invoke(["config", "check"])


@pytest.mark.parametrize(
    ("args", "why", "command"),
    [
        (["nonsense"], "No such command 'nonsense'", "headrace"),
        (["run", "--lve"], "No such option: --lve", "headrace run"),
        (["run", "--blocks", "0"], "should be greater than or equal to 1", "headrace run"),
        (["demo", "--seed", "x"], "Invalid value for '--seed'", "headrace demo"),
        (["quote"], "Missing option '--token-in'", "headrace quote"),
        (["market", "snapshot"], "Missing option '--out'", "headrace market snapshot"),
        ([], "Missing command", "headrace"),
        (["wallet"], "Missing command", "headrace wallet"),
    ],
)
def test_a_wrong_command_line_is_code_2_and_says_where_help_is(
    capsys: pytest.CaptureFixture[str], args: list[str], why: str, command: str
) -> None:
    assert invoke(args) == 2
    message = capsys.readouterr().err
    assert why in message
    assert message.endswith(f"see `{command} --help`\n")
    assert message.count("\n") == 1


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["--version"]) == 0
    assert capsys.readouterr().out.strip().count(".") == 2


def test_main_exits_with_the_code_of_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["headrace", "nonsense"])
    with pytest.raises(SystemExit) as caught:
        main.main()
    assert caught.value.code == 2


def test_an_interrupt_while_the_commands_are_built_is_code_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(invocation, "build", interrupted)
    assert invoke(["config"]) == INTERRUPTED


def test_an_interrupt_in_the_last_moment_is_code_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(invocation, "invoke", interrupted)
    with pytest.raises(SystemExit) as caught:
        main.main()
    assert caught.value.code == INTERRUPTED


def test_a_reader_that_has_gone_ends_the_command_quietly() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*HEADRACE, "config", "schema"], stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_full_disk_under_the_output_is_one_sentence() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([*HEADRACE, "config", "schema"], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(b"headrace: the system refused: No space left on device")


def test_ctrl_c_while_a_passphrase_is_awaited_ends_cleanly(tmp_path: Path) -> None:
    fifo = tmp_path / "passphrase"
    os.mkfifo(fifo, 0o600)
    command = [*HEADRACE, "wallet", "create", "--keystore", str(tmp_path / "k"), "--passphrase-file", str(fifo)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        opened = found(lambda: _open_for_writing(fifo), "somebody who reads the passphrase")
        process.send_signal(2)
        out, err = process.communicate(timeout=20)
        os.close(opened)
    assert (process.returncode, out, err) == (INTERRUPTED, b"", b"")
    assert not (tmp_path / "k").exists()


def _open_for_writing(fifo: Path) -> int | None:
    try:
        return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:  # nobody reads yet
        return None
