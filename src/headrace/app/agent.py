"""The arbitrage agent: snapshots in, executions out."""

import asyncio
import gc
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable

import msgspec
import structlog

from headrace.app.bookkeeper import Bookkeeper, Concluded
from headrace.app.line import Line, Pass
from headrace.app.places import Places, Report
from headrace.app.rivals import Rivals
from headrace.app.tally import Tally
from headrace.errors import ChainError
from headrace.model.address import Address
from headrace.model.block import BlockHeader
from headrace.model.event import Stale
from headrace.model.execution import Execution
from headrace.model.intent import IntentStatus, Outcome
from headrace.model.opportunity import Validated
from headrace.model.pending import RivalCounts
from headrace.model.refusal import Reason
from headrace.model.snapshot import Snapshot
from headrace.pipeline.execute.transactions import TransactionManager
from headrace.pipeline.market.screen import ScreenedFeed
from headrace.pipeline.plan.intent import route_text
from headrace.pipeline.record.balances import balance_mismatches
from headrace.pipeline.record.entries import opportunity_entry
from headrace.pipeline.record.recorder import Ended, record_execution
from headrace.pipeline.report.summary import RunReport, summarise
from headrace.ports.pool import PoolState
from headrace.ports.store import Store
from headrace.treasury.capital import CapitalTreasury

log = structlog.get_logger("headrace")
_REFUSALS_NOTED_EVERY = 25  # blocks: the journal is kept for ever
_EXECUTED = frozenset({IntentStatus.LANDED, IntentStatus.REVERTED, IntentStatus.CANCELLED})


class Witnesses(msgspec.Struct, frozen=True):
    """Who look on and decide nothing.

    Attributes:
        history: is told what was taken on and how it ended.
        rivals: say who else is about to trade there.
    """

    history: Store | None = None
    rivals: Rivals | None = None


NO_WITNESSES = Witnesses()


