"""The states of all pools at one block: one writer, any number of readers of its snapshots.

A block is applied log by log, in the chain's order; each log goes by its first topic to its protocol, which names the
pool. What a block replaced is kept, for as many blocks as can be rolled back. A log that its protocol refuses takes its
pool, and no other, out of the market: its state becomes a marker until the market is read anew, or until the block is
rolled back. So does a log of an event that its protocol does not know (`headrace.pipeline.market.speakers`).

What no log tells (rates, ramps) makes a state outdated: its protocol says from which block on. Such pools are few, and
they alone are asked at every block: a state that is not outdated at an infinitely distant block never will be.
`read_outdated` reads them again at the newest block; what the node does not give in time stays, marked, and is tried
again at the next. The states read replace those before the block like a log's, so that rolling back restores them, and
what was outdated then is outdated again.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from types import MappingProxyType
from typing import cast

import msgspec
import numpy as np

from headrace.errors import ChainError, MalformedLogError, MalformedPoolError, MarketStaleError, WrongChainError
from headrace.kernels.log_table import LogTable, topic_words
from headrace.model.address import Address, Hash32
from headrace.model.block import BlockHeader, BlockRef
from headrace.model.event import Log
from headrace.model.pool import Pool, ProtocolId
from headrace.model.quarantine import Quarantined
from headrace.model.snapshot import Snapshot
from headrace.model.token import Token
from headrace.pipeline.market.column import Column, Told
from headrace.pipeline.market.speakers import Speakers
from headrace.pipeline.market.states import States
from headrace.ports.chain import Chain
from headrace.ports.pool import DEX, PoolState, TableDEX

DEPTH_DEFAULT = 64
_INFINITELY_DISTANT = 1 << 63


class _Applied(msgspec.Struct, frozen=True):
    """A block and the states that it replaced."""

    header: BlockHeader
    replaced: dict[int, PoolState]


class BlockChange(msgspec.Struct, frozen=True):
    """What a block does: the states that it replaces, and the pools whose logs are refused."""

    replaced: dict[int, PoolState]
    refused: set[int]


class Market:
    """Begin with `read_all`; then `apply` children of the newest block, and `roll_back`."""

    def __init__(
        self,
        pools: Sequence[Pool],
        dexes: Mapping[ProtocolId, DEX],
        tokens: Mapping[Address, Token],
        depth: int = DEPTH_DEFAULT,
    ) -> None:
        self._pools = tuple(pools)
        self._dexes = dexes
        self._tokens = MappingProxyType(dict(tokens))
        self._index_of = {pool.id: i for i, pool in enumerate(pools)}
        assert len(self._index_of) == len(self._pools), "a pool is listed twice"
        assert all(pool.protocol in dexes for pool in pools), "a pool is of a protocol that is not there"
        self._dex_of = [dexes[pool.protocol] for pool in self._pools]
        self._dexes_of_topic = _by_topic(dexes)
        self._topic_words = topic_words(self._dexes_of_topic)
        speakers = Speakers(dexes, pools)
        self._unknown_events, self._speakers = speakers.unknown_events, speakers.indexed()
        self._columns = [self._column(name, dex) for name, dex in dexes.items() if isinstance(dex, TableDEX)]
        self._states: States[PoolState] = States([])
        self._header: BlockHeader | None = None
        self._undo: deque[_Applied] = deque(maxlen=depth)
        self._unseen: set[int] = set()
        self._quarantined: Mapping[int, str] = MappingProxyType({})
        self._perishable: set[int] = set()  # all whose state may be outdated one day, and perhaps some more
        self._outdated_told: frozenset[int] = frozenset()
        self._outdated_known: frozenset[int] | None = None  # None since the market moved

    @property
    def has_outdated(self) -> bool:
        """Whether a pool should be read again at the newest block; costs nothing where logs tell everything."""
        return bool(self._perishable) and bool(self._outdated())

    @property
    def tip(self) -> BlockRef:
        """The newest block.

        Raises:
            MarketStaleError: the market has not been read yet.
        """
        return self._tip_header().ref

    async def read_all(self, chain: Chain, header: BlockHeader, announced_ns: int) -> Snapshot[PoolState]:
        """Read every state from the contracts, at `header`; nothing from before can be rolled back to.

        Raises:
            ChainError: the node failed; the market is as it was.
        """
        states: dict[int, PoolState] = {}
        for protocol, dex in self._dexes.items():
            indices = [i for i, pool in enumerate(self._pools) if pool.protocol == protocol]
            states.update(await self._read(dex, chain, indices, header.hash))
        self._states = States([states[i] for i in range(len(self._pools))])
        self._header = header
        self._outdated_known = None
        self._undo.clear()
        self._unseen = set(range(len(self._pools)))
        self._note_quarantine(self._unseen)
        self._note_perishable(self._unseen)
        return self.snapshot(announced_ns)

    async def read_outdated(self, chain: Chain, seconds_max: float) -> None:
        """Read every outdated pool, and no other, at the newest block: one batch for each protocol, side by side.

        What is not there after `seconds_max`, or is refused, stays outdated.

        Raises:
            WrongChainError: a reconnection reached a node of another chain.
            MarketStaleError: the market has not been read yet.
        """
        block, outdated = self._tip_header().hash, self._outdated()
        batches: dict[ProtocolId, list[int]] = {}
        for index in sorted(outdated):
            batches.setdefault(self._pools[index].protocol, []).append(index)
        done = await asyncio.gather(
            *(self._read_in_time(chain, batch, block, seconds_max) for batch in batches.values())
        )
        for read in done:
            if isinstance(read, WrongChainError):
                raise read
            self._replace(read)

    def apply(self, header: BlockHeader, logs: Iterable[Log], announced_ns: int) -> Snapshot[PoolState]:
        """The market after the next block; `logs` are all of the block's, in order.

        Raises:
            MarketStaleError: the block is no child of the newest one, or the market has not been read yet.
        """
        self.advance(header, logs)
        return self.snapshot(announced_ns)

    def advance(self, header: BlockHeader, logs: Iterable[Log]) -> None:
        """The same without a snapshot, for a block that others follow at once.

        Raises:
            MarketStaleError: the block is no child of the newest one, or the market has not been read yet.
        """
        if header.parent_hash != self._tip_header().hash:
            raise MarketStaleError(
                f"block {header.number} does not follow block {self.tip.number}: read the market anew"
            )
        if self._undo and len(self._undo) == self._undo.maxlen:
            self._undo.popleft()  # first: new states find the room of these, which is in the cache again
        change = BlockChange({}, set())
        self._states.begin(change.replaced)
        for log in self._fold_columns(logs, change.replaced) if isinstance(logs, LogTable) else logs:
            self._apply_log(log, change)
        self._undo.append(_Applied(self._tip_header(), change.replaced))
        self._header = header
        self._outdated_known = None
        self._unseen.update(change.replaced)
        self._note_quarantine(change.refused)

    def roll_back(self, to: BlockRef) -> None:
        """Take back all blocks after `to`.

        Raises:
            MarketStaleError: `to` is not among the kept blocks; the market is as it was and must be read anew.
        """
        if to == self.tip:
            return
        if all(applied.header.ref != to for applied in self._undo):
            raise MarketStaleError(f"block {to.number} is not among the last {len(self._undo)}: read the market anew")
        self._outdated_known = None
        while self.tip != to:
            applied = self._undo.pop()
            self._write(applied.replaced)
            self._header = applied.header
            self._unseen.update(applied.replaced)
            self._note_quarantine(applied.replaced)
            self._note_perishable(applied.replaced)

    def snapshot(self, announced_ns: int) -> Snapshot[PoolState]:
        """The market as it is; `changed` counts from the snapshot handed out before.

        Raises:
            MarketStaleError: the market has not been read yet.
        """
        outdated = self._outdated()
        self._unseen |= outdated ^ self._outdated_told
        self._outdated_told = outdated
        changed = np.sort(np.fromiter(self._unseen, np.int64, len(self._unseen)))
        self._unseen = set()
        return Snapshot(
            header=self._tip_header(),
            announced_ns=announced_ns,
            pools=self._pools,
            states=self._states.reader(),
            index_of=MappingProxyType(self._index_of),
            tokens=self._tokens,
            changed=tuple(changed.tolist()),
            quarantined=self._quarantined,
            outdated=outdated,
        )

    def _column(self, protocol: ProtocolId, dex: TableDEX) -> Column:
        is_alone = len(self._dexes_of_topic[dex.whole_topic]) == 1
        return Column(dex, protocol, self._pools, self._speakers.addresses, is_alone=is_alone)

    def _tip_header(self) -> BlockHeader:
        if self._header is None:
            raise MarketStaleError("the market has not been read yet")
        return self._header

    def _fold_columns(self, logs: LogTable, replaced: dict[int, PoolState]) -> list[Log]:
        """Take over the states that logs tell whole, and return the logs that remain to be applied, in order.

        Nothing else changes a pool of such a protocol, so the last one decides. A log that its protocol has to judge
        remains: behind the others, since a malformed one takes its pool out of the market whatever follows it. So does
        one of an unknown event.
        """
        is_left = np.zeros(len(logs), np.bool_)
        is_left[logs.rows_of(self._topic_words)] = True
        numbers = self._speakers.numbers(logs)
        for column in self._columns:
            told = column.told(logs, numbers)
            is_left[told.done] = False
            is_left[told.rows] = self._take_over(told, replaced)
        is_left[self._speakers.rows_of_unknown(logs, numbers)] = True
        return logs.logs_at(np.flatnonzero(is_left))

    def _take_over(self, told: Told, replaced: dict[int, PoolState]) -> list[bool]:
        """Write what was told; which of the logs have to be judged."""
        indices, states, now = told.indices, told.states, self._states.now
        is_judged = [state is None for state in states]
        if self._quarantined or any(is_judged):
            usable = [at for at, i in enumerate(indices) if not is_judged[at] and i not in self._quarantined]
            indices, states = [indices[at] for at in usable], [states[at] for at in usable]
        if indices:
            found = itemgetter(*indices, indices[0])(now)  # a loop takes twice as long; the last one makes it a tuple
            replaced.update(zip(indices, found, strict=False))
        for index, state in zip(indices, cast("list[PoolState]", states), strict=True):
            now[index] = state
        return is_judged

    def _apply_log(self, log: Log, change: BlockChange) -> None:
        for dex in self._dexes_of_topic.get(log.topics[0], ()) if log.topics else ():
            try:
                index = self._index_of.get(dex.pool_of(log))
            except MalformedLogError as error:
                self._quarantine_address(dex, log.address, str(error), change)
                continue
            if index is not None and self._dex_of[index] is dex:
                self._apply_to(index, dex, log, change)
        for unknown in self._unknown_events(log):
            index = self._index_of.get(unknown.pool)
            if index is not None and self._dex_of[index] is unknown.dex:
                self._quarantine(index, str(unknown.error), change)

    def _apply_to(self, index: int, dex: DEX, log: Log, change: BlockChange) -> None:
        before = self._states.now[index]
        if isinstance(before, Quarantined):
            return
        change.replaced.setdefault(index, before)
        try:
            self._states.now[index] = after = dex.apply(before, log)
        except MalformedLogError as error:
            if not dex.is_outdated(before, log.block_number):  # else it is read again, and need not follow
                self._refuse(index, str(error), change)
            return
        if dex.is_outdated(after, _INFINITELY_DISTANT):
            self._perishable.add(index)

    def _quarantine(self, index: int, why: str, change: BlockChange) -> None:
        before = self._states.now[index]
        if not isinstance(before, Quarantined):
            change.replaced.setdefault(index, before)
            self._refuse(index, why, change)

    def _quarantine_address(self, dex: DEX, address: Address, why: str, change: BlockChange) -> None:
        """A log that does not even say of which pool it speaks speaks of any of its contract's."""
        for index, pool in enumerate(self._pools):
            if pool.address == address and self._dex_of[index] is dex:
                self._refuse(index, why, change)

    def _refuse(self, index: int, why: str, change: BlockChange) -> None:
        change.replaced.setdefault(index, self._states.now[index])
        change.refused.add(index)
        self._states.now[index] = Quarantined(self._pools[index], why)

    def _outdated(self) -> frozenset[int]:
        """Pools that are outdated at the newest block; asked for several times in a block, found once."""
        if self._outdated_known is None:
            number = self._tip_header().number
            self._outdated_known = frozenset([i for i in self._perishable if self._is_outdated(i, number)])
        return self._outdated_known

    def _is_outdated(self, index: int, block_number: int) -> bool:
        state = self._states.now[index]
        return not isinstance(state, Quarantined) and self._dex_of[index].is_outdated(state, block_number)

    def _note_perishable(self, touched: Iterable[int]) -> None:
        self._perishable.update([i for i in touched if self._is_outdated(i, _INFINITELY_DISTANT)])

    def _replace(self, read: Mapping[int, PoolState]) -> None:
        """Put states read after the newest block in the place of outdated ones."""
        before = self._write(read)
        if self._undo:
            kept = self._undo[-1].replaced
            kept.update({index: state for index, state in before.items() if index not in kept})
        self._outdated_known = None
        self._unseen.update(read)
        self._note_quarantine(read)
        self._perishable = {i for i in self._perishable if self._is_outdated(i, _INFINITELY_DISTANT)}

    def _write(self, states: Mapping[int, PoolState]) -> Mapping[int, PoolState]:
        """Put states in their places; what stood there before."""
        now = self._states.now
        before = {index: now[index] for index in states}
        self._states.begin(before)
        for index, state in states.items():
            now[index] = state
        return before

    def _note_quarantine(self, touched: Iterable[int]) -> None:
        states, known = self._states.now, self._quarantined
        is_affected = any([isinstance(states[i], Quarantined) or i in known for i in touched])  # noqa: C419 - quicker so
        if is_affected:
            marked = {i: state.reason for i, state in enumerate(states) if isinstance(state, Quarantined)}
            self._quarantined = MappingProxyType(marked)

    async def _read_in_time(
        self, chain: Chain, indices: Sequence[int], block: Hash32, seconds_max: float
    ) -> Mapping[int, PoolState] | WrongChainError:
        """What could be read of one protocol; nothing where the node fails or is late."""
        try:
            async with asyncio.timeout(seconds_max):
                return await self._read(self._dex_of[indices[0]], chain, indices, block)
        except WrongChainError as error:
            return error
        except (ChainError, TimeoutError):
            return {}

    async def _read(self, dex: DEX, chain: Chain, indices: Sequence[int], block: Hash32) -> dict[int, PoolState]:
        if not indices:
            return {}
        try:
            states = await dex.read(chain, [self._pools[i] for i in indices], block)
            return dict(zip(indices, states, strict=True))
        except MalformedPoolError as error:
            if len(indices) == 1:
                return {indices[0]: Quarantined(self._pools[indices[0]], str(error))}
        half = len(indices) // 2
        first = await self._read(dex, chain, indices[:half], block)
        return first | await self._read(dex, chain, indices[half:], block)


def _by_topic(dexes: Mapping[ProtocolId, DEX]) -> Mapping[Hash32, tuple[DEX, ...]]:
    topics = {topic for dex in dexes.values() for topic in dex.topics}
    return {topic: tuple(dex for dex in dexes.values() if topic in dex.topics) for topic in topics}
