"""What is wanted (`Intent`), the one nonce that can make it happen (`Slot`), and how both end.

An intent has at most one slot that is not final. A slot lists every signed payload that could ever use its nonce; at
the configured finality it has been used by exactly one of them, or by a stranger. Until then every state may go back.
"""

from enum import StrEnum

import msgspec

from headrace.model.account import AccountId, Reservation
from headrace.model.address import Address, ChainId, Hash32
from headrace.model.refusal import Reason


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
    """One signed transaction that could use a slot, for ever."""

    tx_hash: Hash32
    raw: bytes
    purpose: Purpose
    max_fee_wei: int
    priority_fee_wei: int
    gas_limit: int


class SlotStatus(StrEnum):
    """Where a slot stands; everything but `used` and `used_by_stranger` may change again."""

    OPEN = "open"  # reserved, nothing signed
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
    """What is wanted, whose money, until when; written to the journal together with its reservation.

    `opportunity`, `route_text` and the quoted amounts are what a report needs to compare the outcome with the quote that
    was made before sending. `quote_position` is the (block, log index) after which a foreign log on the route makes the
    execution unclean: all logs of the quoted block are counted as seen.
    """

    id: str
    account: AccountId
    opportunity_id: str
    strategy: str
    engine: str
    route_text: str
    pools: tuple[str, ...]
    profit_token: Address
    amount_in_units: int
    quoted_profit_units: int
    profit_min_units: int
    quoted_block: int
    quoted_block_hash: Hash32
    deadline_block: int
    announced_ns: int
    reservation: Reservation


class Outcome(msgspec.Struct, frozen=True):
    """How an intent ended, from receipts; `cause` names a revert's or refusal's reason."""

    intent_id: str
    status: IntentStatus
    tx_hash: Hash32 | None = None
    block_number: int | None = None
    block_hash: Hash32 | None = None
    gas_used: int = 0
    gas_cost_wei: int = 0
    reason: Reason | None = None
    cause: str = ""
