"""What a node must be asked to say which pools are worth following: how deep they are, what happened in them."""

import asyncio
from collections.abc import Mapping, Sequence

from headrace.adapters.metadata.erc20 import TokenReader
from headrace.app.config.money import Money
from headrace.app.config.places import ChainConfig, Follow
from headrace.errors import ConfigError, MalformedLogError, MarketStaleError
from headrace.model.address import Address, PoolId
from headrace.model.block import BlockHeader
from headrace.model.pool import Pool, ProtocolId
from headrace.pipeline.discovery.depths import depths_usd
from headrace.pipeline.discovery.walk import Walk
from headrace.pipeline.market.market import Market
from headrace.ports.log_archive import LogArchive, LogQuery
from headrace.ports.oracle import Oracle
from headrace.ports.pool import DEX

_PICO = 1e-12
_MICRO = 1e-6
Dexes = Mapping[ProtocolId, DEX]


class Measuring:
    """One chain's node and prices."""

    def __init__(self, archive: LogArchive, section: ChainConfig, dexes: Dexes, oracle: Oracle) -> None:
        """Keep the parts; `oracle` has been refreshed."""
        self._archive = archive
        self._section = section
        self._dexes = dexes
        self._oracle = oracle

    def least_depth_usd(self, rules: Follow, head: BlockHeader) -> float:
        """The configured least depth in dollars, 0 without one.

        Raises:
            ConfigError: it is given in a token that has no fresh price.
        """
        if rules.min_depth_usd is None:
            return 0.0
        micro = rules.min_depth_usd.usd_micro_up(self._usd_pico(rules.min_depth_usd, head))
        if micro is None:
            raise ConfigError(f"follow.min_depth_usd: {rules.min_depth_usd.unit} has no fresh price: check its feed")
        return micro * _MICRO

    async def depths_usd(self, pools: Sequence[Pool], head: BlockHeader) -> Mapping[PoolId, float]:
        """How deep each pool is; 0 where its state cannot be read.

        Raises:
            ConfigError: no token has a fresh price.
            ChainError: the node failed.
        """
        worth = await self._usd_per_unit(head)
        if not worth:
            raise ConfigError("follow: no token has a fresh price in which depth could be counted: check `price_feeds`")
        market = await Market(pools, self._dexes, {}).read_all(self._archive, head, 0)
        depths = depths_usd(market.states, self._dexes, worth)
        return {pool.id: depth for pool, depth in zip(pools, depths, strict=True)}

    async def active(self, blocks: int, head: BlockHeader) -> frozenset[PoolId]:
        """The pools that the last so many blocks' logs speak of; what is no log of a protocol's form speaks of none.

        Raises:
            ChainError: the node failed, or refuses a single block.
        """
        topics = tuple(sorted({topic for dex in self._dexes.values() for topic in dex.topics}))
        query = LogQuery(None, topics, max(head.number - blocks + 1, 0), head.number)
        found: set[PoolId] = set()
        async for stretch in Walk(self._archive, asyncio.sleep).stretches(query):
            for log in stretch.logs:
                for dex in self._dexes.values():
                    if log.topics[0] not in dex.topics:
                        continue
                    try:
                        found.add(dex.pool_of(log))
                    except (MalformedLogError, MarketStaleError):
                        continue
        return frozenset(found)

    def _usd_pico(self, money: Money, head: BlockHeader) -> int | None:
        token = self._section.tokens.get(money.unit)
        price = None if token is None else self._oracle.price(token, head.timestamp)
        return None if price is None else price.usd_pico

    async def _usd_per_unit(self, head: BlockHeader) -> dict[Address, float]:
        named = {self._section.tokens[symbol]: symbol for symbol in self._section.price_feeds}
        reader = TokenReader(self._archive, self._archive.chain_id, named)
        tokens = (await reader.read(list(named), head.hash)).tokens
        prices = {token: self._oracle.price(token, head.timestamp) for token in tokens}
        return {
            token: price.usd_pico * _PICO / 10 ** tokens[token].decimals
            for token, price in prices.items()
            if price is not None
        }
