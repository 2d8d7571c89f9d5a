"""Exact integer quotes along a route on one snapshot."""

from collections.abc import Mapping

from headrace.errors import UnquotableError
from headrace.model.address import Address
from headrace.model.block import BlockContext
from headrace.model.pool import ProtocolId
from headrace.model.proof import Proof
from headrace.model.route import Route
from headrace.model.snapshot import Snapshot
from headrace.ports.pool import DEX, PoolState

Dexes = Mapping[ProtocolId, DEX]


def quote_route(
    route: Route, amount_in: int, snapshot: Snapshot[PoolState], dexes: Dexes, at: BlockContext
) -> tuple[int, ...]:
    """The input and the output of each hop.

    Raises:
        UnquotableError: a pool on the way would revert, or would not take all of its input.
    """
    amounts = [amount_in]
    for hop in route.hops:
        dex = dexes[snapshot.pool(hop.pool).protocol]
        amounts.append(dex.quote_out(snapshot.state(hop.pool), hop.token_in, hop.token_out, amounts[-1], at))
    return tuple(amounts)


class NativeQuote:
    """Conversion of a profit into the wrapped native token by an exact quote on the same snapshot, never by spot."""

    def __init__(self, wrapped_native: Address, dexes: Dexes, *, believes_unproven: bool = False) -> None:
        """Remember what gas is paid in, and whether a quote that nothing proves may say what it is worth."""
        self._wrapped_native = wrapped_native
        self._dexes = dexes
        self._believes_unproven = believes_unproven
        self._pools: dict[Address, tuple[int, ...]] = {}

    def native_wei(self, token: Address, units: int, snapshot: Snapshot[PoolState], at: BlockContext) -> int | None:
        """What the best single pool pays for `units`; None where no pool does."""
        if token == self._wrapped_native:
            return units
        best: int | None = None
        for index in self._direct_pools(token, snapshot):
            if index in snapshot.quarantined:
                continue
            dex = self._dexes[snapshot.pools[index].protocol]
            if not self._believes_unproven and dex.proof_of(snapshot.states[index]) is Proof.UNPROVEN:
                continue
            try:
                out = dex.quote_out(snapshot.states[index], token, self._wrapped_native, units, at)
            except UnquotableError:
                continue
            best = out if best is None else max(best, out)
        return best

    def pools_for(self, token: Address, snapshot: Snapshot[PoolState]) -> tuple[int, ...]:
        """Indices of the pools that are asked; none for the wrapped native token itself."""
        return () if token == self._wrapped_native else self._direct_pools(token, snapshot)

    def _direct_pools(self, token: Address, snapshot: Snapshot[PoolState]) -> tuple[int, ...]:
        if token not in self._pools:
            self._pools[token] = tuple(
                index
                for index, pool in enumerate(snapshot.pools)
                if token in pool.tokens and self._wrapped_native in pool.tokens
            )
        return self._pools[token]
