"""Whose logs a market listens to, and which of them are of no event that is known.

A protocol folds some events of its pools' contracts and knows others to be harmless. A pool's log of neither kind may
be of a version that changes what nobody here follows, so the pool is not to be trusted after it, whether its state
follows from logs or is read at each block: it is not the contract that was examined.

Of which pool a log speaks, its emitter says where that is the pool's own contract. A contract that many pools share
(Balancer's vaults, v4's PoolManager) speaks of the pool that the second topic names. An unknown event there that names
no pool which is followed takes nobody out of the market, since one new event of a vault would take them all; that it
may have changed something for all of them is the price, and goes unseen.

Logs in a table are judged by compiled functions, in one pass, and only those of unknown events are made.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from headrace.errors import MalformedLogError
from headrace.kernels.address_index import AddressIndex
from headrace.kernels.log_table import IntArray, LogTable, topic_words
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.event import Log
from headrace.model.pool import Pool, ProtocolId
from headrace.ports.pool import DEX

_NOBODY = -1  # in the last place, which is that of number -1


class UnknownEvent(NamedTuple):
    """What one protocol says of a log; whether its pool is followed is not known here."""

    dex: DEX
    pool: PoolId
    error: MalformedLogError


class Speakers:
    """The contracts that speak of pools, each with the protocols of these pools."""

    def __init__(self, dexes: Mapping[ProtocolId, DEX], pools: Iterable[Pool]) -> None:
        """Enter the pools; each is of one of these protocols."""
        self._dexes = dexes
        self._known = {name: dex.topics | dex.harmless_topics for name, dex in dexes.items()}
        self._kind_of: dict[Address, tuple[ProtocolId, ...]] = {}
        self._kinds: dict[tuple[ProtocolId, ...], tuple[ProtocolId, ...]] = {}
        for pool in pools:
            self.enter(pool)

    def __contains__(self, address: Address) -> bool:
        return address in self._kind_of

    def enter(self, pool: Pool) -> None:
        """Listen to a pool's contracts from now on; harmless when they are known."""
        for address in self._dexes[pool.protocol].contracts_of(pool):
            before = self._kind_of.get(address, ())
            if pool.protocol not in before:
                kind = (*before, pool.protocol)
                self._kind_of[address] = self._kinds.setdefault(kind, kind)

    def unknown_events(self, log: Log) -> list[UnknownEvent]:
        """One for each protocol that does not know the event of this log, and of which it names a pool."""
        first = log.topics[0] if log.topics else None
        unknown = []
        for name in self._kind_of.get(log.address, ()):
            pool = None if first in self._known[name] else self._dexes[name].pool_named(log)
            if pool is not None:
                why = f"{first or 'a log without any'} is no event of {name} that is known: what it changes is unknown"
                unknown.append(UnknownEvent(self._dexes[name], pool, MalformedLogError(pool, "topics", why)))
        return unknown

    def indexed(self) -> "SpeakerIndex":
        """What reads tables, for the contracts that are known now."""
        kinds = {kind: place for place, kind in enumerate(self._kinds)}
        known = [self._known[kind[0]].intersection(*(self._known[name] for name in kind)) for kind in kinds]
        return SpeakerIndex({address: kinds[kind] for address, kind in self._kind_of.items()}, known)


class SpeakerIndex:
    """Speakers by number, in tables of logs.

    Attributes:
        addresses: the contract of each number.
    """

    def __init__(self, kind_of: Mapping[Address, int], known: Sequence[Collection[Hash32]]) -> None:
        """Number the contracts, each of a kind; `known` holds the first topics that a kind may have."""
        self.addresses = tuple(kind_of)
        self._index = AddressIndex(self.addresses)
        self._kind_at = np.array([*kind_of.values(), _NOBODY], np.int64)
        self._topics = topic_words([topic for topics in known for topic in topics])
        self._starts = np.array([*accumulate(map(len, known), initial=0)], np.int64)

    def numbers(self, logs: LogTable) -> IntArray:
        """Who emitted each log; -1 for a stranger."""
        return logs.numbers_in(self._index)

    def rows_of_unknown(self, logs: LogTable, numbers: IntArray) -> IntArray:
        """The logs of an event that a protocol of its emitter does not know, in order; `numbers` are their emitters."""
        return logs.rows_outside(self._kind_at[numbers], self._topics, self._starts)
