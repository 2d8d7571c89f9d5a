"""Starts `headrace` commands by fork, from one process that has imported and compiled everything already.

The child runs the real entry point with real arguments; only the cost of imports is gone, so that many lives fit into a
test. The server is a process of its own and single-threaded: a fork of a test runner's threads would not be safe. It is
told to warm up by running one command itself. The children die with it.
"""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from headrace.adapters.stores.sqlite.journal import SqliteJournal
from headrace.model.intent import Purpose
from headrace.model.record import PayloadSigned, Record

_PR_SET_PDEATHSIG = 1


class Order(msgspec.Struct, tag=True):
    """Run a command line; its output is added to a file.

    With `dies_at_journal` the child kills itself, by SIGKILL, when its first signed execution is in the journal: a kill
    from outside comes too early or too late, since the bytes leave less than a millisecond later.
    """

    args: tuple[str, ...]
    output: str
    dies_at_journal: bool = False


class WarmUp(msgspec.Struct, tag=True):
    """Run a command line in the server itself."""

    args: tuple[str, ...]


class Wait(msgspec.Struct, tag=True):
    """Wait for the end of a child."""

    pid: int


class ForkServer:
    """The test's side; `start` answers a pid, `wait` the exit code, negative for a signal as in `subprocess`."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.end_to_end.fork_server"]
        root = Path(__file__).resolve().parents[2]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root)

    def warm_up(self, args: Sequence[str]) -> int:
        return self._ask(WarmUp(tuple(args)))

    def start(self, args: Sequence[str], output: Path, *, dies_at_journal: bool = False) -> int:
        return self._ask(Order(tuple(args), str(output), dies_at_journal))

    def wait(self, pid: int) -> int:
        return self._ask(Wait(pid))

    def _ask(self, question: Order | WarmUp | Wait) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(question) + b"\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the fork server has died: see stderr"
        return int(answer)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


def serve() -> None:
    """Answer questions until stdin ends; answers go to a copy of stdout, which commands cannot reach."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    decoder = msgspec.json.Decoder(Order | WarmUp | Wait)
    for line in sys.stdin.buffer:
        match question := decoder.decode(line):
            case Order():
                answer = _fork(question)
            case WarmUp(args):
                answer = _run(args)
            case Wait(pid):
                answer = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        answers.write(b"%d\n" % answer)


def _fork(order: Order) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == parent:  # else it has died before the signal was armed
        os.dup2(os.open(order.output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), 1)
        os.dup2(1, 2)
        if order.dies_at_journal:
            _die_at_journal()
        sys.exit(_run(order.args))
    sys.exit(1)


def _die_at_journal() -> None:
    append = SqliteJournal.append

    def fatal(self: SqliteJournal, records: Sequence[Record], *, is_synced: bool) -> None:
        append(self, records, is_synced=is_synced)
        if any(isinstance(one, PayloadSigned) and one.payload.purpose is Purpose.EXECUTE for one in records):
            os.kill(os.getpid(), signal.SIGKILL)

    SqliteJournal.append = fatal  # type: ignore[method-assign]  # this process alone, and not for long


def _run(args: tuple[str, ...]) -> int:
    from headrace.app.cli.main import main  # noqa: PLC0415 - only the server's process needs it

    sys.argv = ["headrace", *args]
    try:
        main()
    except SystemExit as ended:
        sys.stdout.flush()
        return ended.code if isinstance(ended.code, int) else 0
    return 0


if __name__ == "__main__":
    serve()
