"""Which pool a log speaks of, where pools share a vault and each has a contract of its own.

The vault names a pool in its logs' second topic. A pool's contract emits logs itself, without that name, so the pools
that were described or read are kept by their contracts. Anybody may emit logs that look like the vault's: one from a
stranger speaks of the stranger, who is no pool of the market.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from headrace.errors import MalformedLogError, MarketStaleError
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.event import Log
from headrace.model.pool import Pool


class VaultForm(NamedTuple):
    """How a kind of vault names pools.

    Attributes:
        topic_counts: how many topics each of its logs has that name a pool.
        paused: the first topic of the log by which the vault itself pauses or resumes.
        pool_contract: a pool's own contract.
        named: the pool that the second topic names; `ValueError` where it names none.
    """

    topic_counts: Mapping[Hash32, int]
    paused: Hash32
    pool_contract: Callable[[Pool], Address]
    named: Callable[[Hash32], PoolId]


class VaultRegistry:
    """The pools and vaults that are known."""

    def __init__(self, form: VaultForm) -> None:
        self._form = form
        self._id_of: dict[Address, PoolId] = {}
        self._vaults: set[Address] = set()

    def enter(self, pool: Pool) -> None:
        """Know a pool from now on; harmless when it is known."""
        self._id_of[self._form.pool_contract(pool)] = pool.id
        self._vaults.add(pool.address)

    def pool_of(self, log: Log) -> PoolId:
        """The pool that a log speaks of.

        Raises:
            MalformedLogError: a vault's log without the pool where it belongs.
            MarketStaleError: the vault itself was paused or resumed, which concerns all its pools.
        """
        if log.address not in self._vaults:
            return self._id_of.get(log.address, PoolId(log.address))
        name = log.topics[0] if log.topics else None
        if name == self._form.paused:
            raise MarketStaleError(f"the vault {log.address} was paused or resumed: read its pools anew")
        if name is None or self._form.topic_counts.get(name) != len(log.topics):
            raise MalformedLogError(log.address, "topics", "the vault's log names no pool")
        try:
            return self._form.named(log.topics[1])
        except ValueError as error:
            raise MalformedLogError(log.address, "topics", str(error)) from error

    def contracts_of(self, pool: Pool) -> tuple[Address, ...]:
        """The vault and the pool's own."""
        return (pool.address, self._form.pool_contract(pool))

    def pool_named(self, log: Log) -> PoolId | None:
        """The pool whose contract emitted the log, or that a vault's log names in its second topic."""
        if log.address not in self._vaults:
            return self._id_of.get(log.address)
        try:
            return self._form.named(log.topics[1])
        except (IndexError, ValueError):
            return None
