"""Slots in no block, and restarts."""

from tests.support.intents import (
    ACCOUNT,
    LIMITS,
    RULES,
    header,
    intent,
    transaction,
)
from tests.support.machine import NOW, Machine, folded, kinds, receipt, restarted

from headrace.model.address import Hash32
from headrace.model.intent import IntentStatus, Purpose, SlotStatus
from headrace.model.record import (
    AccountHalted,
    IntentEnded,
    SlotFinal,
)
from headrace.model.transaction import SignedTransaction, UnsignedTransaction
from headrace.pipeline.execute.commands import Append, Refuse, Send, Sign
from headrace.pipeline.execute.inputs import (
    Compared,
    Execute,
    Halt,
    Observed,
    Reserve,
    SendAnswered,
)
from headrace.pipeline.execute.observe import watched


def test_bytes_that_the_node_did_not_take_are_sent_again_as_they_are() -> None:
    machine = Machine()
    sent = machine.execute()
    assert machine.look(11) == (Send(sent),)
    machine.give(SendAnswered(sent.hash, 5))
    assert machine.look(11) == ()


def test_after_the_deadline_a_cancellation_is_bid_on_the_same_nonce() -> None:
    machine = Machine()
    sent = machine.execute()
    cancel = machine.cancelled(12)
    slot = machine.state.slots[0]
    assert [payload.tx_hash for payload in slot.payloads] == [sent.hash, cancel.hash]
    unsigned = slot.payloads[1].transaction
    assert (unsigned.to, unsigned.value_wei, unsigned.data) == (ACCOUNT.operator, 0, b"")
    assert unsigned.max_fee_wei == 113  # an eighth over 100, rounded up
    assert unsigned.priority_fee_wei == 9
    assert slot.status is SlotStatus.SENT
    assert machine.state.usage(NOW).count == 1


def test_what_would_fail_in_the_next_block_is_cancelled_before_its_deadline_and_the_outcome_says_why() -> None:
    machine = Machine()
    sent = machine.execute()
    machine.give(SendAnswered(sent.hash, 5))
    head = header(11)
    (ask,) = machine.give(Observed(head, 0, watched(machine.state, head), {}, NOW, {sent.hash: "others were quicker"}))
    _, send = machine.sign(ask)
    assert isinstance(send, Send)
    assert machine.state.slots[0].payloads[1].purpose is Purpose.CANCEL
    assert folded(machine).slots[0].cancel_cause == machine.state.slots[0].cancel_cause
    machine.look(13, chain_nonce=1, receipts=(receipt(send.transaction, 12),))
    machine.look(14, chain_nonce=1, receipts=(receipt(send.transaction, 12),))
    (outcome,) = machine.ended()
    assert outcome.status is IntentStatus.CANCELLED
    assert outcome.cause == "in no block yet, and on block 11 it would fail: others were quicker"


def test_a_cancellation_that_landed_ends_the_intent_and_the_execution_can_still_win() -> None:
    for winner in ("cancel", "execution"):
        machine = Machine()
        sent = machine.execute()
        cancel = machine.cancelled(12)
        used = cancel if winner == "cancel" else sent
        machine.look(15, chain_nonce=1, receipts=(receipt(used, 13),))
        (outcome,) = machine.ended()
        assert outcome.status is (IntentStatus.CANCELLED if winner == "cancel" else IntentStatus.LANDED)


def test_cancellations_rise_to_the_cap_and_then_are_only_sent_again() -> None:
    machine = Machine()
    machine.execute()
    fees, number = [], 12
    for _ in range(40):
        for command in machine.look(number):
            if isinstance(command, Sign):
                fees.append(command.transaction.max_fee_wei)
                machine.sign(command)
        number += 1
    assert fees == [113, 128, 144, 162, 183]
    again = machine.look(number)
    assert kinds(again) == [Send]
    assert again[0] == Send(SignedTransaction(*_last(machine)))


def _last(machine: Machine) -> tuple[bytes, Hash32]:
    payload = machine.state.slots[0].payloads[-1]
    return payload.raw, payload.tx_hash


def test_an_execution_that_waits_too_long_is_cancelled_before_its_deadline() -> None:
    machine = Machine()
    machine.execute()
    late = NOW + LIMITS.execution_seconds_max + 1
    (ask,) = machine.look(11, now=late)
    assert isinstance(ask, Sign)
    assert ask.purpose is Purpose.CANCEL


