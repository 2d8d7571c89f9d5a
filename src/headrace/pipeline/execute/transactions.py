"""The machine's hands: does its commands in order, and brings back the answers.

Everything between two awaits is done at once, so a decision and its append cannot be separated by another task.
Commands that sign and append are done first, for a whole batch in one synced commit; only then are the bytes sent,
concurrently.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from headrace.errors import ChainError, JournalError, KeystoreError
from headrace.model.account import Account
from headrace.model.address import Hash32, PoolId
from headrace.model.block import BlockHeader
from headrace.model.intent import Intent, Outcome
from headrace.model.record import IntentEnded, PayloadSigned, Record, RefusalNoted, RunStarted
from headrace.model.refusal import Reason, Refusal
from headrace.model.transaction import Receipt, SignedTransaction
from headrace.pipeline.execute.cause import find_cause, is_settled
from headrace.pipeline.execute.commands import Append, Command, Refuse, Send, Sign
from headrace.pipeline.execute.doomed import doomed_among, waiting_executions
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
from headrace.pipeline.execute.machine import step
from headrace.pipeline.execute.observe import watched
from headrace.pipeline.execute.rules import Rules
from headrace.pipeline.execute.signed_bytes import difference
from headrace.pipeline.execute.sockets import Sockets
from headrace.pipeline.execute.state import State
from headrace.pipeline.execute.submission import Prepared, Recovery, Submitted

_CANCELLATIONS_MAX = 3  # one that is bid too low is bid again, twice
__all__ = ["Prepared", "Recovery", "Sockets", "Submitted", "TransactionManager"]  # all that the line's wiring needs


class TransactionManager:
    """Transactions of one account on one chain; call `recover` first.

    After a `JournalError` every method raises it again: what is in memory may not be what is on disk, and only a new
    start tells.
    """

    def __init__(self, account: Account, rules: Rules, sockets: Sockets) -> None:
        """Take the journal's writer and a signer for `account.operator`.

        Raises:
            KeystoreError: the signer is another address's.
        """
        if sockets.signer.address != account.operator:
            raise KeystoreError(
                f"the key is {sockets.signer.address}'s, the operator is {account.operator}: open its key"
            )
        self._account = account
        self._rules = rules
        self._sockets = sockets
        self._state = State()
        self._failure: JournalError | None = None
        self._looking = asyncio.Lock()

    @property
    def state(self) -> State:
        """The state as of the last input."""
        return self._state

    @property
    def pools_in_flight(self) -> frozenset[PoolId]:
        """Pools on the routes of open intents, which no other plan may use."""
        return frozenset(pool for one in self._state.intents.values() for pool in one.intent.reservation.pools)

    @property
    def ended_by_block(self) -> int:
        """The block by which everything open has ended, unless the chain takes neither it nor its cancellation."""
        deadlines = (slot.intent.deadline_block for slot in self._state.open_slots)
        spare = self._rules.confirmations + _CANCELLATIONS_MAX * self._rules.cancel_repeat_blocks
        return max(deadlines, default=0) + spare

    async def recover(self, *, version: str, config_digest: str) -> Recovery:
        """Fold the journal, compare it with the chain, and take up what is open.

        Raises:
            JournalCorruptError: the records do not fit together, or belong to another account.
            JournalError: the chain is behind the journal, or the journal failed.
            ChainError: the node failed.
        """
        count, state = 0, State()
        for record in self._sockets.journal.read():
            state = fold(state, (record,), self._rules.reorg_blocks)
            count += 1
        started = RunStarted(version, config_digest, self._account, self._sockets.clock.now(), self._rules.reorg_blocks)
        self._state = fold(state, (started,), self._rules.reorg_blocks)
        head = await self._sockets.chain.head()
        _require_not_behind(self._state, head)
        self._append(Append((started,), is_synced=True))
        outcomes = await self.on_head(head)
        open_nonces = tuple(slot.key.nonce for slot in self._state.open_slots)
        ended = {outcome.intent_id for outcome in outcomes}
        unfinished = tuple(one for key, one in self._state.owed.items() if key not in ended)
        return Recovery(count, outcomes, open_nonces, self._state.halt_cause, unfinished)

    async def reserve(self, intents: Sequence[Intent]) -> list[Refusal | None]:
        """Open intents with their reservations in one commit; None for each that was opened, in order.

        Raises:
            JournalError: nothing may be sent any more.
        """
        holdings, now = self._sockets.holdings, self._sockets.clock.now()
        commands: list[Command] = []
        answers: list[Refusal | None] = []
        for intent in intents:
            answered = self._step(Reserve(intent, holdings.held_units(intent.reservation.token), now))
            answers.append(_refusals(answered).get(intent.id))
            commands += answered
        self._append(_merged(commands))
        return answers

    async def drop(self, intent_id: str, refusal: Refusal) -> None:
        """Give up an intent that was not executed, and its reservation.

        Raises:
            JournalError: nothing may be sent any more.
        """
        self._append(_merged(self._step(Drop(intent_id, refusal, self._sockets.clock.now()))))
        self._flush()

    async def execute(self, batch: Sequence[Prepared]) -> list[Submitted | Refusal]:
        """Sign all, append all in one synced commit, send all at once; returns when the node has answered each.

        What was sent is said to be sent, also where the journal then fails to take the node's answers: the bytes are
        durable, and every later call raises.

        Raises:
            JournalError: nothing was sent, and nothing may be sent any more.
        """
        commands: list[Command] = []
        for prepared in batch:
            given = Execute(prepared.intent_id, prepared.rehearsed.transaction, self._sockets.clock.now())
            commands += self._signed_through(self._step(given))
        answers = await self._append_and_send(commands)
        refused = _refusals(commands)
        return [_answer_for(prepared.intent_id, refused, commands, answers) for prepared in batch]

    async def on_head(self, header: BlockHeader) -> tuple[Outcome, ...]:
        """Look at the chain after a new head; returns the intents that ended by it.

        Raises:
            JournalError: nothing may be sent any more.
            ChainError: the node failed; the next head looks again.
        """
        async with self._looking:
            asked = watched(self._state, header)
            chain_nonce, receipts = await self._nonce_and_receipts(asked)
            waiting = waiting_executions(self._state, header, chain_nonce, asked - receipts.keys())
            doomed = await doomed_among(waiting, self._sockets.simulator, header, self._rules)
            seen = Observed(header, chain_nonce, asked, receipts, self._sockets.clock.now(), doomed)
            commands = self._signed_through(self._step(seen))
            await self._append_and_send(commands)
            if self._failure is not None:
                raise self._failure
        return _outcomes(_merged(commands).records)

    async def halt(self, cause: str) -> None:
        """Take on nothing new until `release`; durable on return."""
        self._append(_merged(self._step(Halt(cause, self._sockets.clock.now()))))

    async def trip(self, intent_id: str, pools: Sequence[PoolId], cause: str) -> None:
        """Trade nothing through the pools of a fill that is not what was quoted until `release`; durable on return.

        Raises:
            JournalError: nothing may be sent any more.
        """
        self._append(_merged(self._step(Trip(intent_id, tuple(pools), cause, self._sockets.clock.now()))))

    async def compared(self, intent_id: str) -> None:
        """Nothing about a landed execution is unexplained.

        Raises:
            JournalError: nothing may be sent any more.
        """
        self._append(_merged(self._step(Compared(intent_id))))
        self._flush()

    async def with_cause(self, outcome: Outcome) -> Outcome:
        """The outcome, with a cause that is looked for where an execution reverted and nobody has recorded why.

        It takes the node some milliseconds: ask when nothing else is urgent. The cause is owed until `explained`, and
        is none yet where the node failed: see `is_to_be_asked_again`.
        """
        slot = self._state.slot_of(outcome.intent_id)
        if outcome.intent_id not in self._state.unexplained or slot is None or slot.receipt is None:
            return outcome
        payload, sockets = slot.payload(slot.receipt.tx_hash), self._sockets
        assert payload is not None, "a slot's receipt is of one of its payloads"
        cause = await find_cause(sockets.chain, sockets.simulator, slot.intent, payload, slot.receipt)
        return msgspec.structs.replace(outcome, cause=cause)

    def is_owed(self, outcome: Outcome) -> bool:
        """Whether this very end was not looked into or written down yet; a reorg may have made another of it."""
        return _holds(self._state.owed, outcome)

    def is_to_be_asked_again(self, outcome: Outcome) -> bool:
        """Whether a revert's cause is none yet, and a node may still show it: at a later block."""
        assert self._state.head is not None, "the journal was not compared with the chain"
        assert outcome.block_number is not None, "a revert is in a block"
        return not is_settled(outcome.cause, self._state.head.number - outcome.block_number)

    async def explained(self, outcome: Outcome) -> None:
        """A revert was recorded with its cause; nothing where that is not owed, or the cause is still to be asked for.

        Raises:
            JournalError: nothing may be sent any more.
        """
        if _holds(self._state.unexplained, outcome) and not self.is_to_be_asked_again(outcome):
            self._append(_merged(self._step(Explained(outcome.intent_id, outcome.cause))))
            self._flush()

    async def recorded(self, outcome: Outcome) -> None:
        """A cancelled execution is in the history; nothing where that is not owed.

        Raises:
            JournalError: nothing may be sent any more.
        """
        if _holds(self._state.unrecorded, outcome):
            self._append(_merged(self._step(Recorded(outcome.intent_id))))
            self._flush()

    async def release(self, by: str) -> None:
        """A person, `by` name, releases the account and every tripped pool; durable on return."""
        self._append(_merged(self._step(Release(by, self._sockets.clock.now()))))

    def note_refusals(self, block_number: int, counts: Mapping[Reason, int]) -> None:
        """Journal how many opportunities of a block were refused, by reason.

        Raises:
            JournalError: nothing may be sent any more.
        """
        records = tuple(RefusalNoted(block_number, reason, count) for reason, count in counts.items())
        self._append(Append(records, is_synced=False))
        self._flush()

    def _step(self, given: Input) -> tuple[Command, ...]:
        if self._failure is not None:
            raise self._failure
        self._state, commands = step(self._state, given, self._rules)
        return commands

    def _signed_through(self, commands: Iterable[Command]) -> list[Command]:
        """Every `Sign` replaced by what the machine makes of the signature."""
        done: list[Command] = []
        for command in commands:
            if isinstance(command, Sign):
                done += self._step(self._sign(command))
            else:
                done.append(command)
        return done

    def _sign(self, command: Sign) -> Signed | SignFailed:
        try:
            signed = self._sockets.signer.sign(command.transaction, command.nonce)
        except KeystoreError as error:
            return SignFailed(command.intent_id, command.purpose, str(error), self._sockets.clock.now())
        other = difference(signed, command.transaction, command.nonce)
        if other:
            now = self._sockets.clock.now()
            return SignFailed(command.intent_id, command.purpose, other, now, Reason.CALLDATA_MISMATCH)
        return Signed(command.intent_id, command.nonce, command.purpose, command.transaction, signed, command.why)

    async def _append_and_send(self, commands: Sequence[Command]) -> dict[Hash32, SendAnswered]:
        self._append(_merged(commands))
        sends = [command.transaction for command in commands if isinstance(command, Send)]
        answers = await self._send_all(sends)
        self._tell(answers)
        return {answer.tx_hash: answer for answer in answers}

    def _tell(self, answers: Sequence[SendAnswered]) -> None:
        """Journal what the node answered. Where that fails nothing is undone: what was sent is sent, and durable."""
        try:
            told: list[Command] = []
            for answer in answers:
                told += self._step(answer)
            self._append(_merged(told))
            self._flush()
        except JournalError as error:
            sent = ", ".join(answer.tx_hash for answer in answers) or "nothing"
            self._failure = JournalError(f"{error} (before that {sent} was sent; its bytes are in the journal)")

    async def _send_all(self, sends: Sequence[SignedTransaction]) -> list[SendAnswered]:
        if len(sends) == 1:  # no task for one: each costs a turn of the loop
            return [await self._send(sends[0])]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._send(transaction)) for transaction in sends]
        return [task.result() for task in tasks]

    async def _send(self, transaction: SignedTransaction) -> SendAnswered:
        refusal = ""
        try:
            await self._sockets.chain.send(transaction)
        except ChainError as error:
            refusal = str(error)
        return SendAnswered(transaction.hash, self._sockets.clock.monotonic_ns(), refusal)

    async def _nonce_and_receipts(self, asked: frozenset[Hash32]) -> tuple[int, dict[Hash32, Receipt]]:
        """In one round trip."""
        chain = self._sockets.chain
        try:
            async with asyncio.TaskGroup() as group:
                nonce = group.create_task(chain.nonce(self._account.operator))
                tasks = [group.create_task(chain.receipt(tx_hash)) for tx_hash in sorted(asked)]
        except* ChainError as errors:
            raise _first(errors) from errors
        return nonce.result(), {one.tx_hash: one for task in tasks if (one := task.result()) is not None}

    def _append(self, append: Append) -> None:
        if self._failure is not None:
            raise self._failure
        if not append.records:
            return
        try:
            self._sockets.journal.append(append.records, is_synced=append.is_synced)
        except JournalError as error:
            self._failure = error
            raise

    def _flush(self) -> None:
        if self._failure is not None:
            raise self._failure
        try:
            self._sockets.journal.flush()
        except JournalError as error:
            self._failure = error
            raise


