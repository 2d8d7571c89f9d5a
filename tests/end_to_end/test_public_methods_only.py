"""The agent on the devnet through a proxy that offers what a public node offers, and that is not always well.

The oracle is the proxy's own list of what was asked, and the chain.
"""

from collections.abc import Iterator

import pytest
from tests.end_to_end.background_devnet import BackgroundDevnet, devnet_running
from tests.end_to_end.command import Started, headrace
from tests.end_to_end.settlement import faults, sorted_out, transactions_of
from tests.support.node_proxy import Fault, NodeProxy, proxy_in_thread

from headrace.adapters.stores.sqlite.journal import read_journal
from headrace.app.config.load import load_config
from headrace.devnet.rpc import Rpc

BLOCK_SECONDS = 0.4
PUBLIC_METHODS = {
    "eth_blockNumber",
    "eth_call",
    "eth_chainId",
    "eth_estimateGas",
    "eth_getBalance",
    "eth_getBlockByHash",
    "eth_getBlockByNumber",
    "eth_getBlockReceipts",
    "eth_getCode",
    "eth_getLogs",
    "eth_getTransactionCount",
    "eth_getTransactionReceipt",
    "eth_sendRawTransaction",
    "eth_simulateV1",
    "eth_subscribe",
    "eth_unsubscribe",
}
TRADED = {"eth_sendRawTransaction", "eth_simulateV1", "eth_getLogs", "eth_getTransactionReceipt", "eth_subscribe"}


@pytest.fixture(scope="module")
def devnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BackgroundDevnet]:
    with devnet_running(tmp_path_factory.mktemp("devnet"), BLOCK_SECONDS, seed=2) as running:
        yield running


@pytest.fixture
def proxy(devnet: BackgroundDevnet) -> Iterator[NodeProxy]:
    with proxy_in_thread(devnet.port) as proxy:
        yield proxy


def settle(devnet: BackgroundDevnet) -> list[str]:
    """Run once more without taking anything on, then compare journal and chain."""
    closing = devnet.config_with("closing.yaml", {"min_profit_usd: 0.5 USD": "min_profit_usd: 9000000 USD"})
    done = headrace("run", "--live", "--config", str(closing), "--blocks", "8", "--json")
    assert done.code == 0, done.err
    market = devnet.running.market
    with Rpc(devnet.port) as rpc:
        chain = transactions_of(rpc, market.operator, market.deploy_block)
    return faults(sorted_out(read_journal(load_config(closing).journal_path)), chain)


def executions(document: dict[str, object]) -> list[dict[str, object]]:
    found = document["executions"]
    assert isinstance(found, list)
    return found


def test_executions_land_with_public_methods_alone(devnet: BackgroundDevnet, proxy: NodeProxy) -> None:
    config = devnet.config_with("proxied.yaml", {devnet.running.ws_url: proxy.ws_url})
    done = headrace("run", "--live", "--config", str(config), "--blocks", "25", "--json")
    assert done.code == 0, done.err
    assert proxy.refused == {}
    assert proxy.seen.keys() <= PUBLIC_METHODS
    assert proxy.seen.keys() >= TRADED
    assert [row for row in executions(done.json) if row["status"] == "landed"], done.out
    assert settle(devnet) == []


def test_a_cut_connection_and_slow_answers_make_it_stale_and_nothing_is_sent_twice(
    devnet: BackgroundDevnet, proxy: NodeProxy
) -> None:
    config = devnet.config_with("troubled.yaml", {devnet.running.ws_url: proxy.ws_url})
    agent = Started("run", "--live", "--config", str(config), "--blocks", "40", "--json")
    agent.await_word("found=")
    for method in ("eth_getLogs", "eth_subscription", "eth_sendRawTransaction"):
        proxy.strike(Fault.CUT, method)
        agent.await_word("market stale")
        agent.await_word("found=")
    for method in ("eth_getLogs", "eth_simulateV1", "eth_sendRawTransaction"):
        proxy.strike(Fault.DELAY, method, times=3, seconds=2 * BLOCK_SECONDS)
    done = agent.finish(60)
    assert done.code == 0, done.err
    assert proxy.taken[Fault.CUT] == 3
    assert proxy.taken[Fault.DELAY] >= 4
    refusals = done.json["refusals"]
    assert isinstance(refusals, dict)
    assert refusals["block_passed"] >= 1  # rehearsed too slowly: a newer block was announced
    assert agent.left_behind() == []
    assert settle(devnet) == []
