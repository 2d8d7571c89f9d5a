"""What the edge lets in and what it refuses; the good forms are those of execution-apis."""

import asyncio

import msgspec
import pytest

from headrace.adapters.chains.evm import answer
from headrace.adapters.chains.evm.announcer import Announcer
from headrace.adapters.chains.evm.frame import ErrorObject, decode_frames
from headrace.adapters.chains.evm.hexadecimal import read_bytes, read_quantity, require_lowercase_hex
from headrace.model.event import Announcement

HASH = "0x" + "ab" * 32
ADDRESS = "0x" + "cd" * 20

LOG: dict[str, object] = {
    "address": ADDRESS,
    "topics": [HASH, HASH],
    "data": "0x1234",
    "blockHash": HASH,
    "blockNumber": "0x10",
    "transactionHash": HASH,
    "transactionIndex": "0x0",
    "logIndex": "0x2",
    "removed": False,
    "unknownField": {"is": "tolerated"},
}
HEADER: dict[str, object] = {
    "number": "0x10",
    "hash": HASH,
    "parentHash": HASH,
    "timestamp": "0x20",
    "gasUsed": "0x1",
    "gasLimit": "0x2",
    "miner": ADDRESS.upper().replace("X", "x"),
    "logsBloom": "0x" + "00" * 256,
    "baseFeePerGas": "0x7",
}


def raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


@pytest.mark.parametrize(("text", "value"), [("0x0", 0), ("0x10", 16), ("0xFf", 255), ("0x" + "f" * 64, 2**256 - 1)])
def test_quantities(text: str, value: int) -> None:
    assert read_quantity(text) == value


