"""From the pools that are listed and discovered to those that are followed: described, of their own factory or vault.

What a pool says of itself proves nothing: whoever may make a contract may have it name any factory or vault. So its
constants are read by its protocol, and what they name must be what the venue names.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from headrace.adapters.protocols.uniswap_v4 import UniswapV4
from headrace.app.config.tree import Config
from headrace.app.discovery.known import discovered_creations
from headrace.app.discovery.measuring import Measuring
from headrace.app.discovery.venues import LISTED, v4_key
from headrace.errors import MalformedPoolError
from headrace.model.address import PoolId
from headrace.model.block import BlockHeader
from headrace.model.creation import Creation
from headrace.model.pool import Pool, ProtocolId
from headrace.pipeline.discovery.selection import Candidate, Rules, Selection, select
from headrace.ports.chain import Call, Chain
from headrace.ports.pool import DEX

_FACTORY = bytes.fromhex("c45a0155")
_ADDRESS_BYTES = 20
_DESCRIBED_AT_ONCE = 256  # some hundred calls in one question
_REFUSED = "refused when it was read"
Place = tuple[str, PoolId]  # the venue's name, and one of its pools


class Funnel(msgspec.Struct, frozen=True):
    """How many pools are known, how many of them are followed, and how many are not, by cause."""

    known: int
    followed: int
    left_out: Mapping[str, int]

    def __str__(self) -> str:
        causes = "".join(f"; {count:,} {cause}" for cause, count in self.left_out.items())
        return f"{self.followed:,} of {self.known:,} pools are followed{causes}"


class Followed(msgspec.Struct, frozen=True):
    """The pools that are followed; `left_out` says of each that was read and refused, why."""

    pools: tuple[Pool, ...]
    left_out: tuple[str, ...]
    funnel: Funnel


class Following:
    """One chain's pools as configured and discovered."""

    def __init__(self, config: Config, chain_name: str, chain: Chain, dexes: Mapping[ProtocolId, DEX]) -> None:
        """Read what was discovered; no node is asked yet.

        Raises:
            UsageError: nothing was discovered of a venue that says `discover`.
            CatalogueError: what was discovered cannot be read.
        """
        self._section = config.chains[chain_name]
        self._follow = self._section.follow
        self._venues = {name: one for name, one in config.protocols[chain_name].items() if one.protocol in dexes}
        self._chain = chain
        self._dexes = dexes
        self._found = discovered_creations(config, chain_name)
        for name, creations in self._found.items():
            _learn_keys(dexes[self._venues[name].protocol], creations)

    async def pools(self, head: BlockHeader, measuring: Measuring) -> Followed:
        """The pools that are followed, each once, and why others are not.

        Discovered pools whose creations tell their tokens are described only once their tokens let them through.

        Raises:
            ConfigError: depth is asked for and nothing has a fresh price.
            ChainError: the node failed.
        """
        listed = [(name, pool) for name, venue in self._venues.items() for pool in venue.pools]
        found = {(name, one.pool): one for name, creations in self._found.items() for one in creations}
        if self._follow is None:
            pools, left_out = await self._described(dict.fromkeys((*listed, *found)), head)
            causes: Mapping[str, int] = {}
        else:
            pools, left_out, causes = await self._selected(listed, found, head, measuring)
        refused = {_REFUSED: len(left_out)} if left_out else {}
        funnel = Funnel(len({pool for _, pool in (*listed, *found)}), len(pools), {**refused, **causes})
        return Followed(tuple(pools), tuple(left_out), funnel)

    async def _selected(
        self, listed: Sequence[Place], found: Mapping[Place, Creation], head: BlockHeader, measuring: Measuring
    ) -> tuple[list[Pool], list[str], Mapping[str, int]]:
        """Those that the rules let through, why others were refused when read, and how many fell to which rule."""
        named = frozenset(pool for _, pool in listed)
        untold = [place for place, one in found.items() if not one.tokens]
        told = {
            one.pool: Candidate(one.pool, one.tokens) for one in found.values() if one.tokens and one.pool not in named
        }
        described, left_out = await self._described(dict.fromkeys((*listed, *untold)), head)
        known = {pool.id: Candidate(pool.id, pool.tokens, pool.id in named) for pool in described}
        first = select({**told, **known}.values(), self._rules(0.0))
        wanted = frozenset(one.id for one in first.kept)
        asked = [place for place, one in found.items() if one.tokens and place[1] in wanted & told.keys()]
        more, why = await self._described(asked, head)
        pools = [pool for pool in (*described, *more) if pool.id in wanted]
        second = await self._measured(pools, named, head, measuring)
        followed = {one.id for one in second.kept}
        causes = Counter({str(cause): count for cause, count in first.left_out.items()})
        causes.update({str(cause): count for cause, count in second.left_out.items()})
        return [pool for pool in pools if pool.id in followed], left_out + why, causes

    async def _measured(
        self, pools: Sequence[Pool], named: frozenset[PoolId], head: BlockHeader, measuring: Measuring
    ) -> Selection:
        assert self._follow is not None
        depths: Mapping[PoolId, float] = {}
        if self._follow.wants_depth:
            depths = await measuring.depths_usd(pools, head)
        active = frozenset(pool.id for pool in pools)
        if self._follow.active_within_blocks is not None:
            active = await measuring.active(self._follow.active_within_blocks, head)
        candidates = [
            Candidate(pool.id, pool.tokens, pool.id in named, depths.get(pool.id), pool.id in active) for pool in pools
        ]
        return select(candidates, self._rules(measuring.least_depth_usd(self._follow, head)))

    def _rules(self, depth_usd_min: float) -> Rules:
        assert self._follow is not None
        return Rules(
            start_tokens=frozenset(self._section.start_token_addresses),
            tokens=frozenset(self._follow.tokens) or None,
            depth_usd_min=depth_usd_min,
            pools_max=self._follow.max_pools,
        )

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
        asked = [pool for pool in pools if self._venues[pool.venue].factory and pool.protocol not in LISTED]
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
