"""How an intent ended, and what that cost: from receipts alone."""

from headrace.model.address import Hash32
from headrace.model.intent import IntentStatus, Outcome, Purpose, Slot
from headrace.model.money import NATIVE_DECIMALS, usd_micro_up
from headrace.model.refusal import Reason
from headrace.model.transaction import Receipt


def by_receipt(slot: Slot, receipt: Receipt) -> Outcome:
    """The outcome that the slot's receipt proves."""
    status = _status(slot, receipt)
    return Outcome(
        intent_id=slot.intent.id,
        status=status,
        tx_hash=receipt.tx_hash,
        block_number=receipt.block_number,
        block_hash=receipt.block_hash,
        gas_used=receipt.gas_used,
        gas_cost_wei=receipt.cost_wei,
        cause=slot.cancel_cause if status is IntentStatus.CANCELLED else "",
    )


def by_stranger(slot: Slot) -> Outcome:
    """The nonce was used by a transaction that is not ours: no payload of the slot can land any more."""
    return Outcome(slot.intent.id, IntentStatus.ABANDONED, cause=f"nonce {slot.key.nonce} was used by somebody else")


def abandoned(intent_id: str) -> Outcome:
    """Nothing was ever signed for it and its time is over."""
    cause = "its time was over before anything was signed"
    return Outcome(intent_id, IntentStatus.ABANDONED, reason=Reason.BLOCK_PASSED, cause=cause)


def loss_usd_micro_up(slot: Slot, receipt: Receipt) -> int:
    """Gas paid, less the least profit that the contract enforced if it landed; in millionths of a dollar, rounded up.

    Prices are those of the reservation. A gain counts as 0, so that gains buy no room for losses.
    """
    reservation = slot.intent.reservation
    paid_wei = receipt.cost_wei
    paid_usd_micro = usd_micro_up(paid_wei, NATIVE_DECIMALS, reservation.native_usd_pico)
    if _status(slot, receipt) is not IntentStatus.LANDED or slot.intent.amount_in_units == 0:
        return paid_usd_micro
    exposure_down = max(reservation.exposure_usd_micro - 1, 0)  # it was rounded up
    gained_usd_micro = slot.intent.profit_min_units * exposure_down // slot.intent.amount_in_units
    return max(paid_usd_micro - gained_usd_micro, 0)


def is_execution(slot: Slot, tx_hash: Hash32) -> bool:
    """Whether this payload of the slot is the execution."""
    payload = slot.payload(tx_hash)
    return payload is not None and payload.purpose is Purpose.EXECUTE


def _status(slot: Slot, receipt: Receipt) -> IntentStatus:
    if not is_execution(slot, receipt.tx_hash):
        return IntentStatus.CANCELLED
    return IntentStatus.LANDED if receipt.is_success else IntentStatus.REVERTED
