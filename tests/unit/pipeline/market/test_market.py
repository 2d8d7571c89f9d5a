"""The market's bookkeeping on counters; the values are the memory chain's brute-force folds."""

import asyncio

import msgspec
import pytest
from tests.support.memory_chain import (
    COUNTED,
    MENTIONED,
    PROTOCOL,
    CounterDex,
    CounterState,
    MemoryBlock,
    MemoryChain,
    counter_pool,
    pool_address,
)

from headrace.errors import MarketStaleError
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.event import Log
from headrace.model.pool import ProtocolId
from headrace.model.quarantine import Quarantined
from headrace.model.snapshot import Snapshot
from headrace.pipeline.market.market import Market
from headrace.ports.pool import PoolState

POOLS = 5
UNKNOWN = Hash32("0x" + "77" * 32)


class World:
    def __init__(self, depth: int = 3) -> None:
        self.chain = MemoryChain()
        self.dex = CounterDex()
        self.market = Market([counter_pool(i) for i in range(POOLS)], {PROTOCOL: self.dex}, {}, depth)

    def read(self) -> Snapshot[PoolState]:
        return asyncio.run(self.market.read_all(self.chain, self.chain.tip.header, 1))

    def grow(self, *pools: int) -> MemoryBlock:
        self.chain.tip = self.chain.add(self.chain.tip, [(pool_address(i), i + 1) for i in pools])
        return self.chain.tip

    def apply(self, *pools: int) -> Snapshot[PoolState]:
        block = self.grow(*pools)
        return self.market.apply(block.header, block.logs, 2)

    def require_true(self, snapshot: Snapshot[PoolState]) -> None:
        for pool in snapshot.pools:
            truth = self.chain.value_at(snapshot.header.hash, pool.address)
            assert snapshot.state(pool.id) == CounterState(pool, truth)


@pytest.fixture
def world() -> World:
    world = World()
    world.read()
    return world


def test_reading_gives_every_pool_as_changed() -> None:
    world = World()
    world.grow(0, 1, 1)
    snapshot = world.read()
    world.require_true(snapshot)
    assert snapshot.changed == tuple(range(POOLS))
    assert snapshot.quarantined == {}
    assert snapshot.pool(counter_pool(2).id) == counter_pool(2)


def test_two_logs_of_one_pool_in_one_block_are_both_applied_in_order(world: World) -> None:
    snapshot = world.apply(1, 2, 1)
    world.require_true(snapshot)
    assert snapshot.changed == (1, 2)
    assert (snapshot.announced_ns, snapshot.header) == (2, world.chain.tip.header)


def test_a_snapshot_handed_out_never_changes(world: World) -> None:
    first = world.apply(0)
    states = first.states
    world.apply(0, 1)
    world.market.roll_back(first.header.ref)
    assert first.states == states
    assert first.changed == (0,)


def test_pools_that_are_not_ours_are_ignored(world: World) -> None:
    assert world.apply(POOLS + 7).changed == ()


def test_logs_of_harmless_events_and_strangers_logs_of_any_are_ignored(world: World) -> None:
    block = world.grow(1, POOLS + 1)
    harmless = msgspec.structs.replace(block.logs[0], topics=(MENTIONED,))
    other = msgspec.structs.replace(block.logs[1], topics=(UNKNOWN,))
    bare = msgspec.structs.replace(block.logs[1], topics=())
    assert world.market.apply(block.header, [harmless, other, bare], 2).changed == ()


@pytest.mark.parametrize(("topics", "named"), [((UNKNOWN,), UNKNOWN), ((), "a log without any")])
def test_a_log_of_an_unknown_event_takes_its_pool_out_until_its_block_is_rolled_back(
    world: World, topics: tuple[Hash32, ...], named: str
) -> None:
    start, block = world.chain.tip, world.grow(1, 2, 1)
    unknown = msgspec.structs.replace(block.logs[0], topics=topics)
    snapshot = world.market.apply(block.header, [unknown, *block.logs[1:]], 2)
    state = snapshot.states[1]
    assert isinstance(state, Quarantined)
    assert state.reason.startswith(f"pool {counter_pool(1).id}: topics: {named} ")
    assert (snapshot.changed, dict(snapshot.quarantined)) == ((1, 2), {1: state.reason})
    world.market.roll_back(start.header.ref)
    world.chain.tip = start
    snapshot = world.apply(3)
    world.require_true(snapshot)
    assert snapshot.quarantined == {}


def test_rolling_back_restores_and_tells_what_changed(world: World) -> None:
    start = world.chain.tip
    world.apply(0, 1)
    world.apply(1, 2)
    world.market.roll_back(start.header.ref)
    world.chain.tip = start
    snapshot = world.apply(3)
    world.require_true(snapshot)
    assert snapshot.changed == (0, 1, 2, 3)


