"""Rivals beside a trading agent, from a real node's mempool.

The owner's account sends one swap through every pair by its own router, and one for every two tokens by a router that
nobody knows, each with more gas than a block has: so they stay pending as long as the test wants, and whom a route
meets is counted from its names alone. What traders, rivals and the agent itself send comes and goes around them.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import create_engine, select
from structlog.testing import capture_logs
from tests.support.node_proxy import Fault, NodeProxy
from tests.support.waiting import until

from headrace.adapters.mempools.calldata.decoder import decode_call
from headrace.adapters.stores.sql.tables import OPPORTUNITIES
from headrace.app import rivals as rivals_module
from headrace.app.agents import open_agent, run
from headrace.app.config.secret import Endpoint
from headrace.app.config.tree import Config
from headrace.app.demo import _agent_files
from headrace.app.places import Places, open_places
from headrace.app.rivals import Rivals, open_rivals
from headrace.app.scan import scan
from headrace.devnet.abi import encode_call
from headrace.devnet.accounts import OWNER, account_address
from headrace.devnet.deployer import TRANSACTION_GAS_LIMIT
from headrace.devnet.driver import Driver
from headrace.devnet.market import Market
from headrace.devnet.recipe.build import BLOCK_SECONDS
from headrace.devnet.rpc import Call
from headrace.devnet.world import Devnet
from headrace.model.address import Address
from headrace.pipeline.pending.pending_set import PendingSet
from headrace.pipeline.pending.watch import PendingWatch
from headrace.ports.signer import Signer

SEED, BLOCKS = 1, 25
QUIET_BLOCKS = 6  # after which this seed has left something to earn
SECONDS_MAX = 30.0
CHAIN = "devnet"
SENDER = account_address(OWNER)
NOBODY = Address("0x" + "ee" * 20)
SWAP = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"
PAIRS = ("uniswap_v2", "sushiswap")
KEPT = TRANSACTION_GAS_LIMIT - 1  # a block's gas, so that nothing with a transaction's whole gas fits into one


def following(config: Config, *, is_on: bool = True, url: str = "") -> Config:
    section = config.chains[CHAIN]
    rpc = Endpoint(url=url) if url else section.rpc
    section = msgspec.structs.replace(section, public_mempool=True, follow_pending=is_on, rpc=rpc)
    return msgspec.structs.replace(config, chains={CHAIN: section})


def waiting_swaps(market: Market) -> list[tuple[Address, tuple[Address, ...]]]:
    """The receiver of each, and its tokens."""
    named = [(market.exchange(name).router, pool.tokens) for name in PAIRS for pool in market.exchange(name).pools]
    perhaps = [(NOBODY, tokens) for tokens in {frozenset(tokens): tokens for _, tokens in named}.values()]
    return [*named, *perhaps]


def send_waiting(devnet: Devnet) -> int:
    """Send them; how many there are."""
    swaps = waiting_swaps(devnet.market)
    devnet.rpc.batch(
        Call(
            "eth_sendTransaction",
            (
                {
                    "from": SENDER,
                    "to": to,
                    "data": encode_call(SWAP, 1, 1, list(tokens), SENDER, 2**40),
                    "gas": hex(TRANSACTION_GAS_LIMIT),
                    "maxFeePerGas": hex(10**11),
                    "maxPriorityFeePerGas": "0x0",
                },
            ),
        )
        for to, tokens in swaps
    )
    devnet.rpc.request("evm_setBlockGasLimit", hex(KEPT))
    return len(swaps)


def met(route: str) -> tuple[int, int]:
    """Which of the waiting swaps a route meets, by its names: for certain, and perhaps."""
    parts = route.split(" > ")
    hops = [
        (venue, frozenset((a, b)))
        for a, venue, b in zip(parts[0::2], parts[1::2], parts[2::2], strict=False)
        if venue in PAIRS
    ]
    return len(set(hops)), len({pair for _, pair in hops})


class Row(msgspec.Struct, frozen=True):
    route: str
    certain: int
    possible: int
    listened_seconds: float
    block: int
    event: str = ""
    log_level: str = ""

    @property
    def is_right(self) -> bool:
        return (self.certain, self.possible) == met(self.route)


class Scene:
    """One agent on a devnet of its own."""

    def __init__(self, devnet: Devnet, folder: Path) -> None:
        self.devnet, self.driver = devnet, Driver(devnet, SEED)
        config, self.signer = _agent_files(devnet, folder, BLOCK_SECONDS)
        self.config: Config = config
        self.sent = 0
        self.is_patient = True

    async def trade(self, places: Places, rivals: Rivals | None, signer: Signer | None) -> None:
        """Some blocks, with each of which the agent has finished before the next; with patience the rivals too."""
        async with open_agent(places, signer, None, rivals) as agent, asyncio.TaskGroup() as tasks:
            running = tasks.create_task(agent.run())
            await asyncio.wait_for(agent.finished(self.driver.block), SECONDS_MAX)
            for _ in range(BLOCKS):
                await self.driver.step(lambda block: asyncio.wait_for(agent.finished(block), SECONDS_MAX))
                if rivals is not None and self.is_patient:
                    await asyncio.wait_for(rivals._idle.wait(), SECONDS_MAX)
            running.cancel()
        self.sent = agent.tally.sent

    async def beside_those_that_wait(self, *, is_live: bool) -> list[Row]:
        self.driver._demand.drafts = lambda *_: []  # type: ignore[method-assign]  # it wants larger blocks
        async with (
            open_places(following(self.config), CHAIN, lambda _: None) as places,
            open_rivals(places, CHAIN) as rivals,
        ):
            assert rivals is not None
            await until(lambda: rivals.listened_seconds, "the node's first word")
            count = send_waiting(self.devnet)
            await until(lambda: len(held(rivals)) == count, "all that wait")
            with capture_logs() as logs:
                await self.trade(places, rivals, self.signer if is_live else None)
        return [msgspec.convert(one, Row) for one in logs if one["event"] == "rivals"]


def held(rivals: Rivals) -> PendingSet:
    assert isinstance(rivals._watch.pending, PendingSet)
    return rivals._watch.pending


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with Devnet.start(SEED) as devnet:
        yield Scene(devnet, tmp_path)


def written(config: Config) -> dict[int, list[dict[str, object] | None]]:
    """What the history says of rivals, by block."""
    engine = create_engine(f"sqlite:///{config.data_dir / 'history.sqlite'}")
    with engine.connect() as connection:
        rows = connection.execute(select(OPPORTUNITIES.c.metadata)).scalars().all()
    engine.dispose()
    found: dict[int, list[dict[str, object] | None]] = {}
    for row in rows:
        found.setdefault(row["block"], []).append(row["rivals"])
    return found


def test_who_else_trades_in_a_route_is_told_and_written_beside_what_was_sent(scene: Scene) -> None:
    rows = asyncio.run(scene.beside_those_that_wait(is_live=True))
    told = {"none": 0, "some": 0}
    for row in rows:
        assert row.is_right, row
        assert row.listened_seconds > 0
        told["some" if row.certain else "none"] += 1
    print(told)  # noqa: T201 - how often each class was reached is part of the result
    assert min(told.values()) >= 2
    assert scene.sent >= 5
    history = written(scene.config)
    assert sum(map(len, history.values())) == scene.sent
    by_block = {block: [row for row in rows if row.block == block] for block in history}
    for block, found in history.items():
        assert all(found)
        wanted = {(row.certain, row.possible) for row in by_block[block]}
        assert {(one["certain"], one["possible"]) for one in found if one is not None} <= wanted


def test_a_dry_run_tells_of_rivals_too(scene: Scene) -> None:
    rows = asyncio.run(scene.beside_those_that_wait(is_live=False))
    assert len(rows) >= 5
    assert all(row.is_right for row in rows)


def test_our_own_transactions_would_be_taken_for_rivals_if_they_were_not_told_apart(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rivals_module, "_of_others", lambda _: decode_call)
    rows = asyncio.run(scene.beside_those_that_wait(is_live=True))
    assert sum(not row.is_right for row in rows) >= 5


def test_what_a_block_has_just_mined_would_be_taken_for_rivals_if_it_were_not_taken_out(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def believe(_watch: PendingWatch, _number: int) -> bool:
        return True

    monkeypatch.setattr(PendingWatch, "on_head", believe)
    rows = asyncio.run(scene.beside_those_that_wait(is_live=True))
    assert sum(not row.is_right for row in rows) >= 5


def test_trading_is_the_same_to_the_hash_without_rivals_with_them_and_with_a_mempool_that_hangs(
    tmp_path: Path,
) -> None:
    ends = {}
    for name in ("off", "on", "hanging"):
        with Devnet.start(SEED) as devnet:
            (tmp_path / name).mkdir()
            scene = Scene(devnet, tmp_path / name)
            asyncio.run(_follow(scene, name))
            ends[name] = (scene.driver.block_hash, scene.sent)
    assert ends["off"] == ends["on"] == ends["hanging"]
    assert ends["off"][1] >= 5


async def _follow(scene: Scene, name: str) -> None:
    config = following(scene.config, is_on=name != "off")
    async with open_places(config, CHAIN, lambda _: None) as places, NodeProxy(scene.devnet.anvil.port) as proxy:
        if name == "hanging":
            proxy.strike(Fault.DROP, "eth_getBlockByNumber", times=10**6)
        through = msgspec.structs.replace(places, config=following(config, is_on=name != "off", url=proxy.ws_url))
        async with open_rivals(through, CHAIN) as rivals:
            assert (rivals is None) == (name == "off")
            scene.is_patient = name == "on"
            with capture_logs() as logs:
                await scene.trade(places, rivals, scene.signer)
    told = [one for one in logs if one["event"] == "rivals"]
    assert bool(told) == (name == "on")
    assert proxy.taken[Fault.DROP] == (1 if name == "hanging" else 0)


def test_a_scan_counts_beside_each_route_and_says_how_long_it_listened(scene: Scene) -> None:
    def send(stage: str) -> None:
        if stage.startswith("listening"):
            send_waiting(scene.devnet)

    asyncio.run(scene.driver.run(QUIET_BLOCKS))
    listened = scan(report=send, config=following(scene.config), chain=CHAIN, listen_seconds=1.0)
    assert listened.opportunities
    assert any(row.rivals_certain for row in listened.opportunities)
    for row in listened.opportunities:
        assert (row.rivals_certain, row.rivals_possible) == met(row.route), row.route
    assert listened.listened_seconds is not None
    assert 1 <= listened.listened_seconds < SECONDS_MAX
    off = scan(report=lambda _: None, config=scene.config, chain=CHAIN)
    assert off.listened_seconds is None
    assert {(row.rivals_certain, row.rivals_possible) for row in off.opportunities} == {(None, None)}
    now = scan(report=lambda _: None, config=following(scene.config), chain=CHAIN)  # what waits is not news any more
    assert now.listened_seconds is not None
    assert {(row.rivals_certain, row.rivals_possible) for row in now.opportunities} == {(0, 0)}


def test_the_last_block_of_a_run_is_told_of_before_the_run_ends(scene: Scene) -> None:
    asyncio.run(scene.driver.run(QUIET_BLOCKS))
    config = following(scene.config)
    with capture_logs() as logs:
        report = run(report=lambda _: None, config=config, is_live=False, passphrase=None, blocks=1)
    assert report.blocks == 1
    told = [one for one in logs if one["event"] == "rivals"]
    assert len(told) == report.opportunities.rehearsed >= 1
    assert {one["block"] for one in told} == {scene.driver.block}
