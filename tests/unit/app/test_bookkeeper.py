"""How ended executions are written down, whatever fails between the chain, the history and the journal."""

from collections import Counter

import pytest
from structlog.testing import capture_logs
from tests.support.recording_agent import History, Rerunner, Scene, live
from tests.support.transaction_world import CALM, Crash, Faults, World
from tests.support.waiting import until

from headrace.app import bookkeeper
from headrace.model.address import Hash32
from headrace.model.execution import is_explained
from headrace.model.intent import IntentStatus
from headrace.model.record import CancellationRecorded, RevertExplained
from headrace.pipeline.execute.cause import KEPT_BLOCKS

CAUSE = "reverted in the model"


def reverting_world() -> World:
    world = World(1, Counter())
    world.faults = Faults(reverted=100)
    return world


def told_causes(world: World) -> list[str]:
    return [record.cause for record in world.told if isinstance(record, RevertExplained)]


def test_a_revert_that_could_not_be_recorded_at_once_is_recorded_with_its_cause_later() -> None:
    async def life(scene: Scene) -> None:
        scene.agent.take_up(await scene.ended("a"))
        scene.node.failures = 1  # what only a record asks for
        await scene.record()
        await scene.asked()
        assert (scene.rows, told_causes(scene.world)) == ([], [])
        await scene.agent.settle()
        assert [row.cause for row in scene.history.rows] == told_causes(scene.world) == [CAUSE]
        (execution,) = scene.agent.tally.executions
        assert is_explained(execution.cause)

    live(life, lambda: Scene(reverting_world()))


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

    live(dies, lambda: Scene(world, History(is_deadly=True)))
    live(comes_after, lambda: Scene(world))


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

    live(dies, lambda: Scene(world, History(is_deadly=True)))
    live(comes_after, lambda: Scene(world))
    live(comes_last, lambda: Scene(world))
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
    live(life, lambda: Scene(world))


def test_a_node_that_fails_is_asked_again_with_a_later_block() -> None:
    async def life(scene: Scene) -> None:
        scene.agent.take_up(await scene.ended("a"))
        scene.rerunner.failures = 2
        for warnings in (1, 0):
            with capture_logs() as told:
                await scene.record()
                await scene.asked()
            assert [line["event"] for line in told] == ["cause not known yet"] * warnings  # the same is said once
            assert (scene.rows, told_causes(scene.world)) == ([], [])
            (shown,) = scene.agent._books.unwritten()
            assert shown.cause == "not found: no answer in time"
        await scene.agent.settle()
        assert scene.rows == [("a", "reverted", CAUSE)]
        assert not scene.agent._books.unwritten()

    live(life, lambda: Scene(reverting_world()))


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

    live(life, lambda: Scene(reverting_world()))


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

    live(life, lambda: Scene(reverting_world()))


def test_an_end_that_waits_for_no_answer_leaves_the_revert_owed_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bookkeeper, "_SETTLING_SECONDS_MAX", 0.01)
    world = reverting_world()

    async def ends(scene: Scene) -> None:
        scene.agent.take_up(await scene.ended("a"))
        scene.rerunner.gate.clear()
        await scene.record()
        await scene.agent.settle()
        assert scene.rerunner.at_work == 0  # cancelled, and gone
        (shown,) = scene.agent._books.unwritten()
        assert (shown.status, shown.cause) == (IntentStatus.REVERTED, "not found: nobody was asked yet")
        assert set(scene.manager.state.unexplained) == {"a"}

    async def comes_after(scene: Scene) -> None:
        await scene.record()
        await scene.agent.settle()
        assert scene.rows == [("a", "reverted", CAUSE)]

    live(ends, lambda: Scene(world))
    live(comes_after, lambda: Scene(world))


def test_what_was_found_and_is_not_written_down_yet_is_in_a_report_all_the_same() -> None:
    async def life(scene: Scene) -> None:
        scene.agent.take_up(await scene.ended("a"))
        await scene.record()
        await scene.asked()  # and then a Ctrl-C comes, before the next block
        report = await scene.agent.report()
        assert [(row.status, row.cause) for row in report.executions] == [("reverted", CAUSE)]
        await scene.agent.settle()
        assert (await scene.agent.report()).executions == report.executions

    live(life, lambda: Scene(reverting_world()))


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

    live(life, lambda: Scene(reverting_world()))
