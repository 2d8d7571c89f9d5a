"""Discovery by a list, against a chain in memory whose own list is the oracle; the questions are Curve's."""

import asyncio
from pathlib import Path

import pytest
from eth_hash.auto import keccak
from tests.support.log_archive import MemoryArchive

from headrace.adapters.factories.curve import CurvePoolList
from headrace.adapters.stores.catalogue.file import CatalogueFile, Heading
from headrace.errors import CatalogueError, IncompleteBlockError, MalformedAnswerError, NodeUnreachableError
from headrace.model.address import Address, ChainId
from headrace.model.block import BlockHeader
from headrace.model.pool import ProtocolId
from headrace.pipeline.discovery.discoverer import Discovered, Progress, Wanted
from headrace.pipeline.discovery.lister import INDICES_AT_ONCE, Lister
from headrace.ports.chain import Call

FACTORY = Address("0x" + "fa" * 20)
COUNT, POOL = (keccak(text)[:4] for text in (b"pool_count()", b"pool_list(uint256)"))
LIST = CurvePoolList(ProtocolId("curve_stableswap"), FACTORY)
CONFIRMATIONS = 3


def pool(number: int) -> str:
    return f"0x{number + 1:040x}"


class World:
    """A list that grows with the chain: a list by block number, and what is asked of it."""

    def __init__(self, folder: Path) -> None:
        self.archive = MemoryArchive(answer=self.answer)
        self.folder = folder
        self.pools: list[str] = []
        self.asked: list[int] = []
        self.fails_after: int | None = None
        self.progress: list[Progress] = []

    def grow(self, *pools: str, blocks: int = CONFIRMATIONS + 1) -> None:
        self.pools += pools
        for _ in range(blocks):
            self.archive.grow()

    def answer(self, call: Call) -> bytes | None:
        assert call.to == FACTORY
        if call.data == COUNT:
            return len(self.pools).to_bytes(32, "big")
        assert call.data[:4] == POOL
        index = int.from_bytes(call.data[4:], "big")
        self.asked.append(index)
        if self.fails_after is not None and len(self.asked) > self.fails_after:
            raise NodeUnreachableError("gone")
        return bytes.fromhex(self.pools[index][2:]).rjust(32, b"\0") if index < len(self.pools) else None

    def run(self, last_block: int | None = None, pools_max: int | None = None) -> Discovered:
        heading = Heading(chain_id=ChainId(1), factory=FACTORY, topics=LIST.topics, proof=LIST.proof, first_block=0)
        wanted = Wanted(last_block=last_block, confirmations=CONFIRMATIONS, pools_max=pools_max)
        with CatalogueFile(self.folder / "list.jsonl", heading, is_writer=True) as kept:
            return asyncio.run(Lister(self.archive, LIST, kept).run(wanted, self.progress.append))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def found(result: Discovered) -> list[str]:
    assert [one.ordinal for one in result.creations] == list(range(len(result.creations)))
    return [one.pool for one in result.creations]


def test_the_whole_list_is_read_in_bundles_and_kept(world: World) -> None:
    world.grow(*map(pool, range(2 * INDICES_AT_ONCE + 7)))
    result = world.run()
    assert found(result) == world.pools
    assert result.is_whole
    assert result.kept_to_block == world.archive.tip.header.number - CONFIRMATIONS
    assert {one.unit for one in world.progress} == {"index"}
    told = [one.next_block for one in world.progress]
    assert told == sorted(told)
    assert told[-1] == len(world.pools)


def test_the_next_run_asks_for_what_was_appended_and_once_more_for_what_is_kept(world: World) -> None:
    world.grow(*map(pool, range(20)))
    world.run()
    world.asked.clear()
    world.grow(*map(pool, range(20, 25)))
    assert found(world.run()) == world.pools
    assert world.asked == list(range(25))
    assert found(world.run()) == world.pools


def test_a_node_that_dies_leaves_the_last_line_and_the_next_run_goes_on(world: World) -> None:
    world.grow(*map(pool, range(10)))
    world.run()
    world.grow(*map(pool, range(10, 10 + 3 * INDICES_AT_ONCE)))
    world.asked.clear()
    world.fails_after = INDICES_AT_ONCE + 50
    with pytest.raises(NodeUnreachableError):
        world.run()
    world.fails_after = None
    assert found(world.run()) == world.pools


def test_a_list_that_lost_a_pool_is_refused_even_where_another_took_its_place(world: World) -> None:
    world.grow(*map(pool, range(10)))
    world.run()
    world.grow(*map(pool, range(10, 14)))
    world.pools[3] = world.pools.pop()  # as a registry removes
    with pytest.raises(CatalogueError, match=f"{pool(3)} stood at 3 and does no longer; delete what is kept of it"):
        world.run()


def test_what_is_no_pool_is_named_and_the_rest_goes_on(world: World) -> None:
    world.grow(pool(0), "0x" + "00" * 20, pool(1), pool(0), "0x" + "01" * 32, pool(2))
    result = world.run()
    assert [one.pool for one in result.creations] == [pool(0), pool(1), pool(2)]
    assert result.malformed == (
        "index 1: the list names no pool there",
        f"index 3: {pool(0)} stands there again",
        "index 4: the list names no pool there",
    )
    world.grow(pool(3))
    again = world.run()
    assert [one.pool for one in again.creations] == [pool(0), pool(1), pool(2), pool(3)]
    assert again.malformed == result.malformed


def test_a_bound_ends_it_early_and_nothing_is_kept(world: World) -> None:
    world.grow(*map(pool, range(10)))
    result = world.run(pools_max=4)
    assert (found(result), result.is_whole, result.kept_to_block) == (world.pools[:4], False, None)
    assert found(world.run()) == world.pools


@pytest.mark.parametrize("answer", [None, b"", b"\0" * 31, (1 << 32).to_bytes(32, "big"), b"\xff" * 64])
def test_a_contract_without_such_a_list_is_named(world: World, answer: bytes | None) -> None:
    world.grow()
    world.archive.answer = lambda _: answer
    with pytest.raises(MalformedAnswerError, match="does not count its pools: is it the factory"):
        world.run()


def test_what_is_kept_of_another_chain_is_refused(world: World) -> None:
    world.grow(pool(0), blocks=10)
    world.run()
    world.archive.cut(3)
    world.grow(blocks=10)
    with pytest.raises(CatalogueError, match="it is of another chain"):
        world.run()


def test_a_block_that_is_gone_ends_it(world: World) -> None:
    world.grow(pool(0), blocks=10)

    async def gone(number: int) -> BlockHeader | None:
        del number
        return None

    world.archive.header_by_number = gone  # type: ignore[method-assign]  # a node that forgot
    with pytest.raises(IncompleteBlockError, match="the node does not know block"):
        world.run()
