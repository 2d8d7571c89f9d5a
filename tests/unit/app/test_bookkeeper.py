"""How ended executions are written down, whatever fails between the chain, the history and the journal."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from types import SimpleNamespace
from typing import cast

import pytest
from tests.support.intents import ACCOUNT, CHAIN_ID, EXECUTOR, OTHER, RULES, TOKEN, intent, rehearsed, transaction
from tests.support.transaction_world import (
    CALM,
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
from tests.support.waiting import until

from headrace.app import bookkeeper
from headrace.app.agent import ArbitrageAgent, Witnesses
from headrace.app.line import Line
from headrace.app.places import Places
from headrace.errors import NodeTimeoutError, NodeUnreachableError
from headrace.model.address import Hash32
from headrace.model.block import BlockHeader
from headrace.model.execution import is_explained
from headrace.model.history import ExecutionEntry, OpportunityEntry
from headrace.model.intent import IntentStatus, Outcome
from headrace.model.record import CancellationRecorded, RevertExplained
from headrace.model.token import Token
from headrace.model.transaction import SimulationResult
from headrace.pipeline.execute.cause import KEPT_BLOCKS
from headrace.pipeline.execute.sockets import Sockets
from headrace.pipeline.execute.submission import Prepared
from headrace.pipeline.execute.transactions import TransactionManager
from headrace.pipeline.market.screen import ScreenedFeed
from headrace.ports.chain import Chain
from headrace.treasury.capital import CapitalTreasury

CAUSE = "reverted in the model"
Life = Callable[["Scene"], Awaitable[None]]


class Node(WorldChain):
    """Fails as often as it is told to when it is asked for an old header, which only a record needs."""

    failures = 0

    async def header_by_number(self, number: int) -> BlockHeader | None:
        if self.failures:
            self.failures -= 1
            raise NodeUnreachableError("the connection was lost")
        return next((b.header for b in self._world.blocks if b.header.number == number), None)


class Rerunner(WorldSimulator):
    """Shows why a transaction reverted, after `gate`, and fails `failures` times before."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.gate = asyncio.Event()
        self.gate.set()
        self.failures = 0
        self.at_work = 0
        self.asked: list[Hash32] = []

    async def replay(self, block: Hash32, transaction: Hash32) -> SimulationResult | None:
        self.asked.append(transaction)
        assert not self.at_work, "one at a time"
        self.at_work += 1
        try:
            await self.gate.wait()
        finally:
            self.at_work -= 1
        if self.failures:
            self.failures -= 1
            raise NodeTimeoutError("no answer in time")
        return await super().replay(block, transaction)


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
        self.rerunner, clock = Rerunner(world), WorldClock(world)
        sockets = Sockets(chain, self.rerunner, WorldSigner(world), WorldJournal(world), WorldHoldings(), clock)
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

    async def sent(self, *names: str) -> None:
        await self.manager.reserve([intent(name, deadline=self.world.head.number + 9) for name in names])
        await self.manager.execute([Prepared(name, rehearsed(transaction(name.encode()))) for name in names])

    async def ended(self, *names: str) -> tuple[Outcome, ...]:
        """What became of executions, once they are final."""
        await self.sent(*names)
        outcomes: tuple[Outcome, ...] = ()
        while len(outcomes) < len(names):
            outcomes += await self.block()
        return outcomes

    async def block(self) -> tuple[Outcome, ...]:
        self.world.mine()
        return await self.manager.on_head(self.world.head)

    async def record(self) -> None:
        """As at the end of a block: reverts are asked about meanwhile."""
        await self.agent._books.record((), self.world.head)

    async def asked(self) -> None:
        await until(lambda: self.agent._books._asking is None or self.agent._books._asking.done(), "an answer")

    @property
    def rows(self) -> list[tuple[str, str, str]]:
        return [(row.id, row.status, row.cause) for row in self.history.rows]


def live(life: Life, world: World, history: History | None = None) -> Scene:
    async def whole() -> Scene:
        scene = Scene(world, history or History())
        try:
            await scene.start()
            await life(scene)
        finally:
            await scene.agent.close()
        return scene

    return asyncio.run(whole())


def reverting_world() -> World:
    world = World(1, Counter())
    world.faults = Faults(reverted=100)
    return world


def told_causes(world: World) -> list[str]:
    return [record.cause for record in world.told if isinstance(record, RevertExplained)]


def test_a_revert_that_could_not_be_recorded_at_once_is_recorded_with_its_cause_later() -> None:
    async def life(scene: Scene) -> None:
        scene.agent.take_up(await scene.ended("a"))
        scene.node.failures = 1
        await scene.record()
        await scene.asked()
        assert (scene.rows, told_causes(scene.world)) == ([], [])
        await scene.agent.settle()
        assert [row.cause for row in scene.history.rows] == told_causes(scene.world) == [CAUSE]
        (execution,) = scene.agent.tally.executions
        assert is_explained(execution.cause)

    live(life, reverting_world())


def test_a_process_that_dies_before_the_history_is_written_leaves_the_revert_to_the_next_one() -> None:
    world = reverting_world()

    async def dies(scene: Scene) -> None:
        scene.agent.take_up(await scene.ended("a"))
        await scene.record()
        with pytest.raises(Crash):
            await scene.agent.settle()
        assert told_causes(world) == []

    async def comes_after(scene: Scene) -> None:
        await scene.record()
        await scene.agent.settle()
        assert scene.rows == [("a", "reverted", CAUSE)]
        assert told_causes(world) == [CAUSE]
        assert not scene.manager.state.owed

    live(dies, world, History(is_deadly=True))
    live(comes_after, world)


