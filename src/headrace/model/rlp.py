"""RLP, the encoding of transactions, receipts and trie nodes; written only, never read.

An integer is its big-endian bytes without leading zeros; one byte below 0x80 stands for itself; a string of up to 55
bytes is prefixed by 0x80 + length, a list by 0xc0 + length; longer ones by 0xb7 or 0xf7 plus the length of the length,
then the length. Source: Ethereum yellow paper, appendix B.
"""

from collections.abc import Iterable

_STRING, _LIST = 0x80, 0xC0
_SHORT_MAX = 55


def rlp_integer(value: int) -> bytes:
    """An integer, at least 0."""
    return rlp_string(value.to_bytes((value.bit_length() + 7) // 8))


def rlp_string(data: bytes) -> bytes:
    """A string of bytes."""
    if len(data) == 1 and data[0] < _STRING:
        return data
    return _prefix(len(data), _STRING) + data


def rlp_list(items: Iterable[bytes]) -> bytes:
    """A list of items that are encoded already."""
    body = b"".join(items)
    return _prefix(len(body), _LIST) + body


def _prefix(size: int, kind: int) -> bytes:
    if size <= _SHORT_MAX:
        return bytes([kind + size])
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([kind + _SHORT_MAX + len(length)]) + length
