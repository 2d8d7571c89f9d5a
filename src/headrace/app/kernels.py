"""The compiled functions, made ready before the first block is waited for.

A new checkout, or one whose kernels changed, compiles them once and keeps the result beside the sources: some seconds
in which nothing else would be answered.
"""

import msgspec
import numpy as np

from headrace.adapters.chains.evm.log_scan import scan_logs
from headrace.kernels.address_index import AddressIndex
from headrace.kernels.backing import backing
from headrace.kernels.curve import Curves, write_rates
from headrace.kernels.cycles import find_three_hop_cycles, find_two_hop_cycles
from headrace.kernels.log_table import topic_words
from headrace.kernels.sizing import size_cycles
from headrace.pipeline.search.layout import lay_out

_LOG = {
    "address": "0x" + "00" * 20,
    "topics": ["0x" + "00" * 32],
    "data": "0x" + "00" * 64,
    "blockHash": "0x" + "00" * 32,
    "blockNumber": "0x1",
    "transactionHash": "0x" + "00" * 32,
    "logIndex": "0x0",
}
_ONE = np.zeros(1, np.int64)
_NONE = np.zeros(0, np.int64)


def make_ready() -> None:
    """Call every kernel that a block needs, on next to nothing."""
    arrays, rate = Curves(1).arrays, np.zeros(1)
    write_rates(arrays, _ONE, rate)
    backing(arrays, 0, 1.0, 0.99)
    index = lay_out(()).index
    for hops, find in ((2, find_two_hop_cycles), (3, find_three_hop_cycles)):
        found = np.zeros((1, hops), np.int64)
        count = find(index, rate, _NONE, _ONE, 1.0, found)
        size_cycles(arrays, rate, _ONE, np.zeros(1), found[:count], np.empty((count, 3)))
    _read_a_block()


def _read_a_block() -> None:
    table = scan_logs(msgspec.Raw(msgspec.json.encode([_LOG])))
    assert table is not None, "the scanner takes what nodes write"
    topics = topic_words(table[0].topics)
    rows = table.rows_of(topics)
    table.rows_outside(table.numbers_in(AddressIndex([table[0].address])), topics, np.array([0, 1]))
    table.uint112_pairs_at(rows)
    table.addresses_and_topics()
