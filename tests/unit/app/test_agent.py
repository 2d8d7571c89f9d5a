"""An agent that is to trade for so many blocks: what it does with those that are open then."""

import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.support.config_sample import SAMPLE
from tests.support.recording_agent import Scene, live
from tests.support.transaction_world import CALM, Faults, World

from headrace.app import agents
from headrace.app.agent import ArbitrageAgent
from headrace.app.config.load import parse_config
from headrace.model.intent import IntentStatus


def world() -> World:
    calm = World(1, Counter())
    calm.faults = CALM
    return calm


def test_after_its_blocks_it_trades_no_more_and_watches_until_all_has_ended() -> None:
    told: list[str] = []

    async def life(scene: Scene) -> None:
        await scene.agent.run(2, told.append)
        assert scene.trading.taken == [11, 12]  # the world begins at block 10
        assert scene.agent.tally.blocks == 2
        assert scene.agent.open_count == 0
        ends = [one.status for one in scene.agent.tally.executions]
        assert len(ends) == 2
        assert set(ends) <= {IntentStatus.LANDED, IntentStatus.REVERTED}
        assert scene.world.head.number < 20

    live(life, lambda: Scene(world(), trades=2))
    assert len(told) == 1
    assert told[0].startswith("no new trades; 2 open, watched up to block 29")


def test_what_reverted_in_the_last_block_has_its_cause_when_the_run_ends() -> None:
    async def life(scene: Scene) -> None:
        await scene.agent.run(1)
        assert scene.rows == [("of block 11", "reverted", "reverted in the model")]
        assert not scene.manager.state.owed

    reverting = world()
    reverting.faults = Faults(reverted=100)
    live(life, lambda: Scene(reverting, trades=1))


def test_with_nothing_open_it_ends_with_its_last_block() -> None:
    told: list[str] = []

    async def life(scene: Scene) -> None:
        await scene.agent.run(3, told.append)
        assert scene.world.head.number == 13

    live(life, lambda: Scene(world()))
    assert told == []


def test_what_no_block_takes_is_left_to_the_next_start_some_blocks_after_its_deadline() -> None:
    told: list[str] = []
    lossy = world()
    lossy.faults = Faults(lost_request=100)

    async def life(scene: Scene) -> None:
        await scene.agent.run(1, told.append)
        assert scene.agent.open_count == 1
        assert scene.world.head.number == 28  # the deadline 20, 2 confirmations, and 6 for the cancellations
        assert scene.trading.taken == [11]

    live(life, lambda: Scene(lossy, trades=1))
    assert [line.partition(":")[0] for line in told] == [
        "no new trades; 1 open, watched up to block 28 (Ctrl-C leaves them to the next start)",
        "1 still open at block 28",
    ]


def ran(scene: Scene, monkeypatch: pytest.MonkeyPatch, blocks: int) -> int:
    """`headrace run --blocks` around an agent; answers its exit code."""

    @asynccontextmanager
    async def opened(*_of: object) -> AsyncIterator[ArbitrageAgent]:
        await scene.start()
        try:
            yield scene.agent
        finally:
            await scene.agent.close()

    @asynccontextmanager
    async def nothing(*_of: object) -> AsyncIterator[SimpleNamespace]:
        yield SimpleNamespace(left_out=())

    for name in ("open_places", "open_audit", "open_rivals"):
        monkeypatch.setattr(agents, name, nothing)
    monkeypatch.setattr(agents, "open_agent", opened)
    config = parse_config(SAMPLE, Path("headrace.yaml"))
    report = agents.run(report=lambda _: None, config=config, is_live=False, passphrase=None, blocks=blocks)
    assert [row.status for row in report.executions].count("pending") == scene.agent.open_count
    return report.exit_code


def test_the_exit_code_is_1_where_something_is_left_open_and_0_where_nothing_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lossy = world()
    lossy.faults = Faults(lost_request=100)
    assert ran(Scene(lossy, trades=1), monkeypatch, 1) == 1
    assert ran(Scene(world(), trades=1), monkeypatch, 1) == 0


def test_ctrl_c_ends_the_watching_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    lossy = world()
    lossy.faults = Faults(lost_request=100)
    scene = Scene(lossy, trades=1)
    scene.blocks.at_block = lambda number: os.kill(os.getpid(), signal.SIGINT) if number == 13 else None
    assert ran(scene, monkeypatch, 1) == 130
    assert scene.agent.open_count == 1
    assert scene.world.head.number < 20  # it would have watched up to block 28


def test_a_market_that_goes_stale_meanwhile_is_no_reason_to_stop_watching() -> None:
    async def life(scene: Scene) -> None:
        await scene.agent.run(1)
        assert scene.agent.open_count == 0
        assert len(scene.agent.tally.executions) == 1

    live(life, lambda: Scene(world(), trades=1, stale_at=frozenset(range(12, 40))))
