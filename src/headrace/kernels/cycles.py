"""All cycles of two and three hops through pools that changed.

The graph is indexed by ordered pair of tokens: `pair_start[p] : pair_start[p + 1]` are the edges of pair p, and the
pairs that leave token u are `leave_start[u] : leave_start[u + 1]`, sorted by the token they lead to. A pool trades both
ways, so with a pair its reverse exists. From a changed edge u -> v the two-hop cycles are the edges v -> u, the
three-hop ones those v -> w -> u for each w that is a neighbour of both. Enumeration is over pools, not over the best
pool of a pair, so it is complete. A cycle through several changed pools is reported once, from the changed pool of
lowest index. A cycle qualifies when the product of its rates at zero size exceeds `rate_min`.

Cost: for each changed edge, the neighbours of its less connected token, each looked up among those of the other by
bisection; then one multiplication and comparison for each cycle.

Arrays are bound to names before the loops: each use of a tuple's field counts references, which costs more than the
loop's own work.
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
def find_pair(pair_to: IntArray, start: int, end: int, token_to: int) -> int:
    """Where among the pairs `start : end` that leave a token the one to `token_to` stands, or -1."""
    low, high = start, end
    while low < high:
        middle = (low + high) // 2
        if pair_to[middle] < token_to:
            low = middle + 1
        else:
            high = middle
    return low if low < end and pair_to[low] == token_to else -1


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
    edge_from, edge_to, edge_pool, leave_start, pair_to, pair_start, pair_edges = index
    count = 0
    for first in changed:
        pool, origin, middle = edge_pool[first], edge_from[first], edge_to[first]
        back = find_pair(pair_to, leave_start[middle], leave_start[middle + 1], origin)
        for at in range(pair_start[back], pair_start[back + 1]):
            last = pair_edges[at]
            other = edge_pool[last]
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
    edge_from, edge_to, edge_pool, leave_start, pair_to, pair_start, pair_edges = index
    count = 0
    for first in changed:
        origin, middle = edge_from[first], edge_to[first]
        few, many = origin, middle
        if leave_start[middle + 1] - leave_start[middle] < leave_start[origin + 1] - leave_start[origin]:
            few, many = middle, origin
        for near in range(leave_start[few], leave_start[few + 1]):
            third = pair_to[near]
            far = find_pair(pair_to, leave_start[many], leave_start[many + 1], third)
            if far < 0 or third == many:
                continue
            way = near if few == middle else far
            back = find_pair(pair_to, leave_start[third], leave_start[third + 1], origin)
            pool = edge_pool[first]
            for at in range(pair_start[way], pair_start[way + 1]):
                second = pair_edges[at]
                b = edge_pool[second]
                if b == pool or (b < pool and is_changed[b]):
                    continue
                rate_so_far = rate[first] * rate[second]
                for end in range(pair_start[back], pair_start[back + 1]):
                    last = pair_edges[end]
                    c = edge_pool[last]
                    is_seen = c in (pool, b) or (c < pool and is_changed[c])
                    if rate_so_far * rate[last] > rate_min and not is_seen:
                        if count < len(found):
                            found[count, 0], found[count, 1], found[count, 2] = first, second, last
                        count += 1
    return count
