import msgspec
import pytest
from tests.support.memory_chain import MemoryBlock, MemoryChain, pool_address

from headrace.model.event import Announcement, BlockApplied, Change, ConnectionLost, Resumed, RolledBack, Stale
from headrace.pipeline.feed.follower import Block, FetchBlock, FetchHead, Follower, FollowLimits

LIMITS = FollowLimits(depth_max=4, attempts_max=3)


class World:
    """A chain, a follower at its tip, and a node that answers every wish at once."""

    def __init__(self) -> None:
        self.chain = MemoryChain()
        for _ in range(6):
            self.grow()
        self.follower = Follower(self.chain.tip.header, LIMITS)

    def grow(self, count: int = 1) -> MemoryBlock:
        for _ in range(count):
            self.chain.tip = self.chain.add(self.chain.tip, [(pool_address(0), 1)])
        return self.chain.tip

    def answer(self) -> int:
        """Fulfil wishes until there is none; how many there were."""
        count = 0
        while (wish := self.follower.wish) is not None:
            count += 1
            if isinstance(wish, FetchHead):
                self.follower.fetched_head(self.chain.tip.header)
            else:
                block = self.chain.blocks[wish.hash]
                self.follower.fetched_block(Block(block.header, block.logs))
        return count

    def hint(self, block: MemoryBlock, *, has_header: bool = True) -> list[Change]:
        self.follower.hint(announcement(block, has_header=has_header))
        self.answer()
        return self.follower.changes()


def announcement(block: MemoryBlock, *, has_header: bool = True) -> Announcement:
    return Announcement(block.header.number, block.header.hash, 7, block.header if has_header else None)


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize("has_header", [True, False])
def test_a_child_of_the_tip_takes_one_fetch(world: World, *, has_header: bool) -> None:
    block = world.grow()
    world.follower.hint(announcement(block, has_header=has_header))
    assert world.follower.wish == FetchBlock(block.header.hash, block.header if has_header else None)
    assert world.answer() == 1
    assert world.follower.changes() == [BlockApplied(block.header, block.logs, 7)]


def test_a_doubled_announcement_wishes_nothing(world: World) -> None:
    assert world.hint(world.chain.tip) == []
    world.follower.hint(announcement(world.chain.ancestor(world.chain.tip, 0)))
    assert world.follower.wish is None


def test_a_gap_is_filled_in_order_and_only_the_last_is_marked(world: World) -> None:
    tip = world.grow(3)
    changes = world.hint(tip)
    expected = [world.chain.ancestor(tip, depth) for depth in (2, 1, 0)]
    assert [c.header for c in changes if isinstance(c, BlockApplied)] == [b.header for b in expected]
    assert [c.is_last for c in changes if isinstance(c, BlockApplied)] == [False, False, True]


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_a_reorg_up_to_the_kept_depth_rolls_back_to_the_common_ancestor(world: World, depth: int) -> None:
    for _ in range(4):
        world.hint(world.grow())
    fork = world.chain.ancestor(world.chain.tip, depth)
    world.chain.tip = fork
    tip = world.grow(depth)
    changes = world.hint(tip)
    assert changes[0] == RolledBack(fork.header.ref)
    assert [c.header.number for c in changes[1:] if isinstance(c, BlockApplied)] == [
        fork.header.number + i + 1 for i in range(depth)
    ]


def test_a_reorg_below_the_kept_depth_loses_the_market(world: World) -> None:
    for _ in range(4):
        world.hint(world.grow())
    world.chain.tip = world.chain.ancestor(world.chain.tip, 5)
    changes = world.hint(world.grow(6))
    assert [type(c) for c in changes] == [Stale]
    assert world.follower.is_lost


def test_a_gap_longer_than_the_kept_depth_loses_the_market(world: World) -> None:
    assert world.hint(world.grow(5)) == [Stale("5 blocks are missing", is_lost=True)]


def test_a_late_announcement_of_an_orphan_does_not_move_the_market(world: World) -> None:
    orphan = world.chain.add(world.chain.ancestor(world.chain.tip, 1), [])
    assert world.hint(orphan) == []
    assert world.hint(orphan, has_header=False) == []
    assert world.follower.tip == world.chain.tip.header.ref


def test_a_node_that_goes_back_makes_the_market_stale_until_it_is_ahead_again(world: World) -> None:
    world.hint(world.grow())
    orphan = world.chain.add(world.chain.ancestor(world.chain.tip, 3), [])
    real = world.chain.tip
    world.chain.tip = world.chain.ancestor(real, 1)
    assert [type(c) for c in world.hint(orphan)] == [Stale]
    assert world.hint(orphan) == []
    world.chain.tip = real
    assert world.hint(real) == [Resumed(7)]
    assert [type(c) for c in world.hint(world.grow())] == [BlockApplied]


def test_a_lost_connection_is_a_doubt_that_the_next_head_ends(world: World) -> None:
    world.follower.hint(ConnectionLost("cut"))
    world.follower.hint(ConnectionLost("cut again"))
    assert world.follower.changes() == [Stale("cut", is_lost=False)]
    block = world.grow()
    assert [type(c) for c in world.hint(block)] == [BlockApplied]


def test_an_incomplete_block_is_asked_for_again_and_found(world: World) -> None:
    block = world.grow()
    world.follower.hint(announcement(block))
    world.follower.fetched_block(Block(block.header, ()))
    assert isinstance(world.follower.wish, FetchHead)
    world.answer()
    assert [type(c) for c in world.follower.changes()] == [Stale, BlockApplied]


def test_a_block_that_stays_incomplete_loses_the_market(world: World) -> None:
    block = world.grow()
    world.follower.hint(announcement(block))
    while world.follower.wish is not None:
        if isinstance(world.follower.wish, FetchHead):
            world.follower.fetched_head(block.header)
        else:
            world.follower.fetched_block(Block(block.header, ()))
    assert [c.is_lost for c in world.follower.changes() if isinstance(c, Stale)] == [False, True]


@pytest.mark.parametrize("change", [{"number": 99}, {"hash": "0x" + "ab" * 32}])
def test_a_header_that_does_not_fit_is_a_failure(world: World, change: dict[str, int | str]) -> None:
    block = world.grow()
    world.follower.hint(announcement(block, has_header=False))
    lie = msgspec.convert({**msgspec.to_builtins(block.header), **change}, type(block.header))
    world.follower.fetched_block(Block(lie, ()))
    assert isinstance(world.follower.wish, FetchHead)


def test_a_parent_whose_height_is_wrong_is_a_failure(world: World) -> None:
    tip = world.grow(2)
    world.follower.hint(announcement(tip))
    world.follower.fetched_head(tip.header)
    world.follower.fetched_block(Block(tip.header, tip.logs))
    parent = world.chain.ancestor(tip, 1)
    lie = msgspec.structs.replace(parent.header, number=parent.header.number - 1)
    world.follower.fetched_block(Block(lie, parent.logs))
    assert isinstance(world.follower.wish, FetchHead)
