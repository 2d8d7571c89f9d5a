"""The commands in the order in which a new user types them, in an empty folder."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.end_to_end.command import Finished, headrace


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("newcomer")
    up = headrace("devnet", "up", "--state-dir", "devnet", "--block-time", "1", "--port", "0", cwd=folder)
    try:
        assert up.code == 0, up.err
        assert f"trade on it: headrace run --config {folder}/devnet/headrace.yaml --live" in up.out
        yield folder
    finally:
        down = headrace("devnet", "down", "--state-dir", "devnet", cwd=folder)
    assert down.code == 0, down.err


def said(folder: Path, *args: str, code: int = 0) -> Finished:
    done = headrace(*args, cwd=folder)
    assert done.code == code, done.err
    assert "Traceback" not in done.err
    return done


def with_config(*args: str) -> tuple[str, ...]:
    return (*args, "--config", "devnet/headrace.yaml")


def test_the_devnet_tells_that_it_runs(folder: Path) -> None:
    status = said(folder, "devnet", "status", "--state-dir", "devnet", "--json").out
    document = json.loads(status)
    assert document["is_running"] is True
    assert document["chain_id"] == 31337


def test_the_doctor_finds_nothing_wrong(folder: Path) -> None:
    done = said(folder, *with_config("doctor", "--json"))
    document = json.loads(done.out)
    assert len(document["findings"]) >= 6
    assert not [one for one in document["findings"] if one["outcome"] != "ok"]


def test_a_quote_names_every_venue_of_the_pair_and_the_best_first(folder: Path) -> None:
    args = with_config("quote", "--token-in", "WETH", "--token-out", "USDC", "--amount", "1.5")
    text = said(folder, *args).out
    for venue in ("uniswap_v2", "sushiswap", "uniswap_v3", "balancer_v2"):
        assert venue in text
    rows = json.loads(said(folder, *args, "--depth", "50bps", "--json").out)["venues"]
    assert len(rows) >= 6
    outputs = [int(row["amount_out_wei"]) for row in rows if row["amount_out_wei"] is not None]
    assert outputs == sorted(outputs, reverse=True)
    assert {row["proof"] for row in rows} == {"bytecode"}
    assert "bytecode" in text
    assert 1.5 * 2000 < outputs[0] / 1e6 < 1.5 * 4000  # dollars for ether, near the devnet's price
    for prices in (row["prices"] for row in rows if row["amount_out_wei"] is not None):
        assert 2000 < float(prices["after"]) < float(prices["spot"]) < 4000
        assert [depth["move_bps"] for depth in prices["depths"]] == ["50"]
        assert int(prices["depths"][0]["amount_out_wei"]) > 0


def test_a_scan_shows_opportunities_and_why_they_are_not_taken(folder: Path) -> None:
    assert "opportunities in" in said(folder, *with_config("scan")).out
    document = json.loads(said(folder, *with_config("scan", "--json")).out)
    assert document["opportunities"]
    assert all(row["verdict"] for row in document["opportunities"])


def test_a_dry_run_sends_nothing_and_writes_no_journal(folder: Path) -> None:
    done = said(folder, *with_config("run", "--blocks", "3", "--json"))
    document = json.loads(done.out)
    assert document["blocks"] == 3
    assert document["executions"] == []
    missing = said(folder, *with_config("status"), code=5)
    assert "run once with --live" in missing.err


def test_a_live_run_and_its_status_tell_the_same(folder: Path) -> None:
    live = json.loads(said(folder, *with_config("run", "--live", "--blocks", "5", "--json")).out)
    assert live["blocks"] == 5
    status = json.loads(said(folder, *with_config("status", "--json")).out)
    assert status["open"] == []
    assert not [row for row in live["executions"] if row["status"] == "pending"]
    for end in ("landed", "reverted", "cancelled"):
        assert status["ended"].get(end, 0) == sum(row["status"] == end for row in live["executions"])
    assert "records of 0x" in said(folder, *with_config("status")).out
