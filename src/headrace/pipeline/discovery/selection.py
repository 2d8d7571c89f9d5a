"""Which of all known pools are followed: a pure function of what is known of them.

Factories have made hundreds of thousands of pools, and most of them can never be traded: a token of one pool leads
nowhere, a pool of a few dollars pays no gas. What is asked of a pool is asked in the order of the causes below, so that
each pool that is left out counts for the first that applies. A pool that the configuration lists by hand is followed
whatever it is.

The cycle comes last among the rules, and again after the bound on the number: a pool whose partners have fallen is left
out too.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum

import msgspec

from headrace.model.address import Address, PoolId
from headrace.pipeline.discovery.on_cycle import on_cycles


class Cause(StrEnum):
    """Why a pool is not followed."""

    TOKENS = "a token that is not among those to be followed"
    INACTIVE = "nothing happened in it of late"
    DEPTH = "too little depth"
    NUMBER = "deeper pools fill the number allowed"
    CYCLE = "on no cycle with a start token"


class Candidate(msgspec.Struct, frozen=True):
    """What is known of one pool.

    Attributes:
        id: which one.
        tokens: all of them.
        is_listed: whether the configuration names it.
        depth_usd: see `headrace.pipeline.discovery.depths`; None before it is measured.
        is_active: whether something happened in it of late, or nobody asked.
    """

    id: PoolId
    tokens: tuple[Address, ...]
    is_listed: bool = False
    depth_usd: float | None = None
    is_active: bool = True


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a pool.

    Attributes:
        start_tokens: where cycles begin and profit is taken.
        tokens: all that a pool may hold; None for any.
        depth_usd_min: least depth; 0 asks for none.
        pools_max: so many of the deepest, listed ones first; None for all.
    """

    start_tokens: frozenset[Address]
    tokens: frozenset[Address] | None = None
    depth_usd_min: float = 0.0
    pools_max: int | None = None


class Selection(msgspec.Struct, frozen=True):
    """The pools that are followed, in the order given, and how many are not, by cause."""

    kept: tuple[Candidate, ...]
    left_out: Mapping[Cause, int]


def select(candidates: Iterable[Candidate], rules: Rules) -> Selection:
    """Apply the rules. Depth and number ask only where depth was measured, so the same rules serve before and after."""
    counts: Counter[Cause] = Counter()
    left = list(candidates)
    allowed = rules.tokens
    if allowed is not None:
        left = _kept(left, Cause.TOKENS, counts, lambda one: allowed.issuperset(one.tokens))
    left = _kept(left, Cause.INACTIVE, counts, lambda one: one.is_active)
    left = _kept(left, Cause.DEPTH, counts, lambda one: one.depth_usd is None or one.depth_usd >= rules.depth_usd_min)
    left = _on_cycle(left, rules, counts)
    deepest = _deepest(left, rules.pools_max)
    if len(deepest) < len(left):
        left = _kept(left, Cause.NUMBER, counts, lambda one: one.id in deepest)
        left = _on_cycle(left, rules, counts)
    return Selection(tuple(left), {cause: counts[cause] for cause in Cause if counts[cause]})


def _kept(
    candidates: Sequence[Candidate], cause: Cause, counts: Counter[Cause], is_fit: Callable[[Candidate], bool]
) -> list[Candidate]:
    left = [one for one in candidates if one.is_listed or is_fit(one)]
    counts[cause] += len(candidates) - len(left)
    return left


def _on_cycle(candidates: Sequence[Candidate], rules: Rules, counts: Counter[Cause]) -> list[Candidate]:
    found = on_cycles([one.tokens for one in candidates], rules.start_tokens)
    fit = {candidates[index].id for index in found}
    return _kept(candidates, Cause.CYCLE, counts, lambda one: one.id in fit)


def _deepest(candidates: Sequence[Candidate], pools_max: int | None) -> frozenset[PoolId]:
    """The ids that the bound lets through; all of them where it does not bind or depth was not measured."""
    if pools_max is None or any(one.depth_usd is None for one in candidates):
        return frozenset(one.id for one in candidates)
    ranked = sorted(candidates, key=lambda one: (not one.is_listed, -(one.depth_usd or 0.0), one.id))
    return frozenset(one.id for one in ranked[:pools_max])
