"""What users and nodes do wrong: each gets one sentence and its exit code, or costs nothing."""

import os
import random
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.end_to_end.background_devnet import BackgroundDevnet
from tests.end_to_end.command import EXECUTABLE, Finished, Started, headrace
from tests.end_to_end.odd_market import OddPools, odd_devnet_running
from tests.end_to_end.settlement import faults, sorted_out, transactions_of
from tests.support.node_proxy import proxy_in_thread

from headrace.adapters.stores.sqlite.journal import read_journal
from headrace.app.config.load import load_config
from headrace.devnet.rpc import Rpc
from headrace.model.address import checksum
from headrace.model.record import IntentOpened, PayloadSigned

BLOCK_SECONDS = 0.4
# coverage takes a lock in its tracer: an interrupt that comes there leaves the command waiting for itself
UNMEASURED = {"COVERAGE_PROCESS_START": "", "COVERAGE_PROCESS_CONFIG": ""}
SEED = 7
INTERRUPTED = 130
CONFIG, CHAIN, KEY, JOURNAL, DEVNET = 2, 3, 4, 5, 6
Odd = tuple[BackgroundDevnet, OddPools]


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Odd]:
    with odd_devnet_running(tmp_path_factory.mktemp("odd"), BLOCK_SECONDS) as running:
        yield running


def refused(done: Finished, code: int, *words: str) -> None:
    """It failed in one sentence that is the last line of stderr, after progress, and without a traceback."""
    assert done.code == code, done.err
    assert "Traceback" not in done.err
    last = done.err.splitlines()[-1]
    assert last.startswith("headrace: "), done.err
    for word in words:
        assert word in last


def run_live(config: Path, *args: str) -> Finished:
    return headrace("run", "--config", str(config), "--live", "--blocks", "3", *args)


def test_a_node_of_another_chain_is_refused(odd: Odd) -> None:
    devnet, _ = odd
    config = devnet.config_with("other_chain.yaml", {"chain_id: 31337": "chain_id: 31338"})
    refused(run_live(config), CHAIN, "serves chain 31337", "says 31338")


def test_a_dead_node_is_named(odd: Odd) -> None:
    devnet, _ = odd
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    config = devnet.config_with("dead.yaml", {devnet.running.ws_url: f"ws://127.0.0.1:{port}"})
    refused(run_live(config), CHAIN, str(port))


def test_a_node_that_answers_garbage_is_refused(odd: Odd) -> None:
    devnet, _ = odd
    with proxy_in_thread(devnet.port) as proxy:
        proxy.answer_with("eth_getBlockByNumber", b'"garbage"')
        config = devnet.config_with("garbage.yaml", {devnet.running.ws_url: proxy.ws_url})
        refused(run_live(config), CHAIN, "eth_getBlockByNumber", "use another node")


def test_a_node_that_dies_while_it_is_traded_on_is_waited_for(odd: Odd) -> None:
    devnet, _ = odd
    with proxy_in_thread(devnet.port) as proxy:
        config = devnet.config_with("dies.yaml", {devnet.running.ws_url: proxy.ws_url})
        agent = Started("run", "--config", str(config))
        agent.await_word("found=")
    agent.await_word("market stale")
    agent.process.send_signal(signal.SIGINT)
    assert agent.finish().code == INTERRUPTED


def test_a_wrong_passphrase_opens_nothing(odd: Odd, tmp_path: Path) -> None:
    devnet, _ = odd
    wrong = tmp_path / "wrong"
    wrong.touch(mode=0o600)
    wrong.write_text("devnot")
    refused(run_live(devnet.config, "--passphrase-file", str(wrong)), KEY, "passphrase")


def test_a_typo_in_the_configuration_is_shown_with_its_place_and_cure(odd: Odd) -> None:
    devnet, _ = odd
    config = devnet.config_with("typo.yaml", {"min_spread_bps": "min_spred_bps"})
    refused(run_live(config), CONFIG, f"{config}:6:", "min_spred_bps", "min_spread_bps")
    as_json = run_live(config, "--json")
    assert as_json.code == CONFIG
    error = as_json.json["error"]
    assert isinstance(error, dict)
    assert error["kind"] == "ConfigError"


