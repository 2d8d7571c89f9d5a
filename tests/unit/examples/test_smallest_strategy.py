import msgspec
from examples import smallest_strategy
from tests.support.market import DEXES, WETH, mispriced

from headrace.pipeline.search.graph import SearchGraph
from headrace.ports.strategy import StrategyConfig


def test_the_example_sees_cycles_between_its_venues_alone() -> None:
    market = mispriced()
    graph = SearchGraph(market.pools, DEXES)
    graph.update(market)
    strategy = smallest_strategy.BetweenTwoVenues(StrategyConfig(0, (WETH.address,)))
    assert strategy.scan(market, graph) == []
    named = [
        msgspec.structs.replace(pool, venue=venue)
        for pool, venue in zip(market.pools, ("uniswap_v3", "sushiswap"), strict=True)
    ]
    market.pools = tuple(named)
    (found,) = strategy.scan(market, graph)
    assert found.strategy == "between_two_venues"
