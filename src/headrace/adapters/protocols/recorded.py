"""A protocol whose pools cannot be read any more: its states come from a recording, everything else is its own."""

from collections.abc import Mapping, Sequence
from typing import cast

from headrace.errors import MalformedPoolError
from headrace.model.address import Hash32, PoolId
from headrace.model.pool import Pool
from headrace.ports.chain import Chain
from headrace.ports.pool import DEX, PoolState

States = Mapping[Hash32, Mapping[PoolId, PoolState]]


class _Recorded:
    def __init__(self, dex: DEX, states: States, as_of: Mapping[PoolId, int]) -> None:
        self._dex = dex
        self._states = states
        self._as_of = as_of

    def __getattr__(self, name: str) -> object:
        return getattr(self._dex, name)

    async def read(self, chain: Chain, pools: Sequence[Pool], block: Hash32) -> tuple[PoolState, ...]:
        del chain
        known = self._states.get(block, {})
        for pool in pools:
            if pool.id not in known:
                older = f", only one as of block {self._as_of[pool.id]}" if pool.id in self._as_of else ""
                raise MalformedPoolError(pool.id, "state", f"the recording holds none at block {block}{older}")
        return tuple(self._entered(known[pool.id]) for pool in pools)

    def _entered(self, state: PoolState) -> PoolState:
        """The state as read from a document: from then on the protocol knows the pool's logs."""
        return self._dex.state_from_document(state.pool, self._dex.state_to_document(state))


def recorded(dex: DEX, states: States, as_of: Mapping[PoolId, int]) -> DEX:
    """The protocol, with `read` answered from the states that were recorded at a block.

    `as_of` names pools of which only an older state was recorded. `read` raises MalformedPoolError for a pool that was
    not recorded at the block, which takes it out of the market.
    """
    return cast("DEX", _Recorded(dex, states, as_of))
