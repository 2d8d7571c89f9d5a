"""Transactions that are sent once: a pure machine, `step(state, input) -> (state, commands)`.

Idea. What was signed can land for ever, so nothing that was signed is forgotten. An intent is executed by one
transaction on one nonce. A nonce that was signed for is a slot; it lists every payload that could use it, and the chain
lets exactly one of them do so. Whoever wants the intent not to happen cannot unsend it: they can only make another
payload use the same nonce, and until that one is final the outcome is open. Retrying on the next nonce is how money is
spent twice, so it does not exist here.

Invariants, and what holds them:
1. A `Send` follows the synced `Append` of its bytes. After a crash at any instant the journal knows every payload that
   can exist outside. It may know one that never left; that one is treated as if it had.
2. One execution per slot, one slot per intent, further payloads are cancellations on the same nonce. The fold refuses a
   journal that says otherwise.
3. Nonces have no gap: the next one is the journal's last plus one, or the chain's where that is higher (the key was
   used elsewhere while we were down, or by a stranger before a person released the account). A nonce is taken only
   while its signature is asked for, one at a time; when signing fails nothing exists, and the nonce is free again. So
   is one whose payload was signed and not appended: those bytes never left the process, since sending comes after.
   Bytes that do not say what was to be signed are treated as a failed signature.
4. What may be at stake is reserved in the commit that opens the intent and given back by the record that ends it; no
   other path changes it. An intent without a slot that is found at start is ended: nothing of it can be outside.
5. An intent with a slot ends by a receipt at the configured finality, never by a deadline or by the node's words
   ("nonce too low" says that somebody used the nonce, not who). Until then a reorg takes the slot back to `sent`; it is
   watched and the same bytes are sent again, which cannot make a second transaction.
6. A slot at start whose payload has no receipt and whose nonce is unused: while the block of its quote is the newest
   the same bytes are sent again, else a cancellation is signed on that nonce, a request like any other. Nobody has
   rehearsed the old bytes on the chain as it is now, and a cancellation costs less than a revert.
7. When the chain has passed a nonce and none of our payloads has a receipt, at finality, or when it passes a nonce that
   we have not given out, somebody else signs with our key: the account halts. It halts as well when a reorg is deeper
   than the configured finality, when the day's losses reach the limit or leave no room for a further intent, and when
   the chain waits for a nonce that we cannot send (a journal of another life of the chain). Halted means nothing new;
   what is open is brought to its end, and only a person releases the account: a new day or a new start does not.
8. An execution that is in no block is rehearsed again on every new one. What would fail there is cancelled at once: it
   costs less than the revert, and it is a request like any other.
9. A fill that lands is owed a comparison with its quote. Until the journal says what came of it, no intent quoted on a
   later block takes a pool of its route; what was found unexplained trips them, synced, until a person releases.
10. A revert ends its intent by its receipt alone, so its pools are free at once; why it reverted takes a node some
   milliseconds to show, and is owed to the journal like a comparison: by this process or by a later one. A node that
   fails is no answer; only what it says is one, or that it cannot be expected to know any more.
11. A cancellation that ended owes its row to the history in the same way.

Representation: the records are the events. A decision makes records, the state is their fold, and what is not in the
journal (the head, what this process's node has accepted) can be lost without harm. Commands are done in order.

Bounds: a cancellation bids at least an eighth more than the highest payload of its slot, in both fees (nodes ask for a
tenth), up to a multiple of the execution's cap, and costs 21,000 gas. It costs no more than was reserved for the
execution where that one's gas limit is at least that multiple of 21,000.
"""

from typing import assert_never

import msgspec

from headrace.model.account import Account
from headrace.model.intent import Intent, IntentStatus, Outcome, Payload, Purpose, SlotKey
from headrace.model.limits import first_breach, is_day_spent
from headrace.model.money import NATIVE_DECIMALS, usd_micro_up
from headrace.model.record import (
    AccountHalted,
    AccountReleased,
    CancellationRecorded,
    FillCompared,
    IntentEnded,
    IntentOpened,
    PayloadSent,
    PayloadSigned,
    PoolsTripped,
    Record,
    RevertExplained,
    SendRefused,
)
from headrace.model.refusal import Reason, Refusal
from headrace.model.transaction import UnsignedTransaction
from headrace.pipeline.execute.commands import Append, Command, Refuse, Send, Sign
from headrace.pipeline.execute.fold import fold
from headrace.pipeline.execute.inputs import (
    Compared,
    Drop,
    Execute,
    Explained,
    Halt,
    Input,
    Observed,
    Recorded,
    Release,
    Reserve,
    SendAnswered,
    Signed,
    SignFailed,
    Trip,
)
from headrace.pipeline.execute.observe import observe
from headrace.pipeline.execute.rules import Rules
from headrace.pipeline.execute.state import State

