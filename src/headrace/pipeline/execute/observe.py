"""What a look at the chain means: receipts come and go, slots become final, strangers and gaps halt the account."""

from collections.abc import Callable, Iterator

import msgspec

from headrace.model.address import Hash32
from headrace.model.block import BlockHeader
from headrace.model.intent import IntentStatus, Slot
from headrace.model.record import AccountHalted, IntentEnded, ReceiptGone, ReceiptSeen, Record, SlotFinal
from headrace.model.transaction import Receipt
from headrace.pipeline.execute.commands import Append, Command
from headrace.pipeline.execute.fold import fold
from headrace.pipeline.execute.inputs import Observed
from headrace.pipeline.execute.outcome import abandoned, by_receipt, by_stranger, loss_usd_micro_up
from headrace.pipeline.execute.rules import Rules
from headrace.pipeline.execute.state import State
from headrace.pipeline.execute.stuck import unstick

GAP_BLOCKS = 3  # a node behind a balancer may give an old nonce once; a real gap stays
_Pass = Callable[[State, Observed, Rules], Iterator[Record]]


def watched(state: State, header: BlockHeader) -> frozenset[Hash32]:
    """Payloads whose receipts are to be fetched: of open slots, and of all slots when `header` does not follow."""
    is_child = state.head is not None and state.head.hash == header.parent_hash
    slots = state.open_slots if is_child else tuple(state.slots.values())
    return frozenset(payload.tx_hash for slot in slots for payload in slot.payloads)


def observe(state: State, seen: Observed, rules: Rules) -> tuple[State, tuple[Command, ...]]:
    """Take in the chain's state after a head; outcomes are among the records of the first command."""
    records: list[Record] = []
    is_start = not state.is_settled
    state = _noted(state, seen)
    for make in (_receipts, _ends, _losses, _strangers, _unsigned, _gaps):
        for record in make(state, seen, rules):
            state = fold(state, (record,), rules.reorg_blocks)
            records.append(record)
    state = _settled(state, seen)
    is_synced = any(isinstance(record, AccountHalted) for record in records)
    appends = (Append(tuple(records), is_synced=is_synced),) if records else ()
    return state, (*appends, *unstick(state, seen, rules, is_start=is_start))


def _noted(state: State, seen: Observed) -> State:
    passed = {
        slot.key.nonce: state.passed_since.get(slot.key.nonce, seen.head.number)
        for slot in state.open_slots
        if _is_passed(slot, seen)
    }
    waits = any(not (slot := state.slots.get(n)) or slot.is_final for n in range(seen.chain_nonce, state.nonce_next))
    gap_since = (state.gap_since if state.gap_since is not None else seen.head.number) if waits else None
    floor = min(state.nonce_floor, seen.chain_nonce) if state.is_settled else seen.chain_nonce
    return msgspec.structs.replace(
        state, head=seen.head.ref, passed_since=passed, gap_since=gap_since, nonce_floor=floor
    )


def _is_passed(slot: Slot, seen: Observed) -> bool:
    hashes = {payload.tx_hash for payload in slot.payloads}
    return seen.chain_nonce > slot.key.nonce and hashes <= seen.asked and not hashes & seen.receipts.keys()


def _receipts(state: State, seen: Observed, _rules: Rules) -> Iterator[Record]:
    for _, slot in sorted(state.slots.items()):
        if not seen.asked.issuperset(payload.tx_hash for payload in slot.payloads):
            continue  # signed since, or not asked for
        found = _found(slot, seen)
        before = slot.receipt
        is_same = before is not None and found is not None and before.block_hash == found.block_hash
        if before is not None and not is_same:
            yield ReceiptGone(before.tx_hash, before.block_hash)
            if slot.is_final:
                cause = f"a reorg deeper than the configured finality took back nonce {slot.key.nonce}: check the node"
                yield AccountHalted(cause, seen.now)
        if found is not None and not is_same:
            yield ReceiptSeen(found)


def _found(slot: Slot, seen: Observed) -> Receipt | None:
    return next((seen.receipts[p.tx_hash] for p in slot.payloads if p.tx_hash in seen.receipts), None)


def _ends(state: State, seen: Observed, rules: Rules) -> Iterator[Record]:
    for slot in state.open_slots:
        receipt = slot.receipt
        if receipt is None or seen.head.number - receipt.block_number < rules.confirmations:
            continue
        yield SlotFinal(slot.key, receipt.tx_hash, seen.head.number)
        outcome = by_receipt(slot, receipt)
        is_cancelled = outcome.status is IntentStatus.CANCELLED
        yield IntentEnded(outcome, seen.now, loss_usd_micro_up(slot, receipt), is_row_owed=is_cancelled)


def _losses(state: State, seen: Observed, rules: Rules) -> Iterator[Record]:
    lost = state.usage(seen.now).loss_usd_micro_today
    if lost and lost >= rules.limits.daily_loss_usd_micro_max and not state.halt_cause:
        yield AccountHalted(f"lost {lost} millionths of a dollar today, which reaches max_daily_loss_usd", seen.now)


def _strangers(state: State, seen: Observed, rules: Rules) -> Iterator[Record]:
    for slot in state.open_slots:
        since = state.passed_since.get(slot.key.nonce)
        if slot.receipt is not None or since is None or seen.head.number - since < max(rules.confirmations, 1):
            continue
        yield SlotFinal(slot.key, None, seen.head.number)
        yield IntentEnded(by_stranger(slot), seen.now)
        yield _foreign_use(slot.key.nonce, seen)
    if seen.chain_nonce > state.nonce_following:
        yield _foreign_use(state.nonce_following, seen)


def _foreign_use(nonce: int, seen: Observed) -> AccountHalted:
    cause = f"nonce {nonce} was used by a transaction that is not in the journal: who else signs with this key?"
    return AccountHalted(cause, seen.now)


def _unsigned(state: State, seen: Observed, rules: Rules) -> Iterator[Record]:
    """Intents that nothing was signed for and whose time is over; at start-up that is every one of them."""
    signing = state.nonce_signing[0] if state.nonce_signing else None
    signed = {slot.intent.id for slot in state.slots.values()}
    for intent_id, opened in state.intents.items():
        is_over = (
            seen.head.number >= opened.intent.deadline_block
            or seen.now - opened.at > rules.limits.execution_seconds_max
            or not state.is_settled
        )
        if is_over and intent_id not in signed and intent_id != signing:
            yield IntentEnded(abandoned(intent_id), seen.now)


def _gaps(state: State, seen: Observed, _rules: Rules) -> Iterator[Record]:
    if state.gap_since is None or state.halt_cause:
        return
    if state.is_settled and seen.head.number - state.gap_since < GAP_BLOCKS:
        return
    cause = (
        f"the chain waits for nonce {seen.chain_nonce}, the journal is at {state.nonce_next}: is it another chain's?"
    )
    yield AccountHalted(cause, seen.now)


def _settled(state: State, seen: Observed) -> State:
    """Nonces that others used are not ours to use; only payloads in no block count as accepted by the node.

    So one that a reorg takes out of its block is sent again.
    """
    floor = max(state.nonce_floor, seen.chain_nonce) if seen.chain_nonce > state.nonce_next else state.nonce_floor
    waiting = {p.tx_hash for slot in state.open_slots if slot.receipt is None for p in slot.payloads}
    return msgspec.structs.replace(state, accepted=state.accepted & waiting, nonce_floor=floor, is_settled=True)
