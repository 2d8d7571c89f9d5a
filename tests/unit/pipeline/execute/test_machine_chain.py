"""What the chain shows: receipts, reorgs, finality, strangers, gaps."""

import msgspec
from tests.support.intents import (
    LIMITS,
    RULES,
    block_hash,
    header,
    intent,
    transaction,
)
from tests.support.machine import NOW, Machine, folded, receipt

from headrace.model.intent import IntentStatus, Purpose, SlotStatus
from headrace.model.limits import USD_MICRO
from headrace.model.record import (
    AccountHalted,
    ReceiptGone,
    ReceiptSeen,
    RevertExplained,
)
from headrace.model.refusal import Reason
from headrace.pipeline.execute.commands import Append, Refuse, Send, Sign
from headrace.pipeline.execute.inputs import (
    Execute,
    Explained,
    Observed,
    Release,
    Reserve,
    SendAnswered,
)
from headrace.pipeline.execute.machine import step
from headrace.pipeline.execute.state import DAY_SECONDS


def test_an_execution_ends_when_enough_blocks_stand_on_its_block() -> None:
    machine = Machine()
    sent = machine.execute()
    for number in (11, 12):
        machine.look(number, chain_nonce=1, receipts=(receipt(sent, 11),))
        assert machine.state.slots[0].status is SlotStatus.INCLUDED
        assert machine.state.usage(NOW).count == 1
    machine.look(13, chain_nonce=1, receipts=(receipt(sent, 11),))
    assert machine.state.slots[0].status is SlotStatus.USED
    assert machine.state.usage(NOW).count == 0
    (outcome,) = machine.ended()
    assert (outcome.status, outcome.tx_hash, outcome.block_number) == (IntentStatus.LANDED, sent.hash, 11)
    assert outcome.gas_cost_wei == 200_000 * 50


