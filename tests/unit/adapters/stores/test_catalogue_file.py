"""The file of what was discovered: whole after any death, refused when it is not what it must be."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from tests.support.places import PROJECT

from headrace.adapters.stores.catalogue.file import CatalogueFile, Heading, catalogue_path
from headrace.errors import CatalogueError
from headrace.model.address import Address, ChainId, Hash32, PoolId
from headrace.model.block import BlockRef
from headrace.model.creation import Creation, Survey

HEADING = Heading(
    chain_id=ChainId(1),
    factory=Address("0x" + "fa" * 20),
    topics=(Hash32("0x" + "70" * 32),),
    proof="getPair",
    first_block=10,
)


def block(number: int) -> BlockRef:
    return BlockRef(number, Hash32(f"0x{number:064x}"))


def survey(first: int, last: int, *numbers: int) -> Survey:
    creations = tuple(
        Creation(PoolId(f"0x{n:040x}"), (Address("0x" + "01" * 20), Address("0x" + "02" * 20)), first, n)
        for n in numbers
    )
    return Survey(first, block(last), creations)


def opened(path: Path, heading: Heading = HEADING, *, is_writer: bool = True) -> CatalogueFile:
    return CatalogueFile(path, heading, is_writer=is_writer)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of two ranges."""
    made = catalogue_path(tmp_path, HEADING)
    with opened(made) as catalogue:
        assert catalogue.last is None
        catalogue.append(survey(10, 19, 1, 2))
        catalogue.append(msgspec.structs.replace(survey(20, 29, 3), malformed=("block 21, log 0: odd",)))
    return made


@pytest.mark.parametrize("is_writer", [True, False])
def test_what_was_kept_is_read_back(path: Path, *, is_writer: bool) -> None:
    with opened(path, is_writer=is_writer) as catalogue:
        assert catalogue.first_block == 10
        assert catalogue.last == block(29)
        assert list(catalogue.creations) == [*survey(10, 19, 1, 2).creations, *survey(20, 29, 3).creations]
        assert list(catalogue.malformed) == ["block 21, log 0: odd"]


def test_a_file_cut_anywhere_holds_the_whole_lines_before_the_cut(path: Path, tmp_path: Path) -> None:
    data = path.read_bytes()
    cut = tmp_path / "cut.jsonl"
    for size in range(data.index(b"\n") + 1, len(data)):
        cut.write_bytes(data[:size])
        ranges = data[:size].count(b"\n") - 1
        with opened(cut, is_writer=False) as catalogue:
            assert catalogue.last == (None, block(19), block(29))[ranges]
        with opened(cut) as catalogue:
            first = 10 + 10 * ranges
            catalogue.append(survey(first, first + 4))
        with opened(cut, is_writer=False) as catalogue:
            assert catalogue.last == block(first + 4)


def test_a_file_without_a_whole_heading_is_begun_anew(path: Path) -> None:
    for data in (b"", path.read_bytes()[:20]):
        path.write_bytes(data)
        with pytest.raises(CatalogueError, match="is empty: delete it"):
            opened(path, is_writer=False)
        with opened(path) as catalogue:
            catalogue.append(survey(10, 11))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"chain_id": 2}, "its chain_id is 1, here it must be 2"),
        ({"factory": "0x" + "fb" * 20}, "its factory is"),
        ({"topics": ()}, "its topics is"),
        ({"proof": "create2 0x00"}, "its proof is getPair, here it must be create2 0x00"),
        ({"version": 2}, "its version is 1, here it must be 2"),
        ({"first_block": 9}, "it begins at block 10, `from_block` is 9"),
    ],
)
def test_a_file_of_something_else_is_refused_with_the_cure(path: Path, change: dict[str, object], why: str) -> None:
    with pytest.raises(CatalogueError, match=f"{why}.*: delete it and discover anew"):
        opened(path, msgspec.structs.replace(HEADING, **change))
    with opened(path, msgspec.structs.replace(HEADING, first_block=12)) as catalogue:
        assert catalogue.first_block == 10


def swapped(data: bytes) -> bytes:
    heading, *lines = data.splitlines(keepends=True)
    return heading + b"".join(reversed(lines))


def without_a_line(data: bytes) -> bytes:
    heading, _, *lines = data.splitlines(keepends=True)
    return heading + b"".join(lines)


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (swapped, "line 2 does not follow"),
        (without_a_line, "line 2 does not follow"),
        (lambda data: data.replace(b'"number":29', b'"number":19'), "line 3 does not follow"),
        (lambda data: data.replace(b'"number":19', b'"number":"x"'), "cannot be read"),
        (lambda data: data.replace(b'"chain_id":1', b'"chain_id":'), "cannot be read"),
        (lambda data: data.replace(b'{"first":20', b'{"last":20'), "cannot be read"),
        (lambda data: b"\n" + data, "cannot be read"),
    ],
)
def test_a_damaged_file_is_refused_with_the_cure(path: Path, damage: Callable[[bytes], bytes], why: str) -> None:
    path.write_bytes(damage(path.read_bytes()))
    for is_writer in (True, False):
        with pytest.raises(CatalogueError, match=f"{why}.*delete it and discover anew"):
            opened(path, is_writer=is_writer)


def test_one_process_writes(path: Path) -> None:
    with opened(path):
        with pytest.raises(CatalogueError, match="stop that one first"):
            opened(path)
        with opened(path, is_writer=False) as reader:
            assert reader.last == block(29)
    with opened(path):
        pass


def test_a_missing_file_and_a_folder_in_its_place_are_named(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="No such file"):
        opened(tmp_path / "none.jsonl", is_writer=False)
    (tmp_path / "folder.jsonl").mkdir()
    with pytest.raises(CatalogueError, match="Is a directory"):
        opened(tmp_path / "folder.jsonl")
    (tmp_path / "file").touch()
    with pytest.raises(CatalogueError, match="check the folder"):
        opened(tmp_path / "file" / "x.jsonl")


def test_a_full_disk_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device", descriptor)

    with opened(path) as catalogue:
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(CatalogueError, match="No space left"):
            catalogue.append(survey(30, 39))


WRITER = """
import sys
from tests.unit.adapters.stores.test_catalogue_file import *
with opened(Path(sys.argv[1])) as catalogue:
    first = 10
    while True:
        catalogue.append(survey(first, first, *range(first * 100, first * 100 + 100)))
        first += 1
        sys.stdout.write(".")
        sys.stdout.flush()
"""


def test_kill_9_leaves_every_range_that_was_said_to_be_kept(tmp_path: Path) -> None:
    for trial in range(5):
        path = tmp_path / f"{trial}.jsonl"
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, cwd=PROJECT
        ) as process:
            assert process.stdout is not None
            kept = len(process.stdout.read(5 + 13 * trial))
            process.send_signal(signal.SIGKILL)
            kept += len(process.stdout.read())
        with opened(path) as catalogue:
            assert catalogue.last is not None
            assert catalogue.last.number - 9 >= kept
            assert len(catalogue.creations) == 100 * (catalogue.last.number - 9)
