"""Which pool a log speaks of, when pools share a vault and each has a contract of its own.

The vault names a pool by id in its logs' second topic. The pool's contract emits its fee and its pause itself,
without the id; the id begins with that contract's address, so the pools that were described or read are kept by it.
Anybody may emit logs that look like the vault's: one from a stranger speaks of the stranger, who is no pool of the
market.
"""

from headrace.adapters.protocols.balancer_v2_vault.logs import PAUSE_CHANGED, VAULT_TOPIC_COUNTS
from headrace.adapters.protocols.balancer_v2_vault.state import pool_contract
from headrace.errors import MalformedLogError, MarketStaleError
from headrace.model.address import Address, PoolId
from headrace.model.event import Log
from headrace.model.pool import Pool


class Registry:
    """The pools and vaults that are known."""

    def __init__(self) -> None:
        self._id_of: dict[Address, PoolId] = {}
        self._vaults: set[Address] = set()

    def enter(self, pool: Pool) -> None:
        """Know a pool from now on; harmless when it is known."""
        self._id_of[pool_contract(pool)] = pool.id
        self._vaults.add(pool.address)

    def pool_of(self, log: Log) -> PoolId:
        """The pool that a log speaks of.

        Raises:
            MalformedLogError: a vault's log without the id where it belongs.
            MarketStaleError: the vault itself was paused or resumed, which concerns all its pools.
        """
        if log.address not in self._vaults:
            return self._id_of.get(log.address, PoolId(log.address))
        name = log.topics[0] if log.topics else None
        if name == PAUSE_CHANGED:
            raise MarketStaleError(f"the vault {log.address} was paused or resumed: read its pools anew")
        if name not in VAULT_TOPIC_COUNTS or len(log.topics) != VAULT_TOPIC_COUNTS[name]:
            raise MalformedLogError(log.address, "topics", "the vault's log names no pool")
        return PoolId(log.topics[1])
