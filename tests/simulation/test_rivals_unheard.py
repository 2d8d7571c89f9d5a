"""Rivals of whom nothing can be known any more, or for a while: said once, never taken for nobody, and nothing ends."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Iterator, MutableMapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any  # what structlog captures

import msgspec
import pytest
from rich.console import Console
from structlog.testing import capture_logs
from tests.support.node_proxy import NodeProxy
from tests.support.waiting import until

from headrace.app.config.secret import Endpoint
from headrace.app.config.tree import Config
from headrace.app.demo import _agent_files
from headrace.app.places import open_places
from headrace.app.rivals import Rivals, open_rivals
from headrace.app.scan import render, scan
from headrace.app.scan_report import ScanReport, ScanRow
from headrace.devnet.recipe.build import BLOCK_SECONDS
from headrace.devnet.world import Devnet
from headrace.model.pending import RivalCounts
from headrace.model.route import Hop, Route

CHAIN, SECONDS_MAX = "devnet", 20.0
Logs = list[MutableMapping[str, Any]]


@pytest.fixture(scope="module")
def devnet() -> Iterator[Devnet]:
    with Devnet.start(3) as running:
        yield running


class Followed(msgspec.Struct):
    devnet: Devnet
    rivals: Rivals
    proxy: NodeProxy
    route: Route
    number: int
    logs: Logs

    async def settled(self) -> RivalCounts | None:
        """What is counted after another block."""
        self.devnet.rpc.request("evm_mine")
        self.number += 1
        counted = asyncio.get_running_loop().create_future()
        self.rivals.after_block(self.number, lambda: counted.set_result(self.rivals.counts(self.route)))
        answer: RivalCounts | None = await asyncio.wait_for(counted, SECONDS_MAX)
        return answer

    def said(self, words: str) -> Logs:
        return [one for one in self.logs if words in one["event"]]


def configured(devnet: Devnet, folder: Path) -> Config:
    config, _ = _agent_files(devnet, folder, BLOCK_SECONDS)
    section = msgspec.structs.replace(config.chains[CHAIN], public_mempool=True, follow_pending=True)
    return msgspec.structs.replace(config, chains={CHAIN: section})


@asynccontextmanager
async def followed(
    devnet: Devnet, folder: Path, spoil: Callable[[NodeProxy], object] = lambda _: None
) -> AsyncIterator[Followed]:
    """Only the rivals' node is behind the proxy."""
    config = configured(devnet, folder)
    with capture_logs() as logs:
        async with open_places(config, CHAIN, lambda _: None) as places, NodeProxy(devnet.anvil.port) as proxy:
            spoil(proxy)
            section = msgspec.structs.replace(config.chains[CHAIN], rpc=Endpoint(url=proxy.ws_url))
            through = msgspec.structs.replace(config, chains={CHAIN: section})
            head = await places.chain.head()
            pool = places.pools[0]
            route = Route((Hop(pool.id, pool.tokens[0], pool.tokens[1]),))
            async with open_rivals(msgspec.structs.replace(places, config=through), CHAIN) as rivals:
                assert rivals is not None
                yield Followed(devnet, rivals, proxy, route, head.number, logs)


class Secretive(NodeProxy):
    """A node that announces blocks, and nothing that is pending."""

    def refusals(self, frame: bytes) -> bytes | None:
        is_asked = b"newPendingTransactions" in frame
        (self.refused_methods.add if is_asked else self.refused_methods.discard)("eth_subscribe")
        return super().refusals(frame)


def refuse_subscriptions(proxy: NodeProxy) -> None:
    proxy.refused_methods.add("eth_subscribe")


def serve_another_chain(proxy: NodeProxy) -> None:
    proxy.answer_with("eth_chainId", b'"0x5"')


@pytest.mark.parametrize(
    ("spoil", "why"),
    [(refuse_subscriptions, "the node shows no pending transactions"), (serve_another_chain, "WrongChainError")],
)
def test_what_ends_for_good_is_told_once_with_its_reason(
    devnet: Devnet, tmp_path: Path, spoil: Callable[[NodeProxy], None], why: str
) -> None:
    async def scenario() -> None:
        async with followed(devnet, tmp_path, spoil) as scene:
            await until(lambda: scene.said("not followed"), "the word that rivals are not followed")
            scene.rivals.after_block(scene.number, lambda: pytest.fail("nothing is called any more"))
            await asyncio.wait_for(scene.rivals.last_block(), SECONDS_MAX)
            await scene.rivals.settle(scene.number)
            assert scene.rivals.counts(scene.route) is None
            assert scene.rivals.listened_seconds == 0
        (told,) = scene.said("not ")
        assert why in told["why"]
        assert told["log_level"] == "warning"

    asyncio.run(scenario())


