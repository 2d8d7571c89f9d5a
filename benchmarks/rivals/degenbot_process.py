"""degenbot 0.3.0 as a contender: its quotes come with the time they took inside its own process."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from headrace.errors import HeadraceError

NAME = "degenbot 0.3.0"
VERSION_NOTE = (
    "degenbot 0.3.0 is its newest for Python 3.11, in plain Python; its living line 0.6 is Rust, wants Python 3.12, and"
    " took 17 us for a v3 quote over 40 ticks where it was tried"
)
_PROJECT = Path(__file__).resolve().parents[2]
PYTHON = _PROJECT / ".venv-rivals" / "bin" / "python"
_PROGRAM = Path(__file__).with_name("degenbot_quotes.py")
PoolFields = Mapping[str, int | list[list[int]]]


class RivalMissingError(HeadraceError):
    """The rivals' environment is not there."""


class Degenbot:
    """One process with one pool; use it as a context manager."""

    def __init__(self, pool: PoolFields) -> None:
        """Start it.

        Raises:
            RivalMissingError: its environment is not installed.
        """
        if not PYTHON.exists():
            raise RivalMissingError("degenbot is not installed: run `make .venv-rivals/.installed`")
        self._process = subprocess.Popen(
            [PYTHON, _PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self._pool: PoolFields | None = pool

    def quotes(self, amounts: Sequence[int], index_in: int = 0) -> tuple[float, list[int]]:
        """Nanoseconds for one quote, and all outputs, of `amounts` of the pool's token number `index_in`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        asked: dict[str, object] = {"amounts": list(amounts), "index_in": index_in}
        if self._pool is not None:
            asked["pool"], self._pool = self._pool, None
        self._process.stdin.write(json.dumps(asked) + "\n")
        answer = json.loads(self._process.stdout.readline())
        return answer["ns"], answer["outputs"]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()
