"""What is wanted (`Intent`), the one nonce that can make it happen (`Slot`), and how both end.

An intent has at most one slot that is not final. A slot lists every signed payload that could ever use its nonce; at
the configured finality it has been used by exactly one of them, or by a stranger. Until then every state may go back.
"""

from enum import StrEnum

import msgspec

from headrace.model.account import AccountId, Reservation
from headrace.model.address import Address, ChainId, Hash32
from headrace.model.engine import EngineRefused
from headrace.model.order import Step
from headrace.model.refusal import Reason
from headrace.model.transaction import Receipt, UnsignedTransaction


class SlotKey(msgspec.Struct, frozen=True, order=True):
    """One nonce of one account on one chain."""

    chain_id: ChainId
    sender: Address
    nonce: int


class Purpose(StrEnum):
    """What a payload does when it is the one that uses the slot."""

    EXECUTE = "execute"
    CANCEL = "cancel"


class Payload(msgspec.Struct, frozen=True):
    """One signed transaction that could use a slot, for ever; `raw` signs `transaction` with the slot's nonce."""

    tx_hash: Hash32
    raw: bytes
    purpose: Purpose
    transaction: UnsignedTransaction


class SlotStatus(StrEnum):
    """Where a slot stands; everything but `used` and `used_by_stranger` may change again."""

    SENT = "sent"  # signed, journaled, perhaps at a node
    INCLUDED = "included"  # in a block that is not final
    USED = "used"  # final, by one of our payloads
    USED_BY_STRANGER = "used_by_stranger"  # final, by a transaction that is not in the journal: the account halts


class IntentStatus(StrEnum):
    """Where an intent stands."""

    RESERVED = "reserved"
    SIGNED = "signed"
    LANDED = "landed"
    REVERTED = "reverted"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    ABANDONED = "abandoned"


class Intent(msgspec.Struct, frozen=True):
    """One step that is to be executed; written to the journal together with its reservation.

    `opportunity_id`, `route_text` and the quoted amounts are what a report needs to compare the outcome with the quote
    that was made before sending. The quote has seen all logs of `quoted_block`: a later one of a pool on the route,
    before the execution's own, makes the execution unclean. `is_for_one_block` says that a pool on the route moves
    without logs (interest, a ramp): the quote is then of the next block alone, and an execution in a later one is
    unclean as well. `engines_refused` are those that were tried for the opportunity before `engine`.
    """

    id: str
    step: Step
    opportunity_id: str
    strategy: str
    engine: str
    route_text: str
    pools: tuple[str, ...]
    quoted_profit_units: int
    quoted_profit_native_wei: int
    quoted_block: int
    quoted_block_hash: Hash32
    announced_ns: int
    reservation: Reservation
    is_for_one_block: bool = False
    engines_refused: tuple[EngineRefused, ...] = ()

    @property
    def account(self) -> AccountId:
        """Whose money it is."""
        return self.step.order.account

    @property
    def profit_token(self) -> Address:
        """What the profit is counted in."""
        return self.step.order.token_out

    @property
    def amount_in_units(self) -> int:
        """What is spent first."""
        return self.step.amount_in_units

    @property
    def profit_min_units(self) -> int:
        """Least profit that the contract accepts."""
        return self.step.order.amount_out_min_units - self.step.order.amount_in_units

    @property
    def deadline_block(self) -> int:
        """Last block in which it may execute."""
        return self.step.order.deadline_block


class Slot(msgspec.Struct, frozen=True):
    """A nonce that was signed for, every payload that could use it, and which of them has.

    Attributes:
        payloads: in the order of signing: one execution, then cancellations with rising fees.
        signed_block: head when the last payload was signed.
        receipt: of the payload that is in a block now, if any.
        final_block: head at which the slot became final, or None.
        cancel_cause: why the first cancellation was signed, if one was.
    """

    key: SlotKey
    intent: Intent
    payloads: tuple[Payload, ...]
    signed_block: int
    receipt: Receipt | None = None
    final_block: int | None = None
    cancel_cause: str = ""

    @property
    def status(self) -> SlotStatus:
        """Where the slot stands."""
        if self.final_block is None:
            return SlotStatus.INCLUDED if self.receipt else SlotStatus.SENT
        return SlotStatus.USED if self.receipt else SlotStatus.USED_BY_STRANGER

    @property
    def is_final(self) -> bool:
        """Whether the slot was used at the configured finality."""
        return self.final_block is not None

    def payload(self, tx_hash: Hash32) -> Payload | None:
        """The payload with this hash, or None."""
        return next((payload for payload in self.payloads if payload.tx_hash == tx_hash), None)


class Outcome(msgspec.Struct, frozen=True):
    """How an intent ended, from receipts; `cause` names a revert's or refusal's reason.

    A receipt gives no reason: that of a revert is found when there is time, and empty before.
    """

    intent_id: str
    status: IntentStatus
    tx_hash: Hash32 | None = None
    block_number: int | None = None
    block_hash: Hash32 | None = None
    gas_used: int = 0
    gas_cost_wei: int = 0
    reason: Reason | None = None
    cause: str = ""