Step = tuple[State, tuple[Command, ...]]


def step(state: State, given: Input, rules: Rules) -> Step:  # noqa: C901, PLR0911, PLR0912 - one line for each kind
    """Decide; the commands are to be done in their order, and their answers given as further inputs.

    Raises:
        JournalCorruptError: never from inputs that answer this machine's commands; from others it names the rule.
    """
    match given:
        case Reserve():
            return _reserve(state, given, rules)
        case Drop():
            return _drop(state, given, rules)
        case Execute():
            return _execute(state, given, rules)
        case Signed():
            return _signed(state, given, rules)
        case SignFailed():
            return _sign_failed(state, given, rules)
        case SendAnswered():
            return _send_answered(state, given)
        case Observed():
            return observe(state, given, rules)
        case Halt():
            return _append(state, rules, AccountHalted(given.cause, given.now), is_synced=True)
        case Trip():
            tripped = PoolsTripped(given.intent_id, given.pools, given.cause, given.now)
            return _append(state, rules, tripped, is_synced=True)
        case Compared():
            return _append(state, rules, FillCompared(given.intent_id), is_synced=False)
        case Explained():
            return _append(state, rules, RevertExplained(given.intent_id, given.cause), is_synced=False)
        case Recorded():
            return _append(state, rules, CancellationRecorded(given.intent_id), is_synced=False)
        case Release():
            return _append(state, rules, AccountReleased(given.by, given.now), is_synced=True)
        case _:
            assert_never(given)


def _reserve(state: State, given: Reserve, rules: Rules) -> Step:
    intent = given.intent
    usage = state.usage(given.now)
    refusal = _unfit(state, intent) or first_breach(rules.limits, usage, intent.reservation, given.held_units)
    if refusal is None:
        return _append(state, rules, IntentOpened(intent, given.now), is_synced=False)
    if refusal.reason is Reason.DAILY_LOSS_LIMIT and is_day_spent(rules.limits, usage, intent.reservation):
        halted = AccountHalted(f"max_daily_loss_usd leaves no room for a further trade: {refusal.detail}", given.now)
        state, appended = _append(state, rules, halted, is_synced=True)
        return state, (*appended, Refuse(intent.id, refusal))
    return state, (Refuse(intent.id, refusal),)


def _unfit(state: State, intent: Intent) -> Refusal | None:
    if state.halt_cause:
        return _halted(state)
    if intent.account != state.owner.id or intent.reservation.account != state.owner.id:
        return Refusal(Reason.CHECK_FAILED, f"the intent is of account {intent.account}, not of {state.owner.id}")
    if intent.id in state.intents or state.slot_of(intent.id) is not None:
        return Refusal(Reason.CHECK_FAILED, f"intent {intent.id} exists already")
    return _tripped(state, intent) or _uncompared(state, intent) or _too_late(state, intent)


def _tripped(state: State, intent: Intent) -> Refusal | None:
    for pool in intent.reservation.pools:
        if pool in state.tripped:
            why = f"pool {pool} tripped, until a person releases the account: {state.tripped[pool]}"
            return Refusal(Reason.POOL_TRIPPED, why)
    return None


def _uncompared(state: State, intent: Intent) -> Refusal | None:
    """Whether a fill of an earlier block than the intent's may still trip one of its pools."""
    for intent_id in state.uncompared:
        slot = state.slot_of(intent_id)
        if slot is None or slot.final_block is None or slot.final_block >= intent.quoted_block:
            continue
        shared = set(slot.intent.reservation.pools).intersection(intent.reservation.pools)
        if shared:
            why = f"pool {min(shared)} is on the route of a fill that was not compared with its quote yet"
            return Refusal(Reason.POOL_IN_FLIGHT, why)
    return None


def _drop(state: State, given: Drop, rules: Rules) -> Step:
    if given.intent_id not in state.intents or state.slot_of(given.intent_id) is not None:
        return state, ()  # it has ended, or was signed and ends by a receipt
    return _refused(state, rules, given.intent_id, given.refusal, given.now)


