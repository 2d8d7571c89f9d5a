import socket

import pytest

from headrace.devnet.anvil import Anvil
from headrace.devnet.rpc import Call, Rpc, RpcFailure
from headrace.errors import DevnetError


def test_results_of_a_batch_come_in_the_order_of_its_calls(rpc: Rpc) -> None:
    methods = ["eth_chainId", "web3_clientVersion", "eth_blockNumber"] * 20
    answers = rpc.batch(Call(method) for method in methods)
    assert answers[0::3] == ["0x7a69"] * 20
    assert all(str(answer).startswith("anvil/") for answer in answers[1::3])


def test_an_empty_batch_asks_nothing(rpc: Rpc) -> None:
    assert rpc.batch([]) == []


def test_a_refusal_is_an_error_that_names_the_method(rpc: Rpc) -> None:
    with pytest.raises(DevnetError, match="eth_nonsense"):
        rpc.request("eth_nonsense")


def test_an_attempt_keeps_a_refusal_in_its_place(rpc: Rpc) -> None:
    first, second = rpc.attempt([Call("eth_nonsense"), Call("eth_chainId")])
    assert isinstance(first, RpcFailure)
    assert second == "0x7a69"


def test_a_chain_that_is_gone_is_a_devnet_error() -> None:
    anvil = Anvil.start()
    with anvil.connect() as rpc:
        rpc.request("eth_chainId")
        anvil.stop()
        with pytest.raises(DevnetError, match="does not answer"):
            rpc.request("eth_chainId")


def test_a_server_that_is_no_chain_is_a_devnet_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, Rpc(server.getsockname()[1]) as rpc:
        server.settimeout(10)
        rpc._connection.connect()
        peer, _ = server.accept()
        with peer:
            peer.sendall(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
            with pytest.raises(DevnetError, match="HTTP 503"):
                rpc.request("eth_chainId")
