"""One process of an agent in the model world: a manager that recovers, and an agent that trades and records."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from types import SimpleNamespace
from typing import cast

from headrace.app.agent import ArbitrageAgent, Witnesses
from headrace.app.line import Line, Pass
from headrace.app.places import Places
from headrace.errors import NodeTimeoutError, NodeUnreachableError
from headrace.model.address import Hash32
from headrace.model.block import BlockHeader
from headrace.model.event import Stale
from headrace.model.history import ExecutionEntry, OpportunityEntry
from headrace.model.intent import Outcome
from headrace.model.snapshot import Snapshot
from headrace.model.token import Token
from headrace.model.transaction import SimulationResult
from headrace.pipeline.execute.sockets import Sockets
from headrace.pipeline.execute.submission import Prepared
from headrace.pipeline.execute.transactions import TransactionManager
from headrace.pipeline.market.screen import ScreenedFeed
from headrace.ports.chain import Chain
from headrace.ports.pool import PoolState
from headrace.treasury.capital import CapitalTreasury
from tests.support.intents import ACCOUNT, CHAIN_ID, EXECUTOR, OTHER, RULES, TOKEN, intent, rehearsed, transaction
from tests.support.transaction_world import (
    Crash,
    World,
    WorldChain,
    WorldClock,
    WorldHoldings,
    WorldJournal,
    WorldSigner,
    WorldSimulator,
)
from tests.support.waiting import until

NOTHING = Pass((), (), (), (), (), ())
Settle = Callable[[], Awaitable[None]]


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


class Trading:
    """The line, as far as an agent sees it: sends one execution in each of the first `blocks` it is given."""

    def __init__(self, scene: "Scene", blocks: int) -> None:
        self._scene, self._blocks = scene, blocks
        self.taken: list[int] = []

    async def run(self, snapshot: Snapshot[PoolState], settle: Settle) -> Pass:
        del settle
        self.taken.append(snapshot.header.number)
        if len(self.taken) <= self._blocks:
            await self._scene.sent(f"of block {snapshot.header.number}")
        return NOTHING


class Blocks:
    """The market, as far as an agent sees it: a block whenever the agent wants one; stale at those of `stale_at`.

    `at_block` is told of each before the agent is.
    """

    def __init__(self, world: World, stale_at: frozenset[int]) -> None:
        self._world, self._stale_at = world, stale_at
        self.at_block: Callable[[int], None] = lambda _number: None

    async def snapshots(self) -> AsyncGenerator[Snapshot[PoolState] | Stale, None]:
        while True:
            self._world.mine()
            self.at_block(self._world.head.number)
            if self._world.head.number in self._stale_at:
                yield Stale("the node is behind", is_lost=False)
            else:
                yield cast("Snapshot[PoolState]", SimpleNamespace(header=self._world.head))


async def _at_once(*_asked: object) -> None:
    """What is read between blocks, and of no matter here."""


class Scene:
    """The agent, its manager and what both stand on."""

    def __init__(
        self, world: World, history: History | None = None, *, trades: int = 0, stale_at: frozenset[int] = frozenset()
    ) -> None:
        self.world, self.node, self.history = world, Node(world), history or History()
        chain = cast("Chain", self.node)
        self.rerunner, clock = Rerunner(world), WorldClock(world)
        sockets = Sockets(chain, self.rerunner, WorldSigner(world), WorldJournal(world), WorldHoldings(), clock)
        self.manager = TransactionManager(ACCOUNT, RULES, sockets)
        self.trading, self.blocks = Trading(self, trades), Blocks(world, stale_at)
        places = SimpleNamespace(
            chain=self.node,
            config=SimpleNamespace(
                execution=SimpleNamespace(flash_loan=SimpleNamespace(contract_address=EXECUTOR)),
                chain=SimpleNamespace(wrapped_native_address=OTHER),
            ),
            oracle=SimpleNamespace(price=lambda _token, _at: None),
            tokens={TOKEN: Token(CHAIN_ID, TOKEN, "A", 18)},
            refresh=_at_once,
        )
        self.agent = ArbitrageAgent(
            places=cast("Places", places),
            feed=cast("ScreenedFeed", self.blocks),
            line=cast("Line", self.trading),
            treasury=cast("CapitalTreasury", SimpleNamespace(refresh=_at_once)),
            transactions=self.manager,
            witnesses=Witnesses(self.history),
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


def live(life: Callable[[Scene], Awaitable[None]], make: Callable[[], Scene]) -> Scene:
    """One process from its start to its end."""

    async def whole() -> Scene:
        scene = make()
        try:
            await scene.start()
            await life(scene)
        finally:
            await scene.agent.close()
        return scene

    return asyncio.run(whole())
