from collections.abc import Sequence
from importlib.metadata import entry_points

import msgspec
from tests.support.market import DAI, DEXES, ETHER, USDC, WETH, header, mispriced, pair, snapshot

from headrace.adapters.protocols.uniswap_v2.state import UniswapV2State
from headrace.model.address import ZERO_ADDRESS, Address
from headrace.model.route import Hop, Route
from headrace.pipeline.search.graph import SearchGraph
from headrace.pipeline.search.ranking import ranked
from headrace.ports.strategy import CycleFinding, StrategyConfig
from headrace.strategies.spatial import SpatialArbitrage
from headrace.strategies.triangular import TriangularArbitrage

CONFIG = StrategyConfig(0, (WETH.address, USDC.address))


def test_both_strategies_are_found_by_their_entry_points() -> None:
    found = {point.name: point.load() for point in entry_points(group="headrace.strategies")}
    assert found == {"spatial": SpatialArbitrage, "triangular": TriangularArbitrage}


def test_each_strategy_sees_its_own_kind_of_cycle() -> None:
    depth, usd = 1000 * ETHER, 3_000_000
    market = snapshot(
        UniswapV2State(pair(1, "a", WETH, USDC), depth, usd * 10**6),
        UniswapV2State(pair(2, "a", USDC, DAI), usd * 10**6, usd * ETHER),
        UniswapV2State(pair(3, "b", WETH, DAI), depth, usd * ETHER * 97 // 100),
    )
    graph = SearchGraph(market.pools, DEXES)
    graph.update(market)
    assert SpatialArbitrage(CONFIG).scan(market, graph) == []
    (found,) = TriangularArbitrage(CONFIG).scan(market, graph)
    assert [hop.pool for hop in found.route.hops] == [pool.id for pool in market.pools]
    assert found.strategy == "triangular"
    assert found.edge_bps > 0


def test_pools_of_the_native_currency_have_no_edges_and_are_counted() -> None:
    """Every route through one is refused before it is quoted: so search need not look at them."""
    coin = msgspec.structs.replace(USDC, address=ZERO_ADDRESS)
    depth, usd = 1000 * ETHER, 3_000_000 * 10**6
    states = [
        UniswapV2State(pair(number, venue, token, WETH), reserve, depth)
        for number, venue, token, reserve in ((1, "a", coin, usd), (2, "b", coin, usd * 98 // 100))
    ] + [
        UniswapV2State(pair(number, venue, USDC, WETH), reserve, depth)
        for number, venue, reserve in ((3, "a", usd), (4, "b", usd * 98 // 100))
    ]
    market = snapshot(*states)
    graph = SearchGraph(market.pools, DEXES)
    graph.update(market)
    assert graph.unexecutable == 2
    (found,) = SpatialArbitrage(CONFIG).scan(market, graph)
    assert {hop.pool for hop in found.route.hops} == {pool.id for pool in market.pools[2:]}
    assert SearchGraph(market.pools[2:], DEXES).unexecutable == 0


def test_an_opportunity_stands_while_its_pools_do_not_change() -> None:
    market = mispriced()
    graph = SearchGraph(market.pools, DEXES)
    graph.update(market)
    strategy = SpatialArbitrage(CONFIG)
    (found,) = strategy.scan(market, graph)
    assert strategy.validate(found, market)
    later = mispriced()
    later.header = header(101)
    assert not strategy.validate(found, later)
    later.changed = ()
    assert strategy.validate(found, later)
    assert strategy.estimate_profit(found) == found.profit_estimate_units > 0
    assert strategy.estimated_roi(found) == found.profit_estimate_units / found.amount_in_units
    assert strategy.can_interrupt_current()


def test_the_worthiest_comes_first_whatever_its_token_and_the_unpriced_last() -> None:
    market = mispriced()
    graph = SearchGraph(market.pools, DEXES)
    graph.update(market)
    (in_weth,) = SpatialArbitrage(CONFIG).scan(market, graph)
    (in_usdc,) = SpatialArbitrage(StrategyConfig(0, (USDC.address,))).scan(market, graph)
    small = msgspec.structs.replace(in_usdc, profit_estimate_units=5 * 10**6)
    prices = {WETH.address: 3000 * 10**12, USDC.address: 10**12}
    assert ranked([small, in_weth], market.tokens, prices.get) == [in_weth, small]
    assert ranked([in_weth, small], market.tokens, {USDC.address: 10**12}.get) == [small, in_weth]


def test_the_same_market_gives_the_same_ids_and_another_block_gives_others() -> None:
    def ids(number: int) -> list[str]:
        market = mispriced()
        market.header = header(number)
        graph = SearchGraph(market.pools, DEXES)
        graph.update(market)
        return [found.id for found in SpatialArbitrage(CONFIG).scan(market, graph)]

    assert ids(100) == ids(100)
    assert set(ids(100)).isdisjoint(ids(101))


def test_two_cycles_through_the_same_pools_by_other_tokens_are_two_opportunities() -> None:
    market = mispriced()
    a, b = (pool.id for pool in market.pools[:2])
    strategy = SpatialArbitrage(StrategyConfig(0, (WETH.address,)))

    def finding(middle: Address) -> CycleFinding:
        route = Route((Hop(a, WETH.address, middle), Hop(b, middle, WETH.address)))
        return CycleFinding(route=route, amount_in=10.0, profit=5.0, rate=1.5)

    class Finder:
        def cycles(self, hops: int, *, edge_bps_min: int, start_tokens: Sequence[Address]) -> Sequence[CycleFinding]:
            del hops, edge_bps_min, start_tokens
            return [finding(USDC.address), finding(DAI.address), finding(USDC.address)]

    first, second, again = strategy.scan(market, Finder())
    assert first.id != second.id
    assert first.id == again.id
