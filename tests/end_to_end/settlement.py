"""What the chain and the journal must say together when everything has come to its end.

The oracle is the chain: the operator's transactions are counted by scanning its blocks. The journal is read record by
record, without the code that folds it when an agent starts.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec

from headrace.devnet.rpc import Call, Rpc, quantity
from headrace.model.intent import IntentStatus, Outcome, Payload, Purpose
from headrace.model.record import (
    AccountHalted,
    IntentEnded,
    IntentOpened,
    PayloadSent,
    PayloadSigned,
    Record,
    RunStarted,
    SendRefused,
    SlotFinal,
)

_BLOCKS_AT_ONCE = 50


class OnChain(msgspec.Struct, frozen=True):
    """One transaction of the operator in a block."""

    hash: str
    nonce: int
    block: int
    is_success: bool


class _Transaction(msgspec.Struct, rename={"sender": "from"}):
    hash: str
    nonce: str
    sender: str


class _Block(msgspec.Struct):
    number: str
    transactions: list[_Transaction]


class _Receipt(msgspec.Struct):
    status: str


def transactions_of(rpc: Rpc, sender: str, first_block: int) -> list[OnChain]:
    """All transactions of an account from `first_block` to the head, in the chain's order."""
    last = quantity(rpc.request("eth_blockNumber"))
    found: list[tuple[int, _Transaction]] = []
    for start in range(first_block, last + 1, _BLOCKS_AT_ONCE):
        numbers = range(start, min(start + _BLOCKS_AT_ONCE, last + 1))
        blocks = msgspec.convert(
            rpc.batch(Call("eth_getBlockByNumber", (hex(number), True)) for number in numbers), list[_Block]
        )
        found += [(quantity(b.number), tx) for b in blocks for tx in b.transactions if tx.sender == sender]
    receipts = msgspec.convert(
        rpc.batch(Call("eth_getTransactionReceipt", (tx.hash,)) for _, tx in found), list[_Receipt]
    )
    return [
        OnChain(tx.hash, quantity(tx.nonce), block, receipt.status == "0x1")
        for (block, tx), receipt in zip(found, receipts, strict=True)
    ]


class Journaled(msgspec.Struct):
    """The journal sorted by what it speaks of."""

    runs: int = 0
    opened: list[str] = []
    payloads: dict[str, tuple[str, int, Payload]] = {}  # by hash: intent, nonce, payload
    answered: set[str] = set()
    final: dict[int, str | None] = {}
    outcomes: dict[str, list[Outcome]] = {}
    halts: list[str] = []

    @property
    def executions(self) -> set[str]:
        """Hashes of everything that was signed to execute an intent."""
        return {tx_hash for tx_hash, (_, _, payload) in self.payloads.items() if payload.purpose is Purpose.EXECUTE}


def sorted_out(records: Iterable[Record]) -> Journaled:
    journaled = Journaled()
    outcomes: dict[str, list[Outcome]] = defaultdict(list)
    for record in records:
        match record:
            case RunStarted():
                journaled.runs += 1
            case IntentOpened(intent):
                journaled.opened.append(intent.id)
            case PayloadSigned(slot, intent_id, payload):
                journaled.payloads[payload.tx_hash] = (intent_id, slot.nonce, payload)
            case PayloadSent(tx_hash) | SendRefused(tx_hash):
                journaled.answered.add(tx_hash)
            case SlotFinal(slot, final_hash):
                journaled.final[slot.nonce] = final_hash
            case IntentEnded(outcome):
                outcomes[outcome.intent_id].append(outcome)
            case AccountHalted(cause):
                journaled.halts.append(cause)
            case _:
                pass
    journaled.outcomes = dict(outcomes)
    return journaled


def faults(journaled: Journaled, chain: Sequence[OnChain]) -> list[str]:
    """Everything that must not be; empty when nothing was sent twice and nothing forgotten."""
    return [
        *_unknown(journaled, chain),
        *_nonces(journaled, chain),
        *_doubles(journaled, chain),
        *_unended(journaled),
        *_untrue(journaled, chain),
        *(f"halted: {cause}" for cause in journaled.halts),
    ]


def _unknown(journaled: Journaled, chain: Sequence[OnChain]) -> list[str]:
    signed = {(tx_hash, nonce) for tx_hash, (_, nonce, _) in journaled.payloads.items()}
    return [f"{tx} is on the chain, not in the journal" for tx in chain if (tx.hash, tx.nonce) not in signed]


def _nonces(journaled: Journaled, chain: Sequence[OnChain]) -> list[str]:
    used = [tx.nonce for tx in chain]
    is_whole = all(later == earlier + 1 for earlier, later in pairwise(used))
    found = [] if is_whole else [f"nonces on the chain are {used}"]
    signed = {nonce for _, nonce, _ in journaled.payloads.values()}
    return found + [f"nonce {nonce} was signed for and is not on the chain" for nonce in sorted(signed - set(used))]


def _doubles(journaled: Journaled, chain: Sequence[OnChain]) -> list[str]:
    executed = Counter(
        journaled.payloads[tx.hash][0]
        for tx in chain
        if tx.hash in journaled.payloads and journaled.payloads[tx.hash][2].purpose is Purpose.EXECUTE
    )
    slots: dict[str, set[int]] = defaultdict(set)
    for intent_id, nonce, _ in journaled.payloads.values():
        slots[intent_id].add(nonce)
    return [f"intent {one} is {n} times on the chain" for one, n in executed.items() if n > 1] + [
        f"intent {one} was signed for on nonces {sorted(nonces)}" for one, nonces in slots.items() if len(nonces) > 1
    ]


def _unended(journaled: Journaled) -> list[str]:
    ends = {intent_id: len(outcomes) for intent_id, outcomes in journaled.outcomes.items()}
    opened = Counter(journaled.opened)
    return [
        f"intent {intent_id} was opened {times} times and ended {ends.get(intent_id, 0)} times: its reservation is held"
        for intent_id, times in opened.items()
        if ends.get(intent_id, 0) != times
    ] + [
        f"nonce {nonce} was signed for and has no end"
        for _, nonce, _ in journaled.payloads.values()
        if nonce not in journaled.final
    ]


def _untrue(journaled: Journaled, chain: Sequence[OnChain]) -> list[str]:
    by_nonce = {tx.nonce: tx for tx in chain}
    found = []
    for intent_id, nonce, payload in journaled.payloads.values():
        tx, outcomes = by_nonce.get(nonce), journaled.outcomes.get(intent_id)
        if payload.purpose is not Purpose.EXECUTE or tx is None or not outcomes:
            continue
        if outcomes[-1].status is not _true_status(tx, payload) or journaled.final.get(nonce) != tx.hash:
            found.append(f"intent {intent_id} ended {outcomes[-1].status}, the chain has {tx}")
    return found


def _true_status(tx: OnChain, execution: Payload) -> IntentStatus:
    if tx.hash != execution.tx_hash:
        return IntentStatus.CANCELLED
    return IntentStatus.LANDED if tx.is_success else IntentStatus.REVERTED
