"""Logs that tell all of a pool's state, read together: one protocol's column of a block's table.

Most logs that move a market are of this kind, and each of them makes void what came before it. So they need not be
made, nor applied one by one: compiled functions find the rows of the listed pools, and the protocol reads them.
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from headrace.kernels.log_table import IntArray, LogTable, topic_words
from headrace.model.address import Address
from headrace.model.pool import Pool, ProtocolId
from headrace.ports.pool import PoolState, TableDEX


class Told(msgspec.Struct, frozen=True):
    """What a block's column says.

    Attributes:
        done: rows that concern nobody else any more.
        indices: pools in the market, in the order of their logs; one may be there more than once.
        states: beside them; None for a log that the protocol has to judge.
        rows: beside them.
    """

    done: IntArray
    rows: IntArray
    indices: list[int]
    states: list[PoolState | None]


class Column:
    """The pools of one protocol that are listed in a market."""

    def __init__(
        self,
        dex: TableDEX,
        protocol: ProtocolId,
        pools: Sequence[Pool],
        addresses: Sequence[Address],
        *,
        is_alone: bool,
    ) -> None:
        """Take the market's pools, of which those of the protocol are read; `is_alone` where no other has this topic.

        `addresses` are the contracts by the numbers that the market gave them.
        """
        own = {Address(pool.id): index for index, pool in enumerate(pools) if pool.protocol == protocol}
        self._dex = dex
        self._topic = topic_words((dex.whole_topic,))
        self._pools = np.empty(len(pools), np.object_)  # gathers faster than a list: it waits for several at a time
        self._pools[:] = pools
        self._index_at = np.array([*(own.get(address, -1) for address in addresses), -1], np.int64)
        self._is_alone = is_alone

    def told(self, logs: LogTable, numbers: IntArray) -> Told:
        """Read the column; `numbers` say who emitted each log, -1 for a stranger."""
        rows = logs.rows_of(self._topic)
        indices = self._index_at[numbers[rows]]
        known = indices >= 0
        own, listed = rows[known], indices[known]
        states = self._dex.states_told(self._pools[listed].tolist(), logs, own)
        return Told(rows if self._is_alone else own, own, listed.tolist(), states)
