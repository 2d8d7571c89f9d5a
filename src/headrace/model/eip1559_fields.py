"""Signed EIP-1559 bytes read back field by field: strict, and with no line of the encoder.

What a signer hands back is a claim; nodes and miners go by the bytes. So the bytes are read again before they are
written down or sent, and read as a node reads them: one encoding per value (RLP, Ethereum yellow paper, appendix B), a
list of exactly twelve items, nothing behind it. The signature's owner is not recovered. Source: EIP-1559, EIP-2718.
"""

import msgspec

from headrace.errors import TransactionDecodeError

_TYPE = 2
_ADDRESS_BYTES = 20
_WORD_BYTES = 32
_STRING, _LONG_STRING, _LIST, _LONG_LIST = 0x80, 0xB7, 0xC0, 0xF7
_NAMES = ("chain", "nonce", "priority fee", "fee cap", "gas limit", "target", "value", "calldata", "access list")
_SIGNATURE = ("y parity", "r", "s")


class SignedFields(msgspec.Struct, frozen=True):
    """The fields that a signature covers; the access list is empty, amounts are wei, fees per gas."""

    chain_id: int
    nonce: int
    priority_fee_wei: int
    max_fee_wei: int
    gas_limit: int
    to: bytes
    value_wei: int
    data: bytes


def signed_fields(raw: bytes) -> SignedFields:
    """Read a raw signed transaction.

    Raises:
        TransactionDecodeError: another type, another number of items, an encoding that is not the only one of its
            value, a target that is no address, an access list that is not empty, or a signature out of range.
    """
    chain_id, nonce, tip, fee, gas, to, value, data, accessed, y_parity, r, s = _items(raw)
    if len(to) != _ADDRESS_BYTES:
        raise TransactionDecodeError(f"target of {len(to)} bytes")
    if accessed:
        raise TransactionDecodeError(f"access list of {len(accessed)} bytes, where none is wanted")
    if y_parity not in {b"", b"\x01"} or not r or not s:
        raise TransactionDecodeError("signature out of range")
    _integer(r, "r")
    _integer(s, "s")
    return SignedFields(
        chain_id=_integer(chain_id, "chain"),
        nonce=_integer(nonce, "nonce"),
        priority_fee_wei=_integer(tip, "priority fee"),
        max_fee_wei=_integer(fee, "fee cap"),
        gas_limit=_integer(gas, "gas limit"),
        to=to,
        value_wei=_integer(value, "value"),
        data=data,
    )


def _items(raw: bytes) -> list[bytes]:
    if not raw or raw[0] != _TYPE:
        raise TransactionDecodeError(f"type {raw[0] if raw else 'missing'} instead of {_TYPE}")
    start, end = _span(raw, 1, is_list=True, name="transaction")
    if end != len(raw):
        raise TransactionDecodeError(f"{len(raw) - end} bytes behind the transaction")
    items = []
    for name in (*_NAMES, *_SIGNATURE):
        if start >= end:
            raise TransactionDecodeError(f"no {name}")
        begin, start = _span(raw, start, is_list=name == "access list", name=name)
        items.append(raw[begin:start])
    if start != end:
        raise TransactionDecodeError("more than twelve items, or one that is longer than their list")
    return items


def _span(raw: bytes, at: int, *, is_list: bool, name: str) -> tuple[int, int]:
    """Where the body of the item at `at` begins and ends."""
    prefix = raw[at] if at < len(raw) else _STRING
    short, long = (_LIST, _LONG_LIST) if is_list else (_STRING, _LONG_STRING)
    if prefix < _STRING and not is_list:
        return at, at + 1
    if not short <= prefix <= long + 8:
        raise TransactionDecodeError(f"{name} is {'no list' if is_list else 'no string'}")
    begin, size = at + 1, prefix - short
    if prefix > long:
        begin, size = _long(raw, at, prefix - long, name)
    if begin + size > len(raw):
        raise TransactionDecodeError(f"{name} ends behind the bytes")
    if not is_list and size == 1 and raw[begin] < _STRING:
        raise TransactionDecodeError(f"{name} is not in its shortest form")
    return begin, begin + size


def _long(raw: bytes, at: int, size_bytes: int, name: str) -> tuple[int, int]:
    begin = at + 1 + size_bytes
    size = int.from_bytes(raw[at + 1 : begin])
    if size <= _LONG_STRING - _STRING or raw[at + 1] == 0:
        raise TransactionDecodeError(f"{name} is not in its shortest form")
    return begin, size


def _integer(body: bytes, name: str) -> int:
    if len(body) > _WORD_BYTES or body[:1] == b"\x00":
        raise TransactionDecodeError(f"{name} is not in its shortest form, or above 256 bits")
    return int.from_bytes(body)
