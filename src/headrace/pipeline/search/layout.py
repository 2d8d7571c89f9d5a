"""Pools as numbered edges, and the index of them by which the kernels walk."""

from collections.abc import Sequence

import msgspec
import numpy as np

from headrace.kernels.cycles import CycleIndex
from headrace.model.address import ZERO_ADDRESS
from headrace.model.pool import Pool
from headrace.model.route import Hop


class Layout(msgspec.Struct, frozen=True):
    """Edge number e is `hops[e]`; `edges_of[p]` are those of pool p, one for each ordered pair of its tokens.

    A pool of the native currency has none: the Executor neither holds nor pays it, so that each route through it would
    be refused before it is quoted. `unexecutable` counts these pools.
    """

    hops: tuple[Hop, ...]
    edges_of: tuple[range, ...]
    index: CycleIndex
    unexecutable: int


def lay_out(pools: Sequence[Pool]) -> Layout:
    """Number the edges of a fixed set of pools."""
    hops: list[Hop] = []
    edges_of: list[range] = []
    for pool in pools:
        first = len(hops)
        if ZERO_ADDRESS not in pool.tokens:
            hops.extend(Hop(pool.id, a, b) for a in pool.tokens for b in pool.tokens if a != b)
        edges_of.append(range(first, len(hops)))
    unexecutable = sum(ZERO_ADDRESS in pool.tokens for pool in pools)
    return Layout(tuple(hops), tuple(edges_of), _index(hops, edges_of), unexecutable)


def _index(hops: Sequence[Hop], edges_of: Sequence[range]) -> CycleIndex:
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
