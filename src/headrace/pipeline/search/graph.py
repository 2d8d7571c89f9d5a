"""The market as a graph of edges, kept up to date block by block, and searched by the kernels."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from headrace.kernels.curve import Curves, IntArray, write_rates
from headrace.kernels.cycles import find_three_hop_cycles, find_two_hop_cycles
from headrace.kernels.shape import FloatArray
from headrace.kernels.sizing import UNRANKED, size_cycles
from headrace.model.address import Address
from headrace.model.pool import Pool, ProtocolId
from headrace.model.route import Route
from headrace.model.snapshot import Snapshot
from headrace.pipeline.search.layout import lay_out
from headrace.ports.pool import DEX, PoolState
from headrace.ports.strategy import CycleFinding

_FIRST_ROOM = 256
_FINDERS = {2: find_two_hop_cycles, 3: find_three_hop_cycles}
_BPS = 10_000


class SearchGraph:
    """Edges and index of a fixed set of pools; implements `headrace.ports.strategy.CycleFinder`.

    Not thread-safe: one owner updates and searches it.

    Attributes:
        unexecutable: how many of the pools are left out because no plan could pass through them.
    """

    def __init__(self, pools: Sequence[Pool], dexes: Mapping[ProtocolId, DEX]) -> None:
        """Lay the index out; every edge is empty until the first `update`."""
        self._pools = tuple(pools)
        self._dexes = dexes
        layout = lay_out(self._pools)
        self._hops, self._edges_of, self._index = layout.hops, layout.edges_of, layout.index
        self.unexecutable = layout.unexecutable
        self._curves = Curves(len(self._hops))
        self._rate = np.zeros(len(self._hops))
        self._is_changed: IntArray = np.zeros(len(self._pools), np.int64)
        self._changed: IntArray = np.zeros(0, np.int64)
        self._ranks_of: dict[tuple[Address, ...], IntArray] = {}
        self._floor_units: Callable[[Address, int], int] | None = None
        self._dropped_rates: list[FloatArray] = []
        self._found = {hops: np.zeros((_FIRST_ROOM, hops), np.int64) for hops in _FINDERS}

    def update(self, snapshot: Snapshot[PoolState], floor_units: Callable[[Address, int], int] | None = None) -> None:
        """Take over what the snapshot's block changed; search then looks at cycles through those pools.

        Args:
            snapshot: of the same pools.
            floor_units: by profit token and number of hops, what a cycle must gain by estimate to be worth an exact
                quote; one that gains less is counted in `dropped_edges_bps` and not returned. None returns all.
        """
        self._floor_units = floor_units
        self._dropped_rates = []
        self._is_changed[:] = 0
        edges: list[int] = []
        for index in snapshot.changed:
            self._is_changed[index] = 1
            edges.extend(self._edges_of[index])
            self._put(index, snapshot)
        self._changed = np.array(edges, np.int64)
        write_rates(self._curves.arrays, self._changed, self._rate)

    def cycles(self, hops: int, *, edge_bps_min: int, start_tokens: Sequence[Address]) -> Sequence[CycleFinding]:
        """Profitable cycles of exactly `hops` hops (2 or 3) through changed pools, sized.

        Args:
            hops: 2 or 3.
            edge_bps_min: least gross edge at zero size.
            start_tokens: what may be spent and earned, best first; a cycle without any of them is left out, every other
                begins at its first.
        """
        cycles = self._enumerate(hops, 1.0 + edge_bps_min / _BPS)
        sized = np.empty((len(cycles), 3))
        ranks, floors = self._ranks(tuple(start_tokens)), self._floors(hops, start_tokens)
        size_cycles(self._curves.arrays, self._rate, ranks, floors, cycles, sized)
        self._dropped_rates.append(sized[sized[:, 1] < 0.0, 2])
        is_kept = sized[:, 1] > 0.0
        return [
            CycleFinding(
                route=Route(tuple([self._hops[edge] for edge in edges])), amount_in=amount, profit=profit, rate=rate
            )
            for edges, (amount, profit, rate) in zip(cycles[is_kept].tolist(), sized[is_kept].tolist(), strict=True)
        ]

    @property
    def dropped_edges_bps(self) -> list[int]:
        """Gross edges, in basis points rounded down, of the cycles that were dropped since the last `update`."""
        return [int((rate - 1.0) * _BPS) for rates in self._dropped_rates for rate in rates.tolist()]

    def _floors(self, hops: int, start_tokens: Sequence[Address]) -> FloatArray:
        if self._floor_units is None:
            return np.zeros(len(start_tokens))
        return np.array([float(self._floor_units(token, hops)) for token in start_tokens])

    def _put(self, index: int, snapshot: Snapshot[PoolState]) -> None:
        if index in snapshot.quarantined or index in snapshot.outdated:
            for edge in self._edges_of[index]:
                self._curves.clear(edge)
            return
        state = snapshot.states[index]
        shape = self._dexes[self._pools[index].protocol].shape
        for edge in self._edges_of[index]:
            hop = self._hops[edge]
            self._curves.put(edge, shape(state, hop.token_in, hop.token_out))

    def _enumerate(self, hops: int, rate_min: float) -> IntArray:
        find = _FINDERS[hops]
        while True:
            found = self._found[hops]
            count = find(self._index, self._rate, self._changed, self._is_changed, rate_min, found)
            if count <= len(found):
                return found[:count]
            self._found[hops] = np.zeros((2 * count, hops), np.int64)

    def _ranks(self, start_tokens: tuple[Address, ...]) -> IntArray:
        """By edge: the place of the token it takes among `start_tokens`."""
        if start_tokens not in self._ranks_of:
            rank = {token: place for place, token in enumerate(start_tokens)}
            self._ranks_of = {
                start_tokens: np.array([rank.get(hop.token_in, UNRANKED) for hop in self._hops], np.int64)
            }
        return self._ranks_of[start_tokens]
