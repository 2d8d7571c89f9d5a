"""A journal whose records cannot follow each other is refused; the rule broken is named."""

import msgspec
import pytest
from tests.support.intents import ACCOUNT, CHAIN_ID, block_hash, intent, transaction

from headrace.errors import JournalCorruptError
from headrace.model.address import Address, Hash32
from headrace.model.intent import IntentStatus, Outcome, Payload, Purpose, SlotKey
from headrace.model.record import (
    AccountHalted,
    IntentEnded,
    IntentOpened,
    PayloadSigned,
    ReceiptGone,
    ReceiptSeen,
    Record,
    RefusalNoted,
    RunStarted,
    SlotFinal,
)
from headrace.model.refusal import Reason
from headrace.model.transaction import Receipt
from headrace.pipeline.execute.fold import fold
from headrace.pipeline.execute.state import State

HASH, OTHER_HASH = Hash32("0x" + "01" * 32), Hash32("0x" + "02" * 32)
START = RunStarted("", "", ACCOUNT, 0)
OPENED = IntentOpened(intent("i0"), 0)
ENDED = IntentEnded(Outcome("i0", IntentStatus.LANDED), 0)


def _key(nonce: int) -> SlotKey:
    return SlotKey(CHAIN_ID, ACCOUNT.operator, nonce)


def _signed(nonce: int, name: str = "i0", purpose: Purpose = Purpose.EXECUTE, tx_hash: Hash32 = HASH) -> PayloadSigned:
    return PayloadSigned(_key(nonce), name, Payload(tx_hash, b"", purpose, transaction()), 10)


SEEN = ReceiptSeen(Receipt(HASH, 11, block_hash(11), 0, is_success=True, gas_used=1, gas_price_wei=1, logs=()))
FINAL = SlotFinal(_key(0), HASH, 12)
OTHER_ACCOUNT = msgspec.structs.replace(ACCOUNT, executor=Address("0x" + "99" * 20))


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ([RunStarted("", "", OTHER_ACCOUNT, 0)], "a journal of its own"),
        ([OPENED, OPENED], "opened twice"),
        ([OPENED, _signed(0), ENDED, OPENED], "opened twice"),
        ([_signed(0)], "signed but not open"),
        ([OPENED, _signed(0), _signed(0, tx_hash=OTHER_HASH)], "two executions"),
        ([OPENED, _signed(0), _signed(1)], "on two nonces"),
        ([OPENED, IntentOpened(intent("i1"), 0), _signed(0), _signed(0, "i1", Purpose.CANCEL)], "two intents"),
        ([OPENED, _signed(0, purpose=Purpose.CANCEL)], "begins with a cancellation"),
        ([OPENED, _signed(5), IntentOpened(intent("i1"), 0), _signed(4, "i1")], "after it was forgotten"),
        ([OPENED, _signed(0), SEEN, FINAL, _signed(0, purpose=Purpose.CANCEL)], "after its end"),
        ([SEEN], "was never signed"),
        ([OPENED, _signed(0), ReceiptGone(HASH, block_hash(1))], "never seen"),
        ([OPENED, _signed(0), FINAL], "without receipt"),
        ([FINAL], "without receipt"),
        ([ENDED], "ended but not open"),
        ([OPENED, ENDED, ENDED], "ended but not open"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_records_that_cannot_follow_each_other_are_refused(records: list[Record], words: str) -> None:
    with pytest.raises(JournalCorruptError, match=words):
        fold(State(), [START, *records], reorg_blocks=64)


def test_the_first_cause_of_a_halt_is_kept() -> None:
    state = fold(State(), [START, AccountHalted("first", 0), AccountHalted("second", 0)], reorg_blocks=64)
    assert state.halt_cause == "first"


def test_records_for_reports_alone_change_nothing() -> None:
    state = fold(State(), [START], reorg_blocks=64)
    assert fold(state, [RefusalNoted(1, Reason.POOL_IN_FLIGHT, 3)], reorg_blocks=64) == state


def test_a_journal_without_a_start_has_no_owner() -> None:
    with pytest.raises(AssertionError, match="not folded"):
        _ = State().owner


def test_a_journal_is_read_with_the_memory_it_was_written_with() -> None:
    """Written by a process that remembered 64 blocks, read by one that is told to remember none."""
    started = msgspec.structs.replace(START, reorg_blocks=64)
    gone = ReceiptGone(HASH, block_hash(11))
    records: list[Record] = [started, OPENED, _signed(0), SEEN, FINAL, ENDED, gone]
    assert fold(State(), records, 0).slots[0].receipt is None
    forgetful: list[Record] = [START, *records[1:]]
    with pytest.raises(JournalCorruptError, match="was never signed"):
        fold(State(), forgetful, 0)
