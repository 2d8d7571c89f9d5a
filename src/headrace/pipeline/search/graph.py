"""The market as a graph of edges, kept up to date block by block, and searched by the kernels."""

from collections.abc import Mapping, Sequence

import numpy as np

from headrace.kernels.curve import Curves, IntArray
from headrace.kernels.cycles import CycleIndex, find_three_hop_cycles, find_two_hop_cycles
from headrace.kernels.sizing import best_input
from headrace.model.address import Address
from headrace.model.pool import Pool, ProtocolId
from headrace.model.route import Hop, Route
from headrace.model.snapshot import Snapshot
from headrace.ports.pool import DEX, PoolState
from headrace.ports.strategy import CycleFinding

_FIRST_ROOM = 256
_FINDERS = {2: find_two_hop_cycles, 3: find_three_hop_cycles}
_BPS = 10_000


class SearchGraph:
    """Edges and index of a fixed set of pools; implements `headrace.ports.strategy.CycleFinder`.

    Not thread-safe: one owner updates and searches it.
    """

    def __init__(self, pools: Sequence[Pool], dexes: Mapping[ProtocolId, DEX]) -> None:
        """Lay the index out; every edge is empty until the first `update`."""
        self._pools = tuple(pools)
        self._dexes = dexes
        self._hops: list[Hop] = []
        self._edges_of: list[range] = []
        for pool in pools:
            first = len(self._hops)
            self._hops.extend(Hop(pool.id, a, b) for a in pool.tokens for b in pool.tokens if a != b)
            self._edges_of.append(range(first, len(self._hops)))
        self._index = _lay_out(self._hops, self._edges_of)
        self._curves = Curves(len(self._hops))
        self._rate = np.zeros(len(self._hops))
        self._is_changed: IntArray = np.zeros(len(self._pools), np.int64)
        self._changed: IntArray = np.zeros(0, np.int64)
        self._found = {hops: np.zeros((_FIRST_ROOM, hops), np.int64) for hops in _FINDERS}

    def update(self, snapshot: Snapshot[PoolState]) -> None:
        """Take over what the snapshot's block changed; search then looks at cycles through those pools."""
        self._is_changed[:] = 0
        edges: list[int] = []
        for index in snapshot.changed:
            self._is_changed[index] = 1
            edges.extend(self._edges_of[index])
            self._put(index, snapshot)
        self._changed = np.array(edges, np.int64)

    def cycles(self, hops: int, *, edge_bps_min: int, start_tokens: Sequence[Address]) -> Sequence[CycleFinding]:
        """Profitable cycles of exactly `hops` hops (2 or 3) through changed pools, sized.

        Args:
            hops: 2 or 3.
            edge_bps_min: least gross edge at zero size.
            start_tokens: what may be spent and earned, best first; a cycle without any of them is left out, every other
                begins at its first.
        """
        found = []
        for row in self._enumerate(hops, 1.0 + edge_bps_min / _BPS):
            edges = self._rotate(row, start_tokens)
            if edges is None:
                continue
            amount, profit = best_input(self._curves.arrays, edges)
            if profit > 0.0:
                route = Route(tuple(self._hops[edge] for edge in edges))
                rate = float(np.prod(self._rate[edges]))
                found.append(CycleFinding(route=route, amount_in=amount, profit=profit, rate=rate))
        return found

    def _put(self, index: int, snapshot: Snapshot[PoolState]) -> None:
        if index in snapshot.quarantined:
            for edge in self._edges_of[index]:
                self._curves.clear(edge)
                self._rate[edge] = 0.0
            return
        state = snapshot.states[index]
        dex = self._dexes[self._pools[index].protocol]
        for edge in self._edges_of[index]:
            hop = self._hops[edge]
            self._rate[edge] = self._curves.put(edge, dex.shape(state, hop.token_in, hop.token_out))

    def _enumerate(self, hops: int, rate_min: float) -> IntArray:
        find = _FINDERS[hops]
        while True:
            found = self._found[hops]
            count = find(self._index, self._rate, self._changed, self._is_changed, rate_min, found)
            if count <= len(found):
                return found[:count]
            self._found[hops] = np.zeros((2 * count, hops), np.int64)

    def _rotate(self, edges: IntArray, start_tokens: Sequence[Address]) -> IntArray | None:
        starts = {self._hops[edge].token_in: at for at, edge in enumerate(edges)}
        for token in start_tokens:
            if token in starts:
                return np.roll(edges, -starts[token])
        return None


def _lay_out(hops: Sequence[Hop], edges_of: Sequence[range]) -> CycleIndex:
    number = {token: at for at, token in enumerate(sorted({hop.token_in for hop in hops}))}
    edge_from = np.array([number[hop.token_in] for hop in hops], np.int64)
    edge_to = np.array([number[hop.token_out] for hop in hops], np.int64)
    order = np.lexsort((np.arange(len(hops)), edge_to, edge_from)).astype(np.int64)
    pairs = np.stack([edge_from[order], edge_to[order]], axis=1)
    is_first = np.ones(len(order), np.bool_)
    is_first[1:] = (pairs[1:] != pairs[:-1]).any(axis=1)
    starts = np.flatnonzero(is_first)
    return CycleIndex(
        edge_from=edge_from,
        edge_to=edge_to,
        edge_pool=np.array([at for at, edges in enumerate(edges_of) for _ in edges], np.int64),
        leave_start=np.searchsorted(pairs[starts, 0], np.arange(len(number) + 1)).astype(np.int64),
        pair_to=pairs[starts, 1].astype(np.int64),
        pair_start=np.append(starts, len(order)).astype(np.int64),
        pair_edges=order,
    )
