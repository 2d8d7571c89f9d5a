"""Which pools lie on a cycle with a token that cycles may begin at; no other pool can ever be part of a trade.

Idea. Tokens and pools are the two sides of a graph, a pool joined to each of its tokens. A trade that ends in the token
it began with is a simple cycle of that graph: no token and no pool twice. A token and a pool lie on a common simple
cycle exactly when they lie in one block of more than two vertices, a part that falls into pieces by the loss of no
single vertex (Menger). So blocks are found, and those kept that hold a start token.

Cost. Tokens of a single pool, most of all there are, fall off first, again and again (what is left is the 2-core);
blocks are then found by depth-first search in one pass over what is left. Both are linear.

Source: J. Hopcroft, R. Tarjan, Algorithm 447: efficient algorithms for graph manipulation, CACM 16 (1973).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from headrace.model.address import Address

_Graph = Sequence[Sequence[int]]
_SIDES = 2  # a pool has two tokens to be swapped on, a token two pools to be passed through


def on_cycles(pools: Sequence[Collection[Address]], start_tokens: Iterable[Address]) -> frozenset[int]:
    """Indices of the pools, each given by its tokens, that lie on a cycle with a start token, of whatever length."""
    core = _core(pools)
    number: dict[Address, int] = {}
    neighbours: list[list[int]] = [[] for _ in core]
    for vertex, tokens in enumerate(core.values()):
        for token in tokens:
            at = number.setdefault(token, len(core) + len(number))
            if at == len(neighbours):
                neighbours.append([])
            neighbours[vertex].append(at)
            neighbours[at].append(vertex)
    starts = frozenset(number[token] for token in start_tokens if token in number)
    indices = list(core)
    return frozenset(
        indices[vertex] for block in _blocks(neighbours, starts) for vertex in block if vertex < len(indices)
    )


def _core(pools: Sequence[Collection[Address]]) -> Mapping[int, set[Address]]:
    """By index, the tokens of each pool that another pool has too; pools with fewer than two fall away."""
    left = {index: set(tokens) for index, tokens in enumerate(pools)}
    holders: dict[Address, set[int]] = defaultdict(set)
    for index, tokens in left.items():
        for token in tokens:
            holders[token].add(index)
    falling = [index for index, tokens in left.items() if len(tokens) < _SIDES]
    lonely = [token for token, held_by in holders.items() if len(held_by) < _SIDES]
    while falling or lonely:
        if lonely:
            token = lonely.pop()
            for index in holders.pop(token):
                left[index].discard(token)
                if len(left[index]) < _SIDES:
                    falling.append(index)
        else:
            index = falling.pop()
            for token in left.pop(index, ()):
                holders[token].discard(index)
                if len(holders[token]) == 1:
                    lonely.append(token)
    return left


def _blocks(graph: _Graph, starts: frozenset[int]) -> Iterator[Sequence[int]]:
    """Blocks of more than two vertices that hold one of `starts`; `reach` is Tarjan's lowpoint."""
    found, reach, stack = [0] * len(graph), [0] * len(graph), list[int]()
    count = 0
    for start in starts:
        path = [] if found[start] else [(start, iter(graph[start]))]
        while path:
            vertex, rest = path[-1]
            if not found[vertex]:
                count += 1
                found[vertex] = reach[vertex] = count
                stack.append(vertex)
            other = next(rest, None)
            if other is None:
                path.pop()
                if path:
                    yield from _closed(path[-1][0], vertex, (found, reach, stack), starts)
            elif found[other]:
                reach[vertex] = min(reach[vertex], found[other])
            else:
                path.append((other, iter(graph[other])))


def _closed(
    parent: int, child: int, search: tuple[list[int], list[int], list[int]], starts: frozenset[int]
) -> Iterator[Sequence[int]]:
    """The block that ends at the edge from parent to child, if one does and it is wanted."""
    found, reach, stack = search
    reach[parent] = min(reach[parent], reach[child])
    if reach[child] < found[parent]:
        return
    at = len(stack) - 1
    while stack[at] != child:
        at -= 1
    block = [parent, *stack[at:]]
    del stack[at:]
    if len(block) > _SIDES and not starts.isdisjoint(block):
        yield block
