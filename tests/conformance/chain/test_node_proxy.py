"""The proxy that other tests stand on: what it refuses, passes on and counts, over WebSocket and HTTP."""

import asyncio
import http.client
import os
import signal

import msgspec
import pytest
from tests.support.node_proxy import METHOD_NOT_FOUND, NodeProxy, proxy_in_thread
from tests.support.wall_clock import WallClock
from websockets.asyncio.client import connect as connect_async
from websockets.sync.client import connect

from headrace.adapters.chains.evm.chain import EvmChain
from headrace.adapters.chains.evm.options import EvmOptions
from headrace.devnet.anvil import Anvil
from headrace.errors import NodeUnreachableError
from headrace.model.address import ChainId


class Answer(msgspec.Struct):
    id: int
    result: object = None
    error: dict[str, object] = {}


def request(method: str, request_id: int = 1) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": request_id, "method": method, "params": []}


def over_http(proxy: NodeProxy, *methods: str) -> list[Answer]:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.http_port, timeout=10)
    try:
        body = msgspec.json.encode([request(method, i) for i, method in enumerate(methods)])
        connection.request("POST", "/", body)
        return msgspec.json.decode(connection.getresponse().read(), type=list[Answer])
    finally:
        connection.close()


def over_websocket(proxy: NodeProxy, *methods: str) -> list[Answer]:
    with connect(proxy.ws_url, compression=None) as websocket:
        answers = []
        for method in methods:
            websocket.send(msgspec.json.encode(request(method)).decode())
            answers.append(msgspec.json.decode(websocket.recv(), type=Answer))
        return answers


@pytest.mark.parametrize("method", ["anvil_setCode", "evm_mine", "debug_traceCall", "hardhat_reset"])
@pytest.mark.parametrize("send", [over_http, over_websocket])
def test_privileged_methods_are_refused_and_counted(anvil: Anvil, send: type, method: str) -> None:
    with proxy_in_thread(anvil.port) as proxy:
        (answer,) = send(proxy, method)
        assert answer.error["code"] == METHOD_NOT_FOUND
        assert proxy.refused == {method: 1}
        assert proxy.seen == {method: 1}


@pytest.mark.parametrize("send", [over_http, over_websocket])
def test_other_methods_reach_the_node(anvil: Anvil, send: type) -> None:
    with proxy_in_thread(anvil.port) as proxy:
        assert [answer.result for answer in send(proxy, "eth_chainId")] == ["0x7a69"]
        assert not proxy.refused


def test_it_stops_at_once_though_the_node_says_no_farewell() -> None:
    async def scenario(node: Anvil) -> None:
        proxy = NodeProxy(node.port)
        await proxy.start()
        async with connect_async(proxy.ws_url, compression=None) as client:
            await client.send(msgspec.json.encode(request("eth_chainId")).decode())
            await client.recv()
            os.kill(node.pid, signal.SIGSTOP)
            await asyncio.wait_for(proxy.stop(), 5)

    with Anvil.start() as node:
        try:
            asyncio.run(scenario(node))
        finally:
            os.kill(node.pid, signal.SIGCONT)


def test_the_devnets_own_tools_may_pass_when_told_so(anvil: Anvil) -> None:
    with proxy_in_thread(anvil.port, is_privileged=True) as proxy:
        (answer,) = over_http(proxy, "evm_mine")
        assert answer.result == "0x0"


def test_a_batch_with_a_refused_method_is_answered_whole(anvil: Anvil) -> None:
    with proxy_in_thread(anvil.port) as proxy:
        proxy.answer_with("eth_chainId", b'"0x1"')
        first, second = over_http(proxy, "eth_chainId", "evm_mine")
        assert first.result == "0x1"
        assert second.error["code"] == METHOD_NOT_FOUND


def test_behind_a_dead_node_it_hangs_up() -> None:
    async def scenario() -> None:
        async with NodeProxy(9) as proxy:
            options = EvmOptions(url=proxy.ws_url, chain_id=ChainId(1), deadline_seconds=5.0)
            with pytest.raises(NodeUnreachableError):
                await EvmChain(options, WallClock()).connect()

    asyncio.run(scenario())
