"""`EvmChain` against a real node; the oracle is what the node tells the devnet's own, separate client."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager

import msgspec
import pytest
from tests.support.node_proxy import NOTIFICATION, Fault, NodeProxy
from tests.support.wall_clock import WallClock

from headrace.adapters.chains.evm.chain import EvmChain
from headrace.adapters.chains.evm.options import EvmOptions
from headrace.devnet.accounts import account_address, account_key
from headrace.devnet.anvil import Anvil
from headrace.devnet.rpc import Rpc, quantity, text
from headrace.errors import (
    ConfigError,
    MalformedAnswerError,
    NodeTimeoutError,
    NodeUnreachableError,
    RpcError,
    WrongChainError,
)
from headrace.model.address import Address, ChainId, Hash32, checksum
from headrace.model.bloom import logs_bloom
from headrace.model.event import Announcement, ConnectionLost
from headrace.model.transaction import SignedTransaction
from headrace.ports.chain import Call, Chain

CHAIN_ID = ChainId(31337)
EMITTER = Address("0x" + "e1" * 20)
# logs two words, the first the timestamp, under one topic; then nothing under no topic; returns the block's number
EMITTER_CODE = "0x42600052" + "7f" + "ab" * 32 + "60406000a1" + "60006000a0" + "4360005260206000f3"
REVERTER = Address("0x" + "e2" * 20)
REVERTER_CODE = "0x602a60005260206000fd"
INVALID = Address("0x" + "e3" * 20)
INVALID_CODE = "0xfe"
UNKNOWN = Hash32("0x" + "11" * 32)


def options(url: str, **more: float | tuple[Address, ...]) -> EvmOptions:
    defaults: dict[str, float | int | tuple[Address, ...]] = {"poll_seconds": 30.0, "backoff_seconds_min": 0.001}
    return EvmOptions(url=url, chain_id=CHAIN_ID, **{**defaults, **more})  # type: ignore[arg-type]  # by keyword above


@asynccontextmanager
async def proxied(anvil: Anvil, **more: float | tuple[Address, ...]) -> AsyncIterator[tuple[EvmChain, NodeProxy]]:
    async with NodeProxy(anvil.port) as proxy, EvmChain(options(proxy.ws_url, **more), WallClock()) as chain:
        yield chain, proxy
        assert not proxy.refused, f"a method that public nodes do not offer: {proxy.refused}"


def emit(rpc: Rpc, count: int = 1) -> list[str]:
    rpc.request("anvil_setCode", EMITTER, EMITTER_CODE)
    hashes = [
        text(rpc.request("eth_sendTransaction", {"from": account_address(3), "to": EMITTER, "gas": "0xf4240"}))
        for _ in range(count)
    ]
    rpc.request("evm_mine")
    return hashes


@pytest.fixture(params=["websocket", "socket file"])
def url(request: pytest.FixtureRequest, anvil: Anvil) -> str:
    return anvil.ws_url if request.param == "websocket" else str(anvil.ipc_path)


def through(url: str, work: Callable[[EvmChain], Coroutine[object, object, None]]) -> None:
    async def scenario() -> None:
        async with EvmChain(options(url), WallClock()) as chain:
            await work(chain)

    asyncio.run(scenario())


def test_it_is_a_chain(anvil: Anvil) -> None:
    chain: Chain = EvmChain(options(anvil.ws_url), WallClock())
    assert chain.chain_id == CHAIN_ID


def test_headers_agree_by_every_name(url: str, rpc: Rpc) -> None:
    emit(rpc)

    async def work(chain: EvmChain) -> None:
        head = await chain.head()
        assert head.number == quantity(rpc.request("eth_blockNumber"))
        assert await chain.header_by_hash(head.hash) == head
        assert await chain.header_by_number(head.number) == head
        assert await chain.header_by_number(head.number + 1) is None
        assert await chain.header_by_hash(UNKNOWN) is None
        parent = await chain.header_by_hash(head.parent_hash)
        assert parent is not None
        assert parent.number == head.number - 1

    through(url, work)


def test_logs_of_a_block_are_complete_and_add_up_to_its_bloom(url: str, rpc: Rpc) -> None:
    hashes = emit(rpc, 3)

    async def work(chain: EvmChain) -> None:
        head = await chain.head()
        logs = await chain.logs(head.hash)
        assert [log.tx_hash for log in logs] == [h for h in hashes for _ in range(2)]
        assert [log.log_index for log in logs] == list(range(6))
        assert {(log.address, log.block_hash, log.block_number) for log in logs} == {(EMITTER, head.hash, head.number)}
        assert [log.topics for log in logs] == [(Hash32("0x" + "ab" * 32),), ()] * 3
        assert int(logs[0].data[2:66], 16) == head.timestamp
        assert logs[1].data == "0x"
        assert logs_bloom(logs) == head.logs_bloom

    through(url, work)


def test_logs_of_an_unknown_block_are_refused(url: str) -> None:
    async def work(chain: EvmChain) -> None:
        with pytest.raises(RpcError, match="unknown block"):
            await chain.logs(UNKNOWN)

    through(url, work)


def test_calls_read_the_state_after_the_block(url: str, rpc: Rpc) -> None:
    emit(rpc)
    rpc.request("anvil_setCode", REVERTER, REVERTER_CODE)
    rpc.request("anvil_setCode", INVALID, INVALID_CODE)

    async def work(chain: EvmChain) -> None:
        head = await chain.head()
        emitted = await chain.call(Call(EMITTER, b""), head.hash)
        assert len(emitted) == 32
        with pytest.raises(RpcError) as caught:
            await chain.call(Call(REVERTER, b"\x01\x02"), head.hash)
        assert caught.value.data == f"0x{42:064x}"
        answers = await chain.call_many(
            [Call(to, b"") for to in (EMITTER, REVERTER, INVALID, UNKNOWN_ACCOUNT)], head.hash
        )
        assert answers == (emitted, None, None, b"")
        assert await chain.call_many([], head.hash) == ()
        with pytest.raises(RpcError):
            await chain.call(Call(EMITTER, b""), UNKNOWN)
        with pytest.raises(RpcError):
            await chain.call_many([Call(EMITTER, b""), Call(EMITTER, b"")], UNKNOWN)

    through(url, work)


UNKNOWN_ACCOUNT = Address("0x" + "77" * 20)


@pytest.mark.parametrize("batch_size", [1, 2, 7, 1000])
def test_many_calls_come_back_in_order_whatever_the_batch_size(anvil: Anvil, rpc: Rpc, batch_size: int) -> None:
    echo = "0x60003560005260206000f3"
    rpc.request("anvil_setCode", EMITTER, echo)
    calls = [Call(EMITTER, i.to_bytes(32, "big")) for i in range(40)]

    async def scenario() -> None:
        async with EvmChain(options(anvil.ws_url, batch_size=batch_size), WallClock()) as chain:
            head = await chain.head()
            assert await chain.call_many(calls, head.hash) == tuple(call.data for call in calls)

    asyncio.run(scenario())


def test_accounts_are_read_at_the_head(url: str, rpc: Rpc) -> None:
    emit(rpc)
    account = account_address(3)

    async def work(chain: EvmChain) -> None:
        assert await chain.code(EMITTER) == bytes.fromhex(EMITTER_CODE[2:])
        assert await chain.code(account) == b""
        assert await chain.balance_wei(account) == quantity(rpc.request("eth_getBalance", account, "latest"))
        assert await chain.nonce(account) == quantity(rpc.request("eth_getTransactionCount", account, "latest"))

    through(url, work)


def signed(rpc: Rpc, account: int) -> SignedTransaction:
    from eth_account import Account  # noqa: PLC0415 - takes a second to import, and one test needs it

    nonce = quantity(rpc.request("eth_getTransactionCount", account_address(account), "pending"))
    fields: dict[str, str | int] = {
        "chainId": CHAIN_ID,
        "nonce": nonce,
        "to": checksum(EMITTER),
        "gas": 100_000,
        "value": 0,
    }
    fields |= {"maxFeePerGas": 10**10, "maxPriorityFeePerGas": 1, "data": "0x", "type": 2}
    result = Account.sign_transaction(fields, account_key(account))
    return SignedTransaction(bytes(result.raw_transaction), Hash32("0x" + bytes(result.hash).hex()))


def test_a_transaction_is_sent_once_and_again_without_complaint(url: str, rpc: Rpc) -> None:
    rpc.request("anvil_setCode", EMITTER, EMITTER_CODE)

    async def work(chain: EvmChain) -> None:
        transaction = signed(rpc, 4)
        assert await chain.receipt(transaction.hash) is None
        await chain.send(transaction)
        await chain.send(transaction)
        rpc.request("evm_mine")
        receipt = await chain.receipt(transaction.hash)
        head = await chain.head()
        assert receipt is not None
        assert receipt.is_success
        assert (receipt.block_hash, receipt.block_number, receipt.tx_index) == (head.hash, head.number, 0)
        assert receipt.gas_used == head.gas_used
        assert receipt.gas_price_wei == head.base_fee_wei + 1
        assert receipt.logs == await chain.logs(head.hash)
        with pytest.raises(RpcError, match="nonce"):
            await chain.send(transaction)
        with pytest.raises(RpcError):
            await chain.send(SignedTransaction(b"\x02garbage", UNKNOWN))

    through(url, work)


def test_the_head_is_announced_first_and_then_each_block_once(url: str, rpc: Rpc) -> None:
    async def work(chain: EvmChain) -> None:
        events = chain.events()
        first = await anext(events)
        assert isinstance(first, Announcement)
        assert first.header == await chain.head()
        before_ns = WallClock().monotonic_ns()
        for _ in range(3):
            await asyncio.to_thread(emit, rpc)
            event = await anext(events)
            head = await chain.head()
            assert isinstance(event, Announcement)
            assert (event.number, event.hash, event.header) == (head.number, head.hash, head)
            assert before_ns < event.at_ns < (before_ns := WallClock().monotonic_ns())

    through(url, work)


def test_the_logs_of_an_announced_block_are_asked_for_once_and_before_anybody_wants_them(
    anvil: Anvil, rpc: Rpc
) -> None:
    async def scenario() -> None:
        async with proxied(anvil) as (chain, proxy):
            events = chain.events()
            await anext(events)
            for asked in (1, 2):
                await asyncio.to_thread(emit, rpc, 2)
                announced = await anext(events)
                assert isinstance(announced, Announcement)
                assert announced.header is not None
                await chain.head()  # frames stay in order: what went before it has passed the proxy
                assert proxy.seen["eth_getLogs"] == asked
                logs = await chain.logs(announced.hash)
                assert logs_bloom(logs) == announced.header.logs_bloom
                assert len(logs) == 4
                assert proxy.seen["eth_getLogs"] == asked

    asyncio.run(scenario())


def test_logs_can_announce_a_block_and_do_not_announce_it_twice(anvil: Anvil, rpc: Rpc) -> None:
    async def scenario() -> None:
        async with proxied(anvil, hint_addresses=(EMITTER,)) as (chain, proxy):
            events = chain.events()
            await anext(events)
            announced = []
            for _ in range(3):
                await asyncio.to_thread(emit, rpc, 2)
                announced.append(await anext(events))
            assert len({event.hash for event in announced if isinstance(event, Announcement)}) == 3
            assert proxy.seen["eth_subscribe"] == 2

    asyncio.run(scenario())


def test_a_reorg_announces_the_end_of_the_new_branch(anvil: Anvil, rpc: Rpc) -> None:
    async def scenario() -> None:
        async with proxied(anvil) as (chain, _):
            for _ in range(3):
                await asyncio.to_thread(emit, rpc)
            old = await chain.head()
            events = chain.events()
            await anext(events)
            await asyncio.to_thread(rpc.request, "anvil_reorg", 2, [])
            head = await chain.head()
            assert head.hash != old.hash
            event = await anext(events)
            if isinstance(event, Announcement) and event.number == old.number - 1:  # read before the second came
                event = await anext(events)
            assert isinstance(event, Announcement)
            assert (event.number, event.hash) == (old.number, head.hash)

    asyncio.run(scenario())


def test_a_silent_node_is_asked_for_its_head(anvil: Anvil, rpc: Rpc) -> None:
    async def scenario() -> None:
        async with proxied(anvil, poll_seconds=0.02) as (chain, proxy):
            events = chain.events()
            await anext(events)
            proxy.strike(Fault.DROP, NOTIFICATION, times=1000)
            await asyncio.to_thread(emit, rpc)
            event = await anext(events)
            assert isinstance(event, Announcement)
            assert event.hash == (await chain.head()).hash
            assert proxy.taken[Fault.DROP] >= 1

    asyncio.run(scenario())


def test_a_cut_connection_is_told_and_the_head_announced_again(anvil: Anvil, rpc: Rpc) -> None:
    async def scenario() -> None:
        async with proxied(anvil) as (chain, proxy):
            events = chain.events()
            first = await anext(events)
            proxy.strike(Fault.CUT, "eth_getLogs")
            assert isinstance(first, Announcement)
            with pytest.raises(NodeUnreachableError):
                await chain.logs(first.hash)
            assert isinstance(await anext(events), ConnectionLost)
            await asyncio.to_thread(emit, rpc)
            event = await anext(events)
            assert isinstance(event, Announcement)
            assert event.hash == (await chain.head()).hash
            assert chain.client.generation == 2

    asyncio.run(scenario())


def test_announcements_that_arrived_before_the_cut_are_not_lost(anvil: Anvil, rpc: Rpc) -> None:
    async def scenario() -> None:
        async with proxied(anvil) as (chain, proxy):
            events = chain.events()
            await anext(events)
            await asyncio.to_thread(emit, rpc)
            head = await chain.head()
            proxy.cut_all()
            with pytest.raises(NodeUnreachableError):
                await chain.head()
            event = await anext(events)
            assert isinstance(event, Announcement)
            assert event.hash == head.hash
            assert isinstance(await anext(events), ConnectionLost)

    asyncio.run(scenario())


def test_pauses_between_attempts_grow_and_are_bounded(anvil: Anvil) -> None:
    pauses: list[float] = []

    async def scenario() -> None:
        proxy = NodeProxy(anvil.port)
        await proxy.start()
        port = proxy.ws_port

        async def sleep(seconds: float) -> None:
            pauses.append(seconds)
            if len(pauses) == 6:
                await proxy.start(port)

        chain = EvmChain(options(proxy.ws_url, backoff_seconds_min=0.5, backoff_seconds_max=3.0), WallClock(), sleep)
        events = chain.events()
        await anext(events)
        await proxy.stop()
        kinds = [type(await anext(events)) for _ in range(8)]
        assert kinds == [ConnectionLost] * 7 + [Announcement]
        await chain.close()
        await proxy.stop()

    asyncio.run(scenario())
    assert pauses == [1.0, 2.0, 3.0, 3.0, 3.0, 3.0]


def test_a_dead_node_is_unreachable() -> None:
    for address in ("ws://127.0.0.1:9", "/nowhere/node.ipc"):
        with pytest.raises(NodeUnreachableError, match="no node answers"):
            asyncio.run(EvmChain(options(address), WallClock()).connect())


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "node", "ws://"])
def test_an_address_of_another_kind_is_a_mistake_in_the_configuration(address: str) -> None:
    with pytest.raises(ConfigError):
        asyncio.run(EvmChain(options(address), WallClock()).connect())


def test_a_slow_node_meets_the_deadline_and_its_late_answer_harms_nobody(anvil: Anvil) -> None:
    async def scenario() -> None:
        async with proxied(anvil, deadline_seconds=0.5) as (chain, proxy):
            proxy.strike(Fault.DELAY, "eth_getBalance", seconds=0.6)
            started_ns = WallClock().monotonic_ns()
            with pytest.raises(NodeTimeoutError, match=r"within 0\.5 s"):
                await chain.balance_wei(EMITTER)
            while WallClock().monotonic_ns() < started_ns + 800_000_000:
                await chain.head()
            assert chain.client.generation == 1

    asyncio.run(scenario())


def test_a_node_of_another_chain_is_refused_also_on_reconnection(anvil: Anvil) -> None:
    async def scenario() -> None:
        async with proxied(anvil) as (chain, proxy):
            events = chain.events()
            await anext(events)
            proxy.answer_with("eth_chainId", b'"0x1"')
            proxy.cut_all()
            assert isinstance(await anext(events), ConnectionLost)
            with pytest.raises(WrongChainError) as caught:
                await anext(events)
            assert (caught.value.expected, caught.value.actual) == (31337, 1)

    asyncio.run(scenario())


GARBAGE = [b"7", b'"0x"', b'"0xzz"', b"{}", b'"0x1_0"', b"[1]", b'"0x' + b"f" * 65 + b'"', b"null", b'" 0x1"']


@pytest.mark.parametrize("result", GARBAGE)
def test_garbage_instead_of_a_quantity_is_named(anvil: Anvil, result: bytes) -> None:
    async def scenario() -> None:
        async with proxied(anvil) as (chain, proxy):
            proxy.answer_with("eth_getBalance", result)
            with pytest.raises(MalformedAnswerError, match="eth_getBalance"):
                await chain.balance_wei(EMITTER)
            assert await chain.nonce(EMITTER) >= 0

    asyncio.run(scenario())


def test_an_answer_about_another_block_or_transaction_is_malformed(anvil: Anvil, rpc: Rpc) -> None:
    (sent,) = emit(rpc)

    async def scenario() -> None:
        async with EvmChain(options(anvil.ws_url), WallClock()) as plain:
            head = await plain.head()
        async with proxied(anvil) as (chain, proxy):
            proxy.answer_with("eth_getBlockByHash", _fetch(rpc, "eth_getBlockByHash", head.hash, False))
            proxy.answer_with("eth_getBlockByNumber", _fetch(rpc, "eth_getBlockByHash", head.hash, False))
            proxy.answer_with("eth_getTransactionReceipt", _fetch(rpc, "eth_getTransactionReceipt", sent))
            proxy.answer_with("eth_sendRawTransaction", b'"' + UNKNOWN.encode() + b'"')
            with pytest.raises(MalformedAnswerError):
                await chain.header_by_hash(UNKNOWN)
            with pytest.raises(MalformedAnswerError):
                await chain.header_by_number(head.number + 5)
            with pytest.raises(MalformedAnswerError):
                await chain.receipt(UNKNOWN)
            with pytest.raises(MalformedAnswerError):
                await chain.send(signed(rpc, 5))

    asyncio.run(scenario())


def _fetch(rpc: Rpc, method: str, *params: str | bool) -> bytes:

    return msgspec.json.encode(rpc.request(method, *params))


def test_a_frame_of_garbage_ends_the_connection_and_the_next_call_opens_another(anvil: Anvil) -> None:
    async def scenario() -> None:
        async with proxied(anvil) as (chain, proxy):
            proxy.strike(Fault.CORRUPT, "eth_getBlockByNumber")
            with pytest.raises(MalformedAnswerError):
                await chain.head()
            await chain.head()
            assert chain.client.generation == 2

    asyncio.run(scenario())


def test_doubled_and_reordered_answers_reach_whoever_asked(anvil: Anvil) -> None:
    async def scenario() -> None:
        async with proxied(anvil) as (chain, proxy):
            proxy.strike(Fault.DUPLICATE, "eth_getBalance")
            proxy.strike(Fault.REORDER, "eth_getCode")
            balance, code, nonce, head = await asyncio.gather(
                chain.balance_wei(account_address(9)),
                chain.code(account_address(9)),
                chain.nonce(EMITTER),
                chain.head(),
            )
            assert (balance > 0, code) == (True, b"")
            assert nonce <= 1
            assert head == await chain.head()
            assert proxy.taken == {Fault.DUPLICATE: 1, Fault.REORDER: 1}

    asyncio.run(scenario())


def test_a_frame_over_the_limit_ends_the_connection(anvil: Anvil, rpc: Rpc) -> None:
    emit(rpc, 30)

    async def scenario(url: str) -> None:
        async with EvmChain(options(url, frame_bytes_max=4096), WallClock()) as chain:
            head = await chain.head()
            with pytest.raises(NodeUnreachableError):
                await chain.logs(head.hash)

    asyncio.run(scenario(anvil.ws_url))
    asyncio.run(scenario(str(anvil.ipc_path)))


def test_closing_fails_whoever_still_waits(anvil: Anvil) -> None:
    async def scenario() -> None:
        async with proxied(anvil) as (chain, proxy):
            proxy.strike(Fault.DROP, "eth_getBlockByNumber")
            waiting = asyncio.create_task(chain.head())
            await proxy.until_struck(Fault.DROP)
            await chain.close()
            with pytest.raises(NodeUnreachableError, match="was closed"):
                await waiting
            assert (await chain.head()).number >= 0

    asyncio.run(scenario())


def test_a_node_without_subscriptions_is_told_as_a_lost_connection(anvil: Anvil) -> None:
    async def scenario() -> None:
        async with NodeProxy(anvil.port) as proxy, EvmChain(options(proxy.ws_url), WallClock()) as chain:
            proxy.refused_methods.add("eth_subscribe")
            event = await anext(chain.events())
            assert isinstance(event, ConnectionLost)
            assert "eth_subscribe" in event.why

    asyncio.run(scenario())


def test_the_methods_used_are_those_of_any_public_node(anvil: Anvil, rpc: Rpc) -> None:
    (sent,) = emit(rpc)

    async def scenario() -> None:
        async with proxied(anvil, batch_size=1) as (chain, proxy):
            head = await chain.head()
            await chain.logs(head.hash)
            await chain.call_many([Call(EMITTER, b"")] * 2, head.hash)
            await chain.receipt(Hash32(sent))
            await anext(chain.events())
            allowed = {"eth_chainId", "eth_getBlockByNumber", "eth_getLogs", "eth_call", "eth_subscribe"}
            assert set(proxy.seen) == allowed | {"eth_getTransactionReceipt"}

    asyncio.run(scenario())
