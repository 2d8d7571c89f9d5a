"""Runs a command and turns every expected failure into one sentence and an exit code.

0 is success, 130 is Ctrl-C, the others are those of `headrace.errors`; docs/reference/exit-codes.md lists them.
"""

import errno
import sys
from collections.abc import Sequence

import msgspec
import typer

from headrace.app.cli.application import build
from headrace.app.cli.exit_codes import INTERRUPTED
from headrace.errors import HeadraceError, UsageError

_FULL = "free space there and run it again: what was being written may be cut short"
_CURES = {errno.ENOSPC: _FULL, errno.EDQUOT: _FULL, errno.EMFILE: "raise the limit on open files (`ulimit -n`)"}


class ErrorBody(msgspec.Struct, frozen=True):
    """One expected failure."""

    kind: str
    message: str
    exit_code: int
    retry: str


class ErrorDocument(msgspec.Struct, frozen=True):
    """What `--json` prints instead of a result."""

    error: ErrorBody


def invoke(args: Sequence[str]) -> int:
    """Run one command.

    Raises:
        BrokenPipeError: whoever read the output has gone.
    """
    as_json = "--json" in args
    try:
        return _run(args)
    except KeyboardInterrupt:
        return INTERRUPTED
    except typer.Abort:
        return INTERRUPTED
    except HeadraceError as error:
        return _failed(error, as_json=as_json)
    except BrokenPipeError:
        raise
    except OSError as error:
        place = f" ({error.filename})" if error.filename else ""
        cure = _CURES.get(error.errno or 0, "check the path and its permissions")
        return _failed(HeadraceError(f"the system refused: {error.strerror}{place}; {cure}"), as_json=as_json)


def _run(args: Sequence[str]) -> int:
    command = typer.main.get_command(build())
    try:
        result = command.main(list(args), prog_name="headrace", standalone_mode=False)
    except typer.TyperException as error:
        raise UsageError(f"{_sentence(error.format_message())}: see `{_command_path(error)} --help`") from error
    except SystemExit as error:  # Typer's own answer to a broken pipe, and to nothing else
        raise BrokenPipeError from error
    return result if isinstance(result, int) else 0


def _command_path(error: typer.TyperException) -> str:
    """The command whose help tells what is wrong, as `headrace market snapshot`."""
    context = getattr(error, "ctx", None)
    return "headrace" if context is None else str(context.command_path)


def _sentence(message: str) -> str:
    return " ".join(message.split()).rstrip(".")


def _failed(error: HeadraceError, *, as_json: bool) -> int:
    if as_json:
        body = ErrorBody(type(error).__name__, str(error), error.exit_code, error.retry.value)
        sys.stdout.write(msgspec.json.encode(ErrorDocument(body)).decode() + "\n")
    else:
        sys.stderr.write(f"headrace: {' '.join(str(error).split())}\n")
    return error.exit_code