def _execute(state: State, given: Execute, rules: Rules) -> Step:
    opened = state.intents.get(given.intent_id)
    if opened is None:
        late = Refusal(Reason.BLOCK_PASSED, "the intent has ended: its deadline passed while it was rehearsed")
        return state, (Refuse(given.intent_id, late),)
    assert state.slot_of(given.intent_id) is None, f"intent {given.intent_id} is executed twice"
    refusal = (
        (_halted(state) if state.halt_cause else None)
        or _tripped(state, opened.intent)
        or _too_late(state, opened.intent)
        or _foreign(state.owner, given.transaction)
        or _dearer(opened.intent, given.transaction)
    )
    if refusal is not None:
        return _refused(state, rules, given.intent_id, refusal, given.now)
    assert state.nonce_signing is None, "two signatures asked for at once"
    nonce = state.nonce_following
    asked = msgspec.structs.replace(state, nonce_signing=(given.intent_id, nonce))
    return asked, (Sign(given.intent_id, nonce, Purpose.EXECUTE, given.transaction),)


def _signed(state: State, given: Signed, rules: Rules) -> Step:
    if given.purpose is Purpose.EXECUTE:
        assert state.nonce_signing == (given.intent_id, given.nonce), "a signature that was not asked for"
        state = msgspec.structs.replace(state, nonce_signing=None)
    assert state.head is not None, "signed before the chain was seen"
    owner = state.owner
    key = SlotKey(owner.chain_id, owner.operator, given.nonce)
    payload = Payload(given.signed.hash, given.signed.raw, given.purpose, given.transaction)
    record = PayloadSigned(key, given.intent_id, payload, state.head.number, given.why)
    state, (append,) = _append(state, rules, record, is_synced=True)
    return state, (append, Send(given.signed))


def _sign_failed(state: State, given: SignFailed, rules: Rules) -> Step:
    """A signer that could not is asked again or given up; one whose bytes say something else halts the account."""
    halting: tuple[Command, ...] = ()
    if given.reason is Reason.CALLDATA_MISMATCH and not state.halt_cause:
        cause = f"the signer signed something else than it was asked to: {given.why}"
        state, halting = _append(state, rules, AccountHalted(cause, given.now), is_synced=True)
    if given.purpose is Purpose.CANCEL:
        return state, halting  # asked for again at the next head
    state = msgspec.structs.replace(state, nonce_signing=None)
    state, refusing = _refused(state, rules, given.intent_id, Refusal(given.reason, given.why), given.now)
    return state, (*halting, *refusing)


def _send_answered(state: State, given: SendAnswered) -> Step:
    """The answer is for reports and decides nothing but whether the bytes are sent again."""
    if given.refusal:
        return state, (Append((SendRefused(given.tx_hash, given.refusal),), is_synced=False),)
    accepted = msgspec.structs.replace(state, accepted=state.accepted | {given.tx_hash})
    return accepted, (Append((PayloadSent(given.tx_hash, given.at_ns),), is_synced=False),)


def _refused(state: State, rules: Rules, intent_id: str, refusal: Refusal, now: int) -> Step:
    outcome = Outcome(intent_id, IntentStatus.REFUSED, reason=refusal.reason, cause=refusal.detail)
    state, appended = _append(state, rules, IntentEnded(outcome, now), is_synced=False)
    return state, (*appended, Refuse(intent_id, refusal))


def _append(state: State, rules: Rules, record: Record, *, is_synced: bool) -> Step:
    return fold(state, (record,), rules.reorg_blocks), (Append((record,), is_synced=is_synced),)


def _halted(state: State) -> Refusal:
    return Refusal(Reason.ACCOUNT_HALTED, f"halted until a person releases it: {state.halt_cause}")


def _too_late(state: State, intent: Intent) -> Refusal | None:
    assert state.head is not None, "the journal was not compared with the chain"
    if state.head.number < intent.deadline_block:
        return None
    return Refusal(Reason.BLOCK_PASSED, f"block {state.head.number} is here, the deadline is {intent.deadline_block}")


def _dearer(intent: Intent, transaction: UnsignedTransaction) -> Refusal | None:
    """Whether the transaction could cost more than was reserved as its worst loss."""
    reservation = intent.reservation
    worst_wei = transaction.gas_limit * transaction.max_fee_wei + reservation.l1_fee_wei
    worst = usd_micro_up(worst_wei, NATIVE_DECIMALS, reservation.native_usd_pico)
    if worst <= reservation.loss_usd_micro:
        return None
    detail = f"it can cost {worst} millionths of a dollar, {reservation.loss_usd_micro} are reserved"
    return Refusal(Reason.GAS_COST_TOO_HIGH, detail)


def _foreign(owner: Account, transaction: UnsignedTransaction) -> Refusal | None:
    if (transaction.chain_id, transaction.sender) == (owner.chain_id, owner.operator):
        return None
    return Refusal(Reason.CHECK_FAILED, f"the transaction is of {transaction.sender} on chain {transaction.chain_id}")
