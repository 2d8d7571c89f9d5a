"""What goes in to be sent, and what is known of it at once."""

import msgspec

from headrace.model.address import Hash32
from headrace.model.intent import Outcome
from headrace.model.opportunity import Rehearsed


class Prepared(msgspec.Struct, frozen=True):
    """A reserved intent and the transaction that was rehearsed for it."""

    intent_id: str
    rehearsed: Rehearsed


class Submitted(msgspec.Struct, frozen=True):
    """Bytes that were handed to the node; `refusal` holds its words where it did not accept them.

    A refused or unanswered payload may land all the same: its intent stays open until a receipt or its cancellation.
    `answered_ns` is the monotonic clock at the node's answer.
    """

    intent_id: str
    tx_hash: Hash32
    answered_ns: int
    refusal: str = ""


class Recovery(msgspec.Struct, frozen=True):
    """What start-up found: records read, outcomes reached while nobody looked, slots still open.

    `unfinished` are executions whose end an earlier process saw, and did not get to: landed and not compared with their
    quotes, reverted and not explained, or cancelled and not in the history.
    """

    records_count: int
    outcomes: tuple[Outcome, ...]
    open_nonces: tuple[int, ...]
    halt_cause: str
    unfinished: tuple[Outcome, ...] = ()
