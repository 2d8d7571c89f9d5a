"""Records of the journal: each says what was decided or seen, and the fold of all of them is the state.

Times named `at` are Unix seconds by our clock; `at_ns` is the monotonic clock of the run, comparable within it alone.
"""

import msgspec

from headrace.model.account import Account
from headrace.model.address import Hash32, PoolId
from headrace.model.intent import Intent, Outcome, Payload, SlotKey
from headrace.model.refusal import Reason
from headrace.model.transaction import Receipt


class RunStarted(msgspec.Struct, frozen=True, tag="run_started"):
    """A process began to write; the journal belongs to one account on one chain.

    `reorg_blocks` is how long that process remembered final slots: whoever reads its records must remember as long.
    """

    version: str
    config_digest: str
    account: Account
    at: int
    reorg_blocks: int = 0


class IntentOpened(msgspec.Struct, frozen=True, tag="intent_opened"):
    """An intent took its reservation from the limits."""

    intent: Intent
    at: int


class PayloadSigned(msgspec.Struct, frozen=True, tag="payload_signed"):
    """Bytes exist that can use the slot, for ever; durable before the first of them leaves.

    `why` says what a cancellation is for.
    """

    slot: SlotKey
    intent_id: str
    payload: Payload
    block_number: int
    why: str = ""


class PayloadSent(msgspec.Struct, frozen=True, tag="payload_sent"):
    """The node accepted the payload."""

    tx_hash: Hash32
    at_ns: int


class SendRefused(msgspec.Struct, frozen=True, tag="send_refused"):
    """The node refused or did not answer; the payload may be known all the same."""

    tx_hash: Hash32
    why: str


class ReceiptSeen(msgspec.Struct, frozen=True, tag="receipt_seen"):
    """The payload is in a block."""

    receipt: Receipt


class ReceiptGone(msgspec.Struct, frozen=True, tag="receipt_gone"):
    """A reorg took the block away: the slot, and an intent that had ended by it, are open again."""

    tx_hash: Hash32
    block_hash: Hash32


class SlotFinal(msgspec.Struct, frozen=True, tag="slot_final"):
    """The slot was used, at the configured finality: by one of our payloads, or by a stranger (None)."""

    slot: SlotKey
    tx_hash: Hash32 | None
    block_number: int


class IntentEnded(msgspec.Struct, frozen=True, tag="intent_ended"):
    """The reservation is given back; `loss_usd_micro` counts towards the day's losses, 0 for a gain.

    `is_row_owed` says that a `CancellationRecorded` follows when the history has it; landed and reverted ones owe more
    than that, by their status.
    """

    outcome: Outcome
    at: int
    loss_usd_micro: int = 0
    is_row_owed: bool = False


class RevertExplained(msgspec.Struct, frozen=True, tag="revert_explained"):
    """Why an execution reverted, as far as a node could still show; found after the intent had ended by it."""

    intent_id: str
    cause: str


class CancellationRecorded(msgspec.Struct, frozen=True, tag="cancellation_recorded"):
    """An execution that ended as cancelled was written to the history."""

    intent_id: str


class RefusalNoted(msgspec.Struct, frozen=True, tag="refusal_noted"):
    """How many opportunities of a block were refused for a reason."""

    block_number: int
    reason: Reason
    count: int


class AccountHalted(msgspec.Struct, frozen=True, tag="account_halted"):
    """Nothing new is executed until a person releases the account; what is open is still brought to its end."""

    cause: str
    at: int


class PoolsTripped(msgspec.Struct, frozen=True, tag="pools_tripped"):
    """A fill of ours was off its quote for no known reason: until a release nothing is traded through its pools."""

    intent_id: str
    pools: tuple[PoolId, ...]
    cause: str
    at: int


class FillCompared(msgspec.Struct, frozen=True, tag="fill_compared"):
    """A landed execution was compared with its quote, and nothing about it is unexplained."""

    intent_id: str


class AccountReleased(msgspec.Struct, frozen=True, tag="account_released"):
    """A person looked and released the account and its pools; the day's losses count from zero again."""

    by: str
    at: int


Record = (
    RunStarted
    | IntentOpened
    | PayloadSigned
    | PayloadSent
    | SendRefused
    | ReceiptSeen
    | ReceiptGone
    | SlotFinal
    | IntentEnded
    | RevertExplained
    | CancellationRecorded
    | RefusalNoted
    | AccountHalted
    | PoolsTripped
    | FillCompared
    | AccountReleased
)

_DECODER: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record, strict=False)


def record_from_json(body: bytes | str) -> Record:
    """Read a record that `headrace.model.codec.to_json` wrote.

    Raises:
        msgspec.ValidationError: it has not the form of any record.
        msgspec.DecodeError: it is no JSON.
    """
    return _DECODER.decode(body)
