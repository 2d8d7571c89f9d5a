import random
from operator import attrgetter

import msgspec
from tests.support import log_frames
from tests.support.market import DEXES, WETH, mispriced

from headrace.adapters.chains.evm import log_scan
from headrace.adapters.protocols.uniswap_v2 import UniswapV2
from headrace.adapters.protocols.uniswap_v2.logs import SYNC
from headrace.adapters.protocols.uniswap_v2.state import PROTOCOL
from headrace.app.kernels import make_ready
from headrace.kernels import address_index, log_table
from headrace.kernels.backing import backing
from headrace.kernels.curve import write_rates
from headrace.kernels.cycles import find_three_hop_cycles, find_two_hop_cycles
from headrace.kernels.sizing import size_cycles
from headrace.model.address import Address, PoolId
from headrace.model.pool import Pool
from headrace.pipeline.market.column import Column
from headrace.pipeline.market.screen import Screen
from headrace.pipeline.market.speakers import Speakers
from headrace.pipeline.search.graph import SearchGraph

READERS = (
    *(log_scan._scan, log_table._rows_of, log_table._rows_outside, log_table._distinct_items, log_table._pack_pairs),
    *(address_index._fill, address_index._find),
)
signatures_of = attrgetter("signatures")  # the decorators of these hide what they make
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


def test_what_reads_a_block_is_compiled_before_the_first_block() -> None:
    make_ready()
    compiled = [len(signatures_of(kernel)) for kernel in READERS]
    fields = log_frames.block(random.Random(1), logs_max=50)
    address = Address(str(fields[0]["address"]))
    fields[0] |= {"topics": [SYNC], "data": f"0x{5:064x}{7:064x}"}
    table = log_scan.scan_logs(msgspec.Raw(log_frames.plainly(fields).encode()))
    assert table is not None
    pool = Pool(PoolId(address), address, PROTOCOL, "pairs", (), 3000)
    dex = UniswapV2({})
    speakers = Speakers({PROTOCOL: dex}, [pool]).indexed()
    numbers = speakers.numbers(table)
    told = Column(dex, PROTOCOL, [pool], speakers.addresses, is_alone=True).told(table, numbers)
    assert speakers.rows_of_unknown(table, numbers).tolist() == []
    assert [len(told.states), told.rows.tolist(), len(table.addresses_and_topics()) > 1] == [1, [0], True]
    assert [len(signatures_of(kernel)) for kernel in READERS] == compiled
