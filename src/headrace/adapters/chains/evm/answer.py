"""Answers of a node, parsed once at the edge: strict in what is used, silent about what is not.

Each `read_*` takes the bytes of a JSON-RPC result and raises `ValueError` (msgspec's errors are such) when they have
not the documented form; the client turns that into `MalformedAnswerError` with the method's name.
"""

from collections.abc import Sequence
from typing import Annotated

import msgspec

from headrace.adapters.chains.evm.hexadecimal import (
    read_bytes,
    read_quantity,
    read_small_quantity,
    require_lowercase_hex,
)
from headrace.adapters.chains.evm.log_scan import scan_logs
from headrace.model.address import Address, Hash32
from headrace.model.block import BlockHeader
from headrace.model.event import Log
from headrace.model.transaction import Receipt

_BLOOM_BYTES = 256
_TOPICS_MAX = 4

_HashText = Annotated[Hash32, msgspec.Meta(min_length=66, max_length=66)]
_AddressText = Annotated[Address, msgspec.Meta(min_length=42, max_length=42)]
_Topics = Annotated[tuple[_HashText, ...], msgspec.Meta(max_length=_TOPICS_MAX)]


class _WireHeader(msgspec.Struct, rename="camel"):
    number: str
    hash: _HashText
    parent_hash: _HashText
    timestamp: str
    gas_used: str
    gas_limit: str
    miner: _AddressText
    logs_bloom: str
    receipts_root: _HashText | None = None
    extra_data: str = "0x"
    base_fee_per_gas: str = "0x0"  # chains without EIP-1559


class WireLog(msgspec.Struct, rename="camel"):
    """A log as nodes write it."""

    address: _AddressText
    topics: _Topics
    data: str
    block_hash: _HashText
    block_number: str
    transaction_hash: _HashText
    log_index: str
    removed: bool = False


class _WireReceipt(msgspec.Struct, rename="camel"):
    transaction_hash: _HashText
    block_number: str
    block_hash: _HashText
    transaction_index: str
    status: str
    gas_used: str
    effective_gas_price: str
    logs: list[WireLog]
    l1_fee: str = "0x0"  # the OP stack's


_header = msgspec.json.Decoder(_WireHeader | None)
_logs = msgspec.json.Decoder(list[WireLog])
_log = msgspec.json.Decoder(WireLog)
_receipt = msgspec.json.Decoder(_WireReceipt | None)
_text = msgspec.json.Decoder(str)


def read_text_bytes(result: msgspec.Raw) -> bytes:
    """Hex data as bytes."""
    return read_bytes(_text.decode(result))


def read_text_quantity(result: msgspec.Raw) -> int:
    """A hex quantity."""
    return read_quantity(_text.decode(result))


def read_text(result: msgspec.Raw) -> str:
    """Any string: the id of a subscription."""
    return _text.decode(result)


def read_hash(result: msgspec.Raw) -> Hash32:
    """32 bytes."""
    return _hash(_text.decode(result))


def read_header(result: msgspec.Raw) -> BlockHeader | None:
    """A block without its transactions, or None where the node does not know it."""
    wire = _header.decode(result)
    return None if wire is None else _to_header(wire)


def read_known_header(result: msgspec.Raw) -> BlockHeader:
    """The same where null is no answer."""
    header = read_header(result)
    if header is None:
        raise ValueError("there is no such block")
    return header


def read_logs(result: msgspec.Raw) -> tuple[Log, ...]:
    """All logs of an answer, in its order."""
    return to_logs(_logs.decode(result))


def read_block_logs(result: msgspec.Raw) -> Sequence[Log]:
    """The same for an answer that should be all logs of one block: left in the text where they are just that."""
    return scan_logs(result) or read_logs(result)


def read_log(result: msgspec.Raw) -> WireLog:
    """One log of a subscription, unchecked: it is a hint."""
    return _log.decode(result)


def read_receipt(result: msgspec.Raw) -> Receipt | None:
    """A receipt, or None."""
    wire = _receipt.decode(result)
    if wire is None:
        return None
    return Receipt(
        tx_hash=_hash(wire.transaction_hash),
        block_number=read_quantity(wire.block_number),
        block_hash=_hash(wire.block_hash),
        tx_index=read_quantity(wire.transaction_index),
        is_success=_status(wire.status),
        gas_used=read_quantity(wire.gas_used),
        gas_price_wei=read_quantity(wire.effective_gas_price),
        logs=to_logs(wire.logs),
        l1_fee_wei=read_quantity(wire.l1_fee),
    )


def to_logs(wires: list[WireLog]) -> tuple[Log, ...]:
    """Check and convert; a log marked as removed belongs to no block and has no place in an answer.

    Raises:
        ValueError: a field has not its form.
    """
    fields: list[str] = []
    for wire in wires:
        if wire.removed:
            raise ValueError("a removed log in an answer")
        fields += (wire.address, wire.block_hash, wire.transaction_hash, *wire.topics, wire.data)
    if fields:
        require_lowercase_hex(fields)
    return tuple(
        [
            Log(
                wire.address,
                wire.topics,
                wire.data,
                wire.block_hash,
                read_small_quantity(wire.block_number),
                wire.transaction_hash,
                read_small_quantity(wire.log_index),
            )
            for wire in wires
        ]
    )


def _to_header(wire: _WireHeader) -> BlockHeader:
    bloom = read_bytes(wire.logs_bloom)
    if len(bloom) != _BLOOM_BYTES:
        raise ValueError(f"logsBloom has {len(bloom)} bytes")
    return BlockHeader(
        number=read_quantity(wire.number),
        hash=_hash(wire.hash),
        parent_hash=_hash(wire.parent_hash),
        timestamp=read_quantity(wire.timestamp),
        base_fee_wei=read_quantity(wire.base_fee_per_gas),
        gas_used=read_quantity(wire.gas_used),
        gas_limit=read_quantity(wire.gas_limit),
        coinbase=Address("0x" + read_bytes(wire.miner).hex()),
        logs_bloom=bloom,
        receipts_root=None if wire.receipts_root is None else _hash(wire.receipts_root),
        extra_data=read_bytes(wire.extra_data),
    )


def _hash(text: str) -> Hash32:
    data = read_bytes(text)
    if len(data) != 32:  # noqa: PLR2004 - a hash has 32 bytes
        raise ValueError(f"{text[:80]!r} is no hash")
    return Hash32("0x" + data.hex())


def _status(text: str) -> bool:
    status = read_quantity(text)
    if status > 1:
        raise ValueError(f"status {status}")
    return status == 1