def _holds(owed: Mapping[str, Outcome], outcome: Outcome) -> bool:
    found = owed.get(outcome.intent_id)
    return found is not None and found.block_hash == outcome.block_hash


def _first(errors: ExceptionGroup[ChainError]) -> ChainError:
    error = errors.exceptions[0]
    return _first(error) if isinstance(error, ExceptionGroup) else error


def _merged(commands: Iterable[Command]) -> Append:
    """All appends as one: written together, synced if one of them must be."""
    appends = [command for command in commands if isinstance(command, Append)]
    records = tuple(record for append in appends for record in append.records)
    return Append(records, is_synced=any(append.is_synced for append in appends))


def _refusals(commands: Iterable[Command]) -> dict[str, Refusal]:
    return {command.intent_id: command.refusal for command in commands if isinstance(command, Refuse)}


def _answer_for(
    intent_id: str, refused: dict[str, Refusal], commands: Sequence[Command], answers: dict[Hash32, SendAnswered]
) -> Submitted | Refusal:
    if intent_id in refused:
        return refused[intent_id]
    signed = next(
        record
        for record in _merged(commands).records
        if isinstance(record, PayloadSigned) and record.intent_id == intent_id
    )
    answer = answers[signed.payload.tx_hash]
    return Submitted(intent_id, answer.tx_hash, answer.at_ns, answer.refusal)


def _outcomes(records: Iterable[Record]) -> tuple[Outcome, ...]:
    return tuple(record.outcome for record in records if isinstance(record, IntentEnded))


def _require_not_behind(state: State, head: BlockHeader) -> None:
    newest = max((slot.final_block or slot.signed_block for slot in state.slots.values()), default=0)
    if head.number < newest:
        raise JournalError(
            f"the chain is at block {head.number}, the journal at {newest}: use a node that is not behind; if the "
            "chain was started anew, move the journal away"
        )
