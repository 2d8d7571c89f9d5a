"""All cycles of two and three hops through pools that changed.

The graph is indexed by ordered pair of tokens: `pair_start[p] : pair_start[p + 1]` are the edges of pair p, and the
pairs that leave token u are `leave_start[u] : leave_start[u + 1]`, sorted by the token they lead to. From a changed
edge u -> v the two-hop cycles are the edges v -> u, the three-hop ones those v -> w -> u where both pairs exist.
Enumeration is over pools, not over the best pool of a pair, so it is complete. A cycle through several changed pools is
reported once, from the changed pool of lowest index. A cycle qualifies when the product of its rates at zero size
exceeds `rate_min`.

Cost: one multiplication and comparison for each cycle through a changed edge.
"""

from typing import NamedTuple

from numba import njit

from headrace.kernels.curve import IntArray
from headrace.kernels.shape import FloatArray


class CycleIndex(NamedTuple):
    """The graph's arrays; the first three are parallel to the edges."""

    edge_from: IntArray
    edge_to: IntArray
    edge_pool: IntArray
    leave_start: IntArray
    pair_to: IntArray
    pair_start: IntArray
    pair_edges: IntArray


@njit(cache=True, nogil=True)
def find_pair(index: CycleIndex, token_from: int, token_to: int) -> int:
    """The ordered pair's place, or -1."""
    low, end = index.leave_start[token_from], index.leave_start[token_from + 1]
    high = end
    while low < high:
        middle = (low + high) // 2
        if index.pair_to[middle] < token_to:
            low = middle + 1
        else:
            high = middle
    return low if low < end and index.pair_to[low] == token_to else -1


@njit(cache=True, nogil=True)
def find_two_hop_cycles(
    index: CycleIndex, rate: FloatArray, changed: IntArray, is_changed: IntArray, rate_min: float, found: IntArray
) -> int:
    """Write qualifying cycles into the rows (two edges) of `found`.

    Args:
        index: the graph.
        rate: marginal price of each edge at zero size.
        changed: the edges of pools that changed.
        is_changed: 1 for each pool that changed.
        rate_min: least product of rates, exclusive.
        found: where to write.

    Returns:
        The number of qualifying cycles, which may exceed the rows: then the rest was not written.
    """
    count = 0
    for first in changed:
        pool = index.edge_pool[first]
        back = find_pair(index, index.edge_to[first], index.edge_from[first])
        if back < 0:
            continue
        for at in range(index.pair_start[back], index.pair_start[back + 1]):
            last = index.pair_edges[at]
            other = index.edge_pool[last]
            is_seen = other == pool or (other < pool and is_changed[other])
            if not is_seen and rate[first] * rate[last] > rate_min:
                if count < len(found):
                    found[count, 0], found[count, 1] = first, last
                count += 1
    return count


@njit(cache=True, nogil=True)
def find_three_hop_cycles(
    index: CycleIndex, rate: FloatArray, changed: IntArray, is_changed: IntArray, rate_min: float, found: IntArray
) -> int:
    """As `find_two_hop_cycles`, with three edges a row."""
    count = 0
    for first in changed:
        origin, middle = index.edge_from[first], index.edge_to[first]
        for way in range(index.leave_start[middle], index.leave_start[middle + 1]):
            third = index.pair_to[way]
            back = find_pair(index, third, origin) if third != origin else -1
            if back >= 0:
                count = _close_triangles(index, rate, is_changed, rate_min, found, first, way, back, count)
    return count


@njit(cache=True, nogil=True)
def _close_triangles(
    index: CycleIndex,
    rate: FloatArray,
    is_changed: IntArray,
    rate_min: float,
    found: IntArray,
    first: int,
    way: int,
    back: int,
    count: int,
) -> int:
    pool = index.edge_pool[first]
    for at in range(index.pair_start[way], index.pair_start[way + 1]):
        second = index.pair_edges[at]
        b = index.edge_pool[second]
        if b == pool or (b < pool and is_changed[b]):
            continue
        rate_so_far = rate[first] * rate[second]
        for end in range(index.pair_start[back], index.pair_start[back + 1]):
            last = index.pair_edges[end]
            c = index.edge_pool[last]
            is_seen = c in (pool, b) or (c < pool and is_changed[c])
            if rate_so_far * rate[last] > rate_min and not is_seen:
                if count < len(found):
                    found[count, 0], found[count, 1], found[count, 2] = first, second, last
                count += 1
    return count
