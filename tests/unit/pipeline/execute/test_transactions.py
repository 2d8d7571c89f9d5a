"""The machine's hands: order of journal and wire, failures of each port, start-up."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TypeVar, cast

import msgspec
import pytest
from tests.support.intents import ACCOUNT, RULES, SIGNER, intent, rehearsed, transaction
from tests.support.transaction_world import (
    Faults,
    World,
    WorldChain,
    WorldClock,
    WorldHoldings,
    WorldJournal,
    WorldSigner,
    WorldSimulator,
)

from headrace.adapters.stores.sqlite.journal import SqliteJournal
from headrace.errors import JournalCorruptError, JournalError, KeystoreError, NodeUnreachableError
from headrace.model.account import Account
from headrace.model.address import Address, Hash32
from headrace.model.block import BlockContext
from headrace.model.intent import IntentStatus, Outcome, Purpose
from headrace.model.record import PayloadSent, PayloadSigned, Record, RefusalNoted, RevertExplained
from headrace.model.refusal import Reason, Refusal
from headrace.model.transaction import SimulationResult, UnsignedTransaction
from headrace.pipeline.execute.sockets import Sockets
from headrace.pipeline.execute.submission import Prepared, Submitted
from headrace.pipeline.execute.transactions import TransactionManager
from headrace.ports.chain import Chain
from headrace.ports.journal import Journal
from headrace.ports.signer import Signer

T = TypeVar("T")


def _world() -> World:
    world = World(1, Counter())
    world.faults = Faults(reverted=0)
    return world


def _manager(
    world: World,
    *,
    journal: Journal | None = None,
    signer: Signer | None = None,
    simulator: WorldSimulator | None = None,
) -> TransactionManager:
    sockets = Sockets(
        cast("Chain", WorldChain(world)),
        simulator or WorldSimulator(world),
        signer or WorldSigner(world),
        journal or WorldJournal(world),
        WorldHoldings(),
        WorldClock(world),
    )
    return TransactionManager(ACCOUNT, RULES, sockets)


def _run(life: Callable[[TransactionManager], Coroutine[None, None, T]], world: World | None = None) -> T:
    async def whole() -> T:
        manager = _manager(world or _world())
        await manager.recover(version="1", config_digest="")
        return await life(manager)

    return asyncio.run(whole())


def _prepared(name: str) -> Prepared:
    return Prepared(name, rehearsed(transaction(name.encode())))


def test_a_batch_is_one_synced_commit_and_answers_stand_in_order() -> None:
    world = _world()

    async def life(manager: TransactionManager) -> list[Submitted | Refusal]:
        assert await manager.reserve([intent("a"), intent("b"), intent("a")])
        commits = len(world.commits)
        answers = await manager.execute([_prepared("b"), _prepared("gone"), _prepared("a")])
        assert len(world.commits) == commits + 2  # the payloads, then the node's answers
        return answers

    first, refused, second = _run(life, world)
    assert isinstance(first, Submitted)
    assert isinstance(second, Submitted)
    assert (first.intent_id, second.intent_id) == ("b", "a")
    assert isinstance(refused, Refusal)
    assert [t.nonce for t in world.mempool.values()] == [0, 1]
    assert first.answered_ns == world.now * 10**9


def test_outcomes_come_back_with_the_head_that_made_them_final() -> None:
    world = _world()

    async def life(manager: TransactionManager) -> None:
        await manager.reserve([intent("a")])
        await manager.execute([_prepared("a")])
        seen = []
        for _ in range(4):
            world.mine()
            seen.append([outcome.status for outcome in await manager.on_head(world.head)])
        assert seen == [[], [], [IntentStatus.LANDED], []]

    _run(life, world)


def test_what_waits_is_rehearsed_on_every_new_block_until_it_would_fail_and_is_cancelled_then() -> None:
    world = _world()
    world.faults = Faults(passed_over=100)
    asked: list[int] = []

    class Watching(WorldSimulator):
        async def simulate(
            self, transaction: UnsignedTransaction, parent: Hash32, at: BlockContext
        ) -> SimulationResult:
            asked.append(at.number)
            if at.number == start + 3:
                raise NodeUnreachableError("gone")  # says nothing of the transaction
            return await super().simulate(transaction, parent, at)

    async def life() -> None:
        manager = _manager(world, simulator=Watching(world))
        await manager.recover(version="1", config_digest="")
        await manager.reserve([msgspec.structs.replace(intent("a", deadline=start + 50), quoted_block=start)])
        await manager.execute([_prepared("a")])
        await manager.on_head(world.head)
        assert asked == []  # it was rehearsed on this very block
        for _ in range(3):
            world.mine()
            await manager.on_head(world.head)
        assert asked == [start + 2, start + 3, start + 4]
        assert len(manager.state.slots[0].payloads) == 1
        world.faults = Faults(passed_over=100, doomed=100)
        world.mine()
        await manager.on_head(world.head)
        assert manager.state.slots[0].payloads[-1].purpose is Purpose.CANCEL
        world.faults = Faults()
        world.mine()
        await manager.on_head(world.head)
        assert asked[-1] == start + 5  # a cancelled one is not asked about any more
        assert manager.state.slots[0].receipt is not None
        assert manager.state.slots[0].cancel_cause.endswith("it would fail: others were quicker")

    start = world.head.number
    asyncio.run(life())


def test_what_was_rehearsed_on_a_block_that_a_reorg_took_is_rehearsed_on_the_one_in_its_place() -> None:
    world = _world()
    world.faults = Faults(passed_over=100)
    world.mine()

    async def life(manager: TransactionManager) -> None:
        quoted = msgspec.structs.replace(intent("a", deadline=50), quoted_block=11, quoted_block_hash=world.head.hash)
        await manager.reserve([quoted])
        await manager.execute([_prepared("a")])
        world.faults = Faults(passed_over=100, doomed=100)
        below = world.blocks.pop()
        await manager.on_head(world.head)  # the node is behind: that says nothing
        world.blocks.append(below)
        await manager.on_head(world.head)  # it was rehearsed on this very block
        assert len(manager.state.slots[0].payloads) == 1
        world.blocks.pop()
        world.branch += 1
        world.mine()
        await manager.on_head(world.head)
        assert world.head.number == quoted.quoted_block
        assert manager.state.slots[0].payloads[-1].purpose is Purpose.CANCEL

    _run(life, world)


def test_a_revert_ends_at_once_and_is_explained_when_there_is_time() -> None:
    world = _world()
    world.faults = Faults(reverted=100)

    async def life(manager: TransactionManager) -> None:
        await manager.reserve([intent("a")])
        await manager.execute([_prepared("a")])
        for _ in range(3):
            world.mine()
            outcomes = await manager.on_head(world.head)
        assert (outcomes[0].status, outcomes[0].cause) == (IntentStatus.REVERTED, "")
        assert not manager.pools_in_flight
        found = await manager.with_cause(outcomes[0])
        assert found == msgspec.structs.replace(outcomes[0], cause="reverted in the model")
        assert await manager.with_cause(outcomes[0]) == found  # as long as nobody has recorded it
        await manager.explained(outcomes[0])  # without a cause nothing is explained
        assert manager.state.unexplained
        await manager.explained(found)
        await manager.explained(found)
        assert await manager.with_cause(found) == found

    _run(life, world)
    assert [record for record in world.journal if isinstance(record, RevertExplained)] == [
        RevertExplained("a", "reverted in the model")
    ]


def test_a_revert_that_nobody_explained_is_left_to_the_next_process() -> None:
    world = _world()
    world.faults = Faults(reverted=100)
    ended: list[Outcome] = []

    async def dies_before_it_asks(manager: TransactionManager) -> None:
        await manager.reserve([intent("a")])
        await manager.execute([_prepared("a")])
        for _ in range(3):
            world.mine()
            ended.extend(await manager.on_head(world.head))

    async def comes_after(manager: TransactionManager) -> None:
        assert list(manager.state.unexplained.values()) == ended
        await manager.explained(await manager.with_cause(ended[0]))
        assert not manager.state.unexplained

    _run(dies_before_it_asks, world)
    _run(comes_after, world)


def test_a_revert_that_moves_to_another_block_while_it_is_explained_is_explained_anew() -> None:
    world = _world()
    world.faults = Faults(reverted=100)
    anew: list[Outcome] = []

    class Reorganising(WorldSimulator):
        async def replay(self, block: Hash32, transaction: Hash32) -> SimulationResult | None:
            if not anew:
                world.reorg(3)
                anew.extend(await manager.on_head(world.head))
            return await super().replay(block, transaction)

    manager = _manager(world, simulator=Reorganising(world))

    async def life() -> None:
        await manager.recover(version="1", config_digest="")
        await manager.reserve([intent("a")])
        await manager.execute([_prepared("a")])
        for _ in range(3):
            world.mine()
            outcomes = await manager.on_head(world.head)
        await manager.explained(await manager.with_cause(outcomes[0]))
        assert anew[0].block_hash != outcomes[0].block_hash
        assert manager.state.unexplained == {"a": anew[0]}
        await manager.explained(await manager.with_cause(anew[0]))
        assert not manager.state.unexplained

    asyncio.run(life())
    assert sum(isinstance(record, RevertExplained) for record in world.journal) == 1


def test_an_unanswered_send_stays_open_and_is_sent_again() -> None:
    world = _world()
    world.faults = Faults(lost_request=100, reverted=0)

    async def life(manager: TransactionManager) -> None:
        await manager.reserve([intent("a")])
        (answer,) = await manager.execute([_prepared("a")])
        assert isinstance(answer, Submitted)
        assert answer.refusal == "connection lost"
        assert not world.mempool
        world.faults = Faults(reverted=0)
        await manager.on_head(world.head)
        assert set(world.mempool) == {answer.tx_hash}

    _run(life, world)


def test_after_a_full_disk_nothing_is_sent_and_nothing_more_is_done() -> None:
    world = _world()

    async def life(manager: TransactionManager) -> None:
        await manager.reserve([intent("a")])
        world.faults = Faults(full_disk=100)
        with pytest.raises(JournalError):
            await manager.execute([_prepared("a")])
        world.faults = Faults()
        for call in (
            manager.reserve([intent("b")]),
            manager.execute([_prepared("a")]),
            manager.on_head(world.head),
            manager.drop("a", Refusal(Reason.CHECK_FAILED, "")),
            manager.halt("by hand"),
        ):
            with pytest.raises(JournalError):
                await call
        with pytest.raises(JournalError):
            manager.note_refusals(1, {Reason.CHECK_FAILED: 1})
        assert not world.mempool
        assert not world.executions_out

    _run(life, world)


class NoRoomForAnswers(WorldJournal):
    """A disk that is full as soon as the signed bytes are durable, at the append or at the flush behind it."""

    def __init__(self, world: World, *, at_flush: bool) -> None:
        super().__init__(world)
        self.at_flush = at_flush
        self.is_armed = False

    def append(self, records: Sequence[Record], *, is_synced: bool) -> None:
        if self.is_armed and not self.at_flush and not is_synced:
            raise JournalError("disk full")
        super().append(records, is_synced=is_synced)

    def flush(self) -> None:
        if self.is_armed and self.at_flush and self._world.executions_out:
            raise JournalError("disk full")
        super().flush()


@pytest.mark.parametrize("at_flush", [True, False])
def test_what_was_sent_is_said_to_be_sent_when_the_journal_fails_behind_it(*, at_flush: bool) -> None:
    world = _world()
    journal = NoRoomForAnswers(world, at_flush=at_flush)

    async def life() -> None:
        manager = _manager(world, journal=journal)
        await manager.recover(version="1", config_digest="")
        await manager.reserve([intent("a"), intent("b")])
        journal.is_armed = True
        first, second = await manager.execute([_prepared("a"), _prepared("b")])
        assert isinstance(first, Submitted)
        assert isinstance(second, Submitted)
        assert set(world.mempool) == {first.tx_hash, second.tx_hash}
        assert world.is_durable(first.tx_hash)
        assert world.is_durable(second.tx_hash)
        sent = f"before that {first.tx_hash}, {second.tx_hash} was sent"
        for call in (manager.reserve([intent("c")]), manager.execute([_prepared("c")]), manager.on_head(world.head)):
            with pytest.raises(JournalError, match=f"disk full .{sent}; its bytes are in the journal"):
                await call
        assert len(world.mempool) == 2
        journal.is_armed = False
        anew = _manager(world)
        recovery = await anew.recover(version="1", config_digest="")
        assert recovery.open_nonces == (0, 1)  # nothing is forgotten

    asyncio.run(life())


@pytest.mark.parametrize("at_flush", [True, False])
def test_a_look_at_the_chain_whose_answers_cannot_be_written_raises(*, at_flush: bool) -> None:
    world = _world()
    journal = NoRoomForAnswers(world, at_flush=at_flush)

    async def life() -> None:
        manager = _manager(world, journal=journal)
        await manager.recover(version="1", config_digest="")
        await manager.reserve([intent("a")])
        world.faults = Faults(lost_request=100)
        await manager.execute([_prepared("a")])
        world.faults = Faults()
        journal.is_armed = True
        with pytest.raises(JournalError, match=r"disk full .before that 0x"):
            await manager.on_head(world.head)  # sends the same bytes again

    asyncio.run(life())


def test_a_real_full_disk_sends_nothing(tmp_path: Path) -> None:
    world = _world()
    journal = SqliteJournal(tmp_path / "journal.db")

    async def whole() -> None:
        manager = _manager(world, journal=journal)
        await manager.recover(version="1", config_digest="")
        await manager.reserve([intent("a")])
        journal._connection.execute("PRAGMA max_page_count = 1")
        with pytest.raises(JournalError, match="full"):
            await manager.execute([Prepared("a", rehearsed(transaction(b"a" * 50_000)))])

    asyncio.run(whole())
    journal.close()
    assert not world.executions_out


def test_a_node_that_cannot_be_read_is_the_next_heads_matter() -> None:
    world = _world()

    async def life(manager: TransactionManager) -> None:
        await manager.reserve([intent("a"), intent("b")])
        await manager.execute([_prepared("a"), _prepared("b")])
        world.mine()
        world.faults = Faults(read_failed=60, reverted=0)
        failures = 0
        while not failures:
            try:
                await manager.on_head(world.head)
            except NodeUnreachableError:
                failures += 1
        for chance in (100, 0):
            world.faults = Faults(read_failed=chance, reverted=0)
            if chance:
                with pytest.raises(NodeUnreachableError):
                    await manager.on_head(world.head)
        await manager.on_head(world.head)
        assert len(manager.state.open_slots) == 2

    _run(life, world)


class FailingReceipts(WorldChain):
    async def receipt(self, transaction: object) -> None:
        assert transaction
        await asyncio.sleep(0)  # like a node: the others are asked before this one fails
        raise NodeUnreachableError("no receipts today")


def test_an_error_among_many_receipts_comes_out_as_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    async def life(manager: TransactionManager) -> None:
        await manager.reserve([intent("a"), intent("b")])
        await manager.execute([_prepared("a"), _prepared("b")])
        monkeypatch.setattr(WorldChain, "receipt", FailingReceipts.receipt)
        with pytest.raises(NodeUnreachableError, match="no receipts today"):
            await manager.on_head(await manager._sockets.chain.head())

    _run(life)


class BrokenSigner:
    address = SIGNER.address

    def sign(self, transaction: object, nonce: int) -> None:
        raise KeystoreError(f"cannot sign {type(transaction).__name__} {nonce}")


def test_a_signer_that_fails_refuses_the_intent_and_keeps_no_nonce() -> None:
    world = _world()

    async def whole() -> None:
        manager = _manager(world, signer=cast("Signer", BrokenSigner()))
        await manager.recover(version="1", config_digest="")
        await manager.reserve([intent("a")])
        (answer,) = await manager.execute([_prepared("a")])
        assert isinstance(answer, Refusal)
        assert "cannot sign" in answer.detail
        assert manager.state.nonce_next == 0
        assert not manager.state.intents

    asyncio.run(whole())


def test_another_addresss_key_is_refused_at_the_start() -> None:
    world = _world()
    stranger = Account(ACCOUNT.id, ACCOUNT.chain_id, Address("0x" + "12" * 20), ACCOUNT.executor)
    sockets = _manager(world)._sockets
    with pytest.raises(KeystoreError, match="the operator is 0x1212"):
        TransactionManager(stranger, RULES, sockets)


def test_start_up_reads_the_journal_and_tells_what_it_found() -> None:
    world = _world()

    async def first(manager: TransactionManager) -> None:
        await manager.reserve([intent("a"), intent("b"), intent("c")])
        await manager.execute([_prepared("a"), _prepared("b")])

    _run(first, world)
    world.mine()
    world.mine()
    world.mine()

    async def second() -> None:
        manager = _manager(world)
        recovery = await manager.recover(version="1", config_digest="")
        assert recovery.records_count == 8  # a start, three intents, two payloads, two answers
        assert {outcome.status for outcome in recovery.outcomes} == {IntentStatus.LANDED, IntentStatus.ABANDONED}
        assert len(recovery.outcomes) == 3
        assert recovery.open_nonces == ()
        assert not recovery.halt_cause

    asyncio.run(second())


def test_a_chain_behind_the_journal_is_refused() -> None:
    world = _world()

    async def first(manager: TransactionManager) -> None:
        world.mine()
        await manager.on_head(world.head)
        await manager.reserve([intent("a")])
        await manager.execute([_prepared("a")])

    _run(first, world)
    world.blocks = world.blocks[:1]
    with pytest.raises(JournalError, match="chain is at block 10, the journal at 11"):
        asyncio.run(_manager(world).recover(version="1", config_digest=""))


def test_another_accounts_journal_is_refused() -> None:
    world = _world()

    async def nothing(_manager: TransactionManager) -> None:
        return

    _run(nothing, world)
    manager = _manager(world)
    manager._account = msgspec.structs.replace(ACCOUNT, executor=Address("0x" + "12" * 20))
    with pytest.raises(JournalCorruptError, match="journal of its own"):
        asyncio.run(manager.recover(version="1", config_digest=""))


def test_halt_release_drop_and_refusals_are_journaled() -> None:
    world = _world()

    async def life(manager: TransactionManager) -> None:
        await manager.reserve([intent("a")])
        await manager.drop("a", Refusal(Reason.REHEARSAL_REVERTED, "why"))
        assert not manager.state.intents
        await manager.halt("by hand")
        (refusal,) = await manager.reserve([intent("b")])
        assert refusal is not None
        assert refusal.reason is Reason.ACCOUNT_HALTED
        await manager.release("me")
        assert await manager.reserve([intent("b")]) == [None]
        manager.note_refusals(12, {Reason.NO_FUNDING: 3, Reason.BLOCK_PASSED: 1})
        manager.note_refusals(13, {})

    _run(life, world)
    assert [record for record in world.journal if isinstance(record, RefusalNoted)] == [
        RefusalNoted(12, Reason.NO_FUNDING, 3),
        RefusalNoted(12, Reason.BLOCK_PASSED, 1),
    ]


def test_every_payload_sent_was_journaled_before_its_answer() -> None:
    world = _world()

    async def life(manager: TransactionManager) -> None:
        await manager.reserve([intent("a")])
        await manager.execute([_prepared("a")])

    _run(life, world)
    kinds = [type(record) for record in world.journal]
    assert kinds.index(PayloadSigned) < kinds.index(PayloadSent)
