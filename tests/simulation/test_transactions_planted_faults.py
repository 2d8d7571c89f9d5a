"""Mistakes that others have made, planted in the machine one at a time: the simulator must catch each.

A mistake counts as caught when the outside checker objects, or when the fold refuses the journal that it leads to.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import msgspec
import pytest
from tests.support.transaction_run import Run
from tests.support.transaction_world import WorldJournal

from headrace.errors import JournalCorruptError
from headrace.model.address import Hash32
from headrace.model.intent import Payload, Purpose, Slot, SlotKey
from headrace.model.record import (
    CancellationRecorded,
    FillCompared,
    IntentEnded,
    IntentOpened,
    PayloadSent,
    PayloadSigned,
    PoolsTripped,
    ReceiptGone,
    ReceiptSeen,
    Record,
    RevertExplained,
)
from headrace.model.transaction import SignedTransaction
from headrace.pipeline.execute import fold, machine, observe, stuck, transactions
from headrace.pipeline.execute.commands import Append, Command, Send, Sign
from headrace.pipeline.execute.inputs import Observed, SendAnswered
from headrace.pipeline.execute.outcome import abandoned
from headrace.pipeline.execute.rules import Rules
from headrace.pipeline.execute.state import State
from headrace.pipeline.execute.transactions import TransactionManager

SEEDS = 150
STEPS = 40
Patch = pytest.MonkeyPatch


async def first_caught() -> str:
    for seed in range(SEEDS):
        run, caught = Run(seed, Counter()), ""
        try:
            await run.storm(STEPS)
            await run.calm()
        except* (AssertionError, JournalCorruptError) as errors:
            caught = f"seed {seed}: {_first(errors)}"
        if caught:
            return caught
    return ""


def _first(error: BaseException) -> BaseException:
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


def send_before_append(patch: Patch) -> None:
    async def swapped(self: TransactionManager, commands: Sequence[Command]) -> dict[Hash32, SendAnswered]:
        answers = [await self._send(one.transaction) for one in commands if isinstance(one, Send)]
        self._append(transactions._merged(commands))
        return {answer.tx_hash: answer for answer in answers}

    patch.setattr(TransactionManager, "_append_and_send", swapped)


def append_without_sync(patch: Patch) -> None:
    true_append = TransactionManager._append

    def unsynced(self: TransactionManager, append: Append) -> None:
        true_append(self, Append(append.records, is_synced=False))

    patch.setattr(TransactionManager, "_append", unsynced)


def forget_to_cancel(patch: Patch) -> None:
    true_unstick = stuck.unstick

    def patient(state: State, seen: Observed, rules: Rules, *, is_start: bool) -> Iterator[Command]:
        commands = true_unstick(state, seen, rules, is_start=is_start)
        return (command for command in commands if not isinstance(command, Sign))

    patch.setattr(observe, "unstick", patient)


def new_nonce_on_retry(patch: Patch) -> None:
    true_send = TransactionManager._send

    async def retried(self: TransactionManager, transaction: SignedTransaction) -> SendAnswered:
        answer = await true_send(self, transaction)
        slot = self._state.slot_with(transaction.hash)
        if not answer.refusal or slot is None:
            return answer
        first, nonce = slot.payloads[0].transaction, self._state.nonce_next
        again = self._sockets.signer.sign(first, nonce)
        key = SlotKey(slot.key.chain_id, slot.key.sender, nonce)
        payload = Payload(again.hash, again.raw, Purpose.EXECUTE, first)
        slots = {**self._state.slots, nonce: Slot(key, slot.intent, (payload,), slot.signed_block)}
        self._state = msgspec.structs.replace(self._state, slots=slots, nonce_next=nonce + 1)
        self._append(Append((PayloadSigned(key, slot.intent.id, payload, slot.signed_block),), is_synced=True))
        return await true_send(self, again)

    def lenient(is_true: bool, otherwise: str) -> None:  # noqa: FBT001 - as what it replaces
        assert otherwise or is_true

    patch.setattr(TransactionManager, "_send", retried)
    patch.setattr(fold, "_require", lenient)  # so that the checker has to find it


def release_at_the_deadline(patch: Patch) -> None:
    true_unsigned = observe._unsigned

    def released(state: State, seen: Observed, rules: Rules) -> Iterator[Record]:
        yield from true_unsigned(state, seen, rules)
        for slot in state.open_slots:
            if seen.head.number >= slot.intent.deadline_block and slot.intent.id in state.intents:
                yield IntentEnded(abandoned(slot.intent.id), seen.now)

    patch.setattr(observe, "_unsigned", released)


def release_twice(patch: Patch) -> None:
    true_ends = observe._ends

    def doubled(state: State, seen: Observed, rules: Rules) -> Iterator[Record]:
        for record in true_ends(state, seen, rules):
            yield record
            if isinstance(record, IntentEnded):
                yield record

    patch.setattr(observe, "_ends", doubled)


def ignore_reorgs(patch: Patch) -> None:
    true_receipts = observe._receipts

    def blind(state: State, seen: Observed, rules: Rules) -> Iterator[Record]:
        for record in true_receipts(state, seen, rules):
            is_again = isinstance(record, ReceiptSeen) and _known(state, record.receipt.tx_hash)
            if not isinstance(record, ReceiptGone) and not is_again:
                yield record

    patch.setattr(observe, "_receipts", blind)


def _known(state: State, tx_hash: Hash32) -> bool:
    slot = state.slot_with(tx_hash)
    return slot is not None and slot.receipt is not None


def forget_what_was_never_acknowledged(patch: Patch) -> None:
    """At start a signed payload without the node's word is taken for one that never left."""

    def forgetful(self: WorldJournal) -> Iterator[Record]:
        records = tuple(self._world.journal)
        known = {r.tx_hash for r in records if isinstance(r, PayloadSent | ReceiptGone)}
        known |= {r.receipt.tx_hash for r in records if isinstance(r, ReceiptSeen)}
        return (r for r in records if not isinstance(r, PayloadSigned) or r.payload.tx_hash in known)

    patch.setattr(WorldJournal, "read", forgetful)


