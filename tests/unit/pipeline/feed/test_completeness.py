import msgspec
import pytest
from tests.support.memory_chain import MemoryBlock, MemoryChain, pool_address

from headrace.errors import IncompleteBlockError
from headrace.model.address import Hash32
from headrace.model.bloom import logs_bloom
from headrace.model.chain_rules import BloomRule
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


def test_where_headers_leave_system_logs_out_only_bits_that_the_header_has_must_be_there(block: MemoryBlock) -> None:
    """As on Polygon: the last log is a state sync's, of which the header knows nothing."""
    before = msgspec.structs.replace(block.header, logs_bloom=logs_bloom(block.logs[:3]))
    with pytest.raises(IncompleteBlockError):
        require_complete(before, block.logs)
    require_complete(before, block.logs, BloomRule.COVERED)
    require_complete(block.header, block.logs, BloomRule.COVERED)
    for hidden in (1, 2):
        with pytest.raises(IncompleteBlockError):
            require_complete(before, block.logs[: 3 - hidden], BloomRule.COVERED)


def test_an_empty_filter_says_nothing_where_headers_leave_logs_out(block: MemoryBlock) -> None:
    require_complete(msgspec.structs.replace(block.header, logs_bloom=bytes(256)), block.logs, BloomRule.COVERED)