def test_a_port_in_use_is_named_and_nothing_stays(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        started = Started("devnet", "up", "--state-dir", str(tmp_path / "dn"), "--port", port)
        refused(started.finish(), DEVNET, port, "in use")
    assert started.left_behind() == []


def test_a_full_disk_stops_it_before_anything_unjournaled_is_sent(odd: Odd) -> None:
    devnet, _ = odd
    config = devnet.config_with(
        "full_disk.yaml", {str(load_config(devnet.config).data_dir): str(devnet.folder / "full")}
    )
    shell = 'ulimit -f "$1"; exec "$0" run --config "$2" --live --blocks 120'
    unmeasured = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}  # it writes too
    command = ["bash", "-c", shell, str(EXECUTABLE), "64", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False, env=unmeasured)
    refused(Finished(done.returncode, done.stdout, done.stderr), JOURNAL, "journal", "free space")
    assert settled(devnet, config) == []


def settled(devnet: BackgroundDevnet, config: Path) -> list[str]:
    """Restart without taking anything on; then journal and chain are compared."""
    closing = config.with_suffix(".closing.yaml")
    closing.touch(mode=0o600)
    closing.write_text(config.read_text().replace("min_profit_usd: 0.5 USD", "min_profit_usd: 9000000 USD"))
    done = headrace("run", "--config", str(closing), "--live", "--blocks", "8")
    assert done.code == 0, done.err
    records = list(read_journal(load_config(closing).journal_path))
    nonces = [record.slot.nonce for record in records if isinstance(record, PayloadSigned)]
    market = devnet.running.market
    with Rpc(devnet.port) as rpc:
        chain = transactions_of(rpc, market.operator, market.deploy_block)
    ours = [tx for tx in chain if nonces and min(nonces) <= tx.nonce <= max(nonces)]
    return faults(sorted_out(records), ours)


def test_pools_that_cannot_be_traded_are_left_out_and_the_rest_is_traded(odd: Odd) -> None:
    devnet, pools = odd
    done = headrace("run", "--config", str(devnet.config), "--live", "--blocks", "25", "--json")
    assert done.code == 0, done.err
    left_out = [line for line in done.err.splitlines() if "left out" in line]
    assert any(pools.foreign in line for line in left_out)
    assert any(pools.without_decimals in line and "decimals" in line for line in left_out)
    for pool in pools.with_fee:
        assert any(pool in line and "fee_on_transfer" in line for line in left_out)
    assert len(left_out) == 4
    document = done.json
    rows = document["executions"]
    assert isinstance(rows, list)
    assert [row for row in rows if row["status"] == "landed"]
    records = list(read_journal(load_config(devnet.config).journal_path))
    signed = {record.intent_id for record in records if isinstance(record, PayloadSigned)}
    opened = [record.intent for record in records if isinstance(record, IntentOpened)]
    traded = {pool for intent in opened if intent.id in signed for pool in intent.pools}
    assert traded
    assert not traded & {pools.empty, pools.without_decimals, pools.foreign, *pools.with_fee}


def test_a_token_that_lies_and_is_allowed_all_the_same_is_stopped_by_the_rehearsal(odd: Odd) -> None:
    devnet, pools = odd
    allowed = "        allowed:\n"
    config = devnet.config_with("allowed.yaml", {allowed: f"{allowed}        - '{checksum(pools.fee_token)}'\n"})
    done = headrace("run", "--config", str(config), "--blocks", "6", "--json")
    assert done.code == 0, done.err
    assert sum("left out" in line for line in done.err.splitlines()) == 2
    refusals = done.json["refusals"]
    assert isinstance(refusals, dict)
    assert refusals["rehearsal_reverted"] >= 1  # the pairs of the token that keeps a part


def test_ctrl_c_at_any_moment_of_a_demo_leaves_nothing_behind() -> None:
    rng = random.Random(SEED)
    for _ in range(6):
        started = Started("demo", "--blocks", "200", environment=UNMEASURED)
        interrupted_after(started, rng.uniform(0.2, 3.0))


def test_ctrl_c_at_any_moment_of_a_run_leaves_nothing_open(odd: Odd) -> None:
    devnet, _ = odd
    rng = random.Random(SEED)
    for _ in range(6):
        started = Started("run", "--config", str(devnet.config), "--live", environment=UNMEASURED)
        interrupted_after(started, rng.uniform(0.2, 3.0))
    assert settled(devnet, devnet.config) == []


def interrupted_after(started: Started, seconds: float) -> None:
    started.await_python()
    time.sleep(seconds)  # the moment itself is what is tried, not a condition that is waited for
    started.process.send_signal(signal.SIGINT)
    done = started.finish()
    assert done.code == INTERRUPTED, (seconds, done.code, done.err[-2000:])
    assert "Traceback" not in done.err
    assert not re.search("Task .* was destroyed|never awaited", done.err)
    assert started.left_behind() == []
