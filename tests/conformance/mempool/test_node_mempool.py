"""A node's mempool, and a watch on it. The oracle is the real node's own `txpool_content`, asked on another road."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager

import msgspec
import pytest
from tests.support.node_proxy import NodeProxy
from tests.support.pending import ROUTER
from tests.support.waiting import until
from tests.support.wall_clock import WallClock

from headrace.adapters.chains.evm.options import EvmOptions
from headrace.adapters.mempools.calldata.decoder import decode_call
from headrace.adapters.mempools.node.mempool import NodeMempool
from headrace.devnet.accounts import account_address
from headrace.devnet.anvil import Anvil
from headrace.devnet.rpc import Rpc, quantity, text
from headrace.errors import WrongChainError
from headrace.model.address import Address, ChainId, Hash32, PoolId
from headrace.model.event import ConnectionLost
from headrace.model.pending import PendingTransaction, Visibility, visibility_of
from headrace.model.route import Hop, Route
from headrace.model.swap_call import DecodedCall
from headrace.pipeline.pending.competition import Competition, PoolIndex
from headrace.pipeline.pending.pending_set import PendingLimits, PendingSet
from headrace.pipeline.pending.watch import PendingWatch
from headrace.ports.mempool import Hidden, Listening, Mempool, PendingEvent

CHAIN_ID = ChainId(31337)
VISIBLE = Visibility(is_visible=True)
DEADLINE_SECONDS = 20
ANOTHER = msgspec.json.encode(
    {
        "hash": "0x" + "77" * 32,
        "from": ROUTER,
        "to": ROUTER,
        "nonce": "0x0",
        "value": "0x0",
        "input": "0x",
        "type": "0x0",
        "gasPrice": "0x1",
    }
)
ROUTE = Route((Hop(PoolId("0x1"), Address("0x2"), Address("0x3")),))
INDEX = PoolIndex((), {}, ROUTER)


class Fussy(NodeProxy):
    """A node that knows pending transactions by hash only, or not at all."""

    refused_frames: tuple[bytes, ...] = ()

    def refusals(self, frame: bytes) -> bytes | None:
        if any(part in frame for part in self.refused_frames):
            self.refused_methods.add("eth_subscribe")
        else:
            self.refused_methods.discard("eth_subscribe")
        return super().refusals(frame)


class Busy(NodeProxy):
    """A node that has had too many requests when it is first asked to subscribe."""

    busy_times = 1

    def refusals(self, frame: bytes) -> bytes | None:
        if b"newPendingTransactions" not in frame or not self.busy_times:
            return super().refusals(frame)
        self.busy_times -= 1
        error = {"code": -32005, "message": "limit exceeded"}
        return msgspec.json.encode({"jsonrpc": "2.0", "id": msgspec.json.decode(frame)["id"], "error": error})


async def unhurried(_seconds: float) -> None:
    await asyncio.sleep(0)  # a pause of no length: others may run


def mempool_at(
    url: str,
    visibility: Visibility = VISIBLE,
    frames_max: int = 100,
    sleep: Callable[[float], Awaitable[None]] = unhurried,
) -> NodeMempool:
    options = EvmOptions(url=url, chain_id=CHAIN_ID, deadline_seconds=5)
    return NodeMempool(options, WallClock(), visibility, frames_max=frames_max, sleep=sleep)


@asynccontextmanager
async def reading(mempool: NodeMempool) -> AsyncIterator[Callable[[], "asyncio.Future[PendingEvent]"]]:
    async with aclosing(mempool.transactions()) as events:  # type: ignore[type-var]  # an asynchronous generator
        try:
            yield lambda: asyncio.ensure_future(asyncio.wait_for(anext(events), DEADLINE_SECONDS))
        finally:
            await mempool.close()


def held(watch: PendingWatch) -> PendingSet:
    assert isinstance(watch.pending, PendingSet)
    return watch.pending


def send(rpc: Rpc, count: int = 1, account: int = 3) -> list[Hash32]:
    frame = {"from": account_address(account), "to": ROUTER, "data": "0x12345678", "value": "0x1", "gas": "0xf4240"}
    return [Hash32(text(rpc.request("eth_sendTransaction", frame))) for _ in range(count)]


@pytest.mark.parametrize(
    ("refused", "asks"), [((), 0), ((b'newPendingTransactions",true',), 1)], ids=["bodies", "hashes"]
)
def test_it_gives_what_the_node_holds_with_bodies_or_by_hash(
    anvil: Anvil, rpc: Rpc, refused: tuple[bytes, ...], asks: int
) -> None:
    async def scenario() -> None:
        async with Fussy(anvil.port) as proxy:
            proxy.refused_frames = refused
            mempool: Mempool = mempool_at(proxy.ws_url)
            assert isinstance(mempool, NodeMempool)
            async with reading(mempool) as following:
                assert isinstance(await following(), Listening)
                hashes = send(rpc, 3)
                found = [await following() for _ in hashes]
                content = rpc.request("txpool_content")
                assert isinstance(content, dict)
                held = content["pending"][account_address(3)]
                for one, tx_hash in zip(found, hashes, strict=True):
                    assert isinstance(one, PendingTransaction)
                    truth = next(t for t in held.values() if t["hash"] == tx_hash)
                    assert (one.hash, one.sender, one.to) == (tx_hash, truth["from"], truth["to"])
                    assert (one.nonce, one.value_wei) == (quantity(truth["nonce"]), quantity(truth["value"]))
                    assert "0x" + one.data.hex() == truth["input"]
                    assert one.max_fee_wei == quantity(truth["maxFeePerGas"])
            assert bool(proxy.seen["eth_getTransactionByHash"]) == bool(asks)
            assert mempool.counters.announced == 3

    asyncio.run(scenario())


def test_a_node_that_refuses_the_subscription_hides_and_says_why(anvil: Anvil) -> None:
    async def scenario() -> None:
        async with Fussy(anvil.port) as proxy:
            proxy.refused_frames = (b"newPendingTransactions",)
            watch = PendingWatch(mempool_at(proxy.ws_url), decode_call, INDEX, 1)
            assert isinstance(watch.pending, PendingSet)
            await asyncio.wait_for(watch.follow_transactions(), DEADLINE_SECONDS)
            for answer in (watch.pending, watch.competition(ROUTE)):
                assert isinstance(answer, Hidden)
                assert "does not exist" in answer.why

    asyncio.run(scenario())


def test_a_node_that_is_busy_is_asked_again_and_hides_nothing(anvil: Anvil) -> None:
    async def scenario() -> None:
        async with Busy(anvil.port) as proxy, reading(mempool_at(proxy.ws_url)) as following:
            assert await following() == ConnectionLost("eth_subscribe: the node answered -32005 limit exceeded")
            assert isinstance(await following(), Listening)

    asyncio.run(scenario())


@pytest.mark.parametrize(("chain_id", "is_public"), [(10, True), (8453, True), (42161, False), (31337, False)])
def test_a_hidden_chain_is_named_and_its_node_is_never_asked(anvil: Anvil, chain_id: int, *, is_public: bool) -> None:
    async def scenario() -> None:
        async with NodeProxy(anvil.port) as proxy:
            visibility = visibility_of(chain_id, is_public=is_public)
            watch = PendingWatch(mempool_at(proxy.ws_url, visibility), decode_call, INDEX, 1)
            await watch.follow_transactions()
            await watch.on_head(2)
            assert watch.pending == Hidden(visibility.hidden_because) == watch.competition(ROUTE)
            assert not proxy.seen

    asyncio.run(scenario())


def test_a_lost_connection_is_named_and_the_next_one_goes_on(anvil: Anvil, rpc: Rpc) -> None:
    async def scenario() -> None:
        async with NodeProxy(anvil.port) as proxy, reading(mempool_at(proxy.ws_url)) as following:
            assert isinstance(await following(), Listening)
            proxy.cut_all()
            assert isinstance(await following(), ConnectionLost)
            assert isinstance(await following(), Listening)
            (sent,) = send(rpc)
            one = await following()
            assert isinstance(one, PendingTransaction)
            assert one.hash == sent

    asyncio.run(scenario())


def test_a_slow_reader_loses_the_oldest_and_they_are_counted(anvil: Anvil, rpc: Rpc) -> None:
    async def scenario() -> None:
        async with NodeProxy(anvil.port) as proxy:
            mempool = mempool_at(proxy.ws_url, frames_max=3)
            async with reading(mempool) as following:
                assert isinstance(await following(), Listening)
                hashes = await asyncio.to_thread(send, rpc, 10)
                await until(lambda: mempool.counters.announced == 10, "ten announcements, which wake nobody up")
                found = [await following() for _ in range(3)]
                assert [one.hash for one in found if isinstance(one, PendingTransaction)] == hashes[-3:]
                assert mempool.counters.dropped == 7

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("answer", "vanished", "malformed"),
    [(b"null", 1, 0), (b'{"type":"0x2"}', 0, 1), (b'{"type":"0x7e"}', 0, 0), (ANOTHER, 0, 1)],
    ids=["null", "malformed", "foreign", "another"],
)
def test_a_hash_that_leads_to_nothing_is_counted(
    anvil: Anvil, rpc: Rpc, answer: bytes, vanished: int, malformed: int
) -> None:
    async def scenario() -> None:
        async with Fussy(anvil.port) as proxy:
            proxy.refused_frames = (b'newPendingTransactions",true',)
            mempool = mempool_at(proxy.ws_url)
            async with reading(mempool) as following:
                assert isinstance(await following(), Listening)
                proxy.answer_with("eth_getTransactionByHash", answer)
                coming = following()
                await asyncio.to_thread(send, rpc)
                await asyncio.wait_for(proxy.until_asked("eth_getTransactionByHash"), DEADLINE_SECONDS)
                del proxy.canned["eth_getTransactionByHash"]
                (sent,) = await asyncio.to_thread(send, rpc)
                one = await coming
                assert isinstance(one, PendingTransaction)
                assert one.hash == sent
            counters = mempool.counters
            assert (counters.vanished, counters.malformed) == (vanished, malformed)

    asyncio.run(scenario())


def test_a_node_of_another_chain_is_refused(anvil: Anvil) -> None:
    async def scenario() -> None:
        options = EvmOptions(url=anvil.ws_url, chain_id=ChainId(5))
        mempool = NodeMempool(options, WallClock(), VISIBLE)
        with pytest.raises(WrongChainError):
            await anext(aiter(mempool.transactions()))

    asyncio.run(scenario())


def test_blocks_end_what_is_pending_and_a_failing_node_is_asked_again(anvil: Anvil, rpc: Rpc) -> None:
    async def scenario() -> None:
        paused, decoded = asyncio.Event(), asyncio.Semaphore(0)

        async def pause(_seconds: float) -> None:
            assert not watch.listening.is_set()
            paused.set()

        def decode(transaction: PendingTransaction) -> DecodedCall:
            decoded.release()  # whoever waits wakes up when it has been added
            return decode_call(transaction)

        async with NodeProxy(anvil.port) as proxy:
            mempool = mempool_at(proxy.ws_url, sleep=pause)
            head = quantity(rpc.request("eth_blockNumber"))
            watch = PendingWatch(mempool, decode, INDEX, head, PendingLimits(age_blocks_max=2))
            following = asyncio.create_task(watch.follow_transactions())
            await asyncio.wait_for(watch.listening.wait(), DEADLINE_SECONDS)
            hashes = send(rpc, 2)
            for _ in hashes:
                await asyncio.wait_for(decoded.acquire(), DEADLINE_SECONDS)
            assert {entry.hash for entry in held(watch)} == set(hashes)
            assert held(watch).counters.undecoded == {"0x12345678": 2}
            assert watch.competition(ROUTE) == Competition()
            rpc.request("evm_mine")
            proxy.answer_with("eth_getBlockByNumber", b"null")
            await watch.on_head(head + 1)
            proxy.answer_with("eth_getBlockByNumber", b'{"transactions": 5}')
            await watch.on_head(head + 1)
            assert (len(held(watch)), watch.blocks_failed) == (2, 2)
            proxy.canned.clear()
            await watch.on_head(head + 1)
            assert (len(held(watch)), held(watch).counters.mined) == (0, 2)
            assert await mempool.mined(head + 1000) is None
            proxy.cut_all()
            await asyncio.wait_for(paused.wait(), DEADLINE_SECONDS)
            await asyncio.wait_for(watch.listening.wait(), DEADLINE_SECONDS)
            assert watch.gaps == 1
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            await mempool.close()

    asyncio.run(scenario())
