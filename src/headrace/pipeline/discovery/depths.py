"""How deep pools are, in dollars: what a pool pays out until its price has moved by one percent.

A pool says how many units it pays, not what they are worth. A few tokens have a dollar price from elsewhere. From those
on, always over the deepest pool there is, a token is worth what that pool gives for it (the widest path, as in Prim's
algorithm); so the price of a token is as hard to bend as the deepest way to it. Of a pair the lesser of both sides
counts, of a pool its deepest pair. A pool without any way to a priced token has depth 0, as has one that gives nothing.

Floats only: depth ranks pools and decides no amount.
"""

import heapq
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from headrace.kernels.backing import backing
from headrace.kernels.curve import Curves
from headrace.model.address import Address
from headrace.model.pool import ProtocolId
from headrace.model.quarantine import Quarantined
from headrace.ports.pool import DEX, PoolState

SHARE = 0.99  # of the marginal price that is left at the end of a pool's depth
_UNITS = 1.0  # asked for by `backing`'s test of grain, which is not used here


class _Side(NamedTuple):
    """A pair of a pool: units that it pays of either token, and its price in units of `other` for one of `token`."""

    pool: int
    token: Address
    units: float
    other: Address
    other_units: float
    price: float


def depths_usd(
    states: Sequence[PoolState], dexes: Mapping[ProtocolId, DEX], usd_per_unit: Mapping[Address, float]
) -> list[float]:
    """Depth of each pool; `usd_per_unit` are the tokens that have a price, in dollars for one raw unit."""
    by_token: dict[Address, list[_Side]] = defaultdict(list)
    curves = Curves(1)
    for index, state in enumerate(states):
        for side in () if isinstance(state, Quarantined) else _sides(index, state, dexes, curves):
            by_token[side.token].append(side)
    usd = _worth(by_token, usd_per_unit)
    depths = [0.0] * len(states)
    for side in (one for sides in by_token.values() for one in sides):
        worth = min(side.units * usd.get(side.token, 0.0), side.other_units * usd.get(side.other, 0.0))
        depths[side.pool] = max(depths[side.pool], worth)
    return depths


def _sides(index: int, state: PoolState, dexes: Mapping[ProtocolId, DEX], curves: Curves) -> Iterator[_Side]:
    """Each pair from both of its tokens; none of a pair that gives nothing."""
    tokens, shape = sorted(set(state.pool.tokens)), dexes[state.pool.protocol].shape
    for at, token in enumerate(tokens):
        for other in tokens[at + 1 :]:
            curves.put(0, shape(state, token, other))
            rate, _, other_units = backing(curves.arrays, 0, _UNITS, SHARE)
            curves.put(0, shape(state, other, token))
            rate_back, _, units = backing(curves.arrays, 0, _UNITS, SHARE)
            if rate and rate_back:
                price = math.sqrt(rate / rate_back)  # the fee falls out
                yield _Side(index, token, units, other, other_units, price)
                yield _Side(index, other, other_units, token, units, 1.0 / price)


def _worth(by_token: Mapping[Address, Sequence[_Side]], usd_per_unit: Mapping[Address, float]) -> dict[Address, float]:
    """Dollars for a unit of every token that a priced one can be reached from."""
    usd = dict(usd_per_unit)
    queue = [(-side.units * usd[token], side) for token in usd for side in by_token.get(token, ())]
    heapq.heapify(queue)
    while queue:
        _, side = heapq.heappop(queue)
        if side.other in usd:
            continue
        usd[side.other] = usd[side.token] / side.price
        for onward in by_token[side.other]:
            heapq.heappush(queue, (-onward.units * usd[side.other], onward))
    return usd
