"""What the machine asks for, in order: a command is begun only when the one before it has been done."""

import msgspec

from headrace.model.intent import Purpose
from headrace.model.record import Record
from headrace.model.refusal import Refusal
from headrace.model.transaction import SignedTransaction, UnsignedTransaction


class Append(msgspec.Struct, frozen=True):
    """Write records, all or none; when it fails, nothing that follows is done, ever."""

    records: tuple[Record, ...]
    is_synced: bool


class Sign(msgspec.Struct, frozen=True):
    """Ask the signer; the answer is the next input. `why` says what a cancellation is for."""

    intent_id: str
    nonce: int
    purpose: Purpose
    transaction: UnsignedTransaction
    why: str = ""


class Send(msgspec.Struct, frozen=True):
    """Hand bytes that are durable in the journal to the node; sending the same bytes again is harmless."""

    transaction: SignedTransaction


class Refuse(msgspec.Struct, frozen=True):
    """Tell the line that an intent goes no further."""

    intent_id: str
    refusal: Refusal


Command = Append | Sign | Send | Refuse
