"""What is written is read back equal, twice the same bytes, and a failure leaves the old file."""

from pathlib import Path

import pytest
from tests.support.market_text import documented_example

from headrace.adapters.market_files.market_file import MarketFile
from headrace.adapters.market_files.reader import read_market
from headrace.adapters.market_files.writer import MarketWriter
from headrace.app.dexes import every_dex
from headrace.errors import MarketFileError


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
    assert (again.states, again.as_of, again.tokens, again.blocks, again.prices, again.header) == (
        market.states,
        market.as_of,
        market.tokens,
        market.blocks,
        market.prices,
        market.header,
    )
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


def test_what_is_followed_is_there_line_by_line_without_an_end(tmp_path: Path) -> None:
    path, market = tmp_path / "a.jsonl", documented(tmp_path)
    with MarketWriter(path, every_dex(), is_followed=True) as writer:
        writer.header(market.chain_id, market.header, "")
        writer.state(market.states[0])
        assert read_market(path, every_dex()).states == market.states[:1]
    assert len(read_market(path, every_dex()).states) == 1


def test_zstd_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(MarketFileError, match=r"\.gz or \.xz"):
        write(tmp_path / "a.zst", documented(tmp_path))
