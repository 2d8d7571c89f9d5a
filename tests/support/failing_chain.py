"""A memory chain whose node loses, doubles, delays and distorts what it says, by a seed; it counts what it did.

Some lies leave no trace in a header's bloom: `spoiled` holds the blocks whose last answer was such a one, and only an
audit of receipts can find them. `between` is awaited before each event, where a node leaves time for such work.
"""

import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import msgspec

from headrace.errors import MalformedAnswerError, NodeTimeoutError, RpcError
from headrace.model.address import Hash32
from headrace.model.block import BlockHeader
from headrace.model.event import Announcement, ConnectionLost, Event, Log
from headrace.model.receipts import ReceiptOutline
from headrace.ports.chain import Call
from tests.support.memory_chain import (
    MENTIONED,
    RECOUNTED,
    MemoryBlock,
    MemoryChain,
    brute_force_bloom,
    pool_address,
    tx_hash,
)

_MOVES = {
    "block": 40,
    "burst": 10,
    "lost": 8,
    "lost_many": 1,
    "doubled": 6,
    "late": 8,
    "shuffled": 6,
    "reorg": 12,
    "reorg_deep": 2,
    "went_back": 2,
    "cut": 5,
    "unsubscribed": 4,
    "reorg_untold": 4,
    "lagging": 4,
}
_LAG_CALLS = 6
UNKNOWN_RATE, HARMLESS_RATE = 0.01, 0.1  # of the logs


