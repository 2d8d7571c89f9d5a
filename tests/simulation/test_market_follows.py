"""The market against a failing node, over hundreds of seeds; see `market_life` for what must hold, and the oracle."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from unittest import mock

import msgspec
import pytest
from tests.simulation.market_life import CountingMarket, Life, WrongMarketError
from tests.support.memory_chain import CounterDex

from headrace.model.block import BlockHeader, BlockRef
from headrace.model.event import Announcement, Log
from headrace.model.quarantine import Quarantined
from headrace.pipeline.feed import follower as follower_module
from headrace.pipeline.feed.audit import ReceiptAudit
from headrace.pipeline.feed.follower import Block, FetchBlock, Follower
from headrace.pipeline.market.market import BlockChange
from headrace.pipeline.market.speakers import UnknownEvent
from headrace.ports.pool import DEX, PoolState

STEPS = 36
SEEDS = range(500)
TAKEN_MIN = {
    "block": 5000,
    "burst": 1000,
    "lost": 1000,
    "lost_many": 100,
    "doubled": 500,
    "late": 1000,
    "shuffled": 500,
    "reorg": 1000,
    "reorg_deep": 200,
    "reorg_untold": 500,
    "went_back": 200,
    "cut": 500,
    "unsubscribed": 500,
    "lagging": 500,
    "lagged": 1000,
    "slow_head": 100,
    "old_head": 100,
    "moved_while_asked": 500,
    "unknown_header": 200,
    "refused_logs": 200,
    "removed_logs": 200,
    "relabelled_logs": 200,
    "changed_log": 100,
    "foreign_logs": 50,
    "swapped_logs": 100,
    "hidden_log": 500,
    "refused_calls": 500,
    "late_calls": 500,
    "refused_receipts": 500,
    "lie_without_trace": 100,
    "audit_found": 100,
    "two_logs_in_transaction": 1000,
    "read_again": 3000,
    "outdated": 300,
    "stale": 500,
    "lost_market": 100,
    "harmless_event": 5000,
    "unknown_event": 500,
    "quarantined": 1000,
    "given_back": 50,
    "rolled_back": 1000,
    "snapshot": 10000,
}


def run_seeds(kind: type[CountingMarket] = CountingMarket, seeds: range = SEEDS) -> Counter[str]:
    """Live all seeds with this kind of market; how often each thing happened."""
    taken: Counter[str] = Counter()
    for seed in seeds:
        taken.update(asyncio.run(Life(seed, STEPS, kind()).run()))
    return taken


def require_taken(seeds: range) -> None:
    taken = run_seeds(seeds=seeds)
    print(dict(taken))  # noqa: T201 - how often each fault was met is part of the result
    wanted = {name: least * len(seeds) // len(SEEDS) for name, least in TAKEN_MIN.items()}
    assert {name: taken[name] for name, least in wanted.items() if taken[name] < least} == {}


def test_every_snapshot_equals_the_market_read_from_scratch_whatever_the_node_does() -> None:
    require_taken(SEEDS)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("first", range(10_000, 18_000, 1_000))
def test_thousands_of_further_seeds_are_as_true(first: int) -> None:
    """`make simulate`."""
    require_taken(range(first, first + 1_000))


class SkipsRollback(CountingMarket):
    def roll_back(self, to: BlockRef) -> None:
        for applied in self._undo:
            applied.replaced.clear()
        super().roll_back(to)


class DropsSecondLogOfBlock(CountingMarket):
    def _apply_to(self, index: int, dex: DEX, log: Log, change: BlockChange) -> None:
        if index not in change.replaced:
            super()._apply_to(index, dex, log, change)


class DropsSecondLogOfTransaction(CountingMarket):
    def advance(self, header: BlockHeader, logs: Iterable[Log]) -> None:
        super().advance(header, {(log.address, log.tx_hash): log for log in reversed(tuple(logs))}.values())


class DropsLogsWithoutSnapshot(CountingMarket):
    """Blocks behind a gap are counted, their logs are not applied."""

    def advance(self, header: BlockHeader, logs: Iterable[Log]) -> None:
        is_first = not self.applied
        super().advance(header, logs if is_first else ())


class ForgetsWhatRollingBackChanged(CountingMarket):
    def roll_back(self, to: BlockRef) -> None:
        before = set(self._unseen)
        super().roll_back(to)
        self._unseen = before


class IgnoresWhatWasReadAgain(CountingMarket):
    def _replace(self, read: Mapping[int, PoolState]) -> None:
        pass


class KeepsOutdatedStates(CountingMarket):
    def _outdated(self) -> frozenset[int]:
        return frozenset()


class ReadsAgainOnlyWhatNeverWas(CountingMarket):
    """A state that was read again once is taken for good."""

    def _replace(self, read: Mapping[int, PoolState]) -> None:
        super()._replace(read)
        self._perishable -= set(read)


class DoesNotUndoWhatWasReadAgain(CountingMarket):
    def _replace(self, read: Mapping[int, PoolState]) -> None:
        undo = self._undo
        self._undo = undo.__class__(maxlen=undo.maxlen)
        super()._replace(read)
        self._undo = undo


class ChangesSnapshotsByRollingBack(CountingMarket):
    def _write(self, states: Mapping[int, PoolState]) -> Mapping[int, PoolState]:
        now = self._states.now
        before = {index: now[index] for index in states}
        for index, state in states.items():
            now[index] = state
        return before


class HidesThatStatesAreOutdated(CountingMarket):
    """Says it, but not among the changes by which readers go."""

    def _outdated(self) -> frozenset[int]:
        self._outdated_told = super()._outdated()
        return self._outdated_told


def _none(log: Log) -> list[UnknownEvent]:
    del log
    return []


class SkipsUnknownEvents(CountingMarket):
    """As a market that listens to the events it folds alone."""

    def __init__(self) -> None:
        super().__init__()
        self._unknown_events = _none


class TakesHarmlessEventsForUnknown(CountingMarket):
    def __init__(self) -> None:
        with mock.patch.object(CounterDex, "harmless_topics", frozenset()):
            super().__init__()


class KeepsThePoolsOfBlocksThatAreGone(CountingMarket):
    """A pool that was quarantined once stays so, whatever becomes of the block."""

    def roll_back(self, to: BlockRef) -> None:
        lost = {i: state for i, state in enumerate(self._states.now) if isinstance(state, Quarantined)}
        super().roll_back(to)
        self._write(lost)
        self._note_quarantine(lost)


MUTANTS = [
    SkipsRollback,
    DropsSecondLogOfBlock,
    DropsSecondLogOfTransaction,
    DropsLogsWithoutSnapshot,
    ForgetsWhatRollingBackChanged,
    IgnoresWhatWasReadAgain,
    KeepsOutdatedStates,
    ReadsAgainOnlyWhatNeverWas,
    DoesNotUndoWhatWasReadAgain,
    ChangesSnapshotsByRollingBack,
    HidesThatStatesAreOutdated,
    SkipsUnknownEvents,
    TakesHarmlessEventsForUnknown,
    KeepsThePoolsOfBlocksThatAreGone,
]


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_planted_fault_in_the_market_is_caught(mutant: type[CountingMarket]) -> None:
    with pytest.raises(WrongMarketError):
        run_seeds(mutant)


def test_trusting_an_incomplete_answer_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even the audit comes too late then: what is seen at once is applied nowhere."""
    monkeypatch.setattr(follower_module, "require_complete", lambda *_: None)
    with pytest.raises(WrongMarketError):
        run_seeds()


class TrustsAnnouncements(Follower):
    """Takes the subscription's word that each block follows the one before."""

    def _leaves_the_tip(self, event: Announcement) -> bool:
        del event
        return False

    def fetched_block(self, block: Block) -> None:
        assert isinstance(self.wish, FetchBlock)
        self._walked.append(block)
        self._join(self.tip.hash)


class AppliesWhatDoesNotFollow(CountingMarket):
    def advance(self, header: BlockHeader, logs: Iterable[Log]) -> None:
        assert self._header is not None
        self._header = msgspec.structs.replace(self._header, hash=header.parent_hash)
        super().advance(header, logs)


def test_trusting_a_subscription_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headrace.pipeline.feed.block_feed.Follower", TrustsAnnouncements)
    with pytest.raises(WrongMarketError):
        run_seeds(AppliesWhatDoesNotFollow)


def test_an_audit_that_finds_nothing_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(*_: object) -> str:
        return ""

    monkeypatch.setattr(ReceiptAudit, "_audit", nothing)
    with pytest.raises(WrongMarketError):
        run_seeds()


def test_an_audit_that_is_not_asked_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ReceiptAudit, "add", lambda *_: None)
    with pytest.raises(WrongMarketError):
        run_seeds()
