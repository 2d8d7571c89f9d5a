"""The fee for data on the first layer: how it is asked for; the contract stands in for the OP stack's, no more."""

import asyncio
from collections.abc import Sequence

import pytest
from tests.support.memory_chain import MemoryChain

from headrace.adapters.chains.evm.l1_fee import PLAN_BYTES, L1DataFee
from headrace.errors import MalformedAnswerError
from headrace.model.address import Hash32
from headrace.model.chain_rules import GAS_PRICE_ORACLE
from headrace.ports.chain import Call

UPPER_BOUND, OF_BYTES = "f1c7a58b", "49948e0e"  # published selectors of the OP stack's GasPriceOracle


class Oracle(MemoryChain):
    def __init__(self, answers: dict[str, bytes]) -> None:
        super().__init__()
        self.answers = answers
        self.asked: list[Call] = []

    async def call_many(self, calls: Sequence[Call], block: Hash32) -> tuple[bytes | None, ...]:
        assert block == self.tip.header.hash
        self.asked += calls
        return tuple(self.answers.get(call.data[:4].hex()) for call in calls)


def fee_of(chain: Oracle) -> int:
    fee = L1DataFee(GAS_PRICE_ORACLE)
    asyncio.run(fee.refresh(chain, chain.tip.header.hash))
    return fee.wei


def word(value: int) -> bytes:
    return value.to_bytes(32)


def test_the_upper_bound_is_taken_where_there_is_one() -> None:
    chain = Oracle({UPPER_BOUND: word(7), OF_BYTES: word(5)})
    assert fee_of(chain) == 7
    assert {call.to for call in chain.asked} == {GAS_PRICE_ORACLE}
    assert chain.asked[0].data[4:] == word(PLAN_BYTES)
    assert chain.asked[1].data[4:68] == word(32) + word(PLAN_BYTES)
    assert len(chain.asked[1].data) == 68 + PLAN_BYTES


def test_before_fjord_the_fee_of_bytes_that_do_not_compress_is_taken() -> None:
    assert fee_of(Oracle({OF_BYTES: word(5)})) == 5


@pytest.mark.parametrize("answers", [{}, {UPPER_BOUND: b""}, {OF_BYTES: b"\x01"}])
def test_a_chain_that_tells_no_fee_is_refused(answers: dict[str, bytes]) -> None:
    with pytest.raises(MalformedAnswerError, match="chain of the OP stack"):
        fee_of(Oracle(answers))


def test_a_chain_without_such_a_fee_is_not_asked() -> None:
    chain, fee = Oracle({}), L1DataFee(None)
    asyncio.run(fee.refresh(chain, chain.tip.header.hash))
    assert (fee.wei, chain.asked) == (0, [])
