"""Transactions in a node's answers, parsed once at the edge.

Types 0 (legacy), 1 (EIP-2930), 2 (EIP-1559), 3 (EIP-4844) and 4 (EIP-7702) are read. Chains add others, which are told
apart from what is malformed: a type unknown here is no fault of the node. Source: execution-apis, transaction.yaml.
"""

from typing import Annotated

import msgspec

from headrace.adapters.chains.evm.hexadecimal import read_bytes, read_quantity
from headrace.model.address import Address, ChainId, Hash32
from headrace.model.pending import MinedTransaction, PendingTransaction

INPUT_BYTES_MAX = 1 << 18  # nodes relay at most half of that (geth: 128 KiB for a whole transaction)
_TYPE_MAX = 4
_TYPES_WITH_GAS_PRICE = 1
_TYPES_THAT_CREATE = 2
_NONCE_BITS = 64  # EIP-2681

_HashText = Annotated[str, msgspec.Meta(min_length=66, max_length=66)]
_AddressText = Annotated[str, msgspec.Meta(min_length=42, max_length=42)]


class ForeignTypeError(ValueError):
    """A transaction of a type that is not known here."""


class _Wire(msgspec.Struct, rename="camel"):
    hash: _HashText
    sender: _AddressText = msgspec.field(name="from")
    nonce: str
    value: str
    input: str
    type: str = "0x0"  # nodes from before EIP-2718
    to: _AddressText | None = None
    chain_id: str | None = None
    gas_price: str | None = None
    max_fee_per_gas: str | None = None
    max_priority_fee_per_gas: str | None = None
    block_number: str | None = None


class _Type(msgspec.Struct):
    type: str = "0x0"


class _WireMined(msgspec.Struct):
    hash: _HashText
    sender: _AddressText = msgspec.field(name="from")
    nonce: str


class _WireBlock(msgspec.Struct):
    transactions: list[_WireMined]


_type = msgspec.json.Decoder(_Type | None)
_wire = msgspec.json.Decoder(_Wire | None)
_text = msgspec.json.Decoder(str)
_block = msgspec.json.Decoder(_WireBlock | None)


def read_announced_hash(result: msgspec.Raw) -> Hash32:
    """The hash alone, as nodes announce that give no bodies.

    Raises:
        ValueError: it is none.
    """
    return _hash(_text.decode(result))


def read_pending(result: msgspec.Raw, chain_id: ChainId) -> PendingTransaction | None:
    """A transaction; None where the node knows none, or has it in a block already.

    Raises:
        ForeignTypeError: of another type than 0 to 4.
        ValueError: it has not the documented form, or is of another chain.
    """
    kind = _type.decode(result)
    if kind is None:
        return None
    number = read_quantity(kind.type)
    if number > _TYPE_MAX:
        raise ForeignTypeError(f"transaction type {number}")
    wire = _wire.decode(result)
    assert wire is not None, "it was an object a moment ago"
    if wire.block_number is not None:
        return None
    if wire.chain_id is not None and read_quantity(wire.chain_id) != chain_id:
        raise ValueError(f"a transaction of chain {wire.chain_id[:20]}")
    if wire.to is None and number > _TYPES_THAT_CREATE:
        raise ValueError(f"a creation of type {number}")
    max_fee_wei, priority_fee_wei = _fees(wire, number)
    return PendingTransaction(
        hash=_hash(wire.hash),
        sender=_address(wire.sender),
        nonce=_nonce(wire.nonce),
        to=None if wire.to is None else _address(wire.to),
        value_wei=read_quantity(wire.value),
        data=_input(wire.input),
        max_fee_wei=max_fee_wei,
        priority_fee_wei=priority_fee_wei,
    )


def read_mined(result: msgspec.Raw) -> tuple[MinedTransaction, ...] | None:
    """The transactions of a block with bodies; None where the node does not know the block.

    Raises:
        ValueError: it has not the documented form.
    """
    block = _block.decode(result)
    if block is None:
        return None
    return tuple(MinedTransaction(_hash(t.hash), _address(t.sender), _nonce(t.nonce)) for t in block.transactions)


def _fees(wire: _Wire, number: int) -> tuple[int, int]:
    if number <= _TYPES_WITH_GAS_PRICE:
        if wire.gas_price is None:
            raise ValueError(f"type {number} without gasPrice")
        price = read_quantity(wire.gas_price)
        return price, price
    if wire.max_fee_per_gas is None or wire.max_priority_fee_per_gas is None:
        raise ValueError(f"type {number} without its two fees")
    max_fee, priority_fee = read_quantity(wire.max_fee_per_gas), read_quantity(wire.max_priority_fee_per_gas)
    if priority_fee > max_fee:
        raise ValueError("the priority fee is above the highest fee")
    return max_fee, priority_fee


def _input(text: str) -> bytes:
    if len(text) > 2 + 2 * INPUT_BYTES_MAX:
        raise ValueError(f"calldata of more than {INPUT_BYTES_MAX} bytes")
    return read_bytes(text)


def _nonce(text: str) -> int:
    nonce = read_quantity(text)
    if nonce >> _NONCE_BITS:
        raise ValueError("a nonce of more than 64 bits")
    return nonce


def _hash(text: str) -> Hash32:
    return Hash32("0x" + _sized(text, 32).hex())


def _address(text: str) -> Address:
    return Address("0x" + _sized(text, 20).hex())


def _sized(text: str, size: int) -> bytes:
    data = read_bytes(text)
    if len(data) != size:
        raise ValueError(f"{text[:80]!r} has not {size} bytes")
    return data
