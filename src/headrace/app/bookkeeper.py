"""How executions ended, written down: the run's tally, the history's rows, and what the journal was still owed.

What a block made of earlier trades is recorded before the next block is traded on, for a fill may trip its pools.
Reverts are the exception. Why one reverted takes the node some milliseconds to show, and decides nothing: a task asks
about one after the other while blocks are traded on, and what it found is written down with the next block. One that
the node could not answer is asked again with a later block. Each is known by the order in which it ended, so that a
run's report does not depend on how long an answer took.

What is written is owed to the journal until it is there, so a process may die at any instant: history first, journal
after it, and the next process writes the same row again.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence

import msgspec
import structlog

from headrace.app.places import Places
from headrace.app.tally import EXECUTIONS_KEPT, Tally
from headrace.errors import ChainError, StoreError
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.block import BlockHeader
from headrace.model.execution import NOT_FOUND, Execution
from headrace.model.history import ExecutionEntry
from headrace.model.intent import IntentStatus, Outcome
from headrace.pipeline.execute.transactions import TransactionManager
from headrace.pipeline.record.breaker import unexplained
from headrace.pipeline.record.entries import execution_entry
from headrace.pipeline.record.recorder import Ended, before_the_chain_is_asked, record_execution
from headrace.ports.store import Store

log = structlog.get_logger("headrace")
_SETTLING_SECONDS_MAX = 10.0


class Concluded(msgspec.Struct, frozen=True):
    """An execution that ended, and every transaction that could have been it."""

    ended: Ended
    hashes: tuple[Hash32, ...]


class _Entered(msgspec.Struct, frozen=True):
    """The `serial`-th that ended; `timestamp` (Unix seconds) and the native coin's price are of when that was seen."""

    serial: int
    concluded: Concluded
    timestamp: int
    native_usd_pico: int | None

    @property
    def outcome(self) -> Outcome:
        return self.concluded.ended.outcome

    def with_outcome(self, outcome: Outcome) -> "_Entered":
        ended = msgspec.structs.replace(self.concluded.ended, outcome=outcome)
        return msgspec.structs.replace(self, concluded=msgspec.structs.replace(self.concluded, ended=ended))


