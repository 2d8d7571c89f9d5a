"""One factory's creations in a file of JSON lines: a heading, then one line for each range that was walked.

A line is written whole and synced before the next range is asked for. A process that is killed leaves at most a last
line without its end, which is cut off when the file is opened for writing and passed over when it is only read. Any
other line that cannot be read, or does not follow the one before it, means that somebody else wrote here: refused.

The heading says of which chain, contract and events the file is, by which rule pools were checked, and in which version
of this form it was written; a file that differs in any of them is refused with the cure. The path holds chain and
contract, so that files of several venues lie side by side.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import msgspec

from headrace.adapters.stores.sqlite.lock import WriterLock
from headrace.errors import CatalogueError, JournalError
from headrace.model.address import Address, ChainId, Hash32
from headrace.model.block import BlockRef
from headrace.model.creation import Creation, Survey

VERSION = 1


class Heading(msgspec.Struct, frozen=True, kw_only=True):
    """What a file is of; `proof` is the rule by which its pools were checked."""

    version: int = VERSION
    chain_id: ChainId
    factory: Address
    topics: tuple[Hash32, ...]
    proof: str
    first_block: int


_heading = msgspec.json.Decoder(Heading)
_survey = msgspec.json.Decoder(Survey)
_encoder = msgspec.json.Encoder()


class CatalogueFile:
    """Implements `headrace.ports.catalogue.Catalogue`; use it as a context manager."""

    def __init__(self, path: Path, wanted: Heading, *, is_writer: bool) -> None:
        """Open the file, or begin it; a reader needs one that exists.

        Raises:
            CatalogueError: it is of something else, damaged, begins at a later block, or another process writes it.
        """
        self.path = path
        self._lock: WriterLock | None = None
        self._file: BinaryIO | None = None
        self._surveys: list[Survey] = []
        try:
            if is_writer:
                self._open(wanted)
            else:
                self._heading = self._read(path.read_bytes(), wanted)[0]
        except OSError as error:
            self.close()
            raise CatalogueError(f"{path}: {error.strerror}; check the folder") from error
        except JournalError as error:
            raise CatalogueError(str(error)) from error
        except CatalogueError:
            self.close()
            raise

    @property
    def first_block(self) -> int:
        """Where the file begins."""
        return self._heading.first_block

    @property
    def last(self) -> BlockRef | None:
        """The last block that was walked."""
        return self._surveys[-1].last if self._surveys else None

    @property
    def creations(self) -> Sequence[Creation]:
        """All creations, in the chain's order."""
        return [creation for survey in self._surveys for creation in survey.creations]

    @property
    def malformed(self) -> Sequence[str]:
        """Events that could not be read."""
        return [text for survey in self._surveys for text in survey.malformed]

    def append(self, survey: Survey) -> None:
        """Keep the next range; it is on disk when this returns.

        Raises:
            CatalogueError: it cannot be written.
        """
        assert self._file is not None, "opened for reading"
        assert survey.first == self._next_block(), survey
        self._write(_encoder.encode(survey))
        self._surveys.append(survey)

    def close(self) -> None:
        """Let another process write; harmless when done twice."""
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self, wanted: Heading) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = WriterLock(self.path)
        data = self.path.read_bytes() if self.path.exists() else b""
        if b"\n" in data:
            self._heading, size = self._read(data, wanted)
        else:
            self._heading, size = wanted, 0
        self._file = self.path.open("r+b" if self.path.exists() else "x+b")
        self._file.truncate(size)  # the torn end of a process that was killed
        self._file.seek(size)
        if not size:
            self._write(_encoder.encode(wanted))
            _sync_folder(self.path.parent)

    def _read(self, data: bytes, wanted: Heading) -> tuple[Heading, int]:
        """The heading, and the size of what is whole; keeps the ranges."""
        size = data.rfind(b"\n") + 1
        lines = data[:size].splitlines()
        if not lines:
            raise CatalogueError(f"{self.path}: it is empty: delete it and discover anew")
        try:
            self._heading = self._checked(_heading.decode(lines[0]), wanted)
            for number, line in enumerate(lines[1:], 2):
                survey = _survey.decode(line)
                if survey.first != self._next_block() or survey.last.number < survey.first:
                    raise CatalogueError(
                        f"{self.path}: line {number} does not follow the one before it: delete it and discover anew"
                    )
                self._surveys.append(survey)
        except ValueError as error:
            why = f"line {len(self._surveys) + 1} or the next cannot be read ({error})"
            raise CatalogueError(f"{self.path}: {why}: delete it and discover anew") from error
        return self._heading, size

    def _checked(self, found: Heading, wanted: Heading) -> Heading:
        for field in ("version", "chain_id", "factory", "topics", "proof"):
            have, want = getattr(found, field), getattr(wanted, field)
            if have != want:
                why = f"its {field} is {have}, here it must be {want}"
                raise CatalogueError(f"{self.path}: {why}: delete it and discover anew")
        if found.first_block > wanted.first_block:
            why = f"it begins at block {found.first_block}, `from_block` is {wanted.first_block}"
            raise CatalogueError(f"{self.path}: {why}: delete it and discover anew, or raise `from_block`")
        return found

    def _next_block(self) -> int:
        return self._surveys[-1].last.number + 1 if self._surveys else self._heading.first_block

    def _write(self, line: bytes) -> None:
        assert self._file is not None
        try:
            self._file.write(line + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise CatalogueError(f"{self.path}: cannot be written ({error.strerror}); check the disk") from error


def catalogue_path(folder: Path, heading: Heading) -> Path:
    """The file of a chain's factory in the data folder."""
    return folder / "discovery" / f"{heading.chain_id}-{heading.factory}.jsonl"


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
