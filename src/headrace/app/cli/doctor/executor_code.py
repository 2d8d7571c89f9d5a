"""The Executor as it was built from these sources, and whether code on a chain is that one.

Code differs from the build in its immutables alone: owner and wrapped native coin, which the constructor writes into
it at several places. Each of them must be the same address at all of its places: code that said one owner here and
another there would answer one thing and do another.
"""

from collections.abc import Iterator

import msgspec

from headrace.devnet.places import CONTRACTS_OUT
from headrace.model.address import Address

_FILE = CONTRACTS_OUT / "Executor.sol" / "Executor.json"
_ADDRESS_BYTES = 20


class _Span(msgspec.Struct, frozen=True):
    start: int
    length: int


class _Code(msgspec.Struct, frozen=True, rename="camel"):
    object: str
    immutable_references: dict[str, list[_Span]] = {}


class _Artifact(msgspec.Struct, frozen=True, rename="camel"):
    deployed_bytecode: _Code
    bytecode: _Code = _Code("")


class ExecutorBuild(msgspec.Struct, frozen=True):
    """What the compiler made of the Executor: creation code without arguments, and code with its immutables blank."""

    creation_code: bytes
    code: bytes
    immutables: tuple[tuple[tuple[int, int], ...], ...]

    def difference(self, code: bytes) -> str:
        """In what `code` differs from the build, whatever its immutables are; empty where it does not."""
        if not code:
            return "there is no code"
        if len(code) != len(self.code):
            return f"it has {len(code)} bytes, the build has {len(self.code)}"
        blank = bytearray(code)
        for start, length in self._spans():
            blank[start : start + length] = bytes(length)
        if blank != self.code:
            at = next(i for i, (a, b) in enumerate(zip(blank, self.code, strict=True)) if a != b)
            return f"byte {at} is 0x{blank[at]:02x}, in the build it is 0x{self.code[at]:02x}"
        for places in self.immutables:
            if len({code[start : start + length] for start, length in places}) > 1:
                return f"the immutable at byte {places[0][0]} is not the same at all of its places"
        return ""

    def addresses(self, code: bytes) -> tuple[Address, ...]:
        """The immutables of code that does not differ, in no order that means anything."""
        words = [code[places[0][0] : sum(places[0])] for places in self.immutables if places]
        return tuple(Address("0x" + word[-_ADDRESS_BYTES:].hex()) for word in words)

    def _spans(self) -> Iterator[tuple[int, int]]:
        for places in self.immutables:
            yield from places


def read_build() -> ExecutorBuild | None:
    """The build in this checkout; None where the contracts are not built."""
    if not _FILE.is_file():
        return None
    artifact = msgspec.json.decode(_FILE.read_bytes(), type=_Artifact)
    code = bytearray(_raw(artifact.deployed_bytecode))
    references = artifact.deployed_bytecode.immutable_references
    immutables = tuple(tuple((span.start, span.length) for span in spans) for spans in references.values())
    for start, length in (place for places in immutables for place in places):
        code[start : start + length] = bytes(length)
    return ExecutorBuild(_raw(artifact.bytecode), bytes(code), immutables)


def matches_build(code: bytes) -> bool | None:
    """Whether `code` is ours, whatever its immutables (the owner) are; None where the contracts are not built."""
    build = read_build()
    return None if build is None else not build.difference(code)


def _raw(code: _Code) -> bytes:
    return bytes.fromhex(code.object.removeprefix("0x"))