class FailingChain(MemoryChain):
    """`events` plays `steps` moves of the world, then one flawless block, and ends."""

    def __init__(self, seed: int, *, pools: int, depth: int, steps: int) -> None:
        super().__init__()
        self.taken: Counter[str] = Counter()
        self._random = random.Random(seed)
        self._pools = pools
        self._depth = depth
        self._steps = steps
        self._is_flawless = True
        self._now = 0
        self._lag_calls = 0
        self._is_receipt_refused = False
        self.spoiled: set[Hash32] = set()
        self.between: Callable[[], Awaitable[None]] | None = None
        self._grow(3 * depth)

    async def events(self) -> AsyncIterator[Event]:
        yield self._announcement(self.tip)
        self._is_flawless = False
        for _ in range(self._steps):
            for event in self._move():
                await self._pause()
                yield event
        self._is_flawless = True
        self._lag_calls = 0
        self._grow(1)
        for _ in range(2):  # a last fault that is found shows with the second
            await self._pause()
            yield self._announcement(self.tip)

    async def _pause(self) -> None:
        if self.between is not None:
            await self.between()

    def _move(self) -> list[Event]:  # noqa: C901 - a case for each move
        move = self._random.choices(list(_MOVES), list(_MOVES.values()))[0]
        self.taken[move] += 1
        match move:
            case "block" | "burst":
                events = self._announce(self._grow(1 if move == "block" else self._random.randint(2, 5)))
            case "lost" | "lost_many":
                grown = self._grow(self._random.randint(1, self._depth if move == "lost" else 2 * self._depth))
                events = self._announce(grown[-1:]) * self._random.randint(0, 1)
            case "doubled":
                events = self._announce(self._grow(1)) * 2
            case "late":
                events = self._announce([self._random.choice(list(self.blocks.values()))])
            case "shuffled":
                events = self._announce(self._grow(self._random.randint(2, 5)))
                self._random.shuffle(events)
            case "cut":
                self._grow(self._random.randint(0, 2))
                events = [ConnectionLost("cut"), *self._announce([self.tip])]
            case "unsubscribed":
                events = self._unsubscribed()
            case "reorg_untold":
                self._reorg(self._random.randint(1, self._depth))
                events = []
            case "lagging":
                self._lag_calls = self._random.randint(1, _LAG_CALLS)
                events = self._announce(self._grow(self._random.randint(1, 3)))
            case "went_back":
                self.tip = self.ancestor(self.tip, 1)
                events = self._announce([self.tip])
            case _:
                deepest = self._depth if move == "reorg" else 2 * self._depth
                events = self._reorg(self._random.randint(1, deepest))
        return events

    def _unsubscribed(self) -> list[Event]:
        """No event for a while, whatever happens; then the head is polled."""
        self._grow(self._random.randint(1, 3))
        if self._random.random() < 0.5:
            self._reorg(self._random.randint(1, self._depth // 2))
        self._grow(self._random.randint(0, 2))
        return [self._announcement(self.tip)]

    def _reorg(self, depth: int) -> list[Event]:
        self.tip = self.ancestor(self.tip, depth)
        grown = self._grow(max(1, depth + self._random.randint(-1, 2)))
        return self._announce(grown if self._random.random() < 0.5 else grown[-1:])

    def _grow(self, count: int) -> list[MemoryBlock]:
        grown = []
        for _ in range(count):
            size = self._random.choice((0, 0, 1, 2, 5))
            counted = [
                (pool_address(self._random.randrange(self._pools + 1)), self._random.randrange(2**40))
                for _ in range(size)
            ]
            self.tip = self.add(self.tip, counted, self._other_events(size))
            grown.append(self.tip)
        return grown

    def _other_events(self, size: int) -> dict[int, Hash32]:
        drawn = {index: self._random.random() for index in range(size)}
        kinds = {index: RECOUNTED if draw < UNKNOWN_RATE else MENTIONED for index, draw in drawn.items()}
        events = {index: kind for index, kind in kinds.items() if drawn[index] < UNKNOWN_RATE + HARMLESS_RATE}
        self.taken.update("unknown_event" if kind == RECOUNTED else "harmless_event" for kind in events.values())
        return events

    def _announce(self, blocks: list[MemoryBlock]) -> list[Event]:
        return [self._announcement(block) for block in blocks]

    def _announcement(self, block: MemoryBlock) -> Announcement:
        self._now += 1
        header = block.header if self._random.random() < 0.5 else None
        return Announcement(block.header.number, block.header.hash, self._now, header)

    def _takes(self, fault: str, rate: float) -> bool:
        is_taken = not self._is_flawless and self._random.random() < rate
        self.taken[fault] += is_taken
        return is_taken

    def _lags(self) -> bool:
        self._lag_calls = max(self._lag_calls - 1, 0)
        self.taken["lagged"] += self._lag_calls > 0
        return self._lag_calls > 0

    async def head(self) -> BlockHeader:
        if self._lags():
            return self.ancestor(self.tip, min(3, self.tip.header.number)).header
        if self._takes("slow_head", 0.03):
            raise NodeTimeoutError("slow")
        if self._takes("old_head", 0.05):
            return self.ancestor(self.tip, self._random.randint(1, 2)).header
        header = await super().head()
        if self._takes("moved_while_asked", 0.1):
            self._grow(1)
        return header

    async def header_by_hash(self, block: Hash32) -> BlockHeader | None:
        if self._takes("unknown_header", 0.05):
            return None
        return await super().header_by_hash(block)

    async def logs(self, block: Hash32) -> tuple[Log, ...]:
        if self._takes("refused_logs", 0.03):
            raise RpcError("eth_getLogs", -32000, "unknown block")
        if self._lags() and self.blocks[block].header.number > self.tip.header.number - 2:
            raise RpcError("eth_getLogs", -32000, "unknown block")
        logs = await super().logs(block)
        told = self._told(logs)
        self.spoiled.discard(block)
        if told != logs and _looks_complete(told, logs):
            self.spoiled.add(block)
            self.taken["lie_without_trace"] += 1
        return told

    def _told(self, logs: tuple[Log, ...]) -> tuple[Log, ...]:
        if logs and self._takes("removed_logs", 0.02):
            raise MalformedAnswerError("eth_getLogs", "a removed log in an answer")
        if logs and self._takes("changed_log", 0.01):
            return (*logs[:-1], msgspec.structs.replace(logs[-1], data=f"0x{self._random.randrange(2**40):064x}"))
        if logs and self._takes("relabelled_logs", 0.02):
            return self._relabelled(logs[0])
        if logs and self._takes("foreign_logs", 0.02):
            return self._random.choice(list(self.blocks.values())).logs if self._random.random() < 0.5 else ()
        if len(logs) > 1 and self._takes("swapped_logs", 0.05):
            return (*logs[1:], logs[0])
        if logs and self._takes("hidden_log", 0.1):
            return self._with_hidden_log(logs)
        return logs

    def _with_hidden_log(self, logs: tuple[Log, ...]) -> tuple[Log, ...]:
        hidden = self._random.randrange(len(logs))
        return logs[:hidden] + logs[hidden + 1 :]

    def _relabelled(self, like: Log) -> tuple[Log, ...]:
        """Another block's logs under this block's name, as from an index that mixes branches up."""
        other = self._random.choice(list(self.blocks.values())[-20:])
        return tuple(
            msgspec.structs.replace(
                log,
                block_hash=like.block_hash,
                block_number=like.block_number,
                tx_hash=tx_hash(like.block_hash, log.log_index),
            )
            for log in other.logs
        )

    async def call_many(self, calls: Sequence[Call], block: Hash32) -> tuple[bytes | None, ...]:
        if self._takes("refused_calls", 0.05):
            raise RpcError("eth_call", -32000, "header not found")
        if self._takes("late_calls", 0.05):
            raise NodeTimeoutError("slow")
        return await super().call_many(calls, block)

    async def receipt_outlines(self, block: Hash32) -> tuple[ReceiptOutline, ...]:
        """A node that never gives receipts cannot be audited: here it refuses once at most."""
        self._is_receipt_refused = not self._is_receipt_refused and self._takes("refused_receipts", 0.1)
        if self._is_receipt_refused:
            raise RpcError("eth_getBlockReceipts", -32000, "unknown block")
        return await super().receipt_outlines(block)


def _looks_complete(told: Sequence[Log], logs: Sequence[Log]) -> bool:
    """Whether neither indexes nor bloom tell this answer from the true one."""
    is_of_block = [(log.block_hash, log.log_index) for log in told] == [
        (logs[0].block_hash, index) for index in range(len(told))
    ]
    return is_of_block and brute_force_bloom(told) == brute_force_bloom(logs)
