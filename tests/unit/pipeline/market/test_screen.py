"""What a market does not believe: old states, coarse prices, and a price that its pair's other pools do not share."""

import asyncio
from collections.abc import AsyncGenerator

import msgspec
from tests.support.market import DAI, DEXES, ETHER, USDC, WETH, found, header, mispriced, pair, snapshot

from headrace.adapters.protocols.uniswap_v2.state import UniswapV2State
from headrace.model.event import Stale
from headrace.model.snapshot import Snapshot
from headrace.pipeline.market.screen import Screen, ScreenedFeed
from headrace.pipeline.search.graph import SearchGraph
from headrace.ports.pool import PoolState
from headrace.ports.strategy import StrategyConfig
from headrace.strategies.spatial import SpatialArbitrage


def state(number: int, weth: float, usdc: float) -> UniswapV2State:
    return UniswapV2State(pair(number, "a", WETH, USDC), int(weth * ETHER), int(usdc * 10**6))


def doubts(*states: UniswapV2State) -> dict[int, str]:
    market = snapshot(*states)
    return dict(Screen(market.pools, DEXES).screened(market).quarantined)


def aged(market: Snapshot[PoolState], as_of: dict[int, int]) -> Snapshot[PoolState]:
    return Snapshot(
        header=market.header,
        announced_ns=market.announced_ns,
        pools=market.pools,
        states=market.states,
        index_of=market.index_of,
        tokens=market.tokens,
        changed=market.changed,
        as_of=as_of,
    )


def test_a_sound_market_is_handed_on_as_it_is() -> None:
    market = snapshot(state(1, 1000, 3e6), state(2, 900, 2.8e6), state(3, 5, 15_100))
    assert Screen(market.pools, DEXES).screened(market) is market


def test_the_recorded_pool_of_86_units_is_coarse_from_either_side() -> None:
    tiny = UniswapV2State(pair(1, "a", WETH, USDC), 299_999_992_845_791, 86)
    turned = UniswapV2State(pair(2, "a", WETH, DAI), 86, 299_999_992_845_791)
    found = doubts(tiny, turned)
    assert USDC.address in found[0]
    assert WETH.address in found[1]
    assert not doubts(UniswapV2State(pair(1, "a", WETH, USDC), 10_100, 10_100))
    assert doubts(UniswapV2State(pair(1, "a", WETH, USDC), 9_900, 10_100))


def test_an_empty_pool_is_nothing_to_doubt() -> None:
    assert not doubts(UniswapV2State(pair(1, "a", WETH, USDC), 0, 0), state(2, 1, 3000))


def test_one_price_of_three_is_lonely_though_a_heap_of_one_token_stands_behind_it() -> None:
    honest = (state(1, 1000, 3e6), state(2, 400, 1.2e6))
    heap = state(3, 5_000_000, 3_000)  # most ether of all, at a price of nothing
    assert set(doubts(*honest, heap)) == {2}
    assert "the median of 3 pools" in doubts(*honest, heap)[2]
    assert not doubts(honest[0], heap)  # of two nobody can say which is wrong
    assert not doubts(*honest, state(3, 100, 170_000))  # a gap to trade on, not a lie


def test_a_pool_that_comes_to_its_senses_counts_as_changed() -> None:
    before = snapshot(state(1, 1000, 3e6), state(2, 400, 1.2e6), state(3, 10, 90_000))
    screen = Screen(before.pools, DEXES)
    assert set(screen.screened(before).quarantined) == {2}
    after = snapshot(before.states[0], before.states[1], state(3, 10, 30_000))
    only = Snapshot(
        header=after.header,
        announced_ns=1,
        pools=after.pools,
        states=after.states,
        index_of=after.index_of,
        tokens=after.tokens,
        changed=(2,),
    )
    healed = screen.screened(only)
    assert not healed.quarantined
    assert healed.changed == (2,)
    turned = msgspec.structs.replace(before.states[0], reserve1=1)  # the first is coarse now
    again = Snapshot(
        header=after.header,
        announced_ns=1,
        pools=after.pools,
        states=(turned, *after.states[1:]),
        index_of=after.index_of,
        tokens=after.tokens,
        changed=(0,),
    )
    assert set(screen.screened(again).quarantined) == {0}


def test_what_is_older_than_the_block_is_never_searched() -> None:
    market = mispriced()
    assert found(market)
    old = Screen(market.pools, DEXES).screened(aged(market, {1: header().number - 7}))
    assert old.quarantined == {1: "its state is as of block 93, 7 before this one"}
    graph = SearchGraph(old.pools, DEXES)
    graph.update(old)
    assert not SpatialArbitrage(StrategyConfig(0, (WETH.address,))).scan(old, graph)
    assert not Screen(market.pools, DEXES).screened(aged(market, {1: header().number})).quarantined


def test_a_feed_is_screened_and_its_doubts_pass() -> None:
    market = snapshot(UniswapV2State(pair(1, "a", WETH, USDC), 5, 5))

    class Source:
        async def snapshots(self) -> AsyncGenerator[Snapshot[PoolState] | Stale, None]:
            yield market
            yield Stale("why", is_lost=False)

    async def outputs() -> list[Snapshot[PoolState] | Stale]:
        feed = ScreenedFeed(Source(), Screen(market.pools, DEXES))
        return [output async for output in feed.snapshots()]

    first, second = asyncio.run(outputs())
    assert isinstance(first, Snapshot)
    assert set(first.quarantined) == {0}
    assert second == Stale("why", is_lost=False)


def test_what_a_block_changes_is_doubted_when_it_is_measured_and_kept_out_from_the_next_snapshot_on() -> None:
    sound = [state(1, 1000, 3e6), state(2, 900, 2.8e6), state(3, 5, 15_100)]
    market = snapshot(*sound)
    screen = Screen(market.pools, DEXES)
    assert screen.screened(market) is market
    poisoned = snapshot(*sound[:2], state(3, 5, 151_000))
    assert screen.believed(poisoned) is poisoned
    assert set(screen.renew(poisoned)) == {2}
    kept_out = screen.believed(quiet := unchanged(poisoned))
    assert set(kept_out.quarantined) == {2}
    assert kept_out.changed == (2,)
    assert set(screen.renew(kept_out)) == {2}
    assert not quiet.quarantined
    healed = snapshot(*sound)
    assert set(screen.believed(healed).quarantined) == {2}
    assert not screen.renew(screen.believed(healed))
    assert not screen.believed(unchanged(healed)).quarantined


def unchanged(market: Snapshot[PoolState]) -> Snapshot[PoolState]:
    """The next block, in which nothing happened."""
    after = aged(market, {})
    after.changed = ()
    return after


def test_a_market_read_whole_is_measured_whole_and_one_that_moves_is_not_waited_for() -> None:
    poisoned = snapshot(state(1, 1000, 3e6), state(2, 900, 2.8e6), state(3, 5, 151_000))

    class Source:
        async def snapshots(self) -> AsyncGenerator[Snapshot[PoolState] | Stale, None]:
            yield snapshot(*(state(n, 1000, 3e6) for n in (1, 2, 3)))
            yield poisoned
            yield Stale("lost", is_lost=True)
            yield poisoned

    async def outputs() -> list[Snapshot[PoolState] | Stale]:
        feed = ScreenedFeed(Source(), Screen(poisoned.pools, DEXES))
        return [output async for output in feed.snapshots()]

    _, moved, _, read = asyncio.run(outputs())
    assert isinstance(moved, Snapshot)
    assert isinstance(read, Snapshot)
    assert not moved.quarantined
    assert set(read.quarantined) == {2}
