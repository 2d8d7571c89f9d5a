"""Whether the code at the Executor's address is the one built from these sources."""

from collections.abc import Iterator

import msgspec

from headrace.devnet.places import CONTRACTS_OUT

_FILE = CONTRACTS_OUT / "Executor.sol" / "Executor.json"


class _Span(msgspec.Struct, frozen=True):
    start: int
    length: int


class _Code(msgspec.Struct, frozen=True, rename="camel"):
    object: str
    immutable_references: dict[str, list[_Span]] = {}


class _Artifact(msgspec.Struct, frozen=True, rename="camel"):
    deployed_bytecode: _Code


def matches_build(code: bytes) -> bool | None:
    """Whether `code` is ours, whatever its immutables (the owner) are; None where the contracts are not built."""
    if not _FILE.is_file():
        return None
    built = msgspec.json.decode(_FILE.read_bytes(), type=_Artifact).deployed_bytecode
    expected, actual = bytearray.fromhex(built.object.removeprefix("0x")), bytearray(code)
    if len(expected) != len(actual):
        return False
    for span in _spans(built):
        blank = bytes(span.length)
        expected[span.start : span.start + span.length] = blank
        actual[span.start : span.start + span.length] = blank
    return expected == actual


def _spans(code: _Code) -> Iterator[_Span]:
    for spans in code.immutable_references.values():
        yield from spans
