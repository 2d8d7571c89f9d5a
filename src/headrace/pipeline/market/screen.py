"""Which pools a market does not believe, beside those that its protocols refuse.

A state can be exact and still fool a search: it is older than the others, or nobody would trade at its price. Three
rules, none of which needs to know a token's worth:

age       the state is only known to hold after an earlier block than the snapshot's. Amounts of two blocks never meet
          in one opportunity, so such a pool is not traded at all.
grain     fifty units of a token move the price by more than a percent (a pair with fewer than about 10,000 units). Its
          price has hardly two digits; what it says about a token's worth is noise. 86 units against 0.0003 ether, as in
          one recorded pair, say that a unit is worth 3.5 million million wei.
company   among three or more pools of a pair, one whose price is more than twice, or less than half, the median by
          depth. A pool's weight is its depth in the token of which it has less, as a share of what is usual among
          them and 1 at most: a heap of a worthless token buys no vote, and a deep pool has one.

A pool in doubt is quarantined with the reason: search leaves it out and no profit is converted by it. What these rules
cannot see, a token that lies or one pool alone with a wrong price, is seen by the configured list of tokens in which
profit is taken, and by the rehearsal.
"""

import math
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing
from statistics import median_low
from types import MappingProxyType
from typing import NamedTuple, Protocol

from headrace.kernels.backing import Backing, backing
from headrace.kernels.curve import Curves
from headrace.model.address import Address
from headrace.model.event import Stale
from headrace.model.pool import Pool, ProtocolId
from headrace.model.quarantine import Quarantined
from headrace.model.snapshot import Snapshot
from headrace.ports.pool import DEX, PoolState

GRAIN_UNITS = 50.0
SHARE = 0.99  # of the marginal price: the one percent of grain and depth
COMPANY_POOLS_MIN = 3
COMPANY_FACTOR = 2.0
Pair = tuple[Address, Address]


class Weighed(NamedTuple):
    """A pool in one pair: units of the second token for one of the first, and depth in units of each."""

    price: float
    depths: tuple[float, float]


class Screen:
    """Doubts about a fixed set of pools, kept up to date snapshot by snapshot; one owner."""

    def __init__(self, pools: Sequence[Pool], dexes: Mapping[ProtocolId, DEX]) -> None:
        """Doubt nothing yet."""
        self._pools = tuple(pools)
        self._dexes = dexes
        self._company = Counter(pair for pool in self._pools for pair in _pairs(pool))
        self._curves = Curves(1)
        self._weighed: dict[Pair, dict[int, Weighed]] = defaultdict(dict)
        self._coarse: dict[int, str] = {}
        self._lonely: dict[Pair, dict[int, str]] = {}
        self._measured: dict[int, str] = {}  # the coarse and the lonely ones together
        self._moved: set[int] = set()  # of which something else was handed out last
        self._unmeasured: set[int] = set()
        self._aged: Mapping[int, str] = {}
        self._doubted: Mapping[int, str] = MappingProxyType({})
        self._merged: tuple[Mapping[int, str], ...] = (self._doubted,) * 3  # and what the protocols quarantine: both

    def screened(self, snapshot: Snapshot[PoolState]) -> Snapshot[PoolState]:
        """The snapshot with pools in doubt quarantined; those that came into doubt or out of it count as changed."""
        self._unmeasured.update(snapshot.changed)
        self.renew(snapshot)
        return self._handed_out(snapshot)

    def believed(self, snapshot: Snapshot[PoolState]) -> Snapshot[PoolState]:
        """The same at once, by what is known of earlier snapshots; `renew` then says what this one adds."""
        self._unmeasured.update(snapshot.changed)
        return self._handed_out(snapshot)

    def renew(self, snapshot: Snapshot[PoolState]) -> Mapping[int, str]:
        """Measure what has changed since the last time; answers all pools in doubt, by index, with the reasons.

        Costs as much as what changed and its company, however many pools there are. The answer is the screen's own: it
        moves with the next renewal.
        """
        judged = set(self._unmeasured)
        for pair in self._measure(snapshot):
            judged.update(self._compared(pair))
        self._unmeasured.clear()
        for index in judged:
            self._judge(index)
        return MappingProxyType(self._measured)

    def _compared(self, pair: Pair) -> set[int]:
        """Compare the pools of a pair anew; those that were lonely or are."""
        before, after = self._lonely.pop(pair, {}), _lonely(self._weighed[pair])
        if after:
            self._lonely[pair] = after
        return {*before, *after}

    def _judge(self, index: int) -> None:
        """Write what grain and company say of one pool; grain comes first, and of several pairs the last."""
        why = self._coarse.get(index, "")
        for pair in () if why else _pairs(self._pools[index]):
            why = self._lonely.get(pair, {}).get(index, why)
        if why == self._measured.get(index, ""):
            return
        self._moved.add(index)
        if why:
            self._measured[index] = why
        else:
            del self._measured[index]

    def _handed_out(self, snapshot: Snapshot[PoolState]) -> Snapshot[PoolState]:
        aged = _aged(snapshot)
        candidates = self._moved.union(aged, self._aged)
        if candidates:
            before, self._doubted = self._doubted, MappingProxyType(self._measured | aged)
            flipped = {index for index in candidates if (index in before) != (index in self._doubted)}
            self._moved, self._aged = set(), aged
        else:
            flipped = set()
        if not self._doubted and not flipped:
            return snapshot
        changed = tuple(sorted(flipped.union(snapshot.changed)))
        return snapshot.doubted(changed, self._with_quarantined(snapshot.quarantined))

    def _with_quarantined(self, quarantined: Mapping[int, str]) -> Mapping[int, str]:
        """All that is left out; where neither part has moved, the mapping that was handed out before."""
        doubted, known, merged = self._merged
        if doubted is not self._doubted or known is not quarantined:
            merged = MappingProxyType({**self._doubted, **quarantined}) if quarantined else self._doubted
            self._merged = self._doubted, quarantined, merged
        return merged

    def _measure(self, snapshot: Snapshot[PoolState]) -> set[Pair]:
        """Measure what changed; the pairs with company that it changed."""
        touched: set[Pair] = set()
        for index in sorted(self._unmeasured):
            state = snapshot.states[index]
            self._coarse.pop(index, None)
            for pair in _pairs(self._pools[index]):
                if self._company[pair] >= COMPANY_POOLS_MIN:
                    self._weighed[pair].pop(index, None)
                    touched.add(pair)
                is_doubted_alone = index not in snapshot.quarantined or index in self._doubted
                if not isinstance(state, Quarantined) and is_doubted_alone:
                    self._measure_pair(index, state, pair)
        return touched

    def _measure_pair(self, index: int, state: PoolState, pair: Pair) -> None:
        there, back = self._depth(index, state, pair), self._depth(index, state, pair[::-1])
        if not (there.rate and back.rate):
            return  # it gives nothing
        if there.is_coarse or back.is_coarse:
            token = pair[1] if there.is_coarse else pair[0]
            self._coarse[index] = f"fewer than {GRAIN_UNITS:.0f} units of {token} move its price by a percent"
        elif self._company[pair] >= COMPANY_POOLS_MIN:
            price = math.sqrt(there.rate / back.rate)  # the fee falls out
            self._weighed[pair][index] = Weighed(price, (back.output, there.output))

    def _depth(self, index: int, state: PoolState, pair: Pair) -> Backing:
        self._curves.put(0, self._dexes[self._pools[index].protocol].shape(state, *pair))
        return Backing(*backing(self._curves.arrays, 0, GRAIN_UNITS, SHARE))


