"""Roots of tries. The oracle is published: ethereum/tests, TrieTests/trieanyorder.json, and the known empty root."""

import random

import pytest
from tests.support.memory_chain import MemoryChain, pool_address

from headrace.model.merkle_trie import trie_root
from headrace.model.receipts import ReceiptOutline, receipts_root

EMPTY_ROOT = "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"  # yellow paper: keccak(rlp(""))
PUBLISHED = {
    "single item": (
        {"A": "a" * 50},
        "0xd23786fb4a010da3ce639d66d5e904a11dbc02746d1ce25029e53290cabf28ab",
    ),
    "dogs": (
        {"doe": "reindeer", "dog": "puppy", "dogglesworth": "cat"},
        "0x8aad789dff2f538bca5d8ea56e8abe10f4c7ba3a5dea95fea4cd6e7c3a1168d3",
    ),
    "puppy": (
        {"do": "verb", "horse": "stallion", "doge": "coin", "dog": "puppy"},
        "0x5991bb8c6514148a29db676a14ac506cd2cd5775ace63c30a4fe457715e9ac84",
    ),
    "foo": (
        {"foo": "bar", "food": "bass"},
        "0x17beaa1648bafa633cda809c90c04af50fc8aed3cb40d16efbddee6fdf63c4c3",
    ),
    "small values": (
        {"be": "e", "dog": "puppy", "bed": "d"},
        "0x3f67c7a47520f79faa29255d2d3c084a7a6df0453116ed7232ff10277a8be68b",
    ),
    "testy": (
        {"test": "test", "te": "testy"},
        "0x8452568af70d8d140f58d941338542f645fcca50094b20f3c3d8c3df49337928",
    ),
    "hex": (
        {"\x00\x45": "\x01\x23\x45\x67\x89", "\x45\x00": "\x98\x76\x54\x32\x10"},
        "0x285505fcabe84badc8aa310e2aae17eddc7d120aabec8a476902c8184b3a3503",
    ),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_roots_are_met_in_any_order_of_the_entries(name: str) -> None:
    entries, root = PUBLISHED[name]
    pairs = [(key.encode("latin-1"), value.encode("latin-1")) for key, value in entries.items()]
    for seed in range(5):
        random.Random(seed).shuffle(pairs)
        assert trie_root(dict(pairs)) == root


def test_nothing_has_the_known_empty_root() -> None:
    assert trie_root({}) == EMPTY_ROOT
    assert receipts_root((), ()) == EMPTY_ROOT


def test_a_log_of_no_receipt_has_no_root() -> None:
    chain = MemoryChain()
    block = chain.add(chain.tip, [(pool_address(0), 1)])
    other = ReceiptOutline(chain.tip.header.hash, 2, is_success=True, cumulative_gas_used=21_000)
    assert receipts_root([other], block.logs) is None