def skip_the_limits(patch: Patch) -> None:
    patch.setattr(machine, "first_breach", lambda *_: None)


def end_by_the_nodes_words(patch: Patch) -> None:
    """A refused send is taken for an execution that cannot happen."""
    true_step = machine.step

    def hasty(state: State, given: object, rules: Rules) -> tuple[State, tuple[Command, ...]]:
        after, commands = true_step(state, given, rules)  # type: ignore[arg-type]  # what step takes
        slot = state.slot_with(given.tx_hash) if isinstance(given, SendAnswered) and given.refusal else None
        if slot is None or slot.intent.id not in after.intents:
            return after, commands
        ended = IntentEnded(abandoned(slot.intent.id), 0)
        return fold.fold(after, (ended,), rules.reorg_blocks), (*commands, Append((ended,), is_synced=False))

    patch.setattr(transactions, "step", hasty)


def trade_on_after_a_spent_day(patch: Patch) -> None:
    patch.setattr(machine, "is_day_spent", lambda *_: False)


def forget_trips_at_the_start(patch: Patch) -> None:
    true_read = WorldJournal.read

    def forgiving(self: WorldJournal) -> Iterator[Record]:
        for record in true_read(self):
            yield FillCompared(record.intent_id) if isinstance(record, PoolsTripped) else record

    patch.setattr(WorldJournal, "read", forgiving)


def trip_without_sync(patch: Patch) -> None:
    true_append = TransactionManager._append

    def unsynced(self: TransactionManager, append: Append) -> None:
        is_trip = any(isinstance(record, PoolsTripped) for record in append.records)
        true_append(self, Append(append.records, is_synced=append.is_synced and not is_trip))

    patch.setattr(TransactionManager, "_append", unsynced)


