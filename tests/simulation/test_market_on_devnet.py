"""The market on real protocol bytecode, behind a node that fails by seed.

The oracle is the contracts themselves, read from scratch without the proxy; the market's side sees the node through it,
without any privileged method. Answers to eth_call are spared: one reading of the v3 pools has hundreds of frames.
"""

import asyncio
import contextlib
from collections import Counter

import pytest
from tests.support.devnet_market import open_market, read_from_scratch
from tests.support.node_proxy import NOTIFICATION, Fault, NodeProxy
from tests.support.wall_clock import WallClock

from headrace.adapters.chains.evm.chain import EvmChain
from headrace.adapters.chains.evm.options import EvmOptions
from headrace.devnet.driver import Driver
from headrace.devnet.world import Devnet
from headrace.model.address import ChainId
from headrace.model.event import Stale
from headrace.model.snapshot import Snapshot
from headrace.pipeline.feed.block_feed import BlockFeed
from headrace.pipeline.feed.follower import FollowLimits
from headrace.pipeline.market.market_feed import MarketFeed
from headrace.ports.pool import PoolState

DEPTH = 6
STEPS = 15
REORG_DEPTHS = {3: 1, 6: DEPTH + 3, 9: 2, 12: 3}  # by step; one is deeper than what is kept
PATIENCE_SECONDS = 2.0
RATES = {
    Fault.DROP: 0.03,
    Fault.DELAY: 0.05,
    Fault.CORRUPT: 0.02,
    Fault.CUT: 0.03,
    Fault.DUPLICATE: 0.05,
    Fault.REORDER: 0.05,
    Fault.HIDE_LOG: 0.2,
}


@pytest.mark.parametrize("seed", [1, 2])
def test_after_faults_and_reorgs_the_market_equals_the_contracts(seed: int) -> None:
    with Devnet.start(seed) as devnet:
        taken = asyncio.run(live(devnet, seed))
    print(dict(taken))  # noqa: T201 - how often each fault was met is part of the result
    assert taken["blocks"] >= STEPS
    assert taken["reorgs"] == len(REORG_DEPTHS)
    assert taken["snapshots"] >= 8
    assert sum(taken[fault] for fault in Fault) >= 5


async def live(devnet: Devnet, seed: int) -> Counter[str]:
    life = Life(seed)
    chain_id = ChainId(devnet.market.chain_id)
    async with NodeProxy(devnet.anvil.port) as proxy:
        failing = EvmOptions(
            url=proxy.ws_url,
            chain_id=chain_id,
            deadline_seconds=0.5,
            poll_seconds=0.1,
            backoff_seconds_min=0.001,
            backoff_seconds_max=0.01,
        )
        plain = EvmOptions(url=devnet.anvil.ws_url, chain_id=chain_id)
        async with EvmChain(failing, WallClock()) as chain, EvmChain(plain, WallClock()) as honest:
            market = await open_market(devnet.market, honest, DEPTH)
            feed = MarketFeed(chain, market, BlockFeed(chain, FollowLimits(depth_max=DEPTH, pause_seconds=0.0)))
            world = asyncio.create_task(live_world(devnet, proxy, life))
            async for output in feed.snapshots():
                if life.note(output):
                    break
            await world
            assert isinstance(output, Snapshot)
            assert output.header == await honest.head()
            assert output.quarantined == {}
            truth = await read_from_scratch(devnet.market, honest, output.header.hash)
            assert output.states == truth
        life.taken.update(proxy.taken)
        assert not proxy.refused
    return life.taken


class Life:
    """What a seed decides, what happened, whether the market has said something, and the last block of all."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.taken: Counter[str] = Counter()
        self.told = asyncio.Event()
        self.last_block: int | None = None

    def note(self, output: Snapshot[PoolState] | Stale) -> bool:
        """Count an output; true for the snapshot of the last block."""
        self.taken["stale" if isinstance(output, Stale) else "snapshots"] += 1
        self.told.set()
        return isinstance(output, Snapshot) and output.header.number == self.last_block


async def live_world(devnet: Devnet, proxy: NodeProxy, life: Life) -> None:
    await until_told(life.told)
    driver = await asyncio.to_thread(Driver, devnet, life.seed)
    proxy.strike_at_random(life.seed, RATES, delay_seconds_max=0.02, spared=("eth_call", "eth_chainId"))
    for step in range(STEPS):
        await driver.step()
        life.taken["blocks"] += 1
        if step in REORG_DEPTHS:
            await asyncio.to_thread(devnet.rpc.request, "anvil_reorg", REORG_DEPTHS[step], [])
            life.taken["reorgs"] += 1
            driver = await asyncio.to_thread(Driver, devnet, life.seed)
        await until_told(life.told)
    proxy.strike_at_random(life.seed, {}, delay_seconds_max=0.0)
    life.last_block = driver.block + 1
    await driver.step()


async def until_told(told: asyncio.Event) -> None:
    """The world waits for the market, but not for ever: a lost announcement is told by nobody."""
    told.clear()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(told.wait(), PATIENCE_SECONDS)


def test_a_connection_cut_in_the_middle_of_a_block_leaves_a_true_market() -> None:
    async def scenario(devnet: Devnet) -> None:
        async with NodeProxy(devnet.anvil.port) as proxy:
            options = EvmOptions(url=proxy.ws_url, chain_id=ChainId(devnet.market.chain_id), backoff_seconds_min=0.001)
            async with EvmChain(options, WallClock()) as chain:
                market = await open_market(devnet.market, chain)
                outputs = MarketFeed(chain, market, BlockFeed(chain)).snapshots()
                driver = Driver(devnet, 5)
                assert isinstance(await anext(outputs), Snapshot)
                proxy.strike(Fault.CUT, "eth_getLogs")
                await driver.step()
                after = await anext(outputs)
                if isinstance(after, Stale):  # else whoever wanted the logs found the question failed, and asked again
                    after = await anext(outputs)
                assert isinstance(after, Snapshot)
                assert after.header.number == driver.block
                assert after.states == await read_from_scratch(devnet.market, chain, after.header.hash)
                assert proxy.taken == {Fault.CUT: 1}
                assert proxy.seen["eth_getLogs"] == 2
                assert NOTIFICATION not in proxy.seen

    with Devnet.start(5) as devnet:
        asyncio.run(scenario(devnet))
