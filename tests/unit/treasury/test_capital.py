import asyncio
from collections.abc import Sequence
from fractions import Fraction
from typing import cast

import pytest
from tests.support.intents import ACCOUNT, EXECUTOR, OTHER, TOKEN, block_hash

from headrace.errors import NodeUnreachableError
from headrace.model.address import Address, Hash32
from headrace.ports.chain import Call, Chain
from headrace.treasury.capital import CapitalTreasury

BROKEN = Address("0x" + "c0" * 20)


class Balances:
    """Answers of token contracts, as a node gives them."""

    def __init__(self, answers: dict[Address, bytes | None]) -> None:
        self.answers = answers
        self.is_down = False
        self.blocks: list[Hash32] = []

    async def call_many(self, calls: Sequence[Call], block: Hash32) -> tuple[bytes | None, ...]:
        if self.is_down:
            raise NodeUnreachableError("no connection")
        self.blocks.append(block)
        owner = bytes(12) + bytes.fromhex(EXECUTOR[2:])
        assert {call.data for call in calls} == {bytes.fromhex("70a08231") + owner}  # balanceOf(address), by EIP-20
        return tuple(self.answers[call.to] for call in calls)


def _treasury(reserved: dict[Address, int]) -> CapitalTreasury:
    return CapitalTreasury(ACCOUNT, [TOKEN, OTHER, BROKEN], Fraction(1, 3), lambda: reserved)


def _refresh(treasury: CapitalTreasury, chain: Balances) -> None:
    asyncio.run(treasury.refresh(cast("Chain", chain), block_hash(7)))


def test_a_share_rounded_down_less_what_is_reserved_is_available() -> None:
    reserved: dict[Address, int] = {}
    treasury = _treasury(reserved)
    chain = Balances({TOKEN: (101).to_bytes(32), OTHER: (2**255).to_bytes(32), BROKEN: None})
    _refresh(treasury, chain)
    assert chain.blocks == [block_hash(7)]
    assert treasury.held_units(TOKEN) == 101
    assert treasury.available_units(TOKEN) == 33
    assert treasury.available_units(OTHER) == 2**255 // 3
    reserved[TOKEN] = 30
    assert treasury.available_units(TOKEN) == 3
    reserved[TOKEN] = 34
    assert treasury.available_units(TOKEN) == 0


@pytest.mark.parametrize("answer", [None, b"", b"\x01", bytes(64)])
def test_a_token_that_gives_no_balance_counts_as_not_held(answer: bytes | None) -> None:
    treasury = _treasury({})
    _refresh(treasury, Balances({TOKEN: (9).to_bytes(32), OTHER: (9).to_bytes(32), BROKEN: answer}))
    assert treasury.available_units(BROKEN) == 0
    assert treasury.available_units(TOKEN) == 3


def test_an_unknown_token_and_one_never_read_are_not_held() -> None:
    assert _treasury({}).available_units(TOKEN) == 0


def test_after_a_refresh_that_failed_nothing_is_held() -> None:
    treasury = _treasury({})
    chain = Balances({TOKEN: (9).to_bytes(32), OTHER: (9).to_bytes(32), BROKEN: None})
    _refresh(treasury, chain)
    chain.is_down = True
    with pytest.raises(NodeUnreachableError):
        _refresh(treasury, chain)
    assert treasury.available_units(TOKEN) == 0
