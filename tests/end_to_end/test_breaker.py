"""The live check on real contracts: a pool that changes without a log trips once, and nothing goes through it again.

After the agent has sent its plans, one stored reserve of a pair is moved by a billionth, as no contract would do: quote
and rehearsal were right, the fill is not, and no log says why. Nothing of the agent is replaced.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from headrace.adapters.stores.sqlite.journal import read_journal
from headrace.app.agent import ArbitrageAgent
from headrace.app.agents import open_agent
from headrace.app.config.tree import Config
from headrace.app.demo import _agent_files
from headrace.app.places import open_places
from headrace.app.release import release
from headrace.devnet.driver import Driver
from headrace.devnet.recipe.build import BLOCK_SECONDS
from headrace.devnet.world import Devnet
from headrace.model.intent import Slot
from headrace.model.record import IntentEnded, IntentOpened, PoolsTripped, Record
from headrace.model.refusal import Reason
from headrace.ports.signer import Signer

SEED = 1
HONEST_BLOCKS, TRIED_BLOCKS_MAX, TRIPPED_BLOCKS, RESTARTED_BLOCKS = 30, 80, 40, 10
SECONDS_MAX = 30.0
RESERVES_SLOT = "0x8"  # UniswapV2Pair: 112 bits each, then the time
RESERVE_BITS = 112
PAIRS = ("uniswap_v2", "sushiswap")


class Scene:
    """One agent's process on a devnet that outlives it."""

    def __init__(self, devnet: Devnet, driver: Driver, config: Config, signer: Signer) -> None:
        self.devnet, self.driver = devnet, driver
        self.config, self.signer = config, signer
        self.moved: set[str] = set()

    @property
    def records(self) -> list[Record]:
        return list(read_journal(self.config.journal_path))

    async def live(self, play: Callable[[ArbitrageAgent], Awaitable[None]]) -> ArbitrageAgent:
        async with (
            open_places(self.config, self.config.chain_name, lambda _: None) as places,
            open_agent(places, self.signer) as agent,
            asyncio.TaskGroup() as tasks,
        ):
            running = tasks.create_task(agent.run())
            await asyncio.wait_for(agent.finished(self.driver.block), SECONDS_MAX)
            await play(agent)
            running.cancel()
        return agent

    async def blocks(self, agent: ArbitrageAgent, count: int, *, moves: bool = False) -> None:
        async def finished(block: int) -> None:
            await asyncio.wait_for(agent.finished(block), SECONDS_MAX)
            if moves:
                self.move_one(agent)

        for _ in range(count):
            if moves and tripped(agent):
                return
            await self.driver.step(finished)

    def move_one(self, agent: ArbitrageAgent) -> None:
        """Move a reserve under one plan in flight, unless one is still under way."""
        addresses = {pool.id for pool in agent._places.pools if pool.venue in PAIRS}
        open_ids = {slot.intent.id for slot in slots(agent)}
        wanted = [slot.intent for slot in slots(agent) if slot.receipt is None and addresses & set(slot.intent.pools)]
        if self.moved & open_ids or not wanted:
            return
        self.moved.add(wanted[0].id)
        pair = next(pool for pool in wanted[0].pools if pool in addresses)
        word = int(str(self.devnet.rpc.request("eth_getStorageAt", pair, RESERVES_SLOT, "latest")), 16)
        reserve1 = word >> RESERVE_BITS & (1 << RESERVE_BITS) - 1
        word -= max(reserve1 // 10**9, 1) << RESERVE_BITS
        self.devnet.rpc.request("anvil_setStorageAt", pair, RESERVES_SLOT, f"0x{word:064x}")


def slots(agent: ArbitrageAgent) -> tuple[Slot, ...]:
    assert agent._transactions is not None
    return agent._transactions.state.open_slots


def tripped(agent: ArbitrageAgent) -> set[str]:
    assert agent._transactions is not None
    return set(agent._transactions.state.tripped)


def opened(records: list[Record]) -> list[set[str]]:
    return [set(record.intent.pools) for record in records if isinstance(record, IntentOpened)]


def test_a_pool_that_changes_without_a_log_trips_once_and_is_never_traded_again_until_a_person_releases(
    tmp_path: Path,
) -> None:
    with Devnet.start(SEED) as devnet:
        config, signer = _agent_files(devnet, tmp_path, BLOCK_SECONDS)
        scene = Scene(devnet, Driver(devnet, SEED), config, signer)
        asyncio.run(tell(scene))


async def tell(scene: Scene) -> None:
    async def first(agent: ArbitrageAgent) -> None:
        await scene.blocks(agent, HONEST_BLOCKS)
        assert sum(isinstance(record, IntentEnded) for record in scene.records) >= 3
        assert not tripped(agent)  # an honest market trips nothing
        await scene.blocks(agent, TRIED_BLOCKS_MAX, moves=True)
        assert tripped(agent)
        await scene.blocks(agent, TRIPPED_BLOCKS)

    agent = await scene.live(first)
    records = scene.records
    ((at, trip),) = [(at, record) for at, record in enumerate(records) if isinstance(record, PoolsTripped)]
    assert trip.intent_id in scene.moved
    pools: set[str] = set(trip.pools)
    (fill,) = [one for one in agent.tally.executions if one.intent_id == trip.intent_id]
    assert fill.is_clean
    assert fill.deviation_units
    assert set(fill.pools) == pools == tripped(agent)
    assert any(one & pools for one in opened(records[:at]))
    after = opened(records[at:])
    assert after
    assert not any(one & pools for one in after)
    assert agent.tally.refusals[Reason.POOL_TRIPPED] > 0
    await after_a_restart(scene, pools)


async def after_a_restart(scene: Scene, pools: set[str]) -> None:
    before = len(scene.records)
    agent = await scene.live(lambda agent: scene.blocks(agent, RESTARTED_BLOCKS))
    assert tripped(agent) == pools
    assert not any(one & pools for one in opened(scene.records[before:]))
    assert set(release(report=lambda _: None, config=scene.config, by="Ada").tripped) == pools
    assert not tripped(await scene.live(lambda agent: scene.blocks(agent, 1)))
