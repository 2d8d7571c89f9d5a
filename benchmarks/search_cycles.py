"""How fast are all profitable cycles of 2 and 3 hops through 100 changed pools of 10,000 found?

Three contenders give the same set, checked first: the kernels of the line; the same loops in pure Python over
dictionaries, the way such a search is usually written; the same loops in C++, compiled here by g++ where there is one.
Enumeration alone is compared, on the same index and rates.
"""

import ctypes
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from benchmarks.measure import Answer, Effort, Figure, Goal, interleaved, timed
from benchmarks.pair_market import PairMarket
from headrace.kernels.curve import Curves, IntArray, write_rates
from headrace.kernels.cycles import CycleIndex, find_three_hop_cycles, find_two_hop_cycles
from headrace.kernels.shape import FloatArray
from headrace.pipeline.search.layout import lay_out

_SOURCE = Path(__file__).with_name("search_cycles.cpp")
_CACHE = Path(__file__).resolve().parents[1] / ".cache" / "benchmarks"
_CHANGED = 100
_ROOM = 4_096
_REPEATS = 10
Cycle = tuple[int, ...]


class Contest:
    """The graph, its rates, and what changed."""

    def __init__(self, market: PairMarket) -> None:
        layout = lay_out(market.pools)
        curves, rates = Curves(len(layout.hops)), np.zeros(len(layout.hops))
        for at, hop in enumerate(layout.hops):
            state = market.states[int(layout.index.edge_pool[at])]
            curves.put(at, market.dex.shape(state, hop.token_in, hop.token_out))
        write_rates(curves.arrays, np.arange(len(layout.hops)), rates)
        self.index, self.rates = layout.index, rates
        rng = np.random.default_rng(3)
        pools = rng.choice(len(market.pools), min(_CHANGED, len(market.pools)), replace=False)
        self.is_changed = np.zeros(len(market.pools), np.int64)
        self.is_changed[pools] = 1
        self.changed = np.array([e for pool in sorted(pools) for e in layout.edges_of[pool]], np.int64)
        for edge in self.changed[::2][:5]:  # fresh mispricings
            self.rates[edge] *= 1.02
            self.rates[edge + 1] /= 1.02
        self._found2, self._found3 = np.zeros((_ROOM, 2), np.int64), np.zeros((_ROOM, 3), np.int64)

    def kernels(self) -> tuple[IntArray, IntArray]:
        """The line's own search."""
        given = self.index, self.rates, self.changed, self.is_changed, 1.0
        return (
            self._found2[: find_two_hop_cycles(*given, self._found2)],
            self._found3[: find_three_hop_cycles(*given, self._found3)],
        )


class PurePython:
    """The same enumeration over lists and dictionaries."""

    def __init__(self, contest: Contest) -> None:
        index = contest.index
        self._from, self._to = index.edge_from.tolist(), index.edge_to.tolist()
        self._pool, self._rates = index.edge_pool.tolist(), contest.rates.tolist()
        self._changed = contest.changed.tolist()
        self._changed_pools = {self._pool[edge] for edge in self._changed}
        self._edges: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
        for edge, (a, b) in enumerate(zip(self._from, self._to, strict=True)):
            self._edges[a][b].append(edge)

    def __call__(self) -> list[Cycle]:
        return list(self._cycles())

    def _cycles(self) -> Iterator[Cycle]:
        for first in self._changed:
            origin, middle, rate = self._from[first], self._to[first], self._rates[first]
            for last in self._edges[middle].get(origin, ()):
                if not self._is_seen(last, first) and rate * self._rates[last] > 1.0:
                    yield first, last
            few, many = sorted((self._edges[middle], self._edges[origin]), key=len)
            for third in few:
                if third in many:
                    yield from self._triangles(first, self._edges[middle][third], self._edges[third][origin])

    def _triangles(self, first: int, seconds: list[int], lasts: list[int]) -> Iterator[Cycle]:
        for second in seconds:
            if self._is_seen(second, first):
                continue
            so_far = self._rates[first] * self._rates[second]
            for last in lasts:
                is_closed = so_far * self._rates[last] > 1.0 and self._pool[last] != self._pool[second]
                if is_closed and not self._is_seen(last, first):
                    yield first, second, last

    def _is_seen(self, edge: int, first: int) -> bool:
        pool, own = self._pool[edge], self._pool[first]
        return pool == own or (pool < own and pool in self._changed_pools)


class Cpp:
    """The same enumeration, compiled."""

    def __init__(self, contest: Contest, library: Path) -> None:
        self._found = np.zeros((_ROOM, 3), np.int64)
        self._count = ctypes.CDLL(str(library)).count_cycles
        self._count.restype = ctypes.c_int64
        self._arguments = _arguments(contest.index, contest.rates, contest.changed, contest.is_changed, self._found)

    def __call__(self) -> int:
        return int(self._count(*self._arguments))

    def cycles(self) -> set[Cycle]:
        return {tuple(edge for edge in row if edge >= 0) for row in self._found[: self()].tolist()}


def run(effort: Effort, pairs: int = 10_000) -> Answer:
    contest = Contest(PairMarket(pairs))
    two, three = contest.kernels()
    expected = {tuple(row) for row in (*two.tolist(), *three.tolist())}
    python = PurePython(contest)
    assert set(python()) == expected, "pure Python finds other cycles"
    figures = [_figure(contest, "pure Python", timed(python, 1), effort, Goal("faster", 10.0))]
    notes = [f"{len(expected)} profitable cycles ({len(two)} of two hops), the same for every contender"]
    library = _compiled()
    if library is None:
        notes.append("no g++ here, so no C++ twin")
    else:
        cpp = Cpp(contest, library)
        assert cpp.cycles() == expected, "C++ finds other cycles"
        figures.append(_figure(contest, "C++ (g++ -O3)", timed(cpp, _REPEATS), effort, Goal("cost", 1.5)))
    return Answer(tuple(figures), tuple(notes))


def _figure(contest: Contest, rival: str, rival_round: Callable[[], float], effort: Effort, goal: Goal) -> Figure:
    ours_ns, rival_ns = interleaved(timed(contest.kernels, _REPEATS), rival_round, effort.rounds)
    what = f"2-3 hop cycles, {len(contest.changed) // 2} of {len(contest.is_changed)} pools changed"
    return Figure(what, ours_ns, rival, rival_ns, effort.rounds, goal)


def _compiled() -> Path | None:
    compiler = shutil.which("g++")
    if compiler is None:
        return None
    _CACHE.mkdir(parents=True, exist_ok=True)
    library = _CACHE / "search_cycles.so"
    subprocess.run([compiler, "-O3", "-march=native", "-shared", "-fPIC", _SOURCE, "-o", library], check=True)
    return library


def _arguments(
    index: CycleIndex, rates: FloatArray, changed: IntArray, is_changed: IntArray, found: IntArray
) -> list[object]:
    pointers = [array.ctypes.data_as(ctypes.c_void_p) for array in (*index, rates, changed)]
    return [
        *pointers,
        ctypes.c_int64(len(changed)),
        is_changed.ctypes.data_as(ctypes.c_void_p),
        ctypes.c_double(1.0),
        found.ctypes.data_as(ctypes.c_void_p),
        ctypes.c_int64(len(found)),
    ]