class Bookkeeper:
    """Of one agent; `close` it."""

    def __init__(
        self, places: Places, transactions: TransactionManager | None, history: Store | None, tally: Tally
    ) -> None:
        """Take what is written to."""
        self._places = places
        self._transactions = transactions
        self._history = history
        self._tally = tally
        self._left: list[Concluded] = []
        self._waiting: list[_Entered] = []
        self._reverts: dict[int, _Entered] = {}
        self._found: list[tuple[_Entered, Execution]] = []
        self._asking: asyncio.Task[None] | None = None
        self._serial = 0

    def take_up(self, concluded: Iterable[Concluded]) -> None:
        """Record, with the next block, what ended while nobody ran."""
        self._left += concluded

    async def record(self, concluded: Iterable[Concluded], header: BlockHeader) -> None:
        """Write down what ended, and see to it that somebody asks why the reverts did.

        Raises:
            JournalError: nothing may be sent any more.
        """
        self._enter([*self._left, *concluded], header)
        self._left = []
        waiting, self._waiting = self._waiting, []
        done = []
        for one in waiting:
            execution = await self._execution(one)
            if execution is None:
                self._waiting = [*self._waiting, one][-EXECUTIONS_KEPT:]
            else:
                done.append((one, execution))
        await self._write_down(done)
        await self._look_at_answers()

    async def settle(self) -> None:
        """Wait for the answers that are still to come, and write them down; what the node cannot say now stays owed.

        Raises:
            JournalError: nothing may be sent any more.
        """
        try:
            async with asyncio.timeout(_SETTLING_SECONDS_MAX):
                await self._asked()
                await self._look_at_answers()  # what came after those is asked about, and once more what had no answer
                await self._asked()
        except TimeoutError:
            log.warning("causes of reverts not waited for any longer", left=len(self._reverts))
        await self.close()
        await self._write_down(self._answers())

    async def close(self) -> None:
        """Ask nobody any more; what is owed is found in the journal by the next process."""
        asking, self._asking = self._asking, None
        if asking is not None:
            asking.cancel()
            await asyncio.wait((asking,))
            if not asking.cancelled():
                asking.result()

    def unwritten(self) -> list[Execution]:
        """Reverts that are not written down yet; where nobody knows the cause, with why not."""
        asked = [before_the_chain_is_asked(_worded(one).concluded.ended) for one in self._reverts.values()]
        return [*(execution for _, execution in self._found), *asked]

    def write(self, write: Callable[[Store], None]) -> None:
        """Write to the history, where there is one; that it fails stops nothing."""
        if self._history is None:
            return
        try:
            write(self._history)
        except StoreError as error:
            log.warning("history not written", why=str(error))

    def _enter(self, concluded: Sequence[Concluded], header: BlockHeader) -> None:
        if not concluded:
            return
        price = self._places.oracle.price(self._places.config.chain.wrapped_native_address, header.timestamp)
        for one in concluded:
            self._serial += 1
            entered = _Entered(self._serial, one, header.timestamp, None if price is None else price.usd_pico)
            if one.ended.outcome.status is IntentStatus.REVERTED:
                self._reverts[self._serial] = entered
            else:
                self._waiting.append(entered)
        for serial in sorted(self._reverts)[:-EXECUTIONS_KEPT]:
            del self._reverts[serial]

    async def _asked(self) -> None:
        if self._asking is not None:
            await asyncio.wait((self._asking,))

    async def _look_at_answers(self) -> None:
        """Write down what was found, and have the rest asked about, unless somebody is at it."""
        await self._write_down(self._answers())
        if self._asking is not None and self._asking.done():
            asking, self._asking = self._asking, None
            asking.result()
        if self._asking is None and self._reverts:
            self._asking = asyncio.create_task(self._ask(tuple(self._reverts.values())))

    def _answers(self) -> list[tuple[_Entered, Execution]]:
        found, self._found = self._found, []
        return found

    async def _ask(self, reverts: Iterable[_Entered]) -> None:
        """Once about each."""
        assert self._transactions is not None, "nothing ends in a dry run"
        for one in reverts:
            answered = one.with_outcome(await self._transactions.with_cause(one.outcome))
            is_gone = not self._transactions.is_owed(one.outcome)  # a reorg took it back: it ends once more
            if is_gone or await self._is_told(answered):
                self._reverts.pop(one.serial, None)
            elif one.serial in self._reverts:
                self._reverts[one.serial] = answered

    async def _is_told(self, one: _Entered) -> bool:
        """Whether all was found out about a revert; it then waits to be written down."""
        assert self._transactions is not None, "nothing ends in a dry run"
        if self._transactions.is_to_be_asked_again(one.outcome):
            before = self._reverts.get(one.serial)
            if before is not None and before.outcome.cause != one.outcome.cause:  # said once, not in every block
                log.warning("cause not known yet", why=one.outcome.cause, intent=one.outcome.intent_id)
            return False
        execution = await self._execution(one)
        if execution is not None:
            self._found.append((one, execution))
        return execution is not None

    async def _execution(self, one: _Entered) -> Execution | None:
        try:
            return await record_execution(self._places.chain, self._executor, one.concluded.ended)
        except ChainError as error:
            log.warning("execution not recorded yet", why=str(error), intent=one.outcome.intent_id)
            return None

    async def _write_down(self, done: Sequence[tuple[_Entered, Execution]]) -> None:
        entries = []
        for one, execution in done:
            self._tally.add_execution(one.serial, execution)
            log.info("execution", **_logged(execution))
            entries.append(self._entry(one, execution))
        self.write(lambda history: history.write_executions(entries))
        for one, execution in done:  # after the history: who dies between the two writes the same row again
            await self._tell_journal(one.outcome, execution)

    async def _tell_journal(self, outcome: Outcome, execution: Execution) -> None:
        assert self._transactions is not None, "nothing ends in a dry run"
        if outcome.status is IntentStatus.LANDED:
            await self._compare(execution)
        elif outcome.status is IntentStatus.REVERTED:
            await self._transactions.explained(outcome)
        else:
            await self._transactions.recorded(outcome)

    async def _compare(self, execution: Execution) -> None:
        """Trip the pools of a fill that is off its quote for no known reason, before the next block is traded on."""
        assert self._transactions is not None, "nothing ends in a dry run"
        cause = unexplained(execution)
        if not cause:
            await self._transactions.compared(execution.intent_id)
            return
        log.error("pools tripped", why=cause, pools=execution.pools)
        await self._transactions.trip(execution.intent_id, [PoolId(pool) for pool in execution.pools], cause)

    def _entry(self, one: _Entered, execution: Execution) -> ExecutionEntry:
        return execution_entry(
            execution,
            hashes=one.concluded.hashes,
            chain_id=self._places.chain.chain_id,
            decimals=self._places.tokens[execution.profit_token].decimals,
            at=one.timestamp,
            native_usd_pico=one.native_usd_pico,
        )

    @property
    def _executor(self) -> Address:
        return self._places.config.execution.flash_loan.contract_address


def _worded(one: _Entered) -> _Entered:
    cause = one.outcome.cause or f"{NOT_FOUND}: nobody was asked yet"
    return one.with_outcome(msgspec.structs.replace(one.outcome, cause=cause))


def _logged(execution: Execution) -> dict[str, object]:
    return {
        "status": execution.status.value,
        "engine": execution.engine,
        "engines_refused": execution.engines_refused or None,
        "route": execution.route,
        "tx_hash": execution.tx_hash,
        "realised_units": execution.realised_profit_units,
        "quoted_units": execution.quoted_profit_units,
        "cause": execution.cause or None,
    }
