"""A recorded chain announces in order, answers for its blocks, and refuses what no recording can know."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from tests.support.market import header

from headrace.adapters.chains.recorded import RecordedChain
from headrace.adapters.oracles.recorded import RecordedOracle
from headrace.errors import RpcError
from headrace.model.address import Address, ChainId, Hash32
from headrace.model.block import BlockHeader
from headrace.model.event import Event
from headrace.model.transaction import SignedTransaction
from headrace.ports.chain import Call
from headrace.ports.oracle import Price

NOBODY = Address("0x" + "00" * 20)
NOTHING = Hash32("0x" + "77" * 32)


def chain() -> RecordedChain:
    return RecordedChain(ChainId(1), header(100), [(header(101), ()), (header(102), ())])


async def through(chain: RecordedChain) -> list[tuple[Event, BlockHeader, int]]:
    return [(event, await chain.head(), chain.announced_number) async for event in chain.events()]


def test_blocks_are_announced_one_by_one_and_known_from_then_on() -> None:
    one = chain()
    assert asyncio.run(one.header_by_hash(header(102).hash)) is None
    assert asyncio.run(one.header_by_number(101)) is None
    seen = asyncio.run(through(one))
    assert [(head, number) for _, head, number in seen] == [(header(n), n) for n in (100, 101, 102)]
    assert asyncio.run(one.header_by_hash(header(102).hash)) == header(102)
    assert asyncio.run(one.header_by_number(101)) == header(101)
    assert asyncio.run(one.logs(header(101).hash)) == ()
    assert one.chain_id == 1


@pytest.mark.parametrize(
    "ask",
    [
        lambda c: c.logs(NOTHING),
        lambda c: c.call(Call(NOBODY, b""), NOTHING),
        lambda c: c.call_many([], NOTHING),
        lambda c: c.code(NOBODY),
        lambda c: c.balance_wei(NOBODY),
        lambda c: c.nonce(NOBODY),
        lambda c: c.receipt(NOTHING),
        lambda c: c.send(SignedTransaction(hash=NOTHING, raw=b"")),
    ],
)
def test_what_was_not_recorded_is_refused(ask: Callable[[RecordedChain], Awaitable[object]]) -> None:
    async def asked() -> None:
        await ask(chain())

    with pytest.raises(RpcError, match="recording"):
        asyncio.run(asked())


def test_a_price_holds_until_it_is_told_anew() -> None:
    oracle = RecordedOracle()
    assert oracle.price(NOBODY, 5) is None
    oracle.tell([(NOBODY, Price(7, 1))])
    assert oracle.price(NOBODY, 10**9) == Price(7, 1)
