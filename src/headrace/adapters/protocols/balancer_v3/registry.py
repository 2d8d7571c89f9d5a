"""Which pool a log speaks of: the vault names it in its logs' second topic, a stable pool speaks for itself.

Anybody may emit logs that look like the vault's: one from a stranger speaks of the stranger, who is no pool of the
market.
"""

from headrace.adapters.protocols.balancer_v3.logs import VAULT_PAUSE_CHANGED, VAULT_TOPIC_COUNTS
from headrace.adapters.protocols.words import address_of
from headrace.errors import MalformedLogError, MarketStaleError
from headrace.model.address import Address, PoolId
from headrace.model.event import Log
from headrace.model.pool import Pool


class Registry:
    """The vaults that are known."""

    def __init__(self) -> None:
        self._vaults: set[Address] = set()

    def enter(self, pool: Pool) -> None:
        """Know a pool's vault from now on; harmless when it is known."""
        self._vaults.add(pool.address)

    def pool_of(self, log: Log) -> PoolId:
        """The pool that a log speaks of.

        Raises:
            MalformedLogError: a vault's log without the pool where it belongs.
            MarketStaleError: the vault itself was paused or resumed, which concerns all its pools.
        """
        if log.address not in self._vaults:
            return PoolId(log.address)
        name = log.topics[0] if log.topics else None
        if name == VAULT_PAUSE_CHANGED:
            raise MarketStaleError(f"the vault {log.address} was paused or resumed: read its pools anew")
        if name not in VAULT_TOPIC_COUNTS or len(log.topics) != VAULT_TOPIC_COUNTS[name]:
            raise MalformedLogError(log.address, "topics", "the vault's log names no pool")
        try:
            return PoolId(address_of(int(log.topics[1], 16)))
        except ValueError as error:
            raise MalformedLogError(log.address, "topics", str(error)) from error
