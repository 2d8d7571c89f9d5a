"""From the pools that are listed and discovered to those that are followed: described, of their own factory or vault.

What a pool says of itself proves nothing: whoever may make a contract may have it name any factory or vault. So its
constants are read by its protocol, and what they name must be what the venue names.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from headrace.adapters.protocols.uniswap_v4 import UniswapV4
from headrace.app.config.tree import Config
from headrace.app.discovery.known import discovered_creations
from headrace.app.discovery.venues import v4_key
from headrace.errors import MalformedPoolError
from headrace.model.address import PoolId
from headrace.model.block import BlockHeader
from headrace.model.creation import Creation
from headrace.model.pool import Pool, ProtocolId
from headrace.ports.chain import Call, Chain
from headrace.ports.pool import DEX

_FACTORY = bytes.fromhex("c45a0155")
_ADDRESS_BYTES = 20
_DESCRIBED_AT_ONCE = 256  # some hundred calls in one question
Place = tuple[str, PoolId]  # the venue's name, and one of its pools


class Following:
    """One chain's pools as configured and discovered."""

    def __init__(self, config: Config, chain_name: str, chain: Chain, dexes: Mapping[ProtocolId, DEX]) -> None:
        """Read what was discovered; no node is asked yet.

        Raises:
            UsageError: nothing was discovered of a venue that says `discover`.
            CatalogueError: what was discovered cannot be read.
        """
        self._venues = {name: one for name, one in config.protocols[chain_name].items() if one.protocol in dexes}
        self._chain = chain
        self._dexes = dexes
        self._found = discovered_creations(config, chain_name)
        for name, creations in self._found.items():
            _learn_keys(dexes[self._venues[name].protocol], creations)

    async def pools(self, head: BlockHeader) -> tuple[list[Pool], list[str]]:
        """The pools that are followed, each once, and why others are not.

        Raises:
            ChainError: the node failed.
        """
        listed = [(name, pool) for name, venue in self._venues.items() for pool in venue.pools]
        found = [(name, one.pool) for name, creations in self._found.items() for one in creations]
        return await self._described(dict.fromkeys((*listed, *found)), head)

    async def _described(self, places: Iterable[Place], head: BlockHeader) -> tuple[list[Pool], list[str]]:
        gate = asyncio.Semaphore(_DESCRIBED_AT_ONCE)

        async def describe(venue: str, pool: PoolId) -> Pool | str:
            async with gate:
                try:
                    dex = self._dexes[self._venues[venue].protocol]
                    return await dex.describe(self._chain, venue, pool, head.hash)
                except MalformedPoolError as error:
                    return str(error)

        answers = await asyncio.gather(*(describe(venue, pool) for venue, pool in places))
        left_out = [one for one in answers if isinstance(one, str)]
        described, foreign = await self._of_their_venues([one for one in answers if isinstance(one, Pool)], head)
        pools, twice = _once(described)
        return pools, left_out + foreign + twice

    async def _of_their_venues(self, pools: Sequence[Pool], head: BlockHeader) -> tuple[list[Pool], list[str]]:
        """The pools that are of their venue's configured factory or vault, and why the others do not count."""
        asked = [pool for pool in pools if self._venues[pool.venue].factory is not None]
        answers = await self._chain.call_many([Call(pool.address, _FACTORY) for pool in asked], head.hash)
        foreign = {
            pool.id: f"pool {pool.id}: {pool.venue}'s factory did not make it"
            for pool, answer in zip(asked, answers, strict=True)
            if answer is None or "0x" + answer[-_ADDRESS_BYTES:].hex() != self._venues[pool.venue].factory
        }
        foreign |= {
            pool.id: f"pool {pool.id}: {pool.venue}'s vault does not hold it: it names {pool.address}"
            for pool in pools
            if self._venues[pool.venue].vault not in (None, pool.address)
        }
        return [pool for pool in pools if pool.id not in foreign], list(foreign.values())


def _learn_keys(dex: DEX, creations: Sequence[Creation]) -> None:
    """Teach v4 the keys of its pools, which are not on the chain."""
    if isinstance(dex, UniswapV4):
        for key in map(v4_key, creations):
            assert key is not None, creations
            dex.learn_key(key)


def _once(pools: Sequence[Pool]) -> tuple[list[Pool], list[str]]:
    """Each pool for the first venue that has it: two may share a factory or vault."""
    first: dict[PoolId, Pool] = {}
    for pool in pools:
        first.setdefault(pool.id, pool)
    twice = [
        f"pool {pool.id}: {pool.venue} has it too, it counts as {first[pool.id].venue}'s"
        for pool in pools
        if first[pool.id] is not pool
    ]
    return list(first.values()), twice
