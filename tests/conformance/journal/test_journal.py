"""What every journal must do; the records are one of each kind, with amounts that no float or browser could hold."""

import pytest
from tests.support.intents import ACCOUNT, CHAIN_ID, EXECUTOR, block_hash, intent, reservation, transaction

from headrace.errors import JournalError
from headrace.model.address import Hash32
from headrace.model.codec import to_json
from headrace.model.event import Log
from headrace.model.intent import IntentStatus, Outcome, Payload, Purpose, SlotKey
from headrace.model.record import (
    AccountHalted,
    AccountReleased,
    IntentEnded,
    IntentOpened,
    PayloadSent,
    PayloadSigned,
    ReceiptGone,
    ReceiptSeen,
    Record,
    RefusalNoted,
    RevertExplained,
    RunStarted,
    SendRefused,
    SlotFinal,
)
from headrace.model.refusal import Reason
from headrace.model.transaction import Receipt
from headrace.ports.journal import Journal

HASH = Hash32("0x" + "ab" * 32)
KEY = SlotKey(CHAIN_ID, ACCOUNT.operator, 2**40)
LOG = Log(EXECUTOR, (HASH, HASH), "0x" + "ff" * 64, block_hash(1), 1, HASH, 7)
RECEIPT = Receipt(HASH, 12, block_hash(12), 3, is_success=True, gas_used=180_000, gas_price_wei=2**70, logs=(LOG,))
EACH: tuple[Record, ...] = (
    RunStarted("0.1.0", "digest", ACCOUNT, 1),
    IntentOpened(intent(reserved=reservation(capital_units=2**255 + 1)), 2),
    PayloadSigned(KEY, "i0", Payload(HASH, bytes(range(256)), Purpose.EXECUTE, transaction(bytes(range(256)))), 11),
    PayloadSent(HASH, 10**18 + 1),
    SendRefused(HASH, "nonce too low"),
    ReceiptSeen(RECEIPT),
    RevertExplained("i", "ProfitBelowMinimum(-1, 2)"),
    ReceiptGone(HASH, block_hash(12)),
    SlotFinal(KEY, None, 14),
    SlotFinal(KEY, HASH, 14),
    IntentEnded(Outcome("i0", IntentStatus.REFUSED, reason=Reason.POOL_IN_FLIGHT, gas_cost_wei=2**60), 3, 2**60),
    RefusalNoted(12, Reason.NO_FRESH_PRICE, 400),
    AccountHalted("lost too much", 4),
    AccountReleased("operator", 5),
)


def test_what_was_appended_is_read_back_in_order(journal: Journal) -> None:
    journal.append(EACH[:4], is_synced=False)
    journal.append(EACH[4:], is_synced=True)
    assert tuple(journal.read()) == EACH


def test_reading_twice_gives_the_same(journal: Journal) -> None:
    journal.append(EACH, is_synced=False)
    assert tuple(journal.read()) == tuple(journal.read())


def test_an_empty_journal_has_no_records(journal: Journal) -> None:
    assert tuple(journal.read()) == ()


@pytest.mark.parametrize("is_synced", [True, False])
def test_an_empty_append_adds_nothing(journal: Journal, *, is_synced: bool) -> None:
    journal.append((), is_synced=is_synced)
    assert tuple(journal.read()) == ()


def test_an_append_while_reading_does_not_disturb_the_reader(journal: Journal) -> None:
    journal.append(EACH[:3], is_synced=False)
    reader = journal.read()
    first = next(reader)
    journal.append(EACH[3:], is_synced=False)
    assert (first, *reader)[:3] == EACH[:3]


def test_a_closed_journal_takes_nothing_and_closes_twice(journal: Journal) -> None:
    journal.close()
    journal.close()
    with pytest.raises(JournalError, match="closed"):
        journal.append(EACH[:1], is_synced=True)
    with pytest.raises(JournalError, match="closed"):
        journal.flush()


def test_amounts_are_decimal_strings() -> None:
    text = to_json(EACH[1]).decode()
    assert f'"capital_units":"{2**255 + 1}"' in text
    assert f'"amount_in_units":"{10**18}"' in text
