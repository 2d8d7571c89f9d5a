"""A memory chain whose node loses, doubles, delays and distorts what it says, by a seed; it counts what it did."""

import random
from collections import Counter
from collections.abc import AsyncIterator

from headrace.errors import NodeTimeoutError, RpcError
from headrace.model.address import Hash32
from headrace.model.block import BlockHeader
from headrace.model.event import Announcement, ConnectionLost, Event, Log
from tests.support.memory_chain import MemoryBlock, MemoryChain, brute_force_bloom, pool_address

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
}


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
        self._grow(3 * depth)

    async def events(self) -> AsyncIterator[Event]:
        yield self._announcement(self.tip)
        self._is_flawless = False
        for _ in range(self._steps):
            for event in self._move():
                yield event
        self._is_flawless = True
        self._grow(1)
        yield self._announcement(self.tip)

    def _move(self) -> list[Event]:
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
            case "went_back":
                self.tip = self.ancestor(self.tip, 1)
                events = self._announce([self.tip])
            case _:
                deepest = self._depth if move == "reorg" else 2 * self._depth
                events = self._reorg(self._random.randint(1, deepest))
        return events

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
            self.tip = self.add(self.tip, counted)
            grown.append(self.tip)
        return grown

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

    async def head(self) -> BlockHeader:
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
        logs = await super().logs(block)
        if logs and self._takes("foreign_logs", 0.02):
            return self._random.choice(list(self.blocks.values())).logs if self._random.random() < 0.5 else ()
        if len(logs) > 1 and self._takes("swapped_logs", 0.05):
            return (*logs[1:], logs[0])
        if logs and self._takes("hidden_log", 0.1):
            return self._with_hidden_log(logs)
        return logs

    def _with_hidden_log(self, logs: tuple[Log, ...]) -> tuple[Log, ...]:
        hidden = self._random.randrange(len(logs))
        left = logs[:hidden] + logs[hidden + 1 :]
        is_tail_without_trace = hidden == len(logs) - 1 and brute_force_bloom(left) == brute_force_bloom(logs)
        if is_tail_without_trace:  # no header can tell: see headrace.pipeline.feed.completeness
            self.taken["hidden_log_without_trace_left_alone"] += 1
            return logs
        return left