def test_rolling_back_to_the_newest_block_is_nothing(world: World) -> None:
    world.apply(0)
    world.market.roll_back(world.market.tip)
    assert world.market.snapshot(3).changed == ()


def test_rolling_back_deeper_than_kept_is_refused_and_changes_nothing(world: World) -> None:
    start = world.chain.tip
    for _ in range(4):
        world.apply(0)
    before = world.market.snapshot(3)
    with pytest.raises(MarketStaleError, match="last 3"):
        world.market.roll_back(start.header.ref)
    assert world.market.snapshot(3).states == before.states


def test_a_block_that_does_not_follow_is_refused(world: World) -> None:
    world.grow(0)
    block = world.grow(0)
    with pytest.raises(MarketStaleError, match="does not follow"):
        world.market.apply(block.header, block.logs, 2)


def test_a_market_that_was_not_read_has_no_snapshot() -> None:
    with pytest.raises(MarketStaleError, match="not been read"):
        World().market.snapshot(1)


def spoiled(log: Log, **change: str | tuple[Hash32, ...]) -> Log:
    return msgspec.structs.replace(log, **change)


def test_a_malformed_log_takes_its_pool_alone_out_of_the_market(world: World) -> None:
    block = world.grow(0, 1, 2, 1)
    logs = [block.logs[0], spoiled(block.logs[1], data="0x12"), *block.logs[2:]]
    snapshot = world.market.apply(block.header, logs, 2)
    assert list(snapshot.quarantined) == [1]
    assert "not one word" in snapshot.quarantined[1]
    assert isinstance(snapshot.states[1], Quarantined)
    assert snapshot.states[0] == CounterState(counter_pool(0), 1)
    assert snapshot.states[2] == CounterState(counter_pool(2), 3)


def test_a_log_that_names_no_pool_takes_all_pools_of_its_contract_out(world: World) -> None:
    block = world.grow(1)
    log = spoiled(block.logs[0], topics=(COUNTED, COUNTED))
    assert list(world.market.apply(block.header, [log], 2).quarantined) == [1]


def test_a_quarantine_outlives_blocks_and_ends_when_its_block_is_rolled_back(world: World) -> None:
    start = world.chain.tip
    block = world.grow(1)
    world.market.apply(block.header, [spoiled(block.logs[0], data="0x")], 2)
    assert list(world.apply(1).quarantined) == [1]
    world.market.roll_back(start.header.ref)
    assert world.market.snapshot(3).quarantined == {}


def test_a_quarantine_ends_when_the_market_is_read_anew(world: World) -> None:
    block = world.grow(1)
    world.market.apply(block.header, [spoiled(block.logs[0], data="0x")], 2)
    snapshot = world.read()
    world.require_true(snapshot)
    assert snapshot.quarantined == {}


@pytest.mark.parametrize("bad", [{0}, {2, 4}, set(range(POOLS))])
def test_pools_that_cannot_be_read_are_found_and_quarantined_one_by_one(bad: set[int]) -> None:
    world = World()
    world.grow(0, 1, 2)
    world.dex.unreadable = {PoolId(pool_address(i)) for i in bad}
    snapshot = world.read()
    assert set(snapshot.quarantined) == bad
    for index in set(range(POOLS)) - bad:
        assert snapshot.states[index] == CounterState(
            counter_pool(index), world.chain.value_at(snapshot.header.hash, pool_address(index))
        )


def test_a_protocol_without_pools_is_not_read() -> None:
    chain = MemoryChain()
    market = Market([], {PROTOCOL: CounterDex()}, {})
    assert asyncio.run(market.read_all(chain, chain.tip.header, 1)).states == ()


class TwinDex(CounterDex):
    protocol_id = ProtocolId("twin")


def test_two_protocols_may_share_a_topic() -> None:
    chain = MemoryChain()
    twin = msgspec.structs.replace(counter_pool(1), protocol=TwinDex.protocol_id)
    market = Market([counter_pool(0), twin], {PROTOCOL: CounterDex(), TwinDex.protocol_id: TwinDex()}, {})
    asyncio.run(market.read_all(chain, chain.tip.header, 1))
    block = chain.add(chain.tip, [(pool_address(0), 5), (pool_address(1), 6)])
    snapshot = market.apply(block.header, block.logs, 2)
    assert [s.value for s in snapshot.states if isinstance(s, CounterState)] == [5, 6]
    assert snapshot.states[1].pool == twin
    assert Address(twin.address) == pool_address(1)
