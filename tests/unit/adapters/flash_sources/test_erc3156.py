"""Which fees of ERC-3156 are quoted: lenders are functions of the amount, written from the lenders' own documents.

Oracle: the function itself, at amounts that the source never asked for. Deployed code is asked in tests/conformance.
"""

import asyncio
import random
from collections.abc import Callable, Sequence

import pytest
from tests.support.memory_chain import MemoryChain

from headrace.adapters.flash_sources import erc3156
from headrace.adapters.flash_sources.erc3156 import Erc3156FlashLoan
from headrace.model.address import Address, Hash32
from headrace.ports.chain import Call

LENDER, TOKEN, OTHER = (Address("0x" + f"{n:02x}" * 20) for n in (1, 2, 3))
MOST = 500_000_000 * 10**18 + 3
SEED = 3156
AMOUNTS = 2000
Fee = Callable[[int], int]

PROPORTIONAL: dict[str, Fee] = {
    "free": lambda amount: 0,  # noqa: ARG005 - Maker's DssFlash
    "a toll of 18 decimals": lambda amount: amount * 123_456_789_012_345 // 10**18,  # Maker's first one
    "9 bps down": lambda amount: amount * 9 // 10_000,
    "5 bps half up": lambda amount: (amount * 5 + 5_000) // 10_000,
    "30 bps up": lambda amount: -(-amount * 3 // 1_000),
    "half": lambda amount: amount // 2,
}
OTHERWISE: dict[str, Fee] = {
    "two units whatever the amount": lambda amount: 2,  # noqa: ARG005 - dYdX behind an ERC-3156 front
    "nine bps and one unit": lambda amount: amount * 9 // 10_000 + 1,
    "at least a floor": lambda amount: max(10**6, amount * 9 // 10_000),
    "at most a cap": lambda amount: min(10**22, amount * 9 // 10_000),
    "dearer from a threshold on": lambda amount: amount * (9 if amount < 10**23 else 10) // 10_000,
    "a rate that no decimals hold": lambda amount: amount * 3 // 997 + 1,  # a pair's own, of Uniswap v2
    "down to tens": lambda amount: amount * 9 // 10_000 // 10 * 10,
}


class Node(MemoryChain):
    """A lender of `TOKEN` by a fee; amounts above `told_max` and other tokens revert."""

    def __init__(self, fee: Fee, most: int = MOST, told_max: int = 2**256 - 1) -> None:
        super().__init__()
        self.fee, self.most, self.told_max, self.asked = fee, most, told_max, 0

    async def call_many(self, calls: Sequence[Call], block: Hash32) -> tuple[bytes | None, ...]:
        del block
        self.asked += len(calls)
        return tuple(self._answer(call.data) for call in calls)

    def _answer(self, data: bytes) -> bytes | None:
        is_ours = data[4:36].endswith(bytes.fromhex(TOKEN[2:]))
        if len(data) == 36:
            return (self.most if is_ours else 0).to_bytes(32, "big")
        amount = int.from_bytes(data[36:], "big")
        return self.fee(amount).to_bytes(32, "big") if is_ours and amount <= self.told_max else None


def source_of(node: Node) -> Erc3156FlashLoan:
    source = Erc3156FlashLoan(LENDER, [TOKEN, OTHER])
    asyncio.run(source.refresh(node, Hash32("")))
    return source


def amounts(most: int) -> list[int]:
    draw = random.Random(SEED)
    return [1, 2, most, *(int(most ** draw.random()) for _ in range(AMOUNTS))]


@pytest.mark.parametrize("most", [MOST, 10**9 + 7, 3, 2**256 - 1])
@pytest.mark.parametrize("name", PROPORTIONAL)
def test_a_proportional_fee_is_known_at_every_amount(name: str, most: int) -> None:
    fee = PROPORTIONAL[name]
    source = source_of(Node(fee, most))
    bounded = min(most, 2**128 - 1)
    assert [source.fee_units(TOKEN, amount) for amount in amounts(bounded)] == [fee(one) for one in amounts(bounded)]
    assert source.fee_units(TOKEN, bounded + 1) is None
    assert source.fee_units(OTHER, 1) is None
    assert source.why_closed(TOKEN) == source.why_closed(OTHER) == ""


@pytest.mark.parametrize("name", OTHERWISE)
def test_a_token_whose_fee_is_not_proportional_cannot_be_borrowed(name: str) -> None:
    source = source_of(Node(OTHERWISE[name]))
    assert source.fee_units(TOKEN, 10**18) is None
    assert "is not proportional" in source.why_closed(TOKEN)


def test_a_lender_that_does_not_tell_its_fee_is_not_borrowed_from() -> None:
    assert source_of(Node(PROPORTIONAL["free"], told_max=0)).fee_units(TOKEN, 1) is None
    assert source_of(Node(PROPORTIONAL["free"], told_max=10**20)).fee_units(TOKEN, 1) is None
    assert source_of(Node(PROPORTIONAL["free"], most=0)).fee_units(TOKEN, 1) is None


def test_what_was_read_is_forgotten_when_it_is_read_again() -> None:
    node = Node(PROPORTIONAL["9 bps down"])
    source = source_of(node)
    assert source.fee_units(TOKEN, 10_000) == 9
    node.fee = OTHERWISE["at least a floor"]
    asyncio.run(source.refresh(node, Hash32("")))
    assert source.fee_units(TOKEN, 10_000) is None


def test_a_refresh_asks_little() -> None:
    node = Node(PROPORTIONAL["9 bps down"], 2**256 - 1)
    source_of(node)
    assert node.asked <= 20


def test_fees_read_at_fewer_amounts_would_be_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """The checks above bite: without them odd fees pass for proportional ones, and roundings are confused."""
    monkeypatch.setattr(erc3156, "_probes", lambda rate, most: [most])  # noqa: ARG005 - as called
    passed = [name for name, fee in OTHERWISE.items() if source_of(Node(fee)).fee_units(TOKEN, 10**18) is not None]
    most, odd = 10**26, 1_111
    wrong = [one for one, fee in PROPORTIONAL.items() if source_of(Node(fee, most)).fee_units(TOKEN, odd) != fee(odd)]
    assert passed
    assert wrong
