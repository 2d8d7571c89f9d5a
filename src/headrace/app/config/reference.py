"""docs/reference/configuration.md, generated from the structs' docstrings."""

from collections.abc import Iterator

from headrace.app.config.form import Field, Form, Listing, Record, Table, record_of
from headrace.app.config.kind import Kind
from headrace.app.config.tree import Config

_HEAD = """\
# Configuration

One YAML file. `headrace config check` reads it as every other command does, `headrace config show` prints
what was understood, `headrace config schema` prints a JSON schema for editors. This page is generated from the code.

- The only top key is `defi`. Unknown and duplicate keys are refused with file, line and column.
- Money, limits and addresses have no defaults: a file without them is refused.
- Numbers are plain decimals, with or without quotes: no exponent, sign, separator or leading zero. They are read
  exactly, never through a float.
- Money is in dollars, or in a token that has a price feed: `50`, `"50.0"`, `0.5 USD`, `0.01 WETH`. A limit whose
  price is not fresh refuses the trade.
- An address in mixed case must carry its EIP-55 checksum.
- Secrets are given by reference: `{file: PATH}`, a file that only you may read, or `{fd: N}`, an open file descriptor.
- Paths are relative to the file. Nothing is taken from the environment; anchors, aliases and tags are refused.
"""
_TABLE_HEAD = "| key | value | required | meaning |\n|---|---|---|---|\n"


def configuration_reference() -> str:
    """The page's text."""
    return _HEAD + "".join(_section(path, record) for path, record in _records("defi", record_of(Config)))


def _records(path: str, form: Form) -> Iterator[tuple[str, Record]]:
    if isinstance(form, Record):
        yield path, form
        for field in form.fields:
            yield from _records(f"{path}.{field.key}", field.form)
    elif isinstance(form, Table):
        yield from _records(f"{path}.<name>", form.value)
    elif isinstance(form, Listing):
        yield from _records(f"{path}[]", form.item)


def _section(path: str, record: Record) -> str:
    rows = "".join(_row(field) for field in record.fields)
    return f"\n## `{path}`\n\n{record.title}\n\n{_TABLE_HEAD}{rows}"


def _row(field: Field) -> str:
    required = "yes" if field.is_required else _default(field)
    return f"| `{field.key}` | {_kind(field.form)} | {required} | {field.doc} |\n"


def _default(field: Field) -> str:
    return f"no, {field.default}" if isinstance(field.default, int) else "no"


def _kind(form: Form) -> str:
    if isinstance(form, Kind):
        return form.name.replace("|", "\\|")
    if isinstance(form, Listing):
        return "a list" if isinstance(form.item, Record) else f"a list, each {_kind(form.item)}"
    if isinstance(form, Table):
        inner = "sections" if isinstance(form.value, Record | Table) else _kind(form.value)
        return f"{inner} by name"
    return "a section"
