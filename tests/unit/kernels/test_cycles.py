import math
from collections.abc import Sequence
from itertools import permutations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.adapters.protocols.uniswap_v2 import UniswapV2
from headrace.kernels.curve import Curves, IntArray, walk
from headrace.kernels.shape import ConstantProduct, TickSegments, Weighted
from headrace.kernels.sizing import best_input
from headrace.model.address import ZERO_ADDRESS, Address, Hash32, PoolId
from headrace.model.block import BlockHeader
from headrace.model.pool import Pool, ProtocolId
from headrace.model.snapshot import Snapshot
from headrace.pipeline.search.graph import SearchGraph
from headrace.ports.pool import PoolState

TOKENS = [Address(f"0x{n:040x}") for n in range(1, 6)]
SIMPLE = ProtocolId("simple")


PoolText = tuple[tuple[int, ...], list[float]]  # token numbers, and a balance for each of TOKENS
Cycle = frozenset[tuple[PoolId, Address, Address]]


class Balances(msgspec.Struct, frozen=True):
    pool: Pool
    of_tokens: dict[Address, float]


class SimpleDex(UniswapV2):
    """Pools of any number of tokens at equal weights: their shape is all that search sees."""

    def shape(self, state: PoolState, token_in: Address, token_out: Address) -> Weighted:
        assert isinstance(state, Balances)
        return Weighted(state.of_tokens[token_in] * 1e18, state.of_tokens[token_out] * 1e18, 0.997, 1.0)


def market(pools: Sequence[PoolText], changed: tuple[int, ...]) -> tuple[SearchGraph, Snapshot[Balances]]:
    described = tuple(
        Pool(PoolId(f"0x{at:040x}"), ZERO_ADDRESS, SIMPLE, "simple", tuple(TOKENS[t] for t in tokens))
        for at, (tokens, _) in enumerate(pools)
    )
    snapshot = Snapshot(
        header=BlockHeader(1, Hash32("0x1"), Hash32("0x0"), 0, 0, 0, 0, ZERO_ADDRESS, bytes(256)),
        announced_ns=0,
        pools=described,
        states=tuple(
            Balances(pool, dict(zip(TOKENS, units, strict=True)))
            for pool, (_, units) in zip(described, pools, strict=True)
        ),
        index_of={pool.id: at for at, pool in enumerate(described)},
        tokens={},
        changed=tuple(range(len(pools))),
    )
    graph = SearchGraph(described, {SIMPLE: SimpleDex({})})
    graph.update(snapshot)
    snapshot.changed = changed
    graph.update(snapshot)
    return graph, snapshot


def brute_force(snapshot: Snapshot[Balances], hops: int, rate_min: float) -> set[Cycle]:
    """Every simple cycle over pools by trying all of them: rates from the balances, without the kernels."""
    found = set()
    for pools in permutations(range(len(snapshot.pools)), hops):
        if not set(pools) & set(snapshot.changed):
            continue
        for way in permutations(TOKENS, hops):
            steps = list(zip(pools, way, (*way[1:], way[0]), strict=True))
            if all(a in snapshot.pools[p].tokens and b in snapshot.pools[p].tokens for p, a, b in steps):
                rates = []
                for p, a, b in steps:
                    balances = snapshot.states[p].of_tokens
                    rates.append(0.997 * balances[b] / balances[a])
                if math.prod(rates) > rate_min:
                    found.add(frozenset((snapshot.pools[p].id, a, b) for p, a, b in steps))
    return found


pool = st.tuples(
    st.lists(st.integers(0, 4), min_size=2, max_size=3, unique=True).map(tuple),
    st.lists(st.floats(900, 1100), min_size=5, max_size=5),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(pool, min_size=2, max_size=7), st.data())
def test_the_cycles_found_are_all_there_are(pools: list[PoolText], data: st.DataObject) -> None:
    """Oracle: brute force over pools."""
    changed = tuple(sorted(data.draw(st.sets(st.integers(0, len(pools) - 1)))))
    graph, snapshot = market(pools, changed)
    for hops in (2, 3):
        found = graph.cycles(hops, edge_bps_min=0, start_tokens=TOKENS)
        routes = [frozenset((h.pool, h.token_in, h.token_out) for h in f.route.hops) for f in found]
        assert len(routes) == len(set(routes)), "a cycle is reported once"
        assert set(routes) == brute_force(snapshot, hops, 1.0)


def test_a_cycle_begins_at_the_best_start_token_and_one_without_any_is_left_out() -> None:
    graph, _ = market([((0, 1), [100, 100, 1, 1, 1]), ((0, 1), [100, 120, 1, 1, 1])], (0,))
    (found,) = graph.cycles(2, edge_bps_min=0, start_tokens=[TOKENS[4], TOKENS[1]])
    assert found.route.token_in == TOKENS[1]
    assert graph.cycles(2, edge_bps_min=0, start_tokens=[TOKENS[4]]) == []
    assert graph.cycles(2, edge_bps_min=2000, start_tokens=TOKENS) == []


def test_more_cycles_than_there_is_room_for_are_all_returned() -> None:
    pools: list[PoolText] = [((0, 1), [100.0, 100.0 + at, 1, 1, 1]) for at in range(60)]
    graph, snapshot = market(pools, tuple(range(60)))
    assert len(graph.cycles(2, edge_bps_min=0, start_tokens=TOKENS)) == len(brute_force(snapshot, 2, 1.0))


