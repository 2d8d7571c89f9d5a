"""The compiled functions, made ready before the first block is waited for.

A new checkout, or one whose kernels changed, compiles them once and keeps the result beside the sources: some seconds
in which nothing else would be answered.
"""

import numpy as np

from headrace.kernels.backing import backing
from headrace.kernels.curve import Curves, write_rates
from headrace.kernels.cycles import find_three_hop_cycles, find_two_hop_cycles
from headrace.kernels.sizing import size_cycles
from headrace.pipeline.search.layout import lay_out

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
