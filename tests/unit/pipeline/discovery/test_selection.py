"""Which pools are followed; the oracle of each case is written beside it, that of cycles is in test_on_cycle."""

import random

import pytest

from headrace.model.address import Address, PoolId
from headrace.pipeline.discovery.on_cycle import on_cycles
from headrace.pipeline.discovery.selection import Candidate, Cause, Rules, select

A, B, C, D = (Address(f"0x{n:040x}") for n in (1, 2, 3, 4))
ANY = Rules(start_tokens=frozenset({A}))


def pool(
    number: int, *tokens: Address, depth: float | None = None, is_listed: bool = False, is_active: bool = True
) -> Candidate:
    return Candidate(PoolId(f"0x{number:040x}"), tokens, is_listed, depth, is_active)


def numbers(candidates: tuple[Candidate, ...]) -> list[int]:
    return [int(one.id, 16) for one in candidates]


RING = (pool(1, A, B, depth=50.0), pool(2, B, C, depth=40.0), pool(3, C, A, depth=30.0))


def test_a_pool_that_leads_nowhere_is_left_out_and_counted() -> None:
    chosen = select((*RING, pool(4, C, D)), ANY)
    assert numbers(chosen.kept) == [1, 2, 3]
    assert chosen.left_out == {Cause.CYCLE: 1}


def test_each_pool_counts_for_the_first_cause_and_its_partners_fall_with_it() -> None:
    rules = Rules(start_tokens=frozenset({A}), tokens=frozenset({A, B, C}), depth_usd_min=35.0)
    twin = pool(5, A, B, depth=1000.0)
    others = (pool(4, C, D, depth=1.0), pool(6, A, C, depth=99.0, is_active=False))
    chosen = select((*RING, twin, *others), rules)
    assert numbers(chosen.kept) == [1, 5]
    assert chosen.left_out == {Cause.TOKENS: 1, Cause.INACTIVE: 1, Cause.DEPTH: 1, Cause.CYCLE: 1}
    assert list(chosen.left_out) == [Cause.TOKENS, Cause.INACTIVE, Cause.DEPTH, Cause.CYCLE]


def test_a_listed_pool_is_followed_whatever_it_is_and_helps_others_onto_a_cycle() -> None:
    rules = Rules(start_tokens=frozenset({A}), tokens=frozenset({A, B}), depth_usd_min=45.0, pools_max=2)
    bad = pool(7, A, D, depth=0.0, is_listed=True, is_active=False)
    shallow = pool(8, A, B, depth=0.0, is_listed=True)
    chosen = select((RING[0], bad, shallow), rules)
    assert numbers(chosen.kept) == [7, 8]
    assert chosen.left_out == {Cause.NUMBER: 1}
    assert numbers(select((RING[0], shallow), rules).kept) == [1, 8]


def test_the_bound_on_the_number_takes_the_deepest_and_what_stands_alone_then_goes_too() -> None:
    twin = pool(5, A, B, depth=45.0)
    chosen = select((*RING, twin), Rules(start_tokens=frozenset({A}), pools_max=3))
    assert numbers(chosen.kept) == [1, 5]  # 50 and 45; the one of 40 has lost the way back
    assert chosen.left_out == {Cause.NUMBER: 1, Cause.CYCLE: 1}
    assert select((*RING, twin), Rules(start_tokens=frozenset({A}), pools_max=4)).left_out == {}


def test_what_was_not_measured_is_neither_shallow_nor_counted() -> None:
    unmeasured = (pool(1, A, B), pool(2, A, B))
    rules = Rules(start_tokens=frozenset({A}), depth_usd_min=1e9, pools_max=1)
    assert numbers(select(unmeasured, rules).kept) == [1, 2]
    assert select((), rules).left_out == {}


@pytest.mark.parametrize("seed", range(20))
def test_every_pool_is_kept_or_counted_and_what_is_kept_stands_by_itself(seed: int) -> None:
    draw = random.Random(seed)
    tokens = [Address(f"0x{n:040x}") for n in range(1, 13)]
    pools = [
        pool(
            n,
            *draw.sample(tokens, draw.choice((2, 2, 2, 3))),
            depth=draw.uniform(0, 100),
            is_listed=draw.random() < 0.05,
            is_active=draw.random() < 0.9,
        )
        for n in range(1, 61)
    ]
    rules = Rules(
        start_tokens=frozenset(tokens[:2]), tokens=frozenset(tokens[:10]), depth_usd_min=20.0, pools_max=seed + 5
    )
    chosen = select(pools, rules)
    assert len(chosen.kept) + sum(chosen.left_out.values()) == len(pools)
    assert len(chosen.kept) <= max(seed + 5, sum(one.is_listed for one in pools))
    alone = on_cycles([one.tokens for one in chosen.kept], rules.start_tokens)
    for index, one in enumerate(chosen.kept):
        asked = one.is_active and (one.depth_usd or 0) >= 20.0 and set(one.tokens) <= set(tokens[:10])
        assert one.is_listed or (asked and index in alone)
    assert select(chosen.kept, rules).kept == chosen.kept
