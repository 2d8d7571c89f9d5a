"""Which pools a market does not believe, beside those that its protocols refuse.

A state can be exact and still fool a search: it is older than the others, or nobody would trade at its price. Three
rules, none of which needs to know a token's worth:

age       the state is only known to hold after an earlier block than the snapshot's. Amounts of two blocks never meet
          in one opportunity, so such a pool is not traded at all.
grain     fifty units of a token move the price by more than a percent (a pair with fewer than about 10,000 units). Its
          price has hardly two digits; what it says about a token's worth is noise. 86 units against 0.0003 ether, as in
          one recorded pair, say that a unit is worth 3.5 million million wei.
company   among three or more pools of a pair, one whose price is more than twice, or less than half, the median by
          depth. A pool's weight is its share of the depth in the token of which it holds less, so a heap of a
          worthless token buys no weight.

A pool in doubt is quarantined with the reason: search leaves it out and no profit is converted by it. What these rules
cannot see, a token that lies or one pool alone with a wrong price, is seen by the configured list of tokens in which
profit is taken, and by the rehearsal.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from headrace.kernels.curve import Curves, hop
from headrace.kernels.shape import Shape
from headrace.model.address import Address
from headrace.model.pool import Pool, ProtocolId
from headrace.model.quarantine import Quarantined
from headrace.model.snapshot import Snapshot
from headrace.ports.pool import DEX, PoolState

GRAIN_UNITS = 50.0
MOVE = 0.99  # of the marginal price: the one percent of grain and depth
COMPANY_POOLS_MIN = 3
COMPANY_FACTOR = 2.0
_DEPTH_STEPS = 40
_INPUT_MAX = 1e40
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
        self._pools_of: dict[Pair, list[int]] = defaultdict(list)
        for index, pool in enumerate(self._pools):
            for pair in _pairs(pool):
                self._pools_of[pair].append(index)
        self._weighed: dict[Pair, dict[int, Weighed]] = defaultdict(dict)
        self._coarse: dict[int, str] = {}
        self._doubted: Mapping[int, str] = MappingProxyType({})

    def screened(self, snapshot: Snapshot[PoolState]) -> Snapshot[PoolState]:
        """The snapshot with pools in doubt quarantined; those that came into doubt or out of it count as changed."""
        self._measure(snapshot)
        doubted = self._lonely() | self._coarse | _aged(snapshot)
        flipped = doubted.keys() ^ self._doubted.keys()
        self._doubted = MappingProxyType(doubted)
        if not doubted and not flipped:
            return snapshot
        return Snapshot(
            header=snapshot.header,
            announced_ns=snapshot.announced_ns,
            pools=snapshot.pools,
            states=snapshot.states,
            index_of=snapshot.index_of,
            tokens=snapshot.tokens,
            changed=tuple(sorted(flipped.union(snapshot.changed))),
            quarantined=MappingProxyType(doubted | dict(snapshot.quarantined)),
            as_of=snapshot.as_of,
        )

    def _measure(self, snapshot: Snapshot[PoolState]) -> None:
        for index in snapshot.changed:
            state = snapshot.states[index]
            self._coarse.pop(index, None)
            for pair in _pairs(self._pools[index]):
                self._weighed[pair].pop(index, None)
                if not isinstance(state, Quarantined) and index not in snapshot.quarantined:
                    self._measure_pair(index, state, pair)

    def _measure_pair(self, index: int, state: PoolState, pair: Pair) -> None:
        shape = self._dexes[self._pools[index].protocol].shape
        ways = [_Way(shape(state, *pair)), _Way(shape(state, *pair[::-1]))]
        if not all(way.rate > 0.0 and math.isfinite(way.rate) for way in ways):
            return
        if any(way.is_coarse for way in ways):
            token = pair[1] if ways[0].is_coarse else pair[0]
            self._coarse[index] = f"fewer than {GRAIN_UNITS:.0f} units of {token} move its price by a percent"
        elif len(self._pools_of[pair]) >= COMPANY_POOLS_MIN:
            price = math.sqrt(ways[0].rate / ways[1].rate)  # the fee falls out
            self._weighed[pair][index] = Weighed(price, (ways[1].depth(), ways[0].depth()))

    def _lonely(self) -> dict[int, str]:
        doubts: dict[int, str] = {}
        for members in self._weighed.values():
            if len(members) >= COMPANY_POOLS_MIN:
                median = _median(members.values())
                for index, one in members.items():
                    factor = one.price / median
                    if not 1 / COMPANY_FACTOR <= factor <= COMPANY_FACTOR:
                        doubts[index] = f"its price is {factor:.3g} times the median of {len(members)} pools"
        return doubts


class _Way:
    """One direction of a pool, measured in floats."""

    def __init__(self, shape: Shape) -> None:
        curves = Curves(1)
        curves.put(0, shape)
        self._arrays = curves.arrays
        self.rate = hop(self._arrays, 0, 0.0)[1]

    @property
    def is_coarse(self) -> bool:
        return not hop(self._arrays, 0, GRAIN_UNITS / self.rate)[1] > MOVE * self.rate

    def depth(self) -> float:
        """Output at which the marginal price has fallen by a percent."""
        low, high = 0.0, GRAIN_UNITS / self.rate
        while high < _INPUT_MAX and hop(self._arrays, 0, high)[1] > MOVE * self.rate:
            low, high = high, high * 16.0
        for _ in range(_DEPTH_STEPS):
            middle = (low + high) / 2
            low, high = (middle, high) if hop(self._arrays, 0, middle)[1] > MOVE * self.rate else (low, middle)
        return hop(self._arrays, 0, low)[0]


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
    totals = [sum(one.depths[side] for one in ordered) or 1.0 for side in (0, 1)]
    weights = [min(one.depths[0] / totals[0], one.depths[1] / totals[1]) for one in ordered]
    reached, half = 0.0, sum(weights) / 2
    for one, weight in zip(ordered, weights, strict=True):
        reached += weight
        if reached >= half:
            return one.price
    return ordered[-1].price


def _pairs(pool: Pool) -> list[Pair]:
    tokens = sorted(set(pool.tokens))
    return [(a, b) for at, a in enumerate(tokens) for b in tokens[at + 1 :]]
