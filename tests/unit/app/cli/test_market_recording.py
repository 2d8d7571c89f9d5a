"""A devnet written to files. The oracle of what was recorded is the node: states read from it at the last block."""

import asyncio
import io
import json
import re
from contextlib import aclosing
from pathlib import Path

import pytest
from rich.console import Console
from tests.support.market import mispriced

from headrace.adapters.market_files.market_file import MarketFile
from headrace.adapters.market_files.reader import read_market
from headrace.app.cli.invocation import invoke
from headrace.app.config.load import load_config
from headrace.app.dexes import every_dex
from headrace.app.market.recording import Recorder, render
from headrace.app.market.replaying import Replay
from headrace.app.places import open_places
from headrace.errors import MarketStaleError
from headrace.model.address import PoolId
from headrace.model.event import Stale
from headrace.model.snapshot import Snapshot
from headrace.ports.pool import PoolState

BLOCKS = 4


async def last_replayed(config_file: Path, market: MarketFile) -> Snapshot[PoolState]:
    replay = Replay(load_config(config_file), market, every_dex())
    async with aclosing(replay._feed.snapshots()) as outputs:
        found = [output async for output in outputs]
    last = found[-1]
    assert isinstance(last, Snapshot)
    return last


async def read_from_node(config_file: Path, at: Snapshot[PoolState]) -> dict[PoolId, PoolState]:
    config = load_config(config_file)
    states: dict[PoolId, PoolState] = {}
    async with open_places(config, config.chain_name, lambda _: None) as places:
        for protocol, dex in places.dexes.items():
            pools = [pool for pool in at.pools if pool.protocol == protocol]
            states |= {state.pool.id: state for state in await dex.read(places.chain, pools, at.header.hash)}
    return states


def test_a_recording_replays_to_the_states_that_the_node_holds(
    devnet_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, out = devnet_dir / "headrace.yaml", tmp_path / "recorded.jsonl.gz"
    command = ["market", "record", "--out", str(out), "--config", str(config), "--blocks", str(BLOCKS), "--json"]
    assert invoke(command) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["blocks"] >= BLOCKS
    assert shown["logs"] > 0
    market = read_market(out, every_dex())
    assert (market.left_out, len(market.blocks)) == ((), shown["blocks"])
    last = asyncio.run(last_replayed(config, market))
    assert last.header.number == shown["last_block"]
    states = asyncio.run(read_from_node(config, last))
    assert {pool.id: state for pool, state in zip(last.pools, last.states, strict=True)} == states
    assert last.states != market.states
    reports = []
    for _ in range(2):
        assert invoke(["market", "replay", str(out), "--config", str(config), "--json"]) == 0
        reports.append(json.loads(capsys.readouterr().out))
    assert reports[0] == reports[1]
    assert reports[0]["found"] > 0
    before = out.read_bytes()
    assert invoke(command) == 2
    assert "is never written over" in json.loads(capsys.readouterr().out)["error"]["message"]
    assert out.read_bytes() == before


def test_a_snapshot_holds_what_the_node_holds_and_quotes_without_it(
    devnet_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, out = devnet_dir / "headrace.yaml", tmp_path / "market.jsonl.xz"
    assert invoke(["market", "snapshot", "--out", str(out), "--config", str(config), "--chain", "devnet"]) == 0
    assert "uniswap_v3" in capsys.readouterr().out
    market = read_market(out, every_dex(), load_config(config).chain.chain_id)
    assert market.snapshot().header.hash == market.header.hash
    assert {state.pool.id: state for state in market.states} == asyncio.run(read_from_node(config, market.snapshot()))
    assert market.prices
    flags = ["--token-in", "WETH", "--token-out", "USDC", "--amount", "1"]
    assert invoke(["quote", "--snapshot", str(out), *flags, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["venues"]) >= 3
    too_much = [*flags[:-1], "1" + "0" * 40]
    for source in (["--snapshot", str(out)], ["--config", str(config)]):
        assert invoke(["quote", *source, *too_much, "--json"]) == 1
        document = json.loads(capsys.readouterr().out)
        assert document["exit_code"] == 1
        assert all(row["refusal"] and row["amount_out_wei"] is None for row in document["venues"])
        assert invoke(["quote", *source, *too_much]) == 1
        assert "no venue takes this swap" in capsys.readouterr().out


def test_a_file_that_cannot_be_written_is_told_before_the_chain_is_read(
    devnet_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = tmp_path / "headrace.yaml"
    config = (devnet_dir / "headrace.yaml").read_text()
    nowhere.write_text(re.sub(r"ws://[0-9.:]+", "ws://127.0.0.1:9", config))  # nobody listens there
    (tmp_path / "a_file").touch()
    for out, why in (
        (tmp_path / "none" / "market.jsonl", "it cannot be written (No such file or directory): make the folder"),
        (tmp_path / "a_file" / "market.jsonl", "it cannot be written (Not a directory)"),
        (tmp_path, "it is a folder: name a file in it"),
        (tmp_path / "market.zst", "zstd cannot be written here"),
    ):
        for command in ("snapshot", "record"):
            assert invoke(["market", command, "--out", str(out), "--config", str(nowhere)]) == 7
            assert why in capsys.readouterr().err
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a_file", "headrace.yaml"]
    out = tmp_path / "market.jsonl"
    assert invoke(["market", "snapshot", "--out", str(out), "--config", str(nowhere)]) == 3  # so it is asked after that
    assert not out.exists()


def test_a_market_that_is_lost_ends_a_recording(tmp_path: Path) -> None:
    recorder = Recorder(None, None, None, tmp_path / "out")  # type: ignore[arg-type]
    with pytest.raises(MarketStaleError, match="could not be read: gone"):
        asyncio.run(recorder.take(Stale("gone", is_lost=True)))
    recorder._before = mispriced()
    asyncio.run(recorder.take(Stale("a hiccup", is_lost=False)))
    assert (recorder.is_ended, recorder.report().exit_code) == (False, 0)
    asyncio.run(recorder.take(Stale("gone", is_lost=True)))
    assert recorder.is_ended
    assert (recorder.report().ended, recorder.report().exit_code) == ("gone", 1)
    shown = io.StringIO()
    render(recorder.report(), Console(file=shown, width=200))
    assert "it ended because gone" in shown.getvalue()
