"""Results on stdout: one JSON document with `--json`, else what the result's own `render` draws."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from headrace.model.codec import to_json

if TYPE_CHECKING:
    from rich.console import Console

_WIDTH_OF_FILES = 200  # a pipe has no width; rich would squeeze tables into 80 columns
Render = Callable[[object, "Console"], None]


def print_result(result: object, render: Render, *, as_json: bool) -> None:
    """Print a result; one with an `exit_code` other than 0 ends the command with it.

    Raises:
        typer.Exit: the result's exit code.
    """
    if as_json:
        print_json(result)
    else:
        from rich.console import Console  # noqa: PLC0415 - a command with --json never needs it

        render(result, Console(width=None if sys.stdout.isatty() else _WIDTH_OF_FILES))
    exit_code = getattr(result, "exit_code", 0)
    if exit_code:
        raise typer.Exit(exit_code)


def print_json(result: object) -> None:
    """One line of JSON."""
    print_text(to_json(result).decode())


def print_text(text: str) -> None:
    """Text as it is, ending in a line's end."""
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
    sys.stdout.flush()
