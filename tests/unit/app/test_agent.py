"""How ended executions are recorded, whatever fails between the chain, the history and the journal."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from types import SimpleNamespace
from typing import cast

import pytest
from tests.support.intents import ACCOUNT, CHAIN_ID, EXECUTOR, OTHER, RULES, TOKEN, intent, rehearsed, transaction
from tests.support.transaction_world import (
    Crash,
    Faults,
    World,
    WorldChain,
    WorldClock,
    WorldHoldings,
    WorldJournal,
    WorldSigner,
    WorldSimulator,
)

from headrace.app.agent import ArbitrageAgent, Witnesses
from headrace.app.line import Line
from headrace.app.places import Places
from headrace.errors import NodeUnreachableError
from headrace.model.block import BlockHeader
from headrace.model.execution import is_explained
from headrace.model.history import ExecutionEntry, OpportunityEntry
from headrace.model.intent import Outcome
from headrace.model.record import RevertExplained
from headrace.model.token import Token
from headrace.pipeline.execute.sockets import Sockets
from headrace.pipeline.execute.submission import Prepared
from headrace.pipeline.execute.transactions import TransactionManager
from headrace.pipeline.market.screen import ScreenedFeed
from headrace.ports.chain import Chain
from headrace.treasury.capital import CapitalTreasury

CAUSE = "reverted in the model"


class Node(WorldChain):
    """Fails as often as it is told to when it is asked for an old header, which only a record needs."""

    failures = 0

    async def header_by_number(self, number: int) -> BlockHeader | None:
        if self.failures:
            self.failures -= 1
            raise NodeUnreachableError("the connection was lost")
        return next((b.header for b in self._world.blocks if b.header.number == number), None)


class History:
    """Keeps the rows; `is_deadly` has the process die before one is written."""

    def __init__(self, *, is_deadly: bool = False) -> None:
        self.rows: list[ExecutionEntry] = []
        self.is_deadly = is_deadly

    def write_opportunities(self, entries: Sequence[OpportunityEntry]) -> None:
        assert not entries

    def write_executions(self, entries: Sequence[ExecutionEntry]) -> None:
        if self.is_deadly and entries:
            raise Crash("before the history")
        self.rows += entries

    def close(self) -> None:
        return


class Scene:
    """One process: a manager that recovers, and an agent that records."""

    def __init__(self, world: World, history: History) -> None:
        self.world, self.node, self.history = world, Node(world), history
        chain = cast("Chain", self.node)
        simulator, clock = WorldSimulator(world), WorldClock(world)
        sockets = Sockets(chain, simulator, WorldSigner(world), WorldJournal(world), WorldHoldings(), clock)
        self.manager = TransactionManager(ACCOUNT, RULES, sockets)
        places = SimpleNamespace(
            chain=self.node,
            config=SimpleNamespace(
                execution=SimpleNamespace(flash_loan=SimpleNamespace(contract_address=EXECUTOR)),
                chain=SimpleNamespace(wrapped_native_address=OTHER),
            ),
            oracle=SimpleNamespace(price=lambda _token, _at: None),
            tokens={TOKEN: Token(CHAIN_ID, TOKEN, "A", 18)},
        )
        self.agent = ArbitrageAgent(
            places=cast("Places", places),
            feed=cast("ScreenedFeed", None),
            line=cast("Line", None),
            treasury=cast("CapitalTreasury", None),
            transactions=self.manager,
            witnesses=Witnesses(history),
        )

    async def start(self) -> None:
        recovery = await self.manager.recover(version="1", config_digest="")
        self.agent.take_up((*recovery.unfinished, *recovery.outcomes))

    async def reverted(self) -> tuple[Outcome, ...]:
        await self.manager.reserve([intent("a")])
        await self.manager.execute([Prepared("a", rehearsed(transaction(b"a")))])
        for _ in range(3):
            self.world.mine()
            outcomes = await self.manager.on_head(self.world.head)
        return outcomes

    async def record(self) -> None:
        await self.agent._record((), self.world.head)


def reverting_world() -> World:
    world = World(1, Counter())
    world.faults = Faults(reverted=100)
    return world


def told_causes(world: World) -> list[str]:
    return [record.cause for record in world.told if isinstance(record, RevertExplained)]


def test_a_revert_that_could_not_be_recorded_at_once_is_recorded_with_its_cause_later() -> None:
    async def life() -> None:
        scene = Scene(reverting_world(), History())
        await scene.start()
        scene.agent.take_up(await scene.reverted())
        scene.node.failures = 1
        await scene.record()
        assert (scene.history.rows, told_causes(scene.world)) == ([], [])
        await scene.record()
        assert [row.cause for row in scene.history.rows] == told_causes(scene.world) == [CAUSE]
        (execution,) = scene.agent.tally.executions
        assert is_explained(execution.cause)

    asyncio.run(life())


def test_a_process_that_dies_before_the_history_is_written_leaves_the_revert_to_the_next_one() -> None:
    world = reverting_world()

    async def dies() -> None:
        scene = Scene(world, History(is_deadly=True))
        await scene.start()
        scene.agent.take_up(await scene.reverted())
        with pytest.raises(Crash):
            await scene.record()
        assert told_causes(world) == []

    async def comes_after() -> None:
        scene = Scene(world, History())
        await scene.start()
        await scene.record()
        assert [(row.id, row.cause) for row in scene.history.rows] == [("a", CAUSE)]
        assert told_causes(world) == [CAUSE]
        assert not scene.manager.state.unexplained

    asyncio.run(dies())
    asyncio.run(comes_after())