@pytest.mark.parametrize("text", ["", "0x", "10", "0xg", "0x-1", "0x1_0", " 0x1", "0x1 ", "0x" + "f" * 65, "0x\u0661"])
def test_what_is_no_quantity(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_quantity(text)


@pytest.mark.parametrize("text", ["0x1", "0xzz", "1234", "0x12 3", "0x12 34", "ab12"])
def test_what_is_no_data(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_bytes(text)


@pytest.mark.parametrize(
    "fields",
    [[], ["0x"], ["0x", "0x"], ["0x12", "0x", "0xab"], ["0x" + "00" * 1000]],
)
def test_lowercase_hex_passes(fields: list[str]) -> None:
    require_lowercase_hex(fields)


@pytest.mark.parametrize(
    "fields",
    [
        ["12"],
        ["0x12", "34"],
        ["0xAB"],
        ["0x1"],
        ["0x1", "0x2"],
        ["0x1g"],
        ["0x12,0x", "34"],
        ["0x12", "0x3 4 "],
        ["", "0x"],
        ["0x0x"],
    ],
)
def test_other_text_does_not(fields: list[str]) -> None:
    with pytest.raises(ValueError, match=r"."):
        require_lowercase_hex(fields)


def test_a_log_becomes_ours() -> None:
    (log,) = answer.read_logs(raw([LOG]))
    assert (log.address, log.topics, log.data) == (ADDRESS, (HASH, HASH), "0x1234")
    assert (log.block_hash, log.block_number, log.tx_hash, log.log_index) == (HASH, 16, HASH, 2)


@pytest.mark.parametrize(
    "change",
    [
        {"address": "0xcd"},
        {"address": "zz" + "cd" * 20},
        {"topics": [HASH] * 5},
        {"topics": [HASH[:-2]]},
        {"topics": [HASH[:-1] + "g"]},
        {"topics": None},
        {"data": "0x123"},
        {"data": "xx"},
        {"data": None},
        {"blockHash": None},
        {"blockNumber": "sixteen"},
        {"logIndex": "0x"},
        {"transactionHash": "0x12"},
        {"removed": True},
    ],
)
def test_a_log_with_one_wrong_field_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        answer.read_logs(raw([LOG, {**LOG, **change}]))


def test_a_header_becomes_ours() -> None:
    header = answer.read_known_header(raw(HEADER))
    assert (header.number, header.timestamp, header.base_fee_wei, header.coinbase) == (16, 32, 7, ADDRESS)


def test_a_header_from_before_base_fees_has_none() -> None:
    without = {name: value for name, value in HEADER.items() if name != "baseFeePerGas"}
    assert answer.read_known_header(raw(without)).base_fee_wei == 0


def test_no_block_is_no_header() -> None:
    assert answer.read_header(raw(None)) is None
    with pytest.raises(ValueError, match="no such block"):
        answer.read_known_header(raw(None))


@pytest.mark.parametrize(
    "change",
    [
        {"hash": None},
        {"hash": "0x" + "zz" * 32},
        {"hash": "0x" + "ab" * 31 + "  "},
        {"logsBloom": "0x00"},
        {"logsBloom": None},
        {"number": 16},
        {"miner": "0x"},
        {"timestamp": "0x-1"},
        {"parentHash": "0x" + "ab" * 33},
    ],
)
def test_a_header_with_one_wrong_field_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        answer.read_header(raw({**HEADER, **change}))


RECEIPT: dict[str, object] = {
    "transactionHash": HASH,
    "blockNumber": "0x1",
    "blockHash": HASH,
    "transactionIndex": "0x0",
    "status": "0x1",
    "gasUsed": "0x5208",
    "effectiveGasPrice": "0x7",
    "logs": [LOG],
}


def test_a_receipt_becomes_ours() -> None:
    receipt = answer.read_receipt(raw(RECEIPT))
    assert receipt is not None
    assert (receipt.is_success, receipt.gas_used, receipt.gas_price_wei, len(receipt.logs)) == (True, 21000, 7, 1)
    assert answer.read_receipt(raw(None)) is None


@pytest.mark.parametrize("change", [{"status": "0x2"}, {"status": None}, {"gasUsed": "x"}, {"logs": None}])
def test_a_receipt_with_one_wrong_field_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        answer.read_receipt(raw({**RECEIPT, **change}))


@pytest.mark.parametrize("frame", [b"", b"[", b"7", b'"text"', b'{"id":"x"}', b'{"id":1,"error":7}'])
def test_what_is_no_frame(frame: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_frames(frame)


@pytest.mark.parametrize(
    ("error", "is_revert", "data"),
    [
        ({"code": 3, "message": "execution reverted", "data": "0x1234"}, True, "0x1234"),
        ({"code": -32000, "message": "execution reverted"}, True, ""),
        ({"code": -32015, "message": "VM execution error.", "data": "Reverted 0x"}, True, ""),
        ({"code": -32000, "message": "invalid opcode: INVALID", "data": {"more": 1}}, True, ""),
        ({"code": -32603, "message": "EVM error OutOfGas"}, True, ""),
        ({"code": -32000, "message": "out of gas"}, True, ""),
        ({"code": -32000, "message": "invalid jump destination"}, True, ""),
        ({"code": -32000, "message": "stack underflow (0 <=> 1)"}, True, ""),
        ({"code": -32000, "message": "execution aborted (timeout = 5s)"}, False, ""),
        ({"code": -32000, "message": "header not found", "data": None}, False, ""),
        ({"code": -32005}, False, ""),
    ],
)
def test_nodes_word_a_revert_differently(error: dict[str, object], *, is_revert: bool, data: str) -> None:
    found = msgspec.convert({"code": error["code"], "message": error.get("message", "")}, ErrorObject)
    (frame,) = decode_frames(msgspec.json.encode({"id": 1, "error": error}))
    assert frame.error is not None
    assert frame.error.is_revert == found.is_revert == is_revert
    assert frame.error.revert_data == data


def test_frames_that_name_no_block_are_counted_and_dropped() -> None:
    announcer = Announcer()
    announcer.on_head(raw(7), 1)
    announcer.on_head(raw(None), 1)
    announcer.on_log(raw({**LOG, "blockHash": None}), 1)
    announcer.on_log(raw({**LOG, "removed": True}), 1)
    announcer.close()
    assert announcer.malformed_count == 3
    assert drained(announcer) == []


def test_the_first_frame_of_a_block_stamps_it() -> None:
    announcer = Announcer()
    announcer.on_log(raw(LOG), 5)
    announcer.on_head(raw(HEADER), 6)
    announcer.on_log(raw(LOG), 7)
    announcer.close()
    (only,) = drained(announcer)
    assert (only.number, only.hash, only.at_ns, only.header) == (16, HASH, 5, None)


def test_a_reader_that_has_fallen_behind_gets_the_highest_block_and_then_the_last_named() -> None:
    announcer = Announcer()
    for at_ns, number in enumerate([16, 17, 18, 17]):
        announcer.on_head(raw({**HEADER, "number": hex(number), "hash": f"0x{at_ns:064x}"}), at_ns)
    announcer.close()
    assert announcer.highest == 18
    assert [(one.number, one.at_ns) for one in drained(announcer)] == [(18, 2), (17, 3)]


def test_of_two_branches_of_one_height_the_one_named_last_is_announced() -> None:
    announcer = Announcer()
    other = {**HEADER, "hash": "0x" + "ef" * 32}
    for at_ns, header in enumerate([HEADER, other, HEADER]):
        announcer.on_head(raw(header), at_ns)
    announcer.close()
    assert [one.at_ns for one in drained(announcer)] == [2]


def drained(announcer: Announcer) -> list[Announcement]:
    async def drain() -> list[Announcement]:
        found = []
        while (one := await announcer.next(1.0)) is not None:
            found.append(one)
        return found

    return asyncio.run(drain())


def test_a_receipt_of_the_op_stack_tells_what_its_data_cost() -> None:
    receipt = answer.read_receipt(raw({**RECEIPT, "l1Fee": "0x64"}))
    assert receipt is not None
    assert receipt.l1_fee_wei == 100
    assert receipt.cost_wei == 21000 * 7 + 100