def test_a_halted_account_takes_on_nothing_and_cancels_what_is_open() -> None:
    machine = Machine()
    machine.execute("a")
    machine.reserve("b")
    (append,) = machine.give(Halt("by hand", NOW))
    assert append == Append((AccountHalted("by hand", NOW),), is_synced=True)
    commands = machine.give(Execute("b", transaction(), NOW))
    assert kinds(commands) == [Append, Refuse]
    (ask,) = machine.look(11)
    assert isinstance(ask, Sign)
    assert ask.purpose is Purpose.CANCEL


def test_a_restart_sends_the_same_bytes_on_the_quoted_block_and_cancels_after_it() -> None:
    machine = Machine()
    sent = machine.execute()
    _, commands = restarted(machine, 10)
    assert commands == (Send(sent),)
    _, commands = restarted(machine, 11)
    (ask,) = commands
    assert isinstance(ask, Sign)
    assert (ask.purpose, ask.nonce) == (Purpose.CANCEL, 0)


def test_a_restart_ends_what_was_reserved_and_never_signed() -> None:
    machine = Machine()
    machine.reserve()
    state, (append,) = restarted(machine, 10)
    assert isinstance(append, Append)
    assert isinstance(append.records[0], IntentEnded)
    assert state.usage(NOW).count == 0
    assert state.nonce_next == 0


def test_a_restart_goes_on_from_the_higher_of_journal_and_chain() -> None:
    machine = Machine()
    sent = machine.execute()
    machine.look(13, chain_nonce=1, receipts=(receipt(sent, 11),))
    state, _ = restarted(machine, 14, chain_nonce=9)
    assert state.nonce_following == 9


def test_the_fold_of_the_records_is_the_state() -> None:
    machine = Machine()
    sent = machine.execute("a")
    machine.execute("b")
    machine.look(13, chain_nonce=1, receipts=(receipt(sent, 11),))
    anew = folded(machine)
    for field in ("account", "intents", "slots", "nonce_next", "halt_cause", "loss_usd_micro"):
        assert getattr(anew, field) == getattr(machine.state, field), field


def test_final_slots_are_forgotten_in_time() -> None:
    machine = Machine()
    sent = machine.execute("a")
    machine.look(13, chain_nonce=1, receipts=(receipt(sent, 11),))
    machine.give(Compared("a"))
    later = 13 + RULES.reorg_blocks
    machine.look(later - 10, chain_nonce=1, receipts=(receipt(sent, 11),))
    machine.give(Reserve(intent("b", deadline=later + 5), 0, NOW))
    (ask,) = machine.give(Execute("b", transaction(b"b"), NOW))
    machine.sign(ask)
    second = machine.state.slots[1].payloads[0]
    last = receipt(SignedTransaction(second.raw, second.tx_hash), later - 3)
    machine.look(later, chain_nonce=2, receipts=(receipt(sent, 11), last))
    assert SlotFinal in {type(record) for record in machine.records}
    assert sorted(machine.state.slots) == [1]


def test_slots_signed_while_the_chain_was_looked_at_are_left_alone() -> None:
    machine = Machine()
    asked = watched(machine.state, header(11))
    machine.execute()
    commands = machine.give(Observed(header(11), 0, asked, {}, NOW))
    assert commands == ()


def test_the_first_bid_of_a_cancellation_follows_the_base_fee_up_to_the_cap() -> None:
    for base_fee, bid in ((10, 113), (60, 129), (500, 200)):
        machine = Machine()
        machine.execute()
        head = header(12, base_fee_wei=base_fee)
        (ask,) = machine.give(Observed(head, 0, watched(machine.state, head), {}, NOW))
        assert isinstance(ask, Sign)
        assert ask.transaction.max_fee_wei == bid


def test_a_cancellation_without_room_under_the_cap_is_not_signed() -> None:
    machine = Machine()
    machine.reserve()
    unsigned: UnsignedTransaction = transaction(max_fee_wei=0, tip_wei=0)
    (ask,) = machine.give(Execute("i0", unsigned, NOW))
    machine.sign(ask)
    assert kinds(machine.look(12)) == [Send]
