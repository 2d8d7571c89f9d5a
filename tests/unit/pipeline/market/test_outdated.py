"""Pools whose state no log tells: read again at each block that may have changed them, they and no others."""

import asyncio
from collections.abc import Sequence

import msgspec
import pytest
from tests.support.drifting_dex import DRIFTING, OPAQUE, DriftingDex, DriftingState
from tests.support.memory_chain import PROTOCOL, CounterDex, MemoryBlock, MemoryChain, counter_pool, pool_address

from headrace.errors import NodeTimeoutError, RpcError, WrongChainError
from headrace.model.address import Hash32, PoolId
from headrace.model.pool import Pool
from headrace.model.quarantine import Quarantined
from headrace.model.snapshot import Snapshot
from headrace.pipeline.market.market import Market
from headrace.pipeline.search.graph import SearchGraph
from headrace.ports.chain import Call, Chain
from headrace.ports.pool import PoolState

COUNTERS, POOLS = 3, 6  # the first are plain, the others drift with every second block
PATIENCE = 5.0


class FaultyChain(MemoryChain):
    """Fails reads with `error`, or never answers them."""

    def __init__(self) -> None:
        super().__init__()
        self.error: Exception | None = None
        self.is_hanging = False

    async def call_many(self, calls: Sequence[Call], block: Hash32) -> tuple[bytes | None, ...]:
        if self.is_hanging:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error
        return await super().call_many(calls, block)


class World:
    def __init__(self) -> None:
        self.chain = FaultyChain()
        self.drifting = DriftingDex()
        pools = [counter_pool(i, PROTOCOL if i < COUNTERS else DRIFTING) for i in range(POOLS)]
        self.dexes = {PROTOCOL: CounterDex(), DRIFTING: self.drifting}
        self.market = Market(pools, self.dexes, {}, 8)
        asyncio.run(self.market.read_all(self.chain, self.chain.tip.header, 1))
        self.drifting.read_counts.clear()

    def grow(self, *values: tuple[int, int]) -> MemoryBlock:
        """Add a block with these (pool, value) logs, and apply it."""
        self.chain.tip = self.chain.add(self.chain.tip, [(pool_address(i), value) for i, value in values])
        self.market.advance(self.chain.tip.header, self.chain.tip.logs)
        return self.chain.tip

    def read(self, seconds_max: float = PATIENCE) -> Snapshot[PoolState]:
        if self.market.has_outdated:
            asyncio.run(self.market.read_outdated(self.chain, seconds_max))
        return self.market.snapshot(1)

    def require_true(self, snapshot: Snapshot[PoolState]) -> None:
        for index, state in enumerate(snapshot.states):
            if isinstance(state, DriftingState):
                assert state.is_true(self.chain, snapshot.header.hash) != (index in snapshot.outdated)


@pytest.fixture
def world() -> World:
    return World()


def test_only_what_is_outdated_is_read_again_in_one_batch(world: World) -> None:
    world.grow((0, 1), (4, 1))
    assert world.read().changed == (0, 4)
    assert world.drifting.read_counts == []
    world.grow((1, 1))
    snapshot = world.read()
    world.require_true(snapshot)
    assert world.drifting.read_counts == [3]
    assert snapshot.changed == (1, 3, 4, 5)
    assert snapshot.outdated == frozenset()
    assert not world.market.has_outdated


def test_a_log_that_says_only_that_something_changed_has_its_pool_read(world: World) -> None:
    world.grow((3, OPAQUE), (4, 1))
    snapshot = world.read()
    world.require_true(snapshot)
    assert world.drifting.read_counts == [1]


def test_a_log_that_cannot_follow_an_outdated_state_does_not_quarantine_what_is_read_anyway(world: World) -> None:
    world.grow((3, OPAQUE), (3, 5))
    snapshot = world.read()
    world.require_true(snapshot)
    assert snapshot.quarantined == {}
    assert snapshot.outdated == frozenset()


def test_a_malformed_log_still_quarantines_a_pool_that_is_not_outdated(world: World) -> None:
    block = world.chain.add(world.chain.tip, [(pool_address(3), 1)])
    world.market.advance(block.header, [msgspec.structs.replace(block.logs[0], data="0x")])
    snapshot = world.market.snapshot(1)
    assert list(snapshot.quarantined) == [3]
    assert snapshot.outdated == frozenset()


@pytest.mark.parametrize("error", [NodeTimeoutError("slow"), RpcError("eth_call", -32000, "header not found")])
def test_a_node_that_fails_leaves_them_outdated_until_the_next_block(world: World, error: Exception) -> None:
    world.grow()
    world.grow((0, 1))
    world.chain.error = error
    snapshot = world.read()
    world.require_true(snapshot)
    assert snapshot.outdated == {3, 4, 5}
    assert snapshot.changed == (0, 3, 4, 5)
    world.chain.error = None
    world.grow((4, 1))
    snapshot = world.read()
    world.require_true(snapshot)
    assert snapshot.outdated == frozenset()
    assert snapshot.changed == (3, 4, 5)