def curves_of(*shapes: ConstantProduct | Weighted | TickSegments) -> tuple[Curves, IntArray]:
    curves = Curves(len(shapes))
    for edge, shape in enumerate(shapes):
        curves.put(edge, shape)
    return curves, np.arange(len(shapes))


def flat(reserve_in: float, reserve_out: float) -> TickSegments:
    """A constant-product pool written as one tick segment."""
    return TickSegments(np.array([[0.0, 0.0, reserve_in, reserve_out]]), 0.997, reserve_in * 1e6)


reserves = st.floats(1e3, 1e30)


@settings(max_examples=200, deadline=None)
@given(reserves, reserves, reserves, st.floats(1.02, 3.0))
def test_the_closed_form_and_the_bisection_agree_and_no_neighbour_earns_more(
    a: float, b: float, c: float, gain: float
) -> None:
    first, back = (a, b), (c, c * gain * a / b)
    closed, edges = curves_of(ConstantProduct(*first, 0.997), ConstantProduct(*back, 0.997))
    searched, _ = curves_of(ConstantProduct(*first, 0.997), flat(*back))
    amount, profit = best_input(closed.arrays, edges, 2.0, 0.0)
    amount_searched, profit_searched = best_input(searched.arrays, edges, 2.0, 0.0)
    if amount < 2.0:
        return  # bisection begins at one unit
    assert profit_searched == pytest.approx(profit, rel=1e-6)
    assert amount_searched == pytest.approx(amount, rel=1e-4)
    for factor in (0.99, 1.01):
        output, _ = walk(closed.arrays, edges, amount * factor)
        assert output - amount * factor <= profit * (1 + 1e-9)


@settings(max_examples=200, deadline=None)
@given(reserves, reserves, reserves, st.floats(1.001, 3.0), st.floats(1e-3, 1e3))
def test_a_floor_drops_what_gains_less_and_nothing_else(a: float, b: float, c: float, gain: float, part: float) -> None:
    """Oracle: the size without a floor."""
    back = (c, c * gain * a / b)
    shapes = ((ConstantProduct(a, b, 0.997), back_shape) for back_shape in (ConstantProduct(*back, 0.997), flat(*back)))
    for pair in shapes:
        curves, edges = curves_of(*pair)
        _, rate = walk(curves.arrays, edges, 0.0)
        amount, profit = best_input(curves.arrays, edges, rate, 0.0)
        if amount < 2.0 or abs(part - 1.0) < 1e-4:
            continue
        floored = best_input(curves.arrays, edges, rate, profit * part)
        if part > 1.0:
            assert floored == (0.0, -1.0)
        else:
            assert floored[1] == pytest.approx(profit, rel=1e-6)
            assert floored[0] == pytest.approx(amount, rel=1e-3)


@settings(max_examples=40, deadline=None)
@given(st.lists(pool, min_size=2, max_size=7), st.floats(0.0, 100.0))
def test_what_search_drops_and_what_it_returns_are_together_all_there_is(pools: list[PoolText], floor: float) -> None:
    graph, snapshot = market(pools, tuple(range(len(pools))))
    for hops in (2, 3):
        graph.update(snapshot)
        everything = graph.cycles(hops, edge_bps_min=0, start_tokens=TOKENS)
        assert graph.dropped_edges_bps == []
        graph.update(snapshot, lambda _token, _hops: int(floor))
        kept = graph.cycles(hops, edge_bps_min=0, start_tokens=TOKENS)
        sized = [one for one in everything if one.amount_in >= 1.0]
        wanted = [one.route for one in sized if one.profit >= int(floor)]
        assert [one.route for one in kept if one.amount_in >= 1.0] == wanted
        assert len(graph.dropped_edges_bps) == len(sized) - len(wanted)


def test_a_cycle_that_loses_has_no_size() -> None:
    for shape in (ConstantProduct(1e6, 1e6, 0.997), flat(1e6, 1e6)):
        curves, edges = curves_of(ConstantProduct(1e6, 1e6, 0.997), shape)
        assert best_input(curves.arrays, edges, 2.0, 0.0) == (0.0, 0.0)


def test_a_cleared_edge_and_an_empty_pool_give_nothing() -> None:
    empty = TickSegments(np.zeros((0, 4)), 0.997, 0.0)
    curves, edges = curves_of(ConstantProduct(1e6, 2e6, 0.997), ConstantProduct(1e6, 1e6, 0.997), empty)
    assert best_input(curves.arrays, edges[:2], 2.0, 0.0)[1] > 0
    assert best_input(curves.arrays, edges[[0, 2]], 2.0, 0.0) == (0.0, 0.0)
    curves.clear(1)
    assert best_input(curves.arrays, edges[:2], 2.0, 0.0) == (0.0, 0.0)


def test_a_table_that_outgrows_its_room_keeps_every_other_edge() -> None:
    curves, edges = curves_of(flat(1e6, 1e6), flat(2e6, 2e6))
    before = walk(curves.arrays, edges[1:], 1e3)
    rows = np.array([[i * 10.0, i * 9.9, 1e6 + i, 1e6 - i] for i in range(200)])
    curves.put(0, TickSegments(rows, 0.997, 2000.0))
    assert walk(curves.arrays, edges[1:], 1e3) == before
    assert curves.arrays.segment_count.tolist() == [200, 1]
