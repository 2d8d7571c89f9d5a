"""`headrace` as a user's shell starts it: a process of its own, and what it leaves behind."""

import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path

import msgspec
from tests.support.waiting import found

EXECUTABLE = Path(sys.executable).with_name("headrace")
_MARK = "HEADRACE_TEST_MARK"


class Finished(msgspec.Struct, frozen=True):
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, object]:
        """Its one JSON document."""
        return msgspec.json.decode(self.out, type=dict[str, object])


def headrace(*args: str, seconds_max: float = 60.0, cwd: Path | None = None) -> Finished:
    """Run to the end."""
    done = subprocess.run(
        [EXECUTABLE, *args], capture_output=True, text=True, timeout=seconds_max, check=False, cwd=cwd
    )
    return Finished(done.returncode, done.stdout, done.stderr)


class Started:
    """A command under way; every process that it starts carries the same mark in its environment."""

    def __init__(self, *args: str, environment: Mapping[str, str] | None = None) -> None:
        self.mark = uuid.uuid4().hex
        self.process = subprocess.Popen(
            [EXECUTABLE, *args],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONFAULTHANDLER": "1", **(environment or {}), _MARK: self.mark},
        )

    def await_python(self) -> None:
        """Wait until Python is up and takes a Ctrl-C itself: before, the signal ends it without a word of ours."""
        status = Path(f"/proc/{self.process.pid}/status")
        interrupt = 1 << (signal.SIGINT - 1)

        def is_up() -> bool | None:
            caught = re.search(r"^SigCgt:\s*(\w+)$", status.read_text(), re.MULTILINE)
            assert caught is not None, "it has ended"
            return bool(int(caught[1], 16) & interrupt) or None

        found(is_up, "Python")

    def await_word(self, word: str) -> str:
        """Wait until stderr has said `word`; answers what it said so far."""
        assert self.process.stderr is not None
        said = ""
        for line in self.process.stderr:
            said += line
            if word in line:
                return said
        raise AssertionError(f"it ended and never said {word!r}: {said}")

    def finish(self, seconds_max: float = 30.0) -> Finished:
        """Wait for its end; one that does not end tells where it stands, and is gone."""
        try:
            out, err = self.process.communicate(timeout=seconds_max)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)
            _, err = self.process.communicate()
            raise AssertionError(f"still running after {seconds_max:g} s: {err}") from None
        return Finished(self.process.returncode, out, err)

    def left_behind(self) -> list[str]:
        """Command lines of processes of this command that still live."""
        marked = f"{_MARK}={self.mark}".encode()
        found = []
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            try:
                if marked in (folder / "environ").read_bytes().split(b"\0"):
                    found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:  # it has ended meanwhile, or is another user's
                continue
        return found