def test_a_bug_ends_the_counting_and_nothing_else(devnet: Devnet, tmp_path: Path) -> None:
    def stumble() -> None:
        raise AssertionError("a bug")

    async def scenario() -> None:
        async with followed(devnet, tmp_path) as scene:
            await until(lambda: scene.rivals.listened_seconds, "the node's first word")
            assert await scene.settled() is not None
            scene.rivals.after_block(scene.number, stumble)
            await asyncio.wait_for(scene.rivals.last_block(), SECONDS_MAX)
            assert scene.rivals.counts(scene.route) is None
        (told,) = scene.said("not followed")
        assert told["why"] == "AssertionError('a bug')"

    asyncio.run(scenario())


def test_a_connection_that_is_lost_makes_rivals_unknown_until_it_is_back(devnet: Devnet, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with followed(devnet, tmp_path) as scene:
            await until(lambda: scene.rivals.listened_seconds, "the node's first word")
            before = await scene.settled()
            assert before is not None
            assert (before.certain, before.possible) == (0, 0)
            await scene.proxy.stop()
            await until(lambda: not scene.rivals.listened_seconds, "the end of the connection")
            assert await scene.settled() is None
            assert await scene.settled() is None
            await scene.proxy.start(scene.proxy.ws_port)
            await until(lambda: scene.rivals.listened_seconds, "the node's next word")
            after = await scene.settled()
            assert after is not None
        assert len(scene.said("rivals not known")) == len(scene.said("rivals known again")) == 1
        (end,) = scene.said("rivals followed")
        assert end["gaps"] == 1

    asyncio.run(scenario())


def test_where_a_block_is_not_read_rivals_are_unknown_until_the_next(devnet: Devnet, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with followed(devnet, tmp_path) as scene:
            await until(lambda: scene.rivals.listened_seconds, "the node's first word")
            scene.proxy.answer_with("eth_getBlockByNumber", b"null")
            assert await scene.settled() is None
            scene.proxy.canned.clear()
            assert await scene.settled() is not None
        assert not scene.said("not ")

    asyncio.run(scenario())


def test_a_scan_on_a_node_that_hides_them_has_no_counts_and_listened_for_no_time(
    devnet: Devnet, tmp_path: Path
) -> None:
    async def scenario() -> ScanReport:
        async with Secretive(devnet.anvil.port) as proxy:
            config = configured(devnet, tmp_path)
            section = msgspec.structs.replace(config.chains[CHAIN], rpc=Endpoint(url=proxy.ws_url))
            return await asyncio.to_thread(
                scan,
                report=lambda _: None,
                config=msgspec.structs.replace(config, chains={CHAIN: section}),
                chain=CHAIN,
            )

    report = asyncio.run(scenario())
    assert report.listened_seconds == 0
    assert all(row.rivals_certain is None for row in report.opportunities)


def drawn(report: ScanReport) -> str:
    console = Console(width=200, record=True, file=io.StringIO())
    render(report, console)
    return console.export_text()


def test_what_is_drawn_tells_none_from_unknown_and_how_long_it_listened() -> None:
    row = ScanRow(
        strategy="spatial",
        route="WETH > uniswap_v2 > USDC > sushiswap > WETH",
        engine="",
        amount_in_wei=10**18,
        profit_token=CHAIN,
        profit_token_decimals=18,
        profit_estimate_wei=10**15,
        profit_wei=None,
        gas=None,
        net_profit_native_wei=None,
        edge_bps=10,
        verdict="executable",
    )
    met = msgspec.structs.replace(row, rivals_certain=2, rivals_possible=1)
    report = ScanReport("somewhere", 5, 0, 2, 3.5, (row, met))
    unknown, known = (line for line in drawn(report).splitlines() if "uniswap_v2" in line)
    assert "2+1" in known
    assert "+" not in unknown
    assert "announced as pending in 3.5 s of listening" in drawn(report)
    assert "listening" not in drawn(msgspec.structs.replace(report, listened_seconds=None))
