"""What the machine is told: requests of the line, answers of signer, node and chain. Times `now` are Unix seconds."""

from collections.abc import Mapping

import msgspec

from headrace.model.address import Hash32, PoolId
from headrace.model.block import BlockHeader
from headrace.model.intent import Intent, Purpose
from headrace.model.refusal import Reason, Refusal
from headrace.model.transaction import Receipt, SignedTransaction, UnsignedTransaction


class Reserve(msgspec.Struct, frozen=True):
    """An intent asks for its reservation; `held_units` is what the account holds of the token it spends."""

    intent: Intent
    held_units: int
    now: int


class Drop(msgspec.Struct, frozen=True):
    """The line gives up an intent that nothing was signed for: rehearsal refused it, or its block has passed."""

    intent_id: str
    refusal: Refusal
    now: int


class Execute(msgspec.Struct, frozen=True):
    """An intent's rehearsed transaction is to be sent."""

    intent_id: str
    transaction: UnsignedTransaction
    now: int


class Signed(msgspec.Struct, frozen=True):
    """The signer's answer to `Sign`, whose `why` it repeats."""

    intent_id: str
    nonce: int
    purpose: Purpose
    transaction: UnsignedTransaction
    signed: SignedTransaction
    why: str = ""


class SignFailed(msgspec.Struct, frozen=True):
    """The signer could not sign, or signed something else (`CALLDATA_MISMATCH`)."""

    intent_id: str
    purpose: Purpose
    why: str
    now: int
    reason: Reason = Reason.CHECK_FAILED


class SendAnswered(msgspec.Struct, frozen=True):
    """The node's answer to `Send`: accepted when `refusal` is empty; `at_ns` is monotonic."""

    tx_hash: Hash32
    at_ns: int
    refusal: str = ""


class Observed(msgspec.Struct, frozen=True):
    """The chain was looked at after `head`: the sender's nonce and the receipts of `asked`, together.

    A node may give the nonce of a later block than its receipts: that one of our nonces was used without a receipt of
    ours counts only where it stays so for a block. `doomed` are executions in no block that would fail in the next one,
    and why.
    """

    head: BlockHeader
    chain_nonce: int
    asked: frozenset[Hash32]
    receipts: Mapping[Hash32, Receipt]
    now: int
    doomed: Mapping[Hash32, str] = {}


class Halt(msgspec.Struct, frozen=True):
    """Stop executing, until a person releases the account."""

    cause: str
    now: int


class Trip(msgspec.Struct, frozen=True):
    """A fill was not what was quoted, by `cause`: trade nothing through `pools` until a person releases the account."""

    intent_id: str
    pools: tuple[PoolId, ...]
    cause: str
    now: int


class Compared(msgspec.Struct, frozen=True):
    """A fill was what was quoted, or what came between is known."""

    intent_id: str


class Explained(msgspec.Struct, frozen=True):
    """Why an execution that ended as reverted did so; never empty."""

    intent_id: str
    cause: str


class Recorded(msgspec.Struct, frozen=True):
    """An execution that ended as cancelled is in the history."""

    intent_id: str


class Release(msgspec.Struct, frozen=True):
    """A person, `by` name, releases the account and every tripped pool."""

    by: str
    now: int


Input = (
    Reserve
    | Drop
    | Execute
    | Signed
    | SignFailed
    | SendAnswered
    | Observed
    | Halt
    | Trip
    | Compared
    | Explained
    | Recorded
    | Release
)