def test_a_node_that_is_late_does_not_hold_the_market_up(world: World) -> None:
    world.grow()
    world.grow((1, 3))
    world.chain.is_hanging = True
    snapshot = world.read(seconds_max=0.01)
    world.require_true(snapshot)
    assert snapshot.outdated == {3, 4, 5}
    assert snapshot.changed == (1, 3, 4, 5)


def test_one_protocol_that_fails_keeps_no_other_from_being_read() -> None:
    class Twin(DriftingDex):
        protocol_id = counter_pool(0).protocol

        async def read(self, chain: Chain, pools: Sequence[Pool], block: Hash32) -> tuple[PoolState, ...]:
            if self.read_counts:
                raise NodeTimeoutError("slow")
            return await super().read(chain, pools, block)

    chain = MemoryChain()
    pools = [counter_pool(0), counter_pool(1, DRIFTING)]
    market = Market(pools, {PROTOCOL: Twin(), DRIFTING: DriftingDex()}, {})
    asyncio.run(market.read_all(chain, chain.tip.header, 1))
    for _ in range(2):
        chain.tip = chain.add(chain.tip, [])
        market.advance(chain.tip.header, ())
    asyncio.run(market.read_outdated(chain, PATIENCE))
    assert market.snapshot(1).outdated == {0}


def test_a_node_of_another_chain_is_not_taken_for_a_failure(world: World) -> None:
    world.grow()
    world.grow()
    world.chain.error = WrongChainError(1, 2)
    with pytest.raises(WrongChainError):
        world.read()


def test_a_pool_that_turns_out_unreadable_is_quarantined_alone(world: World) -> None:
    world.grow()
    world.grow()
    world.drifting.unreadable = {PoolId(pool_address(4))}
    snapshot = world.read()
    assert list(snapshot.quarantined) == [4]
    assert isinstance(snapshot.states[4], Quarantined)
    world.market.roll_back(world.chain.ancestor(world.chain.tip, 1).header.ref)
    assert world.market.snapshot(1).quarantined == {}


def test_rolling_back_restores_states_that_may_be_outdated_again(world: World) -> None:
    start = world.grow()
    before = world.read().states
    for value in (1, 2):
        world.grow((3, value))
        world.read()
    world.market.roll_back(start.header.ref)
    snapshot = world.market.snapshot(1)
    assert snapshot.states == before
    world.chain.tip = start
    world.grow((5, 1))
    assert world.market.has_outdated
    snapshot = world.read()
    world.require_true(snapshot)
    assert snapshot.outdated == frozenset()


def test_a_pool_read_on_a_branch_that_is_gone_is_outdated_again_although_its_branch_was_higher(world: World) -> None:
    start = world.grow()
    world.grow()
    world.grow()
    world.read()
    world.market.roll_back(start.header.ref)
    world.chain.tip = start
    world.grow()
    world.require_true(world.market.snapshot(1))
    assert world.market.snapshot(1).outdated == {3, 4, 5}


def test_blocks_behind_a_gap_are_not_read_one_by_one(world: World) -> None:
    for value in range(1, 6):
        world.grow((3, value))
    world.require_true(world.read())
    assert world.drifting.read_counts == [3]


def test_search_has_no_edge_of_an_outdated_pool_until_it_is_read(world: World) -> None:
    graph = SearchGraph(world.market.snapshot(1).pools, world.dexes)
    rates: list[list[bool]] = []
    for is_failing in (False, True, False):
        world.grow()
        world.grow((0, 1))
        world.chain.error = NodeTimeoutError("slow") if is_failing else None
        graph.update(world.read())
        rates.append([bool(graph._rate[edges].any()) for edges in map(list, graph._edges_of)])
    assert rates[0][3:] == rates[2][3:] == [True] * 3
    assert rates[1][3:] == [False] * 3
    assert all(row[0] for row in rates)


def test_a_market_where_logs_tell_everything_asks_nothing() -> None:
    class Counting(CounterDex):
        def is_outdated(self, state: PoolState, block_number: int) -> bool:
            assert block_number > 2**60, "only whether it ever will be"
            return super().is_outdated(state, block_number)

    chain = MemoryChain()
    market = Market([counter_pool(0)], {PROTOCOL: Counting()}, {})
    asyncio.run(market.read_all(chain, chain.tip.header, 1))
    block = chain.add(chain.tip, [(pool_address(0), 1)])
    market.advance(block.header, block.logs)
    assert not market.has_outdated
    assert market.snapshot(1).outdated == frozenset()
