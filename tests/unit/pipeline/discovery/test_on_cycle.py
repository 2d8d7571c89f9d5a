"""Pools on a cycle with a start token; the oracle is brute force: every simple cycle, walked hop by hop."""

import random
import time
from collections.abc import Callable, Collection, Sequence

import pytest

from headrace.model.address import Address
from headrace.pipeline.discovery import on_cycle
from headrace.pipeline.discovery.on_cycle import on_cycles

GRAPHS = 3000
Pools = Sequence[Collection[Address]]


def token(number: int) -> Address:
    return Address(f"0x{number:040x}")


def walked(pools: Pools, start_tokens: Collection[Address]) -> set[int]:
    """Every pool of every walk from a start token back to it that uses no token and no pool twice."""
    found: set[int] = set()

    def extend(start: Address, at: Address, used: list[int], seen: set[Address]) -> None:
        for index, tokens in enumerate(pools):
            if at not in tokens or index in used:
                continue
            for onward in set(tokens) - {at}:
                if onward == start and used:
                    found.update([*used, index])
                elif onward not in seen:
                    extend(start, onward, [*used, index], {*seen, onward})

    for start in start_tokens:
        extend(start, start, [], {start})
    return found


def drawn(seed: int) -> tuple[Pools, set[Address]]:
    draw = random.Random(seed)
    count = draw.randint(2, 8)
    sizes = draw.choices((1, 2, 3, 4), (1, 20, 3, 1), k=draw.randint(1, 9))
    pools = [tuple(token(draw.randrange(count)) for _ in range(size)) for size in sizes]  # some name a token twice
    return pools, {token(draw.randrange(count + 1)) for _ in range(draw.randint(0, 2))}


def test_exactly_the_pools_that_some_walk_uses_are_kept() -> None:
    counts = {"kept": 0, "left out": 0, "in the 2-core and on no such cycle": 0}
    for seed in range(GRAPHS):
        pools, starts = drawn(seed)
        kept = on_cycles(pools, starts)
        assert kept == walked(pools, starts), seed
        counts["kept"] += len(kept)
        counts["left out"] += len(pools) - len(kept)
        counts["in the 2-core and on no such cycle"] += len(on_cycle._core(pools).keys() - kept)
    print(counts)  # noqa: T201 - what was reached
    assert min(counts.values()) >= 500


def the_core_is_enough(pools: Pools, start_tokens: Collection[Address]) -> frozenset[int]:
    del start_tokens
    return frozenset(on_cycle._core(pools))


def any_block(pools: Pools, start_tokens: Collection[Address]) -> frozenset[int]:
    return on_cycles(pools, {*start_tokens, *(one for tokens in pools for one in tokens)})


@pytest.mark.parametrize("mutant", [the_core_is_enough, any_block])
def test_a_weaker_rule_is_caught(mutant: Callable[[Pools, Collection[Address]], frozenset[int]]) -> None:
    differing = sum(mutant(*drawn(seed)) != walked(*drawn(seed)) for seed in range(300))
    assert differing >= 20


def test_one_pool_is_no_cycle_however_many_tokens_it_has_and_two_of_a_pair_are_one() -> None:
    a, b, c = map(token, (1, 2, 3))
    assert on_cycles([(a, b, c)], {a}) == set()
    assert on_cycles([(a, b), (b, a)], {a}) == {0, 1}
    assert on_cycles([(a, b), (b, a)], {c}) == set()
    assert on_cycles([], {a}) == set()
    assert on_cycles([(a, b), (b, c), (c, b)], {a}) == set()  # b and c by themselves, a at the end of a bridge


def test_a_long_chain_of_pools_needs_no_recursion_and_a_market_takes_seconds_at_most() -> None:
    ring = [(token(n), token((n + 1) % 50_000)) for n in range(50_000)]
    assert len(on_cycles(ring, {token(7)})) == 50_000
    draw = random.Random(1)
    hubs = [(token(draw.randrange(4)), token(draw.randrange(4, 60_000))) for _ in range(100_000)]
    started = time.perf_counter()
    kept = on_cycles(hubs, {token(0)})
    print(f"{len(kept)} of {len(hubs)} in {time.perf_counter() - started:.2f} s")  # noqa: T201 - what it took
    assert 0 < len(kept) < len(hubs)
