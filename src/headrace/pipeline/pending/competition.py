"""Who else is about to trade in the pools of a route.

A pending swap names its pool, or a router and tokens. Where it names the pool, or a router that belongs to a configured
venue, the pool is certain: the one of that venue with these tokens (and this fee). A router that is not configured
(aggregators, Uniswap's newer routers, forks) may use any venue of its protocol's family, so every pool of that family
with these tokens (and this fee) is possibly touched, and that is counted apart.

What is approximated: a swap counts wherever it touches, whatever its size, its limit or its deadline, and whether or
not it will revert; what was not decoded does not count at all; and what a chain hides cannot. The counts are therefore
neither a lower nor an upper bound of the competition.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from headrace.model.address import ZERO_ADDRESS, Address, PoolId
from headrace.model.pool import Pool, ProtocolId
from headrace.model.route import Hop, Route
from headrace.model.swap_call import CalledHop, DecodedCall, SwapCall
from headrace.pipeline.pending.pending_set import PendingEntry


class Touch(msgspec.Struct, frozen=True):
    """A pool that a pending swap goes through; tokens are None where its direction is not known."""

    pool: PoolId
    token_in: Address | None
    token_out: Address | None
    is_certain: bool


class Competition(msgspec.Struct, frozen=True):
    """Pending transactions that touch a pool of a route; one that does both counts in both.

    Attributes:
        transactions: how many there are in all.
        same_direction: sell what a hop of the route sells, for what it buys: they take the price away.
        opposite_direction: the reverse: they make it better.
        other_direction: between other tokens of the pool, or in a direction that is not known.
        certain: those of `transactions` whose pool is certain.
    """

    transactions: int = 0
    same_direction: int = 0
    opposite_direction: int = 0
    other_direction: int = 0
    certain: int = 0


class PoolIndex:
    """Finds the pools that a called hop means; `routers` tells the venue of each configured router."""

    def __init__(self, pools: Sequence[Pool], routers: Mapping[Address, str], wrapped_native: Address) -> None:
        self._by_id = {pool.id: pool for pool in pools}
        self._by_tokens: defaultdict[frozenset[Address], list[Pool]] = defaultdict(list)
        for pool in pools:
            self._by_tokens[frozenset(pool.tokens)].append(pool)
        self._routers = routers
        self._wrapped_native = wrapped_native

    def touches(self, swap: SwapCall) -> tuple[Touch, ...]:
        """The known pools that a swap goes through, certainly or possibly, in the order of its hops."""
        return tuple(touch for hop in swap.hops for touch in self._touches(hop, swap.via))

    def pools(self, call: DecodedCall) -> frozenset[PoolId]:
        """The known pools that any swap of a call goes through, certainly or possibly."""
        return frozenset(touch.pool for swap in call.swaps for touch in self.touches(swap))

    def _touches(self, hop: CalledHop, via: Address) -> Iterable[Touch]:
        token_in, token_out = self._wrapped(hop.token_in), self._wrapped(hop.token_out)
        if hop.pool is not None:
            pool = self._by_id.get(hop.pool)
            if pool is None:
                return ()
            token_in = token_in or _token_at(pool, hop.index_in)
            token_out = token_out or _token_at(pool, hop.index_out)
            return (Touch(pool.id, token_in, token_out, is_certain=True),)
        if token_in is None or token_out is None:
            return ()
        venue = self._routers.get(via)
        meant = [pool for pool in self._by_tokens[frozenset((token_in, token_out))] if _is_meant(pool, hop, venue)]
        return [Touch(pool.id, token_in, token_out, is_certain=venue is not None) for pool in meant]

    def _wrapped(self, token: Address | None) -> Address | None:
        return self._wrapped_native if token == ZERO_ADDRESS else token


def competition(route: Route, entries: Iterable[PendingEntry], index: PoolIndex) -> Competition:
    """Count the pending transactions that touch the pools of a route."""
    hops = {hop.pool: hop for hop in route.hops}
    counts = Competition()
    for entry in entries:
        touches = [t for swap in entry.call.swaps for t in index.touches(swap) if t.pool in hops]
        if not touches:
            continue
        directions = {_direction(hops[touch.pool], touch) for touch in touches}
        counts = Competition(
            transactions=counts.transactions + 1,
            same_direction=counts.same_direction + (1 in directions),
            opposite_direction=counts.opposite_direction + (-1 in directions),
            other_direction=counts.other_direction + (0 in directions),
            certain=counts.certain + any(touch.is_certain for touch in touches),
        )
    return counts


def _direction(hop: Hop, touch: Touch) -> int:
    if (touch.token_in, touch.token_out) == (hop.token_in, hop.token_out):
        return 1
    return -1 if (touch.token_in, touch.token_out) == (hop.token_out, hop.token_in) else 0


def _token_at(pool: Pool, index: int | None) -> Address | None:
    return pool.tokens[index] if index is not None and index < len(pool.tokens) else None


def _is_meant(pool: Pool, hop: CalledHop, venue: str | None) -> bool:
    is_there = pool.venue == venue if venue is not None else _is_family(pool.protocol, hop.protocol)
    return is_there and (hop.fee_pips is None or pool.fee_pips == hop.fee_pips)


def _is_family(protocol: ProtocolId, family: ProtocolId) -> bool:
    return protocol == family or protocol.startswith(f"{family}_")