def _lonely(members: Mapping[int, Weighed]) -> dict[int, str]:
    if len(members) < COMPANY_POOLS_MIN:
        return {}
    median = _median(members.values())
    return {
        index: f"its price is {one.price / median:.3g} times the median of {len(members)} pools"
        for index, one in members.items()
        if not 1 / COMPANY_FACTOR <= one.price / median <= COMPANY_FACTOR
    }


def _aged(snapshot: Snapshot[PoolState]) -> dict[int, str]:
    number = snapshot.header.number
    return {
        index: f"its state is as of block {block}, {number - block} before this one"
        for index, block in snapshot.as_of.items()
        if block < number
    }


def _median(members: Iterable[Weighed]) -> float:
    """The price below which half of the weight lies."""
    ordered = sorted(members)
    usual = [median_low(one.depths[side] for one in ordered) or 1.0 for side in (0, 1)]
    weights = [min(1.0, one.depths[0] / usual[0], one.depths[1] / usual[1]) for one in ordered]
    reached, half = 0.0, sum(weights) / 2
    for one, weight in zip(ordered, weights, strict=True):
        reached += weight
        if reached >= half:
            return one.price
    return ordered[-1].price


def _pairs(pool: Pool) -> list[Pair]:
    tokens = sorted(set(pool.tokens))
    return [(a, b) for at, a in enumerate(tokens) for b in tokens[at + 1 :]]


class Source(Protocol):
    """Where snapshots come from: see `headrace.pipeline.market.market_feed.MarketFeed`."""

    def snapshots(self) -> AsyncGenerator[Snapshot[PoolState] | Stale, None]:
        """The market as it moves."""
        ...


class ScreenedFeed:
    """A market's snapshots as the line gets them: with what is not believed quarantined.

    A market that was read whole is measured whole before it is handed on. What a block changes is measured by whoever
    trades on it, while the node is at work: until then a pool counts as it did before.
    """

    def __init__(self, source: Source, screen: Screen) -> None:
        self._source = source
        self._screen = screen

    async def snapshots(self) -> AsyncGenerator[Snapshot[PoolState] | Stale, None]:
        """Each snapshot as far as it is believed; `Stale` as it is."""
        is_whole = True
        async with aclosing(self._source.snapshots()) as outputs:
            async for output in outputs:
                if isinstance(output, Stale):
                    is_whole = is_whole or output.is_lost
                    yield output
                    continue
                yield self._screen.screened(output) if is_whole else self._screen.believed(output)
                is_whole = False
