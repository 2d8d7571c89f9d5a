"""Saying what takes its time: a spinner on a terminal, plain lines elsewhere, on stderr so that results stay clean."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Report = Callable[[str], None]


@contextmanager
def progress() -> Iterator[Report]:
    """Give a function that tells what is being done now."""
    if not sys.stderr.isatty():
        yield _say
        return
    from rich.console import Console  # noqa: PLC0415 - only where there is a terminal

    with Console(stderr=True).status("") as status:
        yield status.update


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
