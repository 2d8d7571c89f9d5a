"""The root of a Merkle Patricia trie: one hash that commits to every key and value of a mapping.

Idea. A key is walked in half bytes. Where keys part there is a branch of sixteen children and a value; what they share
before that is one extension; what is left of a key when nobody shares it is a leaf. A node refers to another by the
keccak256 of its encoding, or holds it whole where that is shorter than a hash; the root is hashed in any case.
Representation. The trie is never stored: the entries, sorted by key, are split recursively and encoded bottom up.
Source: Ethereum yellow paper, appendix D; the hex-prefix encoding of paths is its appendix C.
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from eth_hash.auto import keccak

from headrace.model.address import Hash32
from headrace.model.rlp import rlp_list, rlp_string

_Entries: TypeAlias = Sequence[tuple[bytes, bytes]]  # a key's half bytes, one in each byte, and its value; sorted
_HASH_BYTES = 32
_BRANCHES = 16
_EMPTY = rlp_string(b"")


def trie_root(entries: Mapping[bytes, bytes]) -> Hash32:
    """Root of the trie of these keys and values; no value may be empty."""
    split = sorted((_half_bytes(key), value) for key, value in entries.items())
    return Hash32("0x" + keccak(_node(split, 0) if split else _EMPTY).hex())


def _node(entries: _Entries, depth: int) -> bytes:
    """The encoding of the node of all entries, which agree in their first `depth` half bytes."""
    first, last = entries[0][0], entries[-1][0]
    if len(entries) == 1:
        return rlp_list((rlp_string(_hex_prefix(first[depth:], is_leaf=True)), rlp_string(entries[0][1])))
    shared = depth
    while shared < len(first) and first[shared] == last[shared]:
        shared += 1
    if shared > depth:
        path = _hex_prefix(first[depth:shared], is_leaf=False)
        return rlp_list((rlp_string(path), _reference(_branch(entries, shared))))
    return _branch(entries, depth)


def _branch(entries: _Entries, depth: int) -> bytes:
    value = b""
    if len(entries[0][0]) == depth:
        value, entries = entries[0][1], entries[1:]
    children, start = [_EMPTY] * _BRANCHES, 0
    while start < len(entries):
        turn, end = entries[start][0][depth], start + 1
        while end < len(entries) and entries[end][0][depth] == turn:
            end += 1
        children[turn] = _reference(_node(entries[start:end], depth + 1))
        start = end
    return rlp_list((*children, rlp_string(value)))


def _reference(node: bytes) -> bytes:
    return node if len(node) < _HASH_BYTES else rlp_string(keccak(node))


def _half_bytes(key: bytes) -> bytes:
    return bytes(half for byte in key for half in (byte >> 4, byte & 0x0F))


def _hex_prefix(path: bytes, *, is_leaf: bool) -> bytes:
    """A path in whole bytes; the first half byte tells an odd from an even length and a leaf from an extension."""
    odd = len(path) & 1
    halves = bytes([2 * is_leaf + odd, *([] if odd else [0]), *path])
    return bytes(halves[i] << 4 | halves[i + 1] for i in range(0, len(halves), 2))
