"""One seed of a market's life on a failing node. The oracle is brute force: a fold from the first block on.

After every output the market must equal one read from scratch at its block, or say of the pool that it is outdated. A
pool is quarantined exactly when it emitted an event that nobody knows, in a block applied since the market was read.
Where a lie of the node left no trace in the header, the audit must find it, and the very next output must say so.
"""

from collections import Counter, deque
from collections.abc import Iterable

from tests.support.drifting_dex import DRIFTING, DriftingDex, DriftingState
from tests.support.failing_chain import FailingChain
from tests.support.memory_chain import PROTOCOL, RECOUNTED, CounterDex, CounterState, counter_pool

from headrace.model.address import Hash32
from headrace.model.block import BlockHeader, BlockRef
from headrace.model.event import Log, Stale
from headrace.model.quarantine import Quarantined
from headrace.model.snapshot import Snapshot
from headrace.pipeline.feed.audit import AuditLimits, ReceiptAudit
from headrace.pipeline.feed.block_feed import BlockFeed
from headrace.pipeline.feed.follower import FollowLimits
from headrace.pipeline.market.market import Market
from headrace.pipeline.market.market_feed import MarketFeed
from headrace.ports.chain import Chain
from headrace.ports.pool import PoolState

COUNTERS, POOLS = 4, 7  # the first tell everything by logs, the others do not
DEPTH = 8
HELD = 4  # earlier snapshots that somebody still reads


class WrongMarketError(AssertionError):
    """The market differs from one read from scratch, or did not say what it should."""


class CountingMarket(Market):
    """The market, and what was done to it."""

    def __init__(self) -> None:
        pools = [counter_pool(i, PROTOCOL if i < COUNTERS else DRIFTING) for i in range(POOLS)]
        super().__init__(pools, {PROTOCOL: CounterDex(), DRIFTING: DriftingDex()}, {}, DEPTH)
        self.done: Counter[str] = Counter()
        self.applied: list[Hash32] = []
        self.read_at = 0

    async def read_all(self, chain: Chain, header: BlockHeader, announced_ns: int) -> Snapshot[PoolState]:
        snapshot = await super().read_all(chain, header, announced_ns)
        self.read_at = header.number
        return snapshot

    def advance(self, header: BlockHeader, logs: Iterable[Log]) -> None:
        listed = tuple(logs)
        super().advance(header, listed)
        self.applied.append(header.hash)
        told = Counter((log.address, log.tx_hash) for log in listed)
        self.done["two_logs_in_transaction"] += max(told.values(), default=0) > 1

    def roll_back(self, to: BlockRef) -> None:
        lost = len(self._quarantined)
        super().roll_back(to)
        self.done["rolled_back"] += 1
        self.done["given_back"] += lost - len(self._quarantined)

    async def read_outdated(self, chain: Chain, seconds_max: float) -> None:
        await super().read_outdated(chain, seconds_max)
        self.done["read_again"] += 1


class Life:
    """Runs one seed; raises WrongMarketError, naming it, at the first output that is not true."""

    def __init__(self, seed: int, steps: int, market: CountingMarket, *, is_audited: bool = True) -> None:
        self._seed = seed
        self._market = market
        self._chain = FailingChain(seed, pools=POOLS, depth=DEPTH, steps=steps)
        self._audit = ReceiptAudit(self._chain, AuditLimits(attempts_max=2, pause_seconds=0.0))
        if is_audited:
            self._chain.between = self._audit.audit_waiting
        self._mirror: dict[int, PoolState] = {}
        self._outdated: dict[int, bool] = {}
        self._held: deque[tuple[Snapshot[PoolState], tuple[PoolState, ...]]] = deque(maxlen=HELD)
        self._is_lie_to_be_found = False
        self._taken: Counter[str] = Counter()

    async def run(self) -> Counter[str]:
        limits = FollowLimits(depth_max=DEPTH, pause_seconds=0.0)
        feed = MarketFeed(self._chain, self._market, BlockFeed(self._chain, limits, self._audit))
        last: Snapshot[PoolState] | Stale | None = None
        async for last in feed.snapshots():
            self._take(last)
        if not isinstance(last, Snapshot) or last.header != self._chain.tip.header or last.outdated:
            self._fail(f"a flawless last block gives {last}")
        return self._taken + self._market.done + self._chain.taken

    def _take(self, output: Snapshot[PoolState] | Stale) -> None:
        if self._is_lie_to_be_found and not (isinstance(output, Stale) and "receipts root" in output.why):
            self._fail(f"a lie without trace is not found: {output}")
        self._is_lie_to_be_found = False
        if isinstance(output, Stale):
            kind = "audit_found" if "receipts root" in output.why else "lost_market" if output.is_lost else "stale"
            self._taken[kind] += 1
            self._market.applied.clear()
            return
        self._taken["snapshot"] += 1
        self._taken["outdated"] += bool(output.outdated)
        self._taken["quarantined"] += bool(output.quarantined)
        self._is_lie_to_be_found = not self._chain.spoiled.isdisjoint(self._market.applied)
        self._market.applied.clear()
        self._require_told(output)
        self._require_unchanged(output)
        if not self._is_lie_to_be_found:
            self._require_true(output)

    def _require_told(self, snapshot: Snapshot[PoolState]) -> None:
        """What a reader sees who looks at changes alone."""
        for index in snapshot.changed:
            self._mirror[index] = snapshot.states[index]
            self._outdated[index] = index in snapshot.outdated
        for index, state in enumerate(snapshot.states):
            if self._mirror[index] != state or self._outdated[index] != (index in snapshot.outdated):
                self._fail(f"block {snapshot.header.number}: a change of pool {index} went untold")

    def _require_unchanged(self, snapshot: Snapshot[PoolState]) -> None:
        """Earlier snapshots are what they were when they were handed out."""
        self._held.append((snapshot, tuple(snapshot.states)))
        for earlier, states in self._held:
            if tuple(earlier.states) != states or any(earlier.states[i] != one for i, one in enumerate(states)):
                self._fail(f"block {snapshot.header.number} changed the snapshot of block {earlier.header.number}")

    def _require_true(self, snapshot: Snapshot[PoolState]) -> None:
        block = snapshot.header.hash
        recounted = self._chain.recounted(block, self._market.read_at)
        for index, state in enumerate(snapshot.states):
            if isinstance(state, Quarantined) != (state.pool.address in recounted):
                self._fail(f"block {snapshot.header.number}, pool {index}, {sorted(recounted)} unknown: {state}")
            if isinstance(state, Quarantined):
                is_true = RECOUNTED in snapshot.quarantined[index] and state.pool.id in state.reason
            elif isinstance(state, CounterState):
                is_true = state.value == self._chain.value_at(block, state.pool.address)
            else:
                assert isinstance(state, DriftingState), state
                is_true = state.is_true(self._chain, block)
            if not is_true and index not in snapshot.outdated:
                self._fail(f"block {snapshot.header.number}, pool {index}: {state}")

    def _fail(self, why: str) -> None:
        raise WrongMarketError(f"seed {self._seed}: {why}")
