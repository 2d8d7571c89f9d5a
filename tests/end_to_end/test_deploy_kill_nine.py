"""`kill -9` of `headrace contracts deploy` at the two instants that matter, then the same command again.

The proxy before the node sees every frame: it kills the process when the signed bytes have left and the node has not
got them, and when the node has got them and the process has no answer. It also looks, at the moment a transaction's
frame arrives, whether its bytes are in the record on the disk. The oracle is the chain: one creation, one nonce.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.end_to_end.background_devnet import BackgroundDevnet, devnet_running
from tests.end_to_end.command import Started, headrace
from tests.end_to_end.killing_proxy import KillingProxy, Moment
from tests.end_to_end.test_public_methods_only import PUBLIC_METHODS
from tests.support.node_proxy import running_in_thread

from headrace.adapters.stores.deployments import DeploymentFile, SignedOrder
from headrace.app.config.load import load_config
from headrace.devnet.accounts import OWNER, account_address
from headrace.devnet.rpc import Rpc, quantity, text
from headrace.model.address import ChainId

BLOCK_SECONDS = 0.3
KILLED = -9


class DeploymentProxy(KillingProxy):
    """Looks into the record of deployments instead of the journal."""

    record: DeploymentFile

    def _read_journal(self) -> None:
        self._journaled = {one.tx_hash for one in self.record.read()}


class Site:
    """A devnet behind the proxy, and the wallet's record."""

    def __init__(self, devnet: BackgroundDevnet, proxy: DeploymentProxy) -> None:
        self.config = devnet.config_with("through_proxy.yaml", {devnet.running.ws_url: proxy.ws_url})
        self.proxy = proxy
        self._devnet = devnet
        loaded = load_config(self.config)
        proxy.record = DeploymentFile(loaded.deployments_path("devnet"), ChainId(loaded.chain.chain_id))

    def arguments(self, salt: int) -> list[str]:
        owner = ("--owner", account_address(OWNER), "--salt", str(salt))
        return ["contracts", "deploy", "--config", str(self.config), *owner, "--yes", "--json"]

    def signed(self) -> tuple[SignedOrder, ...]:
        return self.proxy.record.read()

    def on_chain(self) -> tuple[int, int]:
        """The wallet's nonce, and how many contracts stand where its deployments put one."""
        with Rpc(self._devnet.port) as rpc:
            nonce = quantity(rpc.request("eth_getTransactionCount", self.signed()[0].sender, "latest"))
            places = {one.contract for one in self.signed()}
            return nonce, sum(text(rpc.request("eth_getCode", place, "latest")) != "0x" for place in places)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder: Path = tmp_path_factory.mktemp("devnet")
    with devnet_running(folder, BLOCK_SECONDS, seed=3) as devnet:
        proxy = DeploymentProxy(devnet.port)
        with running_in_thread(proxy):
            yield Site(devnet, proxy)


@pytest.mark.parametrize("moment", [Moment.BEFORE_FORWARD, Moment.BEFORE_ANSWER])
def test_killed_around_sending_it_deploys_once_at_the_next_start(site: Site, moment: Moment) -> None:
    salt = list(Moment).index(moment)
    before = len(site.signed())
    killed = Started(*site.arguments(salt))
    site.proxy.aim(killed.process.pid, moment, 0.0)
    assert site.proxy.fell.wait(20)
    assert killed.finish().code == KILLED
    site.proxy.disarm()
    signed = site.signed()[before:]
    assert len(signed) == 1
    again = headrace(*site.arguments(salt))
    assert again.code == 0, again.err
    assert again.json["tx_hash"] == signed[0].tx_hash
    assert [one.tx_hash for one in site.signed()[before:]] == [signed[0].tx_hash]
    assert site.proxy.sent_before_journaled == []
    assert site.on_chain() == (before + 1, before + 1)


def test_all_of_it_takes_public_methods_alone(site: Site) -> None:
    assert headrace("contracts", "roles", "--config", str(site.config), "--json").code == 0
    assert headrace("contracts", "verify", "--config", str(site.config), "--json").code == 0
    assert headrace("contracts", "allowlist", "--config", str(site.config), "--json").code == 0
    assert site.proxy.refused == {}
    assert site.proxy.seen.keys() <= PUBLIC_METHODS
    assert site.proxy.seen.keys() >= {"eth_estimateGas", "eth_getCode", "eth_getLogs", "eth_sendRawTransaction"}