def test_a_cancellation_is_owed_to_the_history_until_its_row_is_there_and_no_longer() -> None:
    world = World(1, Counter())
    world.faults = Faults(evicted=100)

    async def dies(scene: Scene) -> None:
        await scene.sent("a")
        await scene.block()
        await scene.manager.halt("a test")  # what is open is cancelled
        world.faults = CALM
        outcomes = tuple([one for _ in range(5) for one in await scene.block()])
        await scene.manager.release("a test")
        assert [one.status for one in outcomes] == [IntentStatus.CANCELLED]
        scene.agent.take_up(outcomes)
        with pytest.raises(Crash):
            await scene.record()
        assert set(scene.manager.state.unrecorded) == {"a"}

    async def comes_after(scene: Scene) -> None:
        await scene.record()
        assert [row[:2] for row in scene.rows] == [("a", "cancelled")]
        assert not scene.manager.state.owed

    async def comes_last(scene: Scene) -> None:
        await scene.record()
        assert scene.rows == []

    live(dies, world, History(is_deadly=True))
    live(comes_after, world)
    live(comes_last, world)
    assert [one for one in world.told if isinstance(one, CancellationRecorded)] == [CancellationRecorded("a")]


def test_a_slow_answer_delays_no_block_and_reverts_are_asked_about_one_after_the_other() -> None:
    async def life(scene: Scene) -> None:
        scene.agent.take_up(await scene.ended("a", "b"))
        scene.rerunner.gate.clear()
        await scene.record()
        await until(lambda: scene.rerunner.at_work == 1, "a question")
        world.faults = Faults(reverted=0)
        scene.agent.take_up(await scene.ended("c"))
        await scene.record()
        assert [row[:2] for row in scene.rows] == [("c", "landed")]  # a later block, while the node thinks
        scene.rerunner.gate.set()
        await scene.agent.settle()
        assert sorted(scene.rows) == [("a", "reverted", CAUSE), ("b", "reverted", CAUSE), ("c", "landed", "")]
        assert len(scene.rerunner.asked) == 2
        assert [one.intent_id for one in scene.agent.tally.executions] == ["a", "b", "c"]  # as they ended

    world = reverting_world()
    live(life, world)


def test_a_node_that_fails_is_asked_again_with_a_later_block() -> None:
    async def life(scene: Scene) -> None:
        scene.agent.take_up(await scene.ended("a"))
        scene.rerunner.failures = 2
        for _ in range(2):
            await scene.record()
            await scene.asked()
            assert (scene.rows, told_causes(scene.world)) == ([], [])
            (shown,) = scene.agent._books.unexplained()
            assert shown.cause == "not found: no answer in time"
        await scene.agent.settle()
        assert scene.rows == [("a", "reverted", CAUSE)]
        assert not scene.agent._books.unexplained()

    live(life, reverting_world())


def test_what_no_node_can_be_expected_to_show_any_more_is_settled_as_not_found() -> None:
    async def life(scene: Scene) -> None:
        scene.agent.take_up(await scene.ended("a"))
        scene.rerunner.failures = 10**6
        end = scene.manager.state.unexplained["a"].block_number
        assert end is not None
        while scene.world.head.number < end + KEPT_BLOCKS:
            await scene.block()
        await scene.record()
        await scene.agent.settle()
        assert scene.rows == []
        await scene.block()
        await scene.record()
        await scene.agent.settle()
        assert scene.rows == [("a", "reverted", "not found: no answer in time")]
        assert told_causes(scene.world) == ["not found: no answer in time"]

    live(life, reverting_world())


def test_a_revert_that_a_reorg_takes_back_while_it_is_asked_about_is_told_by_its_new_end_alone() -> None:
    async def life(scene: Scene) -> None:
        scene.agent.take_up(await scene.ended("a"))
        scene.rerunner.gate.clear()
        await scene.record()
        await until(lambda: scene.rerunner.at_work == 1, "a question")
        scene.world.reorg(3)
        anew = await scene.manager.on_head(scene.world.head)
        scene.rerunner.gate.set()
        await scene.asked()
        await scene.record()
        assert scene.rows == []
        while not anew:
            anew = await scene.block()
        scene.agent.take_up(anew)
        await scene.record()
        await scene.agent.settle()
        assert scene.rows == [("a", "reverted", CAUSE)]

    live(life, reverting_world())


def test_an_end_that_waits_for_no_answer_leaves_the_revert_owed_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bookkeeper, "_SETTLING_SECONDS_MAX", 0.01)
    world = reverting_world()

    async def ends(scene: Scene) -> None:
        scene.agent.take_up(await scene.ended("a"))
        scene.rerunner.gate.clear()
        await scene.record()
        await scene.agent.settle()
        assert scene.rerunner.at_work == 0  # cancelled, and gone
        (shown,) = scene.agent._books.unexplained()
        assert (shown.status, shown.cause) == (IntentStatus.REVERTED, "not found: nobody was asked yet")
        assert set(scene.manager.state.unexplained) == {"a"}

    async def comes_after(scene: Scene) -> None:
        await scene.record()
        await scene.agent.settle()
        assert scene.rows == [("a", "reverted", CAUSE)]

    live(ends, world)
    live(comes_after, world)


def test_a_task_that_breaks_is_heard_with_the_next_block(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(self: Rerunner, block: Hash32, transaction: Hash32) -> None:
        raise AssertionError(f"{self} {block} {transaction}")

    monkeypatch.setattr(Rerunner, "replay", broken)

    async def life(scene: Scene) -> None:
        scene.agent.take_up(await scene.ended("a"))
        await scene.record()
        await scene.asked()
        with pytest.raises(AssertionError, match="Rerunner"):
            await scene.record()

    live(life, reverting_world())
