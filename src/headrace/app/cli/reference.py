"""docs/reference/command-line.md and exit-codes.md, generated from the commands and the error tree."""

from collections.abc import Iterator

import typer
from typer.core import TyperCommand, TyperGroup

from headrace import errors
from headrace.app.cli.application import build

_COMMAND_HEAD = """\
# Command line

Every command takes `--help`, which answers at once, and `--json`, which prints one JSON document on stdout: the result,
or `{"error": {"kind", "message", "exit_code", "retry"}}`. Progress goes to stderr. Amounts in JSON are decimal strings.
Keys and passphrases are never arguments: they are typed, or read from a file of mode 600 or an open file descriptor.
Exit codes are listed in [exit-codes.md](exit-codes.md). This page is generated from the code.
"""
_EXIT_HEAD = """\
# Exit codes

An expected failure is one sentence on stderr that names the cure, and one of these codes. `retry` says whether the same
command can succeed later: `never` (something has to be changed), `same` (just try again), `fresh` (on a new state).
This page is generated from the code.

| code | meaning | retry |
|---|---|---|
| 0 | done | |
| 1 | `doctor` found a failure, `devnet status` found no devnet, `quote` found no venue that takes the swap, \
`market check` found no full agreement, `market record` lost the market, `plan decode` found a malformed plan \
in a batch, `contracts verify` found other code, `contracts allowlist` a start token that is not listed, \
`run --blocks` ended with transactions open, or a demo ended without what it promises | |
"""
_EXIT_TAIL = """\
| 130 | ended by Ctrl-C: at once; what `run --live` has open is in the journal | |
| 141 | whoever read the output has gone | |
"""


def command_reference() -> str:
    """The page of all commands."""
    return _COMMAND_HEAD + "".join(_section(name, command) for name, command in _commands())


def exit_code_reference() -> str:
    """The page of all exit codes."""
    kinds = _kinds(errors.HeadraceError)
    rows = (f"| {k.exit_code} | `{k.__name__}`: {_sentence(k.__doc__)} | {k.retry.value} |\n" for k in kinds)
    return _EXIT_HEAD + "".join(sorted(rows, key=lambda row: int(row.split("|")[1]))) + _EXIT_TAIL


def _kinds(kind: type[errors.HeadraceError]) -> Iterator[type[errors.HeadraceError]]:
    yield kind
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from _kinds(child)


def _commands() -> Iterator[tuple[str, TyperCommand]]:
    root = typer.main.get_command(build())
    assert isinstance(root, TyperGroup)
    yield from _below("headrace", root)


def _below(name: str, group: TyperGroup) -> Iterator[tuple[str, TyperCommand]]:
    for word, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from _below(f"{name} {word}", command)
        else:
            assert isinstance(command, TyperCommand)
            yield f"{name} {word}", command


def _section(name: str, command: TyperCommand) -> str:
    context = typer.Context(command)
    records = [param.get_help_record(context) for param in command.params]
    rows = "".join(f"| `{_cell(left)}` | {_cell(right)} |\n" for left, right in filter(None, records))
    return f"\n## `{name}`\n\n{command.help}\n\n| option | meaning |\n|---|---|\n{rows}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _sentence(doc: str | None) -> str:
    return (doc or "").split("\n", 1)[0].rstrip(".")
