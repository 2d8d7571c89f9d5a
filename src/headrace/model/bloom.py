"""The bloom filter of a block's logs: 2048 bits, three for each address and topic.

Idea: a header commits to the addresses and topics of its logs, so logs can be checked against the header they are said
to belong to. Representation: 256 bytes, big-endian; bit b of the filter is bit b of that integer. For each item the
three bits are the low 11 bits of the first, second and third pair of bytes of its keccak256.
What it cannot show: a missing log whose address and topics all occur in other logs of the block.

Source: Ethereum yellow paper, section 4.3.1, function M3:2048.
"""

from collections.abc import Iterable
from functools import lru_cache

from eth_hash.auto import keccak

from headrace.model.event import Log

BLOOM_BYTES = 256
_BITS_MASK = 2047
_PAIR_STARTS = (0, 2, 4)
_ITEMS_CACHED_MAX = 1 << 17  # addresses and topics repeat from block to block; about 50 MB when full


def logs_bloom(logs: Iterable[Log]) -> bytes:
    """The filter of these logs, 256 bytes."""
    items: set[str] = set()
    for log in logs:
        items.add(log.address)
        items.update(log.topics)
    return bloom_of(items)


def bloom_of(items: Iterable[str]) -> bytes:
    """The filter of these addresses and topics, 256 bytes; how often each is named makes no difference."""
    bloom = 0
    for item in items:
        bloom |= _item_bits(item)
    return bloom.to_bytes(BLOOM_BYTES, "big")


@lru_cache(maxsize=_ITEMS_CACHED_MAX)
def _item_bits(item: str) -> int:
    digest = keccak(bytes.fromhex(item[2:]))
    bits = 0
    for start in _PAIR_STARTS:
        bits |= 1 << (int.from_bytes(digest[start : start + 2], "big") & _BITS_MASK)
    return bits
