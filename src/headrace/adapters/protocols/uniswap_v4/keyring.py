"""Where the keys of pools come from, since the PoolManager stores none.

Three sources, in this order, each proven by the key's hash: keys that the configuration names; keys learnt from
Initialize logs, which discovery reads anyway; and the venue's PositionManager, which keeps the key of every pool for
which a position was minted through it (`poolKeys`, by the first 25 bytes of the id), so that an id alone is enough.
"""

from collections.abc import Mapping, Sequence

import msgspec

from headrace.adapters.protocols.uniswap_v4 import logs
from headrace.adapters.protocols.uniswap_v4.key import KEY_WORDS, PoolKey, key_of_words, tradable
from headrace.adapters.protocols.words import call_data, words_of_bytes
from headrace.errors import MalformedLogError, MalformedPoolError
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.event import Log
from headrace.model.pool import Pool
from headrace.ports.chain import Call, Chain

_POOL_KEYS = "poolKeys(bytes25)"
_SHORT_ID_DIGITS = 50
_ID_DIGITS = 64


class UniswapV4Venue(msgspec.Struct, frozen=True):
    """One deployment of v4.

    Attributes:
        manager: the PoolManager, which holds all pools.
        positions: the PositionManager, asked for keys that are not known; None where there is none.
        keys: of pools that the PositionManager may not know.
    """

    manager: Address
    positions: Address | None = None
    keys: tuple[PoolKey, ...] = ()


class Keyring:
    """Venues and the keys that are known."""

    def __init__(self, venues: Mapping[str, UniswapV4Venue]) -> None:
        self._venues = dict(venues)
        self._keys = {key.id: key for venue in venues.values() for key in venue.keys}
        self._managers = {venue.manager for venue in venues.values()}

    def enter(self, pool: Pool) -> None:
        """Know a pool's PoolManager from now on; harmless when it is known."""
        self._managers.add(pool.address)

    def pool_of(self, log: Log) -> PoolId:
        """The pool whose id a manager's log carries; a stranger's log speaks of the stranger, who is no pool.

        Raises:
            MalformedLogError: the log has not the event's form.
        """
        pool = logs.pool_of(log)
        return pool if log.address in self._managers else PoolId(log.address)

    def contracts_of(self, pool: Pool) -> tuple[Address, ...]:
        """The PoolManager: a pool has no contract of its own."""
        return (pool.address,)

    def pool_named(self, log: Log) -> PoolId | None:
        """The pool whose id stands in the second topic of a manager's log."""
        return PoolId(log.topics[1]) if log.address in self._managers and len(log.topics) > 1 else None

    def learn(self, key: PoolKey) -> None:
        """Know a key from now on; harmless when it is known."""
        self._keys[key.id] = key

    def require_manager(self, log: Log) -> None:
        """Let no stranger teach keys.

        Raises:
            MalformedLogError: no manager that is known emitted the log.
        """
        if log.address not in self._managers:
            raise MalformedLogError(log.address, "address", "it is no PoolManager that is known")

    def manager_of(self, pool: PoolId, venue: str) -> Address:
        """Where the pools of a venue are.

        Raises:
            MalformedPoolError: no such venue is configured.
        """
        return self._venue(pool, venue).manager

    async def keys(self, chain: Chain, pools: Sequence[tuple[PoolId, str]], block: Hash32) -> tuple[PoolKey, ...]:
        """Keys of pools, each given with its venue; those not known are asked for in one batch and kept.

        Raises:
            MalformedPoolError: a pool's key is nowhere to be had, or its pool is not one that this protocol quotes.
            ChainError: the node failed.
        """
        unknown = [(pool, venue) for pool, venue in pools if pool not in self._keys]
        if unknown:
            calls = [self._question(pool, venue) for pool, venue in unknown]
            answers = await chain.call_many(calls, block)
            for (pool, _), answer in zip(unknown, answers, strict=True):
                self.learn(tradable(pool, _answered(pool, answer)))
        return tuple(tradable(pool, self._keys[pool]) for pool, _ in pools)

    def _question(self, pool: PoolId, venue: str) -> Call:
        positions = self._venue(pool, venue).positions
        if positions is None:
            raise MalformedPoolError(pool, "key", f"nothing tells it: {venue} names no PositionManager and no such key")
        short_id = int(pool[2 : 2 + _SHORT_ID_DIGITS].ljust(_ID_DIGITS, "0"), 16)
        return Call(positions, call_data(_POOL_KEYS, short_id))

    def _venue(self, pool: PoolId, name: str) -> UniswapV4Venue:
        venue = self._venues.get(name)
        if venue is None:
            raise MalformedPoolError(pool, "venue", f"{name} is no deployment of Uniswap v4 that is configured")
        return venue


def _answered(pool: PoolId, answer: bytes | None) -> PoolKey:
    try:
        words = words_of_bytes(answer or b"")
        if len(words) != KEY_WORDS:
            raise MalformedPoolError(pool, "key", "the PositionManager does not answer like one")
        if not any(words):
            raise MalformedPoolError(pool, "key", "the PositionManager knows no such pool")
        return key_of_words(words)
    except ValueError as error:
        raise MalformedPoolError(pool, "key", str(error)) from error
