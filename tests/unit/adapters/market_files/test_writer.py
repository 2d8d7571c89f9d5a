"""What is written is read back equal, twice the same bytes, and a failure leaves the old file."""

import re
from contextlib import suppress
from pathlib import Path
from unittest.mock import patch

import pytest
from tests.support.market_text import documented_example

from headrace.adapters.market_files.container import Stream, create, read_lines
from headrace.adapters.market_files.market_file import MarketFile
from headrace.adapters.market_files.reader import read_market
from headrace.adapters.market_files.writer import MarketWriter
from headrace.app.dexes import every_dex
from headrace.errors import MarketFileError


class Full:
    """A disk that is full behind the first line."""

    def __init__(self, stream: Stream) -> None:
        self.stream, self.written = stream, 0

    def write(self, data: bytes) -> None:
        self.stream.write(data if not self.written else data[:10])
        self.stream.flush()
        self.written += 1
        if self.written > 1:
            raise OSError("the disk is full")

    def flush(self) -> None:
        self.stream.flush()

    def close(self) -> None:
        self.stream.close()


def documented(folder: Path) -> MarketFile:
    path = folder / "example.jsonl"
    path.write_bytes(documented_example())
    return read_market(path, every_dex())


def write(path: Path, market: MarketFile, *, is_followed: bool = False) -> None:
    with MarketWriter(path, every_dex(), is_followed=is_followed) as writer:
        writer.header(market.chain_id, market.header, market.source)
        writer.tokens(market.tokens.values())
        for one in market.prices:
            writer.price(one.token, one.price)
        for state in market.states:
            writer.state(state, market.as_of.get(state.pool.id))
        for block in market.blocks:
            writer.block(block.header, block.logs)


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.jsonl.xz", "a.jsonl.bz2"])
def test_the_documented_example_survives_writing(tmp_path: Path, name: str) -> None:
    market = documented(tmp_path)
    assert not market.left_out
    assert len({state.pool.protocol for state in market.states}) == 3
    path = tmp_path / name
    write(path, market)
    again = read_market(path, every_dex())
    assert (again.states, again.as_of, again.tokens, again.prices, again.header) == (
        market.states,
        market.as_of,
        market.tokens,
        market.prices,
        market.header,
    )
    assert [(block.header, block.logs) for block in again.blocks] == [(one.header, one.logs) for one in market.blocks]
    assert (again.has_end, market.has_end) == (True, False)
    first = path.read_bytes()
    write(path, market)
    assert path.read_bytes() == first


def test_a_failure_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("before")
    with pytest.raises(AttributeError), MarketWriter(path, {}) as writer:
        writer.state(object())  # type: ignore[arg-type]
    assert [one.name for one in tmp_path.iterdir()] == ["a.jsonl"]
    assert path.read_text() == "before"


def test_what_is_followed_is_there_line_by_line_and_ends_whatever_ended_it(tmp_path: Path) -> None:
    path, market = tmp_path / "a.jsonl", documented(tmp_path)
    with suppress(KeyboardInterrupt), MarketWriter(path, every_dex(), is_followed=True) as writer:
        writer.header(market.chain_id, market.header, "")
        writer.state(market.states[0])
        assert path.read_bytes().count(b"\n") == 2
        raise KeyboardInterrupt
    found = read_market(path, every_dex())
    assert (found.states, found.has_end) == (market.states[:1], True)


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.jsonl.xz"])
def test_a_recording_that_was_cut_is_refused_until_somebody_says_that_it_ends_there(tmp_path: Path, name: str) -> None:
    path, market = tmp_path / name, documented(tmp_path)
    write(path, market, is_followed=True)
    lines = b"".join(text for _, text in read_lines(path)).splitlines(keepends=True)
    for kept in range(2, len(lines)):
        with create(path) as stream:
            stream.writelines(lines[:kept])
        with pytest.raises(MarketFileError, match="its end is missing") as caught:
            read_market(path, every_dex())
        (told,) = re.findall(r"\{.*\}", str(caught.value))
        with create(path) as stream:
            stream.writelines([*lines[:kept], told.encode(), b"\n"])
        assert read_market(path, every_dex()).has_end
    if name == "a.jsonl":
        path.write_bytes(b"".join(lines)[:-40])
        with pytest.raises(MarketFileError, match="cut short"):
            read_market(path, every_dex())


def test_a_line_that_could_not_be_written_is_followed_by_no_end(tmp_path: Path) -> None:
    path, market = tmp_path / "a.jsonl", documented(tmp_path)
    writer = MarketWriter(path, every_dex(), is_followed=True)
    with suppress(OSError), writer, patch.object(writer, "_stream", Full(writer._stream)):
        writer.header(market.chain_id, market.header, "")
        writer.state(market.states[0])
    assert b'"end"' not in path.read_bytes()
    with pytest.raises(MarketFileError, match="cut short"):
        read_market(path, every_dex())


def test_zstd_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(MarketFileError, match=r"\.gz or \.xz"):
        write(tmp_path / "a.zst", documented(tmp_path))
