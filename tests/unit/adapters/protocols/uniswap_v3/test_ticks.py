"""A lens whose answers lead nowhere is given up; what it sees is compared in the conformance tests."""

import asyncio
from collections.abc import Sequence
from typing import cast

import pytest

from headrace.adapters.protocols.uniswap_v3.ticks import SpacedPool, ticks_by_lens
from headrace.kernels.tick_bitmap import word_indices
from headrace.kernels.tick_table import TickLiquidity
from headrace.model.address import Address, Hash32, PoolId
from headrace.ports.chain import Call, Chain

PLACE = Address("0x" + "ab" * 20)
POOL = SpacedPool(PoolId(PLACE), PLACE, 200)
BLOCK = Hash32("0x" + "11" * 32)
ENTRY = (400).to_bytes(3, "big") + (7).to_bytes(16, "big") + (5).to_bytes(16, "big")


class Pages:
    """Answers one call after the other from a list."""

    def __init__(self, *pages: bytes | None) -> None:
        self.pages = list(pages)

    async def call_many(self, calls: Sequence[Call], block: Hash32) -> tuple[bytes | None, ...]:
        assert block == BLOCK
        return tuple(self.pages.pop(0) for _ in calls)


def page(word_next: int, entries: bytes = b"") -> bytes:
    return b"\1" + word_next.to_bytes(2, "big", signed=True) + entries


def seen(*pages: bytes | None) -> dict[int, TickLiquidity] | None:
    return asyncio.run(ticks_by_lens(cast("Chain", Pages(*pages)), [POOL], BLOCK))[0]


def test_words_are_asked_for_until_the_last() -> None:
    words = word_indices(200)
    assert seen(page(words.stop)) == {}
    assert seen(page(0), page(words.stop, ENTRY)) == {400: TickLiquidity(7, 5)}


@pytest.mark.parametrize("word", [word_indices(200).start, word_indices(200).start - 1, word_indices(200).stop + 1])
def test_an_answer_that_does_not_advance_is_no_answer(word: int) -> None:
    assert seen(page(word)) is None
    assert seen(page(0), None) is None
