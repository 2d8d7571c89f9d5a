"""Requests of the line: reserving, dropping, executing, halting."""

import msgspec
import pytest
from tests.support.intents import (
    GAS_WEI_MAX,
    LIMITS,
    RULES,
    header,
    intent,
    reservation,
    transaction,
)
from tests.support.machine import NOW, REHEARSAL, Machine, folded, kinds, receipt

from headrace.model.account import AccountId
from headrace.model.address import Address, ChainId
from headrace.model.intent import IntentStatus, Purpose, SlotStatus
from headrace.model.record import (
    AccountHalted,
    AccountReleased,
    IntentOpened,
    PayloadSent,
    PayloadSigned,
    SendRefused,
)
from headrace.model.refusal import Reason
from headrace.pipeline.execute.commands import Append, Refuse, Sign
from headrace.pipeline.execute.inputs import (
    Drop,
    Execute,
    Halt,
    Release,
    Reserve,
    SendAnswered,
    SignFailed,
)
from headrace.pipeline.execute.machine import step
from headrace.pipeline.execute.state import DAY_SECONDS


def test_a_reservation_is_one_unsynced_record() -> None:
    machine = Machine()
    (append,) = machine.reserve()
    assert append == Append((IntentOpened(machine.state.intents["i0"].intent, NOW),), is_synced=False)
    assert machine.state.usage(NOW).count == 1


def test_capital_taken_by_one_intent_is_not_there_for_the_next() -> None:
    machine = Machine()
    machine.reserve("a", capital_units=300)
    (refuse,) = machine.reserve("b", capital_units=201)
    assert isinstance(refuse, Refuse)
    assert refuse.refusal.reason is Reason.CAPITAL_RESERVED
    assert kinds(machine.reserve("c", capital_units=200)) == [Append]
    assert machine.state.reserved_units() == {reservation().token: 500}


@pytest.mark.parametrize(("deadline", "words"), [(10, "block 10 is here"), (9, "the deadline is 9")])
def test_an_intent_whose_block_has_passed_is_not_opened(deadline: int, words: str) -> None:
    (refuse,) = Machine().reserve(deadline=deadline)
    assert isinstance(refuse, Refuse)
    assert refuse.refusal.reason is Reason.BLOCK_PASSED
    assert words in refuse.refusal.detail


def test_an_intent_is_opened_once_and_only_for_the_journals_account() -> None:
    machine = Machine()
    machine.execute()
    stranger = intent("x", account=AccountId("other"))
    for given in (intent("i0"), stranger):
        (refuse,) = machine.give(Reserve(given, 0, NOW))
        assert isinstance(refuse, Refuse)
        assert refuse.refusal.reason is Reason.CHECK_FAILED


def test_a_refused_rehearsal_gives_the_reservation_back() -> None:
    machine = Machine()
    machine.reserve()
    assert kinds(machine.give(Drop("i0", REHEARSAL, NOW))) == [Append, Refuse]
    assert machine.state.usage(NOW).count == 0
    assert machine.ended()[0].status is IntentStatus.REFUSED
    assert machine.give(Drop("i0", REHEARSAL, NOW)) == ()


def test_what_was_signed_cannot_be_dropped() -> None:
    machine = Machine()
    machine.execute()
    assert machine.give(Drop("i0", REHEARSAL, NOW)) == ()
    assert machine.state.usage(NOW).count == 1


def test_the_bytes_are_appended_and_synced_before_they_are_sent() -> None:
    machine = Machine()
    sent = machine.execute()
    record = machine.records[-1]
    assert isinstance(record, PayloadSigned)
    assert (record.payload.raw, record.payload.tx_hash, record.slot.nonce) == (sent.raw, sent.hash, 0)
    assert machine.state.slots[0].status is SlotStatus.SENT


def test_nonces_follow_each_other_from_the_chains() -> None:
    machine = Machine(chain_nonce=7)
    machine.execute("a")
    machine.execute("b")
    assert sorted(machine.state.slots) == [7, 8]


def test_a_nonce_whose_signature_failed_is_free_again() -> None:
    machine = Machine()
    machine.reserve("a")
    machine.give(Execute("a", transaction(), NOW))
    commands = machine.give(SignFailed("a", Purpose.EXECUTE, "no key", NOW))
    assert kinds(commands) == [Append, Refuse]
    machine.execute("b")
    assert sorted(machine.state.slots) == [0]
    assert machine.give(SignFailed("b", Purpose.CANCEL, "no key", NOW)) == ()


@pytest.mark.parametrize("field", ["sender", "chain_id"])
def test_a_transaction_of_another_account_is_not_signed(field: str) -> None:
    machine = Machine()
    machine.reserve()
    change: Address | ChainId = Address("0x" + "11" * 20) if field == "sender" else ChainId(1)
    foreign = msgspec.structs.replace(transaction(), **{field: change})
    commands = machine.give(Execute("i0", foreign, NOW))
    assert kinds(commands) == [Append, Refuse]
    assert machine.state.usage(NOW).count == 0


def test_an_intent_whose_deadline_came_while_it_was_rehearsed_is_refused() -> None:
    machine = Machine()
    machine.reserve("a", deadline=11)
    machine.reserve("b", deadline=12)
    machine.look(11)
    (refuse,) = machine.give(Execute("a", transaction(), NOW))
    assert isinstance(refuse, Refuse)
    assert refuse.refusal.reason is Reason.BLOCK_PASSED
    assert machine.ended()[0].status is IntentStatus.ABANDONED
    state = msgspec.structs.replace(machine.state, head=header(12).ref)
    _, commands = step(state, Execute("b", transaction(), NOW), RULES)
    assert kinds(commands) == [Append, Refuse]


