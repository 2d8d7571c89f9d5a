"""What is done about slots in no block: the same bytes again, or a cancellation on the same nonce."""

from collections.abc import Iterator

from headrace.model.execution import WOULD_FAIL
from headrace.model.intent import Payload, Purpose, Slot
from headrace.model.transaction import SignedTransaction, UnsignedTransaction
from headrace.pipeline.execute.commands import Command, Send, Sign
from headrace.pipeline.execute.inputs import Observed
from headrace.pipeline.execute.rules import Rules
from headrace.pipeline.execute.state import State

CANCEL_GAS = 21_000  # a transfer
_BUMP_EIGHTHS = 9  # one eighth more; geth and reth ask for a tenth in both fees


def unstick(state: State, seen: Observed, rules: Rules, *, is_start: bool) -> Iterator[Command]:
    """Commands for every slot that is in no block while the chain still waits for its nonce.

    What would fail in the next block is not waited for. At the start of a process an execution is not sent again once
    its quote is a block old: nobody has rehearsed it on the chain as it is now, and a cancellation costs less than a
    revert.
    """
    for slot in state.open_slots:
        was_asked = seen.asked.issuperset(payload.tx_hash for payload in slot.payloads)
        if slot.receipt is None and was_asked and seen.chain_nonce <= slot.key.nonce:
            is_old = is_start and seen.head.number > slot.intent.quoted_block
            why = "its quote is older than this process" if is_old else _why_not_wait(state, slot, seen, rules)
            yield from _for_slot(state, slot, seen, rules, why)


def _for_slot(state: State, slot: Slot, seen: Observed, rules: Rules, why: str) -> Iterator[Command]:
    last = slot.payloads[-1]
    has_cancel = last.purpose is Purpose.CANCEL
    if not has_cancel and not why:
        if last.tx_hash not in state.accepted:
            yield _again(last)
        return
    is_patient = has_cancel and seen.head.number - slot.signed_block < rules.cancel_repeat_blocks
    cancel = None if is_patient else cancellation(slot, seen.head.base_fee_wei, rules)
    if cancel is not None:
        yield Sign(slot.intent.id, slot.key.nonce, Purpose.CANCEL, cancel, why)
    elif not is_patient or last.tx_hash not in state.accepted:
        yield _again(last)  # nodes forget: at the highest bid it is offered anew at every head


def cancellation(slot: Slot, base_fee_wei: int, rules: Rules) -> UnsignedTransaction | None:
    """Nothing, sent to ourselves on the slot's nonce, bid above every payload before; None above the highest bid."""
    first = slot.payloads[0].transaction
    highest = max(payload.transaction.max_fee_wei for payload in slot.payloads)
    highest_tip = max(payload.transaction.priority_fee_wei for payload in slot.payloads)
    tip = bumped_up(highest_tip)
    cap = first.max_fee_wei * rules.cancel_fee_ratio_max
    least = max(bumped_up(highest), tip)
    if least > cap:
        return None
    wanted = max(least, min(2 * base_fee_wei + tip, cap))
    return UnsignedTransaction(first.chain_id, first.sender, first.sender, 0, b"", CANCEL_GAS, wanted, tip)


def bumped_up(fee_wei: int) -> int:
    """An eighth more, rounded up, and at least one wei more."""
    return max(-(-fee_wei * _BUMP_EIGHTHS // 8), fee_wei + 1)


def _why_not_wait(state: State, slot: Slot, seen: Observed, rules: Rules) -> str:
    """Why an execution should not land any more; empty while it may."""
    opened = state.intents.get(slot.intent.id)
    age = seen.now - opened.at if opened else 0
    if seen.head.number >= slot.intent.deadline_block:
        return f"in no block up to its deadline, block {slot.intent.deadline_block}"
    if age > rules.limits.execution_seconds_max:
        return f"in no block for {age} seconds"
    if state.halt_cause:
        return "the account halted"  # whoever halts it wants nothing more to happen
    failing = seen.doomed.get(slot.payloads[-1].tx_hash)
    return f"in no block yet, and on block {seen.head.number} {WOULD_FAIL}: {failing}" if failing else ""


def _again(payload: Payload) -> Send:
    return Send(SignedTransaction(payload.raw, payload.tx_hash))