def trade_on_before_the_comparison(patch: Patch) -> None:
    patch.setattr(machine, "_uncompared", lambda *_: None)


def forget_who_was_not_compared(patch: Patch) -> None:
    """A process that starts takes every fill of the one before for compared."""
    true_read = WorldJournal.read

    def blind(self: WorldJournal) -> Iterator[Record]:
        for record in true_read(self):
            yield record
            if isinstance(record, IntentEnded):
                yield FillCompared(record.outcome.intent_id)

    patch.setattr(WorldJournal, "read", blind)


def forget_who_was_not_explained(patch: Patch) -> None:
    """A process that starts takes every revert of the one before for explained."""
    true_read = WorldJournal.read

    def blind(self: WorldJournal) -> Iterator[Record]:
        for record in true_read(self):
            yield record
            if isinstance(record, IntentEnded):
                yield RevertExplained(record.outcome.intent_id, "forgotten")

    patch.setattr(WorldJournal, "read", blind)


def forget_who_is_not_in_the_history(patch: Patch) -> None:
    """A process that starts takes every cancellation of the one before for recorded."""
    true_read = WorldJournal.read

    def blind(self: WorldJournal) -> Iterator[Record]:
        for record in true_read(self):
            yield record
            if isinstance(record, IntentEnded):
                yield CancellationRecorded(record.outcome.intent_id)

    patch.setattr(WorldJournal, "read", blind)


def owe_no_row_for_a_cancellation(patch: Patch) -> None:
    true_ends = observe._ends

    def careless(state: State, seen: Observed, rules: Rules) -> Iterator[Record]:
        for record in true_ends(state, seen, rules):
            is_end = isinstance(record, IntentEnded)
            yield msgspec.structs.replace(record, is_row_owed=False) if is_end else record

    patch.setattr(observe, "_ends", careless)


def take_a_failing_node_for_an_answer(patch: Patch) -> None:
    patch.setattr(transactions, "is_settled", lambda cause, _since: bool(cause))


def trade_through_tripped_pools(patch: Patch) -> None:
    patch.setattr(machine, "_tripped", lambda *_: None)


def open_again_unseen(patch: Patch) -> None:
    """An intent that is opened again, for its next engine, is taken for known."""
    true_append = TransactionManager._append
    known: set[str] = set()

    def lazy(self: TransactionManager, append: Append) -> None:
        opened = [record for record in append.records if isinstance(record, IntentOpened)]
        again = [record for record in opened if record.intent.id in known]
        known.update(record.intent.id for record in opened)
        left = tuple(record for record in append.records if record not in again)
        true_append(self, Append(left, is_synced=append.is_synced))

    patch.setattr(TransactionManager, "_append", lazy)


PLANTED = [
    send_before_append,
    append_without_sync,
    forget_to_cancel,
    new_nonce_on_retry,
    release_at_the_deadline,
    release_twice,
    ignore_reorgs,
    forget_what_was_never_acknowledged,
    skip_the_limits,
    end_by_the_nodes_words,
    trade_on_after_a_spent_day,
    forget_trips_at_the_start,
    trip_without_sync,
    trade_on_before_the_comparison,
    forget_who_was_not_compared,
    forget_who_was_not_explained,
    forget_who_is_not_in_the_history,
    owe_no_row_for_a_cancellation,
    take_a_failing_node_for_an_answer,
    trade_through_tripped_pools,
    open_again_unseen,
]


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_a_planted_mistake_is_caught(plant: Callable[[Patch], None], monkeypatch: Patch) -> None:
    plant(monkeypatch)
    caught = asyncio.run(first_caught())
    print(caught)  # noqa: T201 - how it was caught
    assert caught, f"{plant.__name__} went through {SEEDS} lives unseen"
