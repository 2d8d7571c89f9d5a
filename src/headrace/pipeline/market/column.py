"""Logs that tell all of a pool's state, read together: one protocol's column of a block's table.

Most logs that move a market are of this kind, and each of them makes void what came before it. So they need not be
made, nor applied one by one: compiled functions find the rows of the listed pools, and the protocol reads them.
"""

from collections.abc import Mapping

import msgspec
import numpy as np

from headrace.kernels.address_index import AddressIndex
from headrace.kernels.log_table import IntArray, LogTable, topic_words
from headrace.model.address import Address
from headrace.model.pool import Pool
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

    def __init__(self, dex: TableDEX, pools: Mapping[int, Pool], *, is_alone: bool) -> None:
        """Take the pools by their index in the market; `is_alone` where no other protocol has logs with this topic."""
        self._dex = dex
        self._topic = topic_words((dex.whole_topic,))
        self._addresses = AddressIndex([Address(pool.id) for pool in pools.values()])
        self._indices = np.array(list(pools), np.int64)
        self._pools = list(pools.values())
        self._is_alone = is_alone

    def told(self, logs: LogTable) -> Told:
        """Read the column."""
        rows = logs.rows_of(self._topic)
        numbers = logs.numbers_in(self._addresses, rows)
        known = numbers >= 0
        own, listed = rows[known], numbers[known]
        states = self._dex.states_told([self._pools[number] for number in listed.tolist()], logs, own)
        return Told(rows if self._is_alone else own, own, self._indices[listed].tolist(), states)
