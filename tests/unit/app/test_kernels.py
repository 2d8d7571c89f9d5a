from tests.support.market import DEXES, WETH, mispriced

from headrace.app.kernels import make_ready
from headrace.kernels.backing import backing
from headrace.kernels.curve import write_rates
from headrace.kernels.cycles import find_three_hop_cycles, find_two_hop_cycles
from headrace.kernels.sizing import size_cycles
from headrace.pipeline.market.screen import Screen
from headrace.pipeline.search.graph import SearchGraph

KERNELS = (backing, find_three_hop_cycles, find_two_hop_cycles, size_cycles, write_rates)


def test_what_a_block_needs_is_compiled_before_the_first_block() -> None:
    make_ready()
    compiled = [len(kernel.signatures) for kernel in KERNELS]
    market = mispriced()
    Screen(market.pools, DEXES).screened(market)
    graph = SearchGraph(market.pools, DEXES)
    graph.update(market, lambda _token, _hops: 1)
    assert graph.cycles(2, edge_bps_min=0, start_tokens=[WETH.address])
    assert not graph.cycles(3, edge_bps_min=0, start_tokens=[WETH.address])
    assert [len(kernel.signatures) for kernel in KERNELS] == compiled
