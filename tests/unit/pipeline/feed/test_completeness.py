import msgspec
import pytest
from tests.support.memory_chain import MemoryBlock, MemoryChain, pool_address

from headrace.errors import IncompleteBlockError
from headrace.model.address import Hash32
from headrace.pipeline.feed.completeness import require_complete


@pytest.fixture
def block() -> MemoryBlock:
    chain = MemoryChain()
    return chain.add(chain.tip, [(pool_address(i), i) for i in range(4)])


def test_all_logs_of_a_block_are_complete(block: MemoryBlock) -> None:
    require_complete(block.header, block.logs)


@pytest.mark.parametrize("hidden", range(4))
def test_a_hidden_log_is_seen(block: MemoryBlock, hidden: int) -> None:
    with pytest.raises(IncompleteBlockError):
        require_complete(block.header, block.logs[:hidden] + block.logs[hidden + 1 :])


def test_a_doubled_log_is_seen(block: MemoryBlock) -> None:
    with pytest.raises(IncompleteBlockError, match="log 1 is missing"):
        require_complete(block.header, (block.logs[0], *block.logs))


def test_a_swapped_pair_is_seen(block: MemoryBlock) -> None:
    with pytest.raises(IncompleteBlockError, match="log 0 is missing"):
        require_complete(block.header, block.logs[::-1])


@pytest.mark.parametrize("change", [{"block_hash": Hash32("0x" + "11" * 32)}, {"block_number": 7}])
def test_a_log_of_another_block_is_seen(block: MemoryBlock, change: dict[str, int | Hash32]) -> None:
    foreign = msgspec.structs.replace(block.logs[0], **change)
    with pytest.raises(IncompleteBlockError, match="belongs to"):
        require_complete(block.header, (foreign, *block.logs[1:]))


def test_the_one_blind_spot_is_a_tail_whose_bits_all_occur_before() -> None:
    chain = MemoryChain()
    block = chain.add(chain.tip, [(pool_address(0), 1), (pool_address(0), 2)])
    require_complete(block.header, block.logs[:1])