class ArbitrageAgent:
    """One account on one chain; `run` it once."""

    def __init__(
        self,
        *,
        places: Places,
        feed: ScreenedFeed,
        line: Line,
        treasury: CapitalTreasury,
        transactions: TransactionManager | None,
        witnesses: Witnesses = NO_WITNESSES,
    ) -> None:
        """Keep the parts."""
        self._places = places
        self._feed = feed
        self.line = line
        self._treasury = treasury
        self._transactions = transactions
        self._rivals = witnesses.rivals
        self._refusals: Counter[Reason] = Counter()
        self._progress = asyncio.Condition()
        self._block = -1
        self.tally = Tally()
        self._books = Bookkeeper(places, transactions, witnesses.history, self.tally)
        self.is_closing = False
        self._watched_until = 0

    def take_up(self, outcomes: Iterable[Outcome]) -> None:
        """Record, with the next block, what ended while nobody ran."""
        self._books.take_up(self._concluded(outcomes))

    async def run(self, blocks: int | None = None, report: Report = log.info) -> None:
        """Follow the market and trade for `blocks` blocks, or for ever; then watch what is open until it has ended.

        Nothing new is traded meanwhile. What has not ended some blocks after its deadline is left to the next start,
        and still counted by `open_count`.

        Raises:
            JournalError: nothing may be sent any more.
            WrongChainError: the node serves another chain now.
        """
        gc.collect()
        gc.freeze()  # what the start made lives as long as the agent: no collection need walk it between two blocks
        try:
            async for output in self._feed.snapshots():
                if isinstance(output, Stale):
                    log.warning("market stale", why=output.why)
                    seen = await self._watch_blindly()
                else:
                    await self._take(output)
                    seen = output.header.number
                is_traded = blocks is not None and self.tally.blocks >= blocks
                if is_traded and seen is not None and self._is_over(seen, report):
                    break
            await self.settle()
            if self._rivals is not None:
                await self._rivals.last_block()
        finally:
            self._note_refusals()

    async def settle(self) -> None:
        """Wait, for some seconds at most, until it is known why what reverted did.

        Raises:
            JournalError: nothing may be sent any more.
        """
        await self._books.settle()

    async def close(self) -> None:
        """Ask the node nothing any more."""
        await self._books.close()

    async def finished(self, block: int) -> None:
        """Wait until everything about a block is done."""
        async with self._progress:
            await self._progress.wait_for(lambda: self._block >= block)

    def snapshots(self) -> AsyncGenerator[Snapshot[PoolState] | Stale, None]:
        """The market as it moves, for a reader that trades on its own."""
        return self._feed.snapshots()

    @property
    def open_count(self) -> int:
        """Transactions whose end is not known yet."""
        return len(self._transactions.state.open_slots) if self._transactions else 0

    async def report(self) -> RunReport:
        """The run so far; transactions that have not ended count as pending."""
        return summarise(
            blocks=self.tally.blocks,
            counts=self.tally.counts(),
            executions=[*self.tally.executions, *self._books.unwritten(), *(await self._pending())],
            refusals={reason.value: count for reason, count in self.tally.refusals.items()},
            tokens=self._places.tokens,
        )

    async def balance_mismatches(self) -> list[str]:
        """Blocks in which the Executor's balances moved by other than its receipts say.

        Raises:
            ChainError: the node failed.
        """
        return await balance_mismatches(self._places.chain, self._executor, self.tally.executions)

    async def _take(self, snapshot: Snapshot[PoolState]) -> None:
        concluded: list[Concluded] | None = None

        async def settle() -> None:
            nonlocal concluded
            concluded = await self._outcomes(snapshot.header)

        if not self.is_closing:
            await self._trade(snapshot, settle)
        if concluded is None:
            await settle()
        await self._books.record(concluded or (), snapshot.header)
        await self._refresh(snapshot.header)
        async with self._progress:
            self._block = snapshot.header.number
            self._progress.notify_all()

    def _is_over(self, block: int, report: Report) -> bool:
        """Whether nothing open is worth waiting for any more."""
        if self._transactions is None or not self.open_count:
            return True
        if not self.is_closing:
            self.is_closing, self._watched_until = True, self._transactions.ended_by_block
            report(
                f"no new trades; {self.open_count} open, watched up to block {self._watched_until}"
                " (Ctrl-C leaves them to the next start)"
            )
        if block < self._watched_until:
            return False
        report(f"{self.open_count} still open at block {block}: the next start brings them to their end")
        return True

    async def _watch_blindly(self) -> int | None:
        """The market is not known, but what was sent is still watched, cancelled and recorded, up to this block."""
        if self._transactions is None:
            return None
        try:
            head = await self._places.chain.head()
        except ChainError:
            return None  # the next sign of life looks again
        if head.number >= self._block:  # a node that went back knows less than we do
            await self._books.record(await self._outcomes(head), head)
        return head.number

    async def _trade(self, snapshot: Snapshot[PoolState], settle: Callable[[], Awaitable[None]]) -> None:
        passed = await self.line.run(snapshot, settle)
        self.tally.add(passed)
        self.tally.blocks += 1
        _tell(snapshot.header, passed)
        self._note(snapshot, passed)
        if self._rivals is not None:
            self._rivals.after_block(snapshot.header.number, lambda: self._note_rivals(snapshot, passed))

    async def _outcomes(self, header: BlockHeader) -> list[Concluded]:
        if self._transactions is None:
            return []
        try:
            return self._concluded(await self._transactions.on_head(header))
        except ChainError as error:
            log.warning("receipts not read", why=str(error))
            return []

    def _concluded(self, outcomes: Iterable[Outcome]) -> list[Concluded]:
        """What is known now of executions that ended: the machine forgets a slot some blocks after its end."""
        concluded = []
        for outcome in outcomes:
            assert self._transactions is not None, "nothing ends in a dry run"
            slot = self._transactions.state.slot_of(outcome.intent_id)
            if slot is not None and outcome.status in _EXECUTED:
                accepted_ns = self.tally.accepted_ns.pop(outcome.intent_id, None)
                hashes = tuple(payload.tx_hash for payload in slot.payloads)
                concluded.append(Concluded(Ended(slot.intent, outcome, slot.receipt, accepted_ns), hashes))
        return concluded

    def _note_refusals(self) -> None:
        if self._transactions is not None and self._refusals:
            self._transactions.note_refusals(self._block, self._refusals)
            self._refusals = Counter()

    def _note(self, snapshot: Snapshot[PoolState], passed: Pass) -> None:
        if self._transactions is None:
            return
        self._refusals.update(passed.refusals)
        if snapshot.header.number % _REFUSALS_NOTED_EVERY == 0:
            self._note_refusals()
        taken = _taken(passed)
        self._books.write(lambda history: history.write_opportunities([opportunity_entry(v, snapshot) for v in taken]))

    def _note_rivals(self, snapshot: Snapshot[PoolState], passed: Pass) -> None:
        """Say who else is about to trade in what was rehearsed, and write it beside what was sent."""
        assert self._rivals is not None, "only they call this"
        known: dict[str, RivalCounts] = {}
        for one in passed.rehearsed:
            opportunity = one.plan.validated.opportunity
            counts = self._rivals.counts(opportunity.route)
            if counts is not None:
                known[opportunity.id] = counts
            seen = {"is_known": False} if counts is None else msgspec.structs.asdict(counts)
            log.info("rivals", block=snapshot.header.number, route=route_text(opportunity.route, snapshot), **seen)
        taken = [v for v in _taken(passed) if v.opportunity.id in known]
        entries = [opportunity_entry(v, snapshot, known[v.opportunity.id]) for v in taken]
        self._books.write(lambda history: history.write_opportunities(entries))

    async def _pending(self) -> list[Execution]:
        if self._transactions is None:
            return []
        chain, executor = self._places.chain, self._executor
        pending = []
        for slot in self._transactions.state.open_slots:
            outcome = Outcome(slot.intent.id, IntentStatus.SIGNED, tx_hash=slot.payloads[0].tx_hash)
            ended = Ended(slot.intent, outcome, None, self.tally.accepted_ns.get(slot.intent.id))
            pending.append(await record_execution(chain, executor, ended))
        return pending

    async def _refresh(self, header: BlockHeader) -> None:
        reads = (self._places.refresh(header), self._treasury.refresh(self._places.chain, header.hash))
        for result in await asyncio.gather(*reads, return_exceptions=True):  # none runs on into the next block
            if isinstance(result, ChainError):
                log.warning("prices and balances not read", why=str(result))
            elif result is not None:
                raise result

    @property
    def _executor(self) -> Address:
        return self._places.config.execution.flash_loan.contract_address


def _taken(passed: Pass) -> list[Validated]:
    """Those that were sent."""
    sent = {submitted.intent_id for submitted in passed.submitted}
    return [one.plan.validated for one in passed.rehearsed if one.plan.validated.opportunity.id in sent]


def _tell(header: BlockHeader, passed: Pass) -> None:
    log.info(
        "block",
        number=header.number,
        found=len(passed.found) + len(passed.dropped_edges_bps),
        validated=len(passed.validated),
        sent=len(passed.submitted),
        refused={reason.value: count for reason, count in passed.refusals.items()},
    )
