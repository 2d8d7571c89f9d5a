"""Transactions as nodes write them, and what is refused. The oracle is the published form (execution-apis)."""

import asyncio
from enum import Enum

import msgspec
import pytest
from tests.support.wall_clock import WallClock

from headrace.adapters.chains.evm.options import EvmOptions
from headrace.adapters.mempools.node.body import (
    INPUT_BYTES_MAX,
    ForeignTypeError,
    read_announced_hash,
    read_mined,
    read_pending,
)
from headrace.adapters.mempools.node.frame_queue import FrameQueue
from headrace.adapters.mempools.node.mempool import NodeMempool
from headrace.model.address import ChainId
from headrace.model.pending import MinedTransaction, Visibility
from headrace.ports.mempool import FeedCounters

CHAIN = ChainId(7)
HASH, SENDER, TO = "0x" + "ab" * 32, "0x" + "0A" * 20, "0x" + "0b" * 20
BASE: dict[str, object] = {
    "hash": HASH,
    "from": SENDER,
    "to": TO,
    "nonce": "0x9",
    "value": "0x5",
    "input": "0xc0ffee",
    "gas": "0x5208",
    "blockNumber": None,
    "chainId": "0x7",
}
FEES = {"maxFeePerGas": "0x14", "maxPriorityFeePerGas": "0x2", "gasPrice": "0x14"}


class Absent(Enum):
    """Nothing at all, under a name that is the same in every process."""

    FIELD = "absent"


REMOVED = Absent.FIELD


def raw(**changed: object) -> msgspec.Raw:
    fields = {key: value for key, value in {**BASE, **FEES, **changed}.items() if value is not REMOVED}
    return msgspec.Raw(msgspec.json.encode(fields))


@pytest.mark.parametrize("kind", ["0x0", "0x1", "0x2", "0x3", "0x4", REMOVED])
def test_every_ethereum_type_is_read(kind: object) -> None:
    read = read_pending(raw(type=kind), CHAIN)
    assert read is not None
    assert (read.hash, read.sender, read.to) == (HASH, SENDER.lower(), TO)
    assert (read.nonce, read.value_wei, read.data) == (9, 5, bytes.fromhex("c0ffee"))
    assert (read.max_fee_wei, read.priority_fee_wei) == (20, 20 if kind in {"0x0", "0x1", REMOVED} else 2)


def test_a_creation_has_no_receiver() -> None:
    for to in (None, REMOVED):
        read = read_pending(raw(type="0x2", to=to), CHAIN)
        assert read is not None
        assert read.to is None


def test_what_is_mined_or_unknown_is_not_pending() -> None:
    assert read_pending(raw(type="0x2", blockNumber="0x1"), CHAIN) is None
    assert read_pending(msgspec.Raw(b"null"), CHAIN) is None


@pytest.mark.parametrize("kind", ["0x5", "0x64", "0x7e"])
def test_a_foreign_type_is_told_apart_whatever_else_it_holds(kind: str) -> None:
    with pytest.raises(ForeignTypeError):
        read_pending(raw(type=kind, nonce=REMOVED, maxFeePerGas=REMOVED), CHAIN)


@pytest.mark.parametrize(
    "changed",
    [
        {"type": "2"},
        {"type": 2},
        {"hash": HASH[:-1] + "g"},
        {"hash": HASH[:-2]},
        {"from": REMOVED},
        {"from": "0x" + " " * 40},
        {"to": "0x" + "zz" * 20},
        {"nonce": "0x1" + "0" * 16},
        {"nonce": 9},
        {"value": "0x1" + "0" * 64},
        {"input": "0xabc"},
        {"input": REMOVED},
        {"input": "0x" + "00" * (INPUT_BYTES_MAX + 1)},
        {"chainId": "0x8"},
        {"maxFeePerGas": REMOVED},
        {"maxPriorityFeePerGas": None},
        {"maxPriorityFeePerGas": "0x15"},
        {"type": "0x0", "gasPrice": REMOVED},
        {"type": "0x3", "to": None},
        {"type": "0x4", "to": REMOVED},
    ],
    ids=str,
)
def test_what_has_not_the_documented_form_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_pending(raw(**{"type": "0x2", **changed}), CHAIN)


@pytest.mark.parametrize("frame", [b"5", b"[]", b'"0x12"', b"{", b"", b'{"type": null}', b"[" * 5000])
def test_frames_that_are_no_transactions_are_counted_and_the_rest_goes_on(frame: bytes) -> None:
    mempool = NodeMempool(EvmOptions(url="/nowhere", chain_id=CHAIN), WallClock(), Visibility(is_visible=True))
    frames = [msgspec.Raw(frame), raw(type="0x2"), raw(type="0x7e"), raw(type="0x2", blockNumber="0x1")]
    read = asyncio.run(mempool._parsed(frames))
    assert [one.hash for one in read] == [HASH]
    assert (mempool.counters.malformed, mempool.counters.foreign) == (1, 1)


def test_hashes_and_blocks_are_read() -> None:
    assert read_announced_hash(msgspec.Raw(f'"{HASH}"'.encode())) == HASH
    block = {"transactions": [{"hash": HASH, "from": SENDER, "nonce": "0x9", "type": "0x7e"}]}
    mined = (MinedTransaction(read_announced_hash(msgspec.Raw(f'"{HASH}"'.encode())), "0x" + "0a" * 20, 9),)  # type: ignore[arg-type]  # lowercase of SENDER
    assert read_mined(msgspec.Raw(msgspec.json.encode(block))) == mined
    assert read_mined(msgspec.Raw(b"null")) is None
    with pytest.raises(ValueError, match=r"."):
        read_mined(msgspec.Raw(b'{"transactions": ["0x12"]}'))


def test_waiting_frames_are_bounded_in_number_and_in_bytes_and_the_oldest_give_way() -> None:
    asyncio.run(_fill_queues())


async def _fill_queues() -> None:
    for frames_max, bytes_max in ((3, 10**6), (10**6, 30)):
        counters = FeedCounters()
        queue = FrameQueue(counters, frames_max=frames_max, bytes_max=bytes_max)
        for i in range(8):
            queue.put(msgspec.Raw(f'"frame {i}"'.encode()), 0)
        assert (counters.announced, counters.dropped) == (8, 5)
        assert [bytes(one) for one in await queue.take(2)] == [b'"frame 5"', b'"frame 6"']
        queue.close()
        assert [bytes(one) for one in await queue.take(2)] == [b'"frame 7"']
        assert await queue.take(2) == []
