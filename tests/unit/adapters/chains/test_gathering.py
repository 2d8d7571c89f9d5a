"""Reads of many tasks in one question; the oracle is the chain asked directly."""

import asyncio
import random
from collections.abc import Sequence

import pytest
from tests.support.log_archive import MemoryArchive

from headrace.adapters.chains.evm.gathering import GatheringChain
from headrace.errors import RpcError
from headrace.model.address import Address, Hash32
from headrace.ports.chain import Call, Chain


class Counting(MemoryArchive):
    def __init__(self) -> None:
        super().__init__(answer=lambda call: None if call.data == b"\x00" else call.to.encode() + call.data)
        self.questions: list[int] = []
        self.error: Exception | None = None

    async def call_many(self, calls: Sequence[Call], block: Hash32) -> tuple[bytes | None, ...]:
        self.questions.append(len(calls))
        await asyncio.sleep(0)  # like a node: others may ask before it answers
        if self.error is not None:
            raise self.error
        return await super().call_many(calls, block)


def calls(draw: random.Random) -> list[Call]:
    return [Call(Address(f"0x{draw.getrandbits(160):040x}"), draw.randbytes(1)) for _ in range(draw.randrange(5))]


def test_everybody_gets_his_own_answers_and_the_node_one_question() -> None:
    chain, draw = Counting(), random.Random(1)
    asked = [calls(draw) for _ in range(300)]
    gathering: Chain = GatheringChain(chain, None)

    async def describe(mine: list[Call]) -> list[tuple[bytes | None, ...]]:
        block = chain.tip.header.hash
        return [await gathering.call_many(mine, block), await gathering.call_many(mine[::-1], block)]

    async def all_of_them() -> list[list[tuple[bytes | None, ...]]]:
        return await asyncio.gather(*(describe(mine) for mine in asked))

    answers = asyncio.run(all_of_them())
    for mine, (there, back) in zip(asked, answers, strict=True):
        assert there == tuple(chain.answer(call) for call in mine)
        assert back == there[::-1]
    assert len(chain.questions) <= 4
    assert sum(chain.questions) == 2 * sum(map(len, asked))


def test_states_are_not_mixed() -> None:
    chain = Counting()
    first = chain.tip.header.hash
    chain.grow()
    gathering = GatheringChain(chain, None)

    async def both() -> list[tuple[bytes | None, ...]]:
        one = [Call(Address("0x" + "01" * 20), b"\x01")]
        return await asyncio.gather(*(gathering.call_many(one, block) for block in (first, chain.tip.header.hash)))

    asyncio.run(both())
    assert chain.questions == [1, 1]


def test_a_failure_is_everybodys_and_the_next_question_is_asked_anew() -> None:
    chain = Counting()
    chain.error = RpcError("eth_call", -32000, "header not found")
    gathering = GatheringChain(chain, None)
    one = [Call(Address("0x" + "01" * 20), b"\x01")]

    async def twice() -> None:
        block = chain.tip.header.hash
        results = await asyncio.gather(*(gathering.call_many(one, block) for _ in range(3)), return_exceptions=True)
        assert results == [chain.error] * 3
        with pytest.raises(RpcError):
            await gathering.call_many(one, block)
        chain.error = None
        assert await gathering.call_many(one, block) == (chain.answer(one[0]),)

    asyncio.run(twice())


@pytest.mark.parametrize("turns", [0, 1, 2])
def test_whoever_is_cancelled_leaves_no_one_waiting(turns: int) -> None:
    chain = Counting()
    gathering = GatheringChain(chain, None)
    one = [Call(Address("0x" + "01" * 20), b"\x01")]

    async def scenario(cancelled: int) -> None:
        block = chain.tip.header.hash
        tasks = [asyncio.create_task(gathering.call_many(one, block)) for _ in range(3)]
        for _ in range(turns):
            await asyncio.sleep(0)  # how far they got before one is cancelled is what is varied
        tasks[cancelled].cancel()
        async with asyncio.timeout(5):
            results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(
            result == (chain.answer(one[0]),) or isinstance(result, asyncio.CancelledError) for result in results
        )
        assert isinstance(results[cancelled], asyncio.CancelledError)
        assert await gathering.call_many(one, block) == (chain.answer(one[0]),)

    for cancelled in (0, 2):
        asyncio.run(scenario(cancelled))


def test_everything_else_is_the_other_chains() -> None:
    chain = Counting()
    chain.grow()
    gathering = GatheringChain(chain, None)

    async def ask() -> None:
        header = chain.tip.header
        assert gathering.chain_id == chain.chain_id
        assert await gathering.head() == header
        assert await gathering.header_by_hash(header.hash) == header
        assert await gathering.header_by_number(header.number) == header
        assert await gathering.logs(header.hash) == ()
        assert await gathering.call(Call(Address("0x" + "01" * 20), b""), header.hash) == bytes(32)
        for passed_on in ("code", "balance_wei", "nonce", "send", "receipt"):
            with pytest.raises(AssertionError, match="0xaa"):
                await getattr(gathering, passed_on)("0xaa")
        with pytest.raises(AssertionError, match="not asked for here"):
            gathering.events()

    asyncio.run(ask())
