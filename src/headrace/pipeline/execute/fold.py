"""The journal's records applied one after the other: pure, and strict about what cannot follow what."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

import msgspec

from headrace.errors import JournalCorruptError
from headrace.model.address import Hash32
from headrace.model.intent import IntentStatus, Purpose, Slot
from headrace.model.record import (
    AccountHalted,
    AccountReleased,
    CancellationRecorded,
    FillCompared,
    IntentEnded,
    IntentOpened,
    PayloadSigned,
    PoolsTripped,
    ReceiptGone,
    ReceiptSeen,
    Record,
    RevertExplained,
    RunStarted,
    SlotFinal,
)
from headrace.pipeline.execute.state import DAY_SECONDS, OpenIntent, State

K = TypeVar("K")
V = TypeVar("V")


def fold(state: State, records: Iterable[Record], reorg_blocks: int) -> State:
    """The state after `records`; final slots are forgotten `reorg_blocks` later.

    Raises:
        JournalCorruptError: a record cannot follow the ones before it.
    """
    for record in records:
        state = _apply(state, record, reorg_blocks)
    return state


def _apply(state: State, record: Record, reorg_blocks: int) -> State:  # noqa: C901, PLR0911, PLR0912 - one line for each kind
    match record:
        case RunStarted():
            return _run_started(state, record)
        case IntentOpened():
            return _intent_opened(state, record)
        case PayloadSigned():
            return _payload_signed(state, record)
        case ReceiptSeen():
            return _receipt_seen(state, record)
        case ReceiptGone():
            return _receipt_gone(state, record)
        case SlotFinal():
            return _slot_final(state, record, reorg_blocks)
        case IntentEnded():
            return _intent_ended(state, record)
        case AccountHalted():
            return msgspec.structs.replace(state, halt_cause=state.halt_cause or record.cause)
        case AccountReleased():
            return msgspec.structs.replace(state, halt_cause="", tripped={}, loss_usd_micro=0)
        case PoolsTripped():
            return _pools_tripped(state, record)
        case FillCompared():
            return _compared(state, record.intent_id)
        case RevertExplained():
            return _explained(state, record.intent_id)
        case CancellationRecorded():
            return _recorded(state, record.intent_id)
        case _:
            return state  # sends and refusals are for reports: whether a payload is known is asked of the chain


def _run_started(state: State, record: RunStarted) -> State:
    if state.account is not None and state.account != record.account:
        raise JournalCorruptError(
            f"the journal belongs to operator {state.account.operator} and executor {state.account.executor} on chain "
            f"{state.account.chain_id}, not to {record.account.operator} and {record.account.executor} on chain "
            f"{record.account.chain_id}: give each account a journal of its own"
        )
    remembered = max(state.reorg_blocks, record.reorg_blocks)
    return msgspec.structs.replace(state, account=record.account, reorg_blocks=remembered)


def _intent_opened(state: State, record: IntentOpened) -> State:
    intent = record.intent
    _require(intent.id not in state.intents and state.slot_of(intent.id) is None, f"intent {intent.id} opened twice")
    return msgspec.structs.replace(state, intents=_with(state.intents, intent.id, OpenIntent(intent, record.at)))


def _payload_signed(state: State, record: PayloadSigned) -> State:
    nonce = record.slot.nonce
    slot = state.slots.get(nonce)
    if slot is None:
        return _slot_opened(state, record)
    _require(slot.intent.id == record.intent_id, f"nonce {nonce} signed for two intents")
    _require(record.payload.purpose is Purpose.CANCEL, f"nonce {nonce} signed for two executions")
    _require(not slot.is_final, f"nonce {nonce} signed for after its end")
    payloads = (*slot.payloads, record.payload)
    cause = slot.cancel_cause or record.why
    slot = msgspec.structs.replace(slot, payloads=payloads, signed_block=record.block_number, cancel_cause=cause)
    return _with_slot(state, slot)


def _slot_opened(state: State, record: PayloadSigned) -> State:
    nonce = record.slot.nonce
    opened = state.intents.get(record.intent_id)
    _require(nonce >= state.nonce_next, f"nonce {nonce} signed for after it was forgotten")
    _require(record.payload.purpose is Purpose.EXECUTE, f"nonce {nonce} begins with a cancellation")
    _require(state.slot_of(record.intent_id) is None, f"intent {record.intent_id} signed for on two nonces")
    if opened is None:
        raise JournalCorruptError(f"the journal's records do not fit: intent {record.intent_id} signed but not open")
    slot = Slot(record.slot, opened.intent, (record.payload,), record.block_number)
    return msgspec.structs.replace(_with_slot(state, slot), nonce_next=nonce + 1)


def _receipt_seen(state: State, record: ReceiptSeen) -> State:
    slot = _slot_with(state, record.receipt.tx_hash)
    return _with_slot(state, msgspec.structs.replace(slot, receipt=record.receipt))


def _receipt_gone(state: State, record: ReceiptGone) -> State:
    slot = _slot_with(state, record.tx_hash)
    _require(slot.receipt is not None, f"a receipt of {record.tx_hash} gone that was never seen")
    state = _with_slot(state, msgspec.structs.replace(slot, receipt=None, final_block=None))
    if slot.intent.id in state.intents:
        return state
    state = _owing_nothing(state, slot.intent.id)  # whatever it did, it did not do it now
    return msgspec.structs.replace(state, intents=_with(state.intents, slot.intent.id, OpenIntent(slot.intent, 0)))


def _slot_final(state: State, record: SlotFinal, reorg_blocks: int) -> State:
    slot = state.slots.get(record.slot.nonce)
    if slot is None or (slot.receipt.tx_hash if slot.receipt else None) != record.tx_hash:
        raise JournalCorruptError(f"the journal's records do not fit: end of nonce {record.slot.nonce} without receipt")
    state = _with_slot(state, msgspec.structs.replace(slot, final_block=record.block_number))
    oldest = record.block_number - max(reorg_blocks, state.reorg_blocks)
    kept = {n: s for n, s in state.slots.items() if _is_remembered(state, s, oldest)}
    return msgspec.structs.replace(state, slots=kept)


def _is_remembered(state: State, slot: Slot, oldest: int) -> bool:
    """Until no reorg reaches it, and nothing about its end is owed any more."""
    return slot.final_block is None or slot.final_block > oldest or slot.intent.id in state.owed


def _intent_ended(state: State, record: IntentEnded) -> State:
    intent_id = record.outcome.intent_id
    _require(intent_id in state.intents, f"intent {intent_id} ended but not open")
    day = max(state.loss_day, record.at // DAY_SECONDS)
    lost_before = state.loss_usd_micro if day == state.loss_day else 0
    if state.slot_of(intent_id) is not None:
        state = _owing(state, record)
    return msgspec.structs.replace(
        state,
        intents=_without(state.intents, intent_id),
        loss_day=day,
        loss_usd_micro=lost_before + record.loss_usd_micro,
    )


def _owing(state: State, record: IntentEnded) -> State:
    """What is left to be found out, or written down, about an execution that ended."""
    outcome = record.outcome
    if record.is_row_owed:
        return msgspec.structs.replace(state, unrecorded=_with(state.unrecorded, outcome.intent_id, outcome))
    if outcome.status is IntentStatus.LANDED:
        return msgspec.structs.replace(state, uncompared=_with(state.uncompared, outcome.intent_id, outcome))
    if outcome.status is IntentStatus.REVERTED and not outcome.cause:
        return msgspec.structs.replace(state, unexplained=_with(state.unexplained, outcome.intent_id, outcome))
    return state


def _pools_tripped(state: State, record: PoolsTripped) -> State:
    tripped = {**dict.fromkeys(record.pools, record.cause), **state.tripped}  # the first cause is kept
    return msgspec.structs.replace(_compared(state, record.intent_id), tripped=tripped)


def _compared(state: State, intent_id: str) -> State:
    return msgspec.structs.replace(state, uncompared=_without(state.uncompared, intent_id))


def _explained(state: State, intent_id: str) -> State:
    return msgspec.structs.replace(state, unexplained=_without(state.unexplained, intent_id))


def _recorded(state: State, intent_id: str) -> State:
    return msgspec.structs.replace(state, unrecorded=_without(state.unrecorded, intent_id))


def _owing_nothing(state: State, intent_id: str) -> State:
    return _recorded(_explained(_compared(state, intent_id), intent_id), intent_id)


def _slot_with(state: State, tx_hash: Hash32) -> Slot:
    slot = state.slot_with(tx_hash)
    if slot is None:
        raise JournalCorruptError(f"the journal's records do not fit: {tx_hash} was never signed")
    return slot


def _with_slot(state: State, slot: Slot) -> State:
    return msgspec.structs.replace(state, slots=_with(state.slots, slot.key.nonce, slot))


def _with(mapping: Mapping[K, V], key: K, value: V) -> Mapping[K, V]:
    return {**mapping, key: value}


def _without(mapping: Mapping[K, V], key: K) -> Mapping[K, V]:
    return {k: v for k, v in mapping.items() if k != key}


def _require(is_true: bool, otherwise: str) -> None:  # noqa: FBT001 - reads as an assertion
    if not is_true:
        raise JournalCorruptError(f"the journal's records do not fit: {otherwise}")
