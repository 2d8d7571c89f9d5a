"""The market against a failing node, over hundreds of seeds. The oracle is brute force: a fold from the first block."""

import asyncio
from collections import Counter

import pytest
from tests.support.failing_chain import FailingChain
from tests.support.memory_chain import PROTOCOL, CounterDex, CounterState, counter_pool

from headrace.model.block import BlockRef
from headrace.model.event import Log, Stale
from headrace.model.snapshot import Snapshot
from headrace.pipeline.feed import follower as follower_module
from headrace.pipeline.feed.block_feed import BlockFeed
from headrace.pipeline.feed.follower import FollowLimits
from headrace.pipeline.market.market import Market
from headrace.pipeline.market.market_feed import MarketFeed
from headrace.ports.pool import DEX, PoolState

POOLS = 6
DEPTH = 8
STEPS = 80
SEEDS = range(300)
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
    "went_back": 200,
    "cut": 500,
    "slow_head": 100,
    "old_head": 100,
    "moved_while_asked": 500,
    "unknown_header": 200,
    "refused_logs": 200,
    "foreign_logs": 50,
    "swapped_logs": 100,
    "hidden_log": 500,
    "stale": 500,
    "lost_market": 100,
    "rolled_back": 1000,
    "snapshot": 10000,
}


class WrongMarketError(AssertionError):
    """The market differs from one read from scratch."""


class CountingMarket(Market):
    rolled_back = 0

    def roll_back(self, to: BlockRef) -> None:
        super().roll_back(to)
        self.rolled_back += 1


def run_seeds(kind: type[CountingMarket] = CountingMarket) -> Counter[str]:
    """Live all seeds with this kind of market; how often each thing happened."""
    taken: Counter[str] = Counter()
    for seed in SEEDS:
        taken.update(asyncio.run(_run_seed(seed, kind)))
    return taken


async def _run_seed(seed: int, kind: type[CountingMarket]) -> Counter[str]:
    chain = FailingChain(seed, pools=POOLS, depth=DEPTH, steps=STEPS)
    market = kind([counter_pool(i) for i in range(POOLS)], {PROTOCOL: CounterDex()}, {}, DEPTH)
    feed = MarketFeed(chain, market, BlockFeed(chain, FollowLimits(depth_max=DEPTH, pause_seconds=0.0)))
    mirror: dict[int, PoolState] = {}
    last: Snapshot[PoolState] | Stale | None = None
    taken: Counter[str] = Counter()
    async for last in feed.snapshots():
        if isinstance(last, Stale):
            taken["lost_market" if last.is_lost else "stale"] += 1
            continue
        taken["snapshot"] += 1
        mirror.update({i: last.states[i] for i in last.changed})
        require_true(chain, last, mirror, seed)
    if not isinstance(last, Snapshot) or last.header != chain.tip.header:
        raise WrongMarketError(f"seed {seed}: a flawless last block gives {last}")
    taken["rolled_back"] = market.rolled_back
    return taken + chain.taken


def require_true(chain: FailingChain, snapshot: Snapshot[PoolState], mirror: dict[int, PoolState], seed: int) -> None:
    for index, pool in enumerate(snapshot.pools):
        state = snapshot.states[index]
        truth = CounterState(pool, chain.value_at(snapshot.header.hash, pool.address))
        if state != truth:
            raise WrongMarketError(f"seed {seed}: block {snapshot.header.number}, pool {index}")
        if mirror[index] != state:
            raise WrongMarketError(f"seed {seed}: block {snapshot.header.number}: a change of pool {index} went untold")


def test_every_snapshot_equals_the_market_read_from_scratch_whatever_the_node_does() -> None:
    taken = run_seeds()
    print(dict(taken))  # noqa: T201 - how often each fault was met is part of the result
    assert {name: taken[name] for name, least in TAKEN_MIN.items() if taken[name] < least} == {}


class SkipsRollback(CountingMarket):
    def roll_back(self, to: BlockRef) -> None:
        for applied in self._undo:
            applied.replaced.clear()
        super().roll_back(to)


class DropsSecondLog(CountingMarket):
    def _apply_to(self, index: int, dex: DEX, log: Log, replaced: dict[int, PoolState]) -> None:
        if index not in replaced:
            super()._apply_to(index, dex, log, replaced)


class ForgetsWhatRollingBackChanged(CountingMarket):
    def roll_back(self, to: BlockRef) -> None:
        before = set(self._unseen)
        super().roll_back(to)
        self._unseen = before


@pytest.mark.parametrize("mutant", [SkipsRollback, DropsSecondLog, ForgetsWhatRollingBackChanged])
def test_a_planted_fault_in_the_market_is_caught(mutant: type[CountingMarket]) -> None:
    with pytest.raises(WrongMarketError):
        run_seeds(mutant)


def test_trusting_an_incomplete_answer_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower_module, "require_complete", lambda *_: None)
    with pytest.raises(WrongMarketError):
        run_seeds()