def test_executing_twice_is_a_bug() -> None:
    machine = Machine()
    machine.execute()
    with pytest.raises(AssertionError, match="twice"):
        machine.give(Execute("i0", transaction(), NOW))


def test_the_nodes_answers_are_recorded_and_decide_nothing() -> None:
    machine = Machine()
    sent = machine.execute()
    machine.give(SendAnswered(sent.hash, 5))
    assert sent.hash in machine.state.accepted
    machine.give(SendAnswered(sent.hash, 6, "nonce too low"))
    assert machine.records[-2:] == [PayloadSent(sent.hash, 5), SendRefused(sent.hash, "nonce too low")]
    assert machine.state.usage(NOW).count == 1


def test_a_person_releases_the_account_and_its_losses() -> None:
    machine = Machine()
    sent = machine.execute()
    machine.look(13, chain_nonce=1, receipts=(receipt(sent, 11, is_success=False),))
    machine.give(Halt("by hand", NOW))
    (append,) = machine.give(Release("me", NOW))
    assert append == Append((AccountReleased("me", NOW),), is_synced=True)
    assert not machine.state.halt_cause
    assert machine.state.usage(NOW).loss_usd_micro_today == 0


def _with_losses(machine: Machine, room_usd_micro: int) -> None:
    lost = LIMITS.daily_loss_usd_micro_max - room_usd_micro
    machine.state = msgspec.structs.replace(machine.state, loss_usd_micro=lost, loss_day=NOW // DAY_SECONDS)


def test_losses_that_leave_no_room_halt_until_a_person_releases() -> None:
    machine = Machine()
    _with_losses(machine, reservation().loss_usd_micro - 1)
    append, refuse = machine.reserve("a")
    assert isinstance(append, Append)
    assert append.is_synced
    assert isinstance(append.records[0], AccountHalted)
    assert "max_daily_loss_usd leaves no room" in append.records[0].cause
    assert isinstance(refuse, Refuse)
    assert refuse.refusal.reason is Reason.DAILY_LOSS_LIMIT
    assert folded(machine).halt_cause == machine.state.halt_cause  # a new process knows it too
    (tomorrow,) = machine.give(Reserve(intent("b"), 1_000, NOW + DAY_SECONDS))
    assert isinstance(tomorrow, Refuse)
    assert tomorrow.refusal.reason is Reason.ACCOUNT_HALTED
    machine.give(Release("me", NOW))
    assert kinds(machine.reserve("b")) == [Append]


def test_a_lack_of_room_that_an_open_intent_may_end_does_not_halt() -> None:
    machine = Machine()
    _with_losses(machine, 2 * reservation().loss_usd_micro - 1)
    machine.reserve("a")
    (refuse,) = machine.reserve("b")
    assert isinstance(refuse, Refuse)
    assert refuse.refusal.reason is Reason.DAILY_LOSS_LIMIT
    assert not machine.state.halt_cause
    machine.give(Drop("a", REHEARSAL, NOW))
    assert kinds(machine.reserve("b")) == [Append]


@pytest.mark.parametrize("lost_usd_micro", [0, 1])
def test_one_plan_that_could_lose_more_than_a_day_may_is_refused_and_does_not_halt(lost_usd_micro: int) -> None:
    machine = Machine()
    _with_losses(machine, LIMITS.daily_loss_usd_micro_max - lost_usd_micro)
    (refuse,) = machine.give(Reserve(intent("a", reserved=reservation(loss_usd=51)), 1_000, NOW))
    assert isinstance(refuse, Refuse)
    assert refuse.refusal.reason is Reason.DAILY_LOSS_LIMIT
    assert not machine.state.halt_cause
    assert kinds(machine.reserve("b")) == [Append]


def test_a_transaction_that_could_cost_more_than_was_reserved_is_refused_before_it_is_signed() -> None:
    machine = Machine()
    machine.reserve()
    dear = transaction(gas=300_001)
    commands = machine.give(Execute("i0", dear, NOW))
    (refuse,) = [command for command in commands if isinstance(command, Refuse)]
    assert refuse.refusal.reason is Reason.GAS_COST_TOO_HIGH
    assert not any(isinstance(command, Sign) for command in commands)


def test_gas_may_not_use_what_is_reserved_for_data_on_the_first_layer() -> None:
    """On chains of the OP stack both are paid: the gas limit at its cap, and the data's fee besides."""
    l1_fee_wei = GAS_WEI_MAX // 10
    reserved = msgspec.structs.replace(reservation(), l1_fee_wei=l1_fee_wei)
    fitting = (GAS_WEI_MAX - l1_fee_wei) // 100
    for gas, is_refused in ((fitting, False), (fitting + 1, True), (300_000, True)):
        machine = Machine()
        machine.give(Reserve(intent("i0", reserved=reserved), 1_000, NOW))
        commands = machine.give(Execute("i0", transaction(gas=gas), NOW))
        refusals = [command.refusal.reason for command in commands if isinstance(command, Refuse)]
        assert refusals == ([Reason.GAS_COST_TOO_HIGH] if is_refused else [])
        assert any(isinstance(command, Sign) for command in commands) is not is_refused
        worst_wei = gas * 100 + l1_fee_wei
        assert (worst_wei > GAS_WEI_MAX) is is_refused  # nothing that is signed can cost more than was reserved
