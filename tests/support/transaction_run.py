"""One seeded life of an agent's transactions in the model world, with a checker that looks from outside."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from typing import cast

import msgspec

from headrace.errors import ChainError, JournalCorruptError, JournalError
from headrace.model.address import PoolId
from headrace.model.intent import Intent, IntentStatus
from headrace.model.limits import USD_MICRO
from headrace.model.record import AccountReleased, IntentEnded, IntentOpened, PayloadSigned, ReceiptGone, Record
from headrace.model.refusal import Reason, Refusal
from headrace.pipeline.execute.fold import fold
from headrace.pipeline.execute.rules import Rules
from headrace.pipeline.execute.sockets import Sockets
from headrace.pipeline.execute.state import State
from headrace.pipeline.execute.submission import Prepared
from headrace.pipeline.execute.transactions import TransactionManager
from headrace.ports.chain import Chain
from tests.support.fills import Fills
from tests.support.intents import ACCOUNT, LIMITS, intent, rehearsed, reservation, transaction
from tests.support.transaction_world import (
    CALM,
    Crash,
    Faults,
    ViolationError,
    World,
    WorldChain,
    WorldClock,
    WorldHoldings,
    WorldJournal,
    WorldSigner,
    WorldSimulator,
)

POOLS = tuple(PoolId(f"0xpool{i}") for i in range(12))
STORM = Faults(
    crash=1,
    lost_request=8,
    lost_answer=8,
    late_arrival=8,
    refused=5,
    read_failed=3,
    rerun_failed=30,
    evicted=5,
    passed_over=25,
    doomed=20,
    reverted=10,
    full_disk=1,
)
QUIET_BLOCKS_MAX = 40
FOLDED = (
    "account",
    "reorg_blocks",
    "intents",
    "slots",
    "nonce_next",
    "halt_cause",
    "tripped",
    "uncompared",
    "unexplained",
    "unrecorded",
    "loss_day",
    "loss_usd_micro",
)
FEW_LOSSES = msgspec.structs.replace(LIMITS, daily_loss_usd_micro_max=2 * USD_MICRO)  # each trade reserves one dollar


class Run:
    """Drives requests, blocks and faults; `check` after every step and at the end.

    `knows_memory` has every step compare the process's state with its journal as well: that catches much by itself, so
    whoever asks what the outside checker sees leaves it out.
    """

    def __init__(self, seed: int, counts: Counter[str], *, knows_memory: bool = False) -> None:
        self.knows_memory = knows_memory
        self.world = World(seed, counts)
        self.random = self.world.random
        self.limits = FEW_LOSSES if random.Random(f"limits {seed}").randrange(4) == 0 else LIMITS
        self.rules = Rules(self.limits, confirmations=self.random.choice([1, 2, 3]))
        self.manager: TransactionManager | None = None
        self.serial = 0
        self.fills = Fills(counts)
        self.has_deep_reorg = self.random.randrange(15) == 0
        self.has_stranger = self.random.randrange(20) == 0
        self.counts = counts

    async def storm(self, steps: int) -> None:
        self.world.faults = STORM
        for _ in range(steps):
            await self._survive()
            self.check()

    async def calm(self) -> None:
        """No more faults and no more requests: everything must come to its end."""
        self.world.faults = CALM
        for _ in range(QUIET_BLOCKS_MAX):
            await self._survive(is_calm=True)
            self.check()
        self.check_ended()
        self.fills.check_compared(self.world.told)

    async def _survive(self, *, is_calm: bool = False) -> None:
        try:
            if self.manager is None:
                await self._start()
            else:
                await (self._quiet_block() if is_calm else self._anything(self.manager))
        except* Crash:
            self._crashed("crashed")
        except* JournalCorruptError:
            raise  # our own records do not fit: no fault of the world
        except* JournalError:
            self._crashed("stopped: no disk")
        except* ChainError:
            self.counts["look failed"] += 1

    def _crashed(self, why: str) -> None:
        self.counts[why] += 1
        self.manager = None
        self.fills.forget()
        self.world.restart()
        self.fills.check_kept(self.world.told)

    def _check_memory(self, manager: TransactionManager) -> None:
        """A process that dies here is followed by one that knows all that it knew: what it told, folded, is its state.

        So every prefix of what is told was the state of a process once, and is read by the next one.
        """
        read = fold(State(), self.world.told, self.rules.reorg_blocks)
        if any(getattr(read, name) != getattr(manager.state, name) for name in FOLDED):
            raise ViolationError("what was told does not fold to what is in memory")

    async def _start(self) -> None:
        world = self.world
        chain = cast("Chain", WorldChain(world))  # the machine's part of it
        sockets = Sockets(
            chain, WorldSimulator(world), WorldSigner(world), WorldJournal(world), WorldHoldings(), WorldClock(world)
        )
        manager = TransactionManager(ACCOUNT, self.rules, sockets)
        recovery = await manager.recover(version="test", config_digest="")
        self.counts["started"] += 1
        self.counts["left to another process"] += len(recovery.unfinished)
        self.manager = manager
        self.fills.note((*recovery.unfinished, *recovery.outcomes))

    async def _quiet_block(self) -> None:
        assert self.manager is not None
        self.world.mine()
        self.fills.note(await self.manager.on_head(self.world.head))
        await self.fills.compare(self.manager)

    async def _anything(self, manager: TransactionManager) -> None:
        chance = self.random.randrange(100)
        if chance < 30:
            await self._trade(manager)
        elif chance < 50:
            self.world.mine()
            async with asyncio.TaskGroup() as group:  # a head is looked at while others are sent
                looking = group.create_task(manager.on_head(self.world.head))
                group.create_task(self._trade(manager))
                group.create_task(self._mine_meanwhile())
            self.fills.note(looking.result())
        elif chance < 90:
            self.world.mine(is_stranger=self.has_stranger and self.random.randrange(10) == 0)
            self.fills.note(await manager.on_head(self.world.head))
        elif chance < 96:
            self._reorg()
            self.fills.note(await manager.on_head(self.world.head))
        elif manager.state.halt_cause or manager.state.tripped:
            self.fills.tripped.clear()  # before: a crash may leave it released
            await manager.release("tester")
        else:
            self.world.now += 40
        if self.random.randrange(4):  # else the node fails, or the process dies first
            await self.fills.compare(manager)
        if self.knows_memory:
            self._check_memory(manager)

    async def _mine_meanwhile(self) -> None:
        for _ in range(self.random.randrange(4)):
            await asyncio.sleep(0)  # how far the others get meanwhile is drawn
        self.world.mine()

    def _reorg(self) -> None:
        deepest = self.rules.confirmations
        if self.has_deep_reorg and self.random.randrange(2):
            deepest += 4
            self.counts["deep reorg"] += 1
        self.world.reorg(self.random.randint(0, min(deepest, len(self.world.blocks) - 1)))

    async def _trade(self, manager: TransactionManager) -> None:
        wanted = []
        for _ in range(self.random.randint(1, 3)):
            self.serial += 1
            pools = tuple(self.random.sample(POOLS, 2))
            taken = reservation(
                pools, capital_units=self.random.choice([0, 150, 300]), usd=self.random.randint(1, 1100)
            )
            deadline = self.world.head.number + self.random.randint(0, 4)
            one = intent(f"intent {self.serial}", deadline=deadline, reserved=taken)
            head = self.world.head
            wanted.append(msgspec.structs.replace(one, quoted_block=head.number, quoted_block_hash=head.hash))
        opened = await self._reserved(manager, wanted)
        if opened and self.random.randrange(5) == 0:
            dropped = opened.pop()
            await manager.drop(dropped.id, Refusal(Reason.REHEARSAL_REVERTED, "refused by the rehearsal"))
            opened += await self._on_the_next_engine(manager, dropped)
        if self.random.randrange(8) == 0:
            return  # the line forgets them: the machine must not
        await manager.execute([Prepared(one.id, rehearsed(transaction(one.id.encode()))) for one in opened])

    async def _on_the_next_engine(self, manager: TransactionManager, dropped: Intent) -> list[Intent]:
        """Another reservation under the same name, for the same block."""
        if self.random.randrange(2):
            return []
        if self.random.randrange(2):
            await asyncio.sleep(0)  # a head may be looked at while the others' rehearsals are awaited
        taken = msgspec.structs.replace(dropped.reservation, capital_units=self.random.choice([0, 200]))
        opened = await self._reserved(manager, [msgspec.structs.replace(dropped, reservation=taken)])
        self.counts["opened again"] += len(opened)
        return opened

    async def _reserved(self, manager: TransactionManager, wanted: Sequence[Intent]) -> list[Intent]:
        answers = await manager.reserve(wanted)
        for answer in answers:
            self.counts[f"refused: {answer.reason}" if answer else "reserved"] += 1
        self.check()
        self._check_day(answers)
        opened = [one for one, answer in zip(wanted, answers, strict=True) if answer is None]
        self.fills.check_opened(opened, self.world.told)
        return opened

    def _check_day(self, answers: Sequence[Refusal | None]) -> None:
        """A day whose losses leave no room for a trade of one dollar is over until a person says otherwise."""
        assert self.manager is not None
        is_full = any(answer is not None and answer.reason is Reason.DAILY_LOSS_LIMIT for answer in answers)
        if not is_full or _open(self.world.told):
            return
        self.counts["halted by losses"] += 1
        if not self.manager.state.halt_cause:
            raise ViolationError("no room for a further loss, nothing open, and the account is not halted")

    def check(self) -> None:
        """Limits from the journal alone: opened and not ended."""
        opened = _open(self.world.told)
        reserved = [record.intent.reservation for record in opened.values()]
        pools = [pool for one in reserved for pool in one.pools]
        is_within = (
            len(reserved) <= LIMITS.executions_max
            and sum(one.exposure_usd_micro for one in reserved) <= LIMITS.position_usd_micro_max
            and sum(one.capital_units for one in reserved) <= 500
            and len(pools) == len(set(pools))
            and _lost(self.world.told) + sum(one.loss_usd_micro for one in reserved)
            <= self.limits.daily_loss_usd_micro_max
        )
        if not is_within and not self.has_deep_reorg:  # what a deep reorg opens anew was within limits when it ended
            raise ViolationError(f"limits are exceeded by {sorted(opened)}")

    def check_ended(self) -> None:
        assert self.manager is not None
        if _open(self.world.told):
            raise ViolationError(f"never ended: {sorted(_open(self.world.told))}")
        state = self.manager.state
        if state.usage(self.world.now).count or state.open_slots:
            raise ViolationError("reservations or slots are left over")
        halted_by_stranger = "not in the journal" in state.halt_cause
        self.counts["halted by a stranger"] += halted_by_stranger
        if state.nonce_following != self.world.nonce():
            raise ViolationError(f"the chain is at nonce {self.world.nonce()}, we are at {state.nonce_following}")
        self._check_outcomes()

    def _check_outcomes(self) -> None:
        """What the journal says of each intent is what the final chain says."""
        landed: dict[str, IntentStatus] = {}
        for block, _, mined in self.world.mined():
            if not mined.is_cancel:
                if mined.intent_id in landed:
                    raise ViolationError(f"{mined.intent_id} was executed twice")
                is_success = self.world.is_success(block, mined)
                landed[mined.intent_id] = IntentStatus.LANDED if is_success else IntentStatus.REVERTED
        ended = {r.outcome.intent_id: r.outcome for r in self.world.told if isinstance(r, IntentEnded)}
        for intent_id, status in landed.items():
            if intent_id not in ended or ended[intent_id].status is not status:
                raise ViolationError(f"{intent_id} is {status} on the chain, the journal says {ended.get(intent_id)}")
        for intent_id, outcome in ended.items():
            self.counts[f"ended: {outcome.status}"] += 1
            if outcome.status in (IntentStatus.LANDED, IntentStatus.REVERTED) and intent_id not in landed:
                raise ViolationError(f"{intent_id} is said to be {outcome.status} and is not on the chain")


def _open(records: list[Record]) -> dict[str, IntentOpened]:
    """Intents opened and not ended; one whose receipt went is open again."""
    opened: dict[str, IntentOpened] = {}
    ever: dict[str, IntentOpened] = {}
    intent_of: dict[str, str] = {}
    for record in records:
        if isinstance(record, IntentOpened):
            opened[record.intent.id] = ever[record.intent.id] = record
        elif isinstance(record, PayloadSigned):
            intent_of[record.payload.tx_hash] = record.intent_id
        elif isinstance(record, ReceiptGone):
            intent_id = intent_of[record.tx_hash]
            opened[intent_id] = ever[intent_id]
        elif isinstance(record, IntentEnded):
            opened.pop(record.outcome.intent_id, None)
    return opened


def _lost(records: list[Record]) -> int:
    """Since the account was last released; no life is longer than a day."""
    released = [index for index, record in enumerate(records) if isinstance(record, AccountReleased)]
    since = records[released[-1] if released else 0 :]
    return sum(record.loss_usd_micro for record in since if isinstance(record, IntentEnded))


def summary(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
