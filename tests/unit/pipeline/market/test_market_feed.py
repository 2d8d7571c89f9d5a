"""How the market begins, ends, and begins again; each chain below misbehaves in one way."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from tests.support.memory_chain import PROTOCOL, CounterDex, MemoryBlock, MemoryChain, counter_pool, pool_address

from headrace.errors import NodeTimeoutError, WrongChainError
from headrace.model.address import Hash32
from headrace.model.block import BlockHeader
from headrace.model.event import Announcement, ConnectionLost, Event, Stale
from headrace.model.snapshot import Snapshot
from headrace.pipeline.feed.block_feed import BlockFeed
from headrace.pipeline.feed.follower import FollowLimits
from headrace.pipeline.market.market import Market
from headrace.pipeline.market.market_feed import MarketFeed
from headrace.ports.chain import Call
from headrace.ports.pool import PoolState

Output = Snapshot[PoolState] | Stale


class ScriptedChain(MemoryChain):
    """Announces what the test lists; `head_failures` heads and `call_failures` reads time out first."""

    def __init__(self) -> None:
        super().__init__()
        self.script: list[Event | MemoryBlock] = []
        self.head_failures = 0
        self.call_failures = 0
        self.error: Exception = NodeTimeoutError("slow")

    async def events(self) -> AsyncIterator[Event]:
        for entry in self.script:
            if isinstance(entry, MemoryBlock):
                self.tip = entry
                yield Announcement(entry.header.number, entry.header.hash, entry.header.number, entry.header)
            else:
                yield entry

    async def head(self) -> BlockHeader:
        if self.head_failures:
            self.head_failures -= 1
            raise self.error
        return await super().head()

    async def call_many(self, calls: Sequence[Call], block: Hash32) -> tuple[bytes | None, ...]:
        if self.call_failures:
            self.call_failures -= 1
            raise self.error
        return await super().call_many(calls, block)

    def line(self, parent: MemoryBlock, count: int) -> list[MemoryBlock]:
        blocks = []
        for _ in range(count):
            parent = self.add(parent, [(pool_address(0), 1)])
            blocks.append(parent)
        return blocks


def outputs(chain: ScriptedChain, *, market_depth: int = 4) -> list[Output]:
    async def run() -> list[Output]:
        market = Market([counter_pool(0)], {PROTOCOL: CounterDex()}, {}, market_depth)
        feed = MarketFeed(chain, market, BlockFeed(chain, FollowLimits(depth_max=4, attempts_max=2, pause_seconds=0.0)))
        return [output async for output in feed.snapshots()]

    return asyncio.run(run())


def numbers(found: list[Output]) -> list[int | str]:
    """The height of each snapshot; "lost" and "doubt" for the two kinds of staleness."""
    return [("lost" if o.is_lost else "doubt") if isinstance(o, Stale) else o.header.number for o in found]


def test_it_reads_at_the_head_and_then_follows() -> None:
    chain = ScriptedChain()
    chain.script = [chain.tip, *chain.line(chain.tip, 3)]
    found = outputs(chain)
    assert numbers(found) == [0, 1, 2, 3]
    assert [o.announced_ns for o in found if isinstance(o, Snapshot)] == [0, 1, 2, 3]


def test_a_node_without_events_gives_nothing() -> None:
    assert outputs(ScriptedChain()) == []


def test_it_waits_for_a_head_that_can_be_read() -> None:
    chain = ScriptedChain()
    chain.script = [ConnectionLost("cut"), chain.tip, *chain.line(chain.tip, 2)]
    chain.head_failures = 1
    assert numbers(outputs(chain)) == [1, 2]


def test_a_failed_reading_is_stale_and_tried_at_the_next_sign_of_life() -> None:
    chain = ScriptedChain()
    chain.script = [chain.tip, *chain.line(chain.tip, 2)]
    chain.call_failures = 1
    assert numbers(outputs(chain)) == ["lost", 1, 2]


def test_a_reorg_deeper_than_kept_is_read_anew_at_once() -> None:
    chain = ScriptedChain()
    trunk = chain.line(chain.tip, 8)
    branch = chain.line(trunk[0], 9)
    chain.script = [*trunk, branch[-1]]
    assert numbers(outputs(chain)) == [1, 2, 3, 4, 5, 6, 7, 8, "lost", 10]


def test_a_market_that_keeps_less_than_its_feed_is_read_anew() -> None:
    chain = ScriptedChain()
    trunk = chain.line(chain.tip, 4)
    chain.script = [*trunk, *chain.line(trunk[0], 4)[-1:]]
    assert numbers(outputs(chain, market_depth=2)) == [1, 2, 3, 4, "lost", 5]


def test_a_lost_market_whose_node_fails_waits_for_the_next_sign_of_life() -> None:
    chain = ScriptedChain()
    trunk = chain.line(chain.tip, 9)

    chain.script = [trunk[0], trunk[6], trunk[7]]
    plain_head = chain.head
    asked: list[int] = []

    async def head() -> BlockHeader:
        asked.append(1)
        if len(asked) == 3:
            raise NodeTimeoutError("slow")
        return await plain_head()

    chain.head = head  # type: ignore[method-assign]
    assert numbers(outputs(chain)) == [1, "lost", 8]


def test_a_doubt_ends_with_a_snapshot_of_the_same_block() -> None:
    chain = ScriptedChain()
    block = chain.line(chain.tip, 1)[0]
    chain.script = [block, ConnectionLost("cut"), block]
    found = outputs(chain)
    assert numbers(found) == [1, "doubt", 1]
    assert isinstance(found[-1], Snapshot)
    assert found[-1].changed == ()


def test_a_gap_gives_one_snapshot_with_all_changes() -> None:
    chain = ScriptedChain()
    trunk = chain.line(chain.tip, 4)
    chain.script = [trunk[0], trunk[3]]
    assert numbers(outputs(chain)) == [1, 4]


def test_a_node_of_another_chain_ends_it() -> None:
    chain = ScriptedChain()
    chain.script = [chain.tip]
    chain.call_failures = 1
    chain.error = WrongChainError(1, 2)
    with pytest.raises(WrongChainError):
        outputs(chain)