def test_a_revert_ends_with_its_loss_and_is_owed_an_explanation() -> None:
    machine = Machine()
    sent = machine.execute()
    machine.look(13, chain_nonce=1, receipts=(receipt(sent, 11, is_success=False),))
    (outcome,) = machine.ended()
    assert (outcome.status, outcome.cause) == (IntentStatus.REVERTED, "")
    assert folded(machine).unexplained == machine.state.unexplained == {"i0": outcome}
    assert machine.give(Explained("i0", "why")) == (Append((RevertExplained("i0", "why"),), is_synced=False),)
    assert not folded(machine).unexplained
    assert not machine.state.unexplained
    spent, cap = 200_000 * 50, 300_000 * 100
    assert machine.state.usage(NOW).loss_usd_micro_today == -(-USD_MICRO * spent // cap)


def test_losses_of_yesterday_do_not_count_today() -> None:
    machine = Machine()
    sent = machine.execute()
    machine.look(13, chain_nonce=1, receipts=(receipt(sent, 11, is_success=False),))
    assert machine.state.usage(NOW).loss_usd_micro_today
    assert not machine.state.usage(NOW + DAY_SECONDS).loss_usd_micro_today


def test_a_reorg_takes_the_slot_back_and_the_same_bytes_are_sent_again() -> None:
    machine = Machine()
    sent = machine.execute()
    machine.give(SendAnswered(sent.hash, 5))
    machine.look(11, chain_nonce=1, receipts=(receipt(sent, 11),))
    commands = machine.look(11, branch=1)
    assert machine.records[-1] == ReceiptGone(sent.hash, block_hash(11))
    assert commands[-1] == Send(sent)
    assert machine.state.slots[0].status is SlotStatus.SENT


def test_a_receipt_that_moved_to_another_block_is_seen_anew() -> None:
    machine = Machine()
    sent = machine.execute()
    machine.look(11, chain_nonce=1, receipts=(receipt(sent, 11),))
    machine.look(11, chain_nonce=1, branch=1, receipts=(receipt(sent, 11, branch=1),))
    assert [type(record) for record in machine.records[-2:]] == [ReceiptGone, ReceiptSeen]
    assert machine.state.slots[0].status is SlotStatus.INCLUDED


def test_a_reorg_below_finality_opens_the_intent_again_and_halts() -> None:
    machine = Machine()
    sent = machine.execute()
    machine.look(13, chain_nonce=1, receipts=(receipt(sent, 11),))
    commands = machine.look(13, branch=1)
    assert machine.state.slots[0].status is SlotStatus.SENT
    assert "deeper than the configured finality" in machine.state.halt_cause
    assert machine.state.usage(NOW).count == 1
    assert isinstance(commands[0], Append)
    assert commands[0].is_synced
    assert isinstance(commands[1], Sign)
    assert commands[1].purpose is Purpose.CANCEL


def test_a_nonce_used_without_a_receipt_of_ours_halts_at_finality_not_before() -> None:
    machine = Machine()
    machine.execute()
    machine.look(11, chain_nonce=1)
    machine.look(12, chain_nonce=1)
    assert not machine.state.halt_cause
    commands = machine.look(13, chain_nonce=1)
    assert machine.state.slots[0].status is SlotStatus.USED_BY_STRANGER
    assert "not in the journal" in machine.state.halt_cause
    assert isinstance(commands[0], Append)
    assert commands[0].is_synced
    assert machine.ended()[0].status is IntentStatus.ABANDONED
    assert machine.state.usage(NOW).count == 0


def test_a_receipt_that_comes_late_clears_the_suspicion() -> None:
    machine = Machine()
    sent = machine.execute()
    machine.look(11, chain_nonce=1)
    machine.look(12, chain_nonce=1, receipts=(receipt(sent, 11),))
    machine.look(13, chain_nonce=1, receipts=(receipt(sent, 11),))
    assert not machine.state.halt_cause
    assert machine.ended()[0].status is IntentStatus.LANDED


def test_a_nonce_used_that_we_never_gave_out_halts() -> None:
    machine = Machine()
    machine.look(11, chain_nonce=1)
    assert "nonce 0 was used" in machine.state.halt_cause
    (refuse,) = machine.reserve()
    assert isinstance(refuse, Refuse)
    assert refuse.refusal.reason is Reason.ACCOUNT_HALTED


def test_after_a_release_the_nonces_that_others_used_are_passed_over() -> None:
    machine = Machine()
    for number in (11, 12, 13):
        machine.look(number, chain_nonce=2)
    assert [type(record) for record in machine.records] == [AccountHalted]
    machine.give(Release("me", NOW))
    machine.reserve(deadline=20)
    machine.sign(*machine.give(Execute("i0", transaction(), NOW)))
    assert sorted(machine.state.slots) == [2]


def test_a_foreign_nonce_that_a_reorg_takes_back_leaves_no_gap() -> None:
    machine = Machine(chain_nonce=5)
    machine.look(10, chain_nonce=3, branch=1)
    machine.execute()
    assert sorted(machine.state.slots) == [3]
    assert not machine.state.halt_cause


def test_a_nonce_that_the_chain_waits_for_and_nobody_will_send_halts() -> None:
    machine = Machine()
    sent = machine.execute()
    machine.look(13, chain_nonce=1, receipts=(receipt(sent, 11),))
    for number in (14, 15, 16):
        machine.look(number, chain_nonce=0, receipts=(receipt(sent, 11),))
        assert not machine.state.halt_cause
    machine.look(17, chain_nonce=0, receipts=(receipt(sent, 11),))
    assert "waits for nonce 0" in machine.state.halt_cause


def test_at_start_a_gap_halts_at_once() -> None:
    machine = Machine()
    sent = machine.execute()
    machine.look(13, chain_nonce=1, receipts=(receipt(sent, 11),))
    anew = folded(machine)
    anew, _ = step(anew, Observed(header(14), 0, frozenset(), {}, NOW), RULES)
    assert "waits for nonce 0" in anew.halt_cause


def test_losses_that_reach_the_limit_halt() -> None:
    machine = Machine()
    sent = machine.execute()
    near = LIMITS.daily_loss_usd_micro_max - 1
    machine.state = msgspec.structs.replace(machine.state, loss_usd_micro=near, loss_day=NOW // DAY_SECONDS)
    machine.look(13, chain_nonce=1, receipts=(receipt(sent, 11, is_success=False),))
    assert "max_daily_loss_usd" in machine.state.halt_cause


def test_a_landed_trade_loses_gas_less_the_profit_that_was_enforced() -> None:
    for profit_min, is_loss in ((0, True), (10**15, True), (10**18, False)):
        machine = Machine()
        opened = intent("i0", profit_min=profit_min)
        machine.give(Reserve(opened, 0, NOW))
        (ask,) = machine.give(Execute("i0", transaction(), NOW))
        _, send = machine.sign(ask)
        assert isinstance(send, Send)
        machine.look(13, chain_nonce=1, receipts=(receipt(send.transaction, 11),))
        assert (machine.state.usage(NOW).loss_usd_micro_today > 0) is is_loss
