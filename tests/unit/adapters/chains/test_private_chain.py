import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.support.wall_clock import WallClock

from headrace.adapters.chains.evm.options import EvmOptions
from headrace.adapters.chains.evm.private_chain import PrivateEvmChain
from headrace.adapters.chains.evm.transport import open_transport
from headrace.errors import ConfigError, MalformedAnswerError, NodeTimeoutError, NodeUnreachableError, RpcError
from headrace.model.address import ChainId, Hash32
from headrace.model.transaction import SignedTransaction

SIGNED = SignedTransaction(b"\x02\xc0", Hash32("0x" + "ab" * 32))
ACCEPTED = json.dumps({"jsonrpc": "2.0", "id": 1, "result": SIGNED.hash}).encode()


class Relay:
    """A private endpoint on this machine: answers as it is told, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answer, self.status, self.seen = ACCEPTED, 200, list[object]()
        self.may_answer = threading.Event()
        self.may_answer.set()
        relay = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                relay.seen.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                relay.may_answer.wait(10)
                self.send_response(relay.status)
                self.end_headers()
                self.wfile.write(relay.answer)

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/secretkey"

    def stop(self) -> None:
        self.may_answer.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def relay() -> Iterator[Relay]:
    one = Relay()
    yield one
    one.stop()


def send(url: str, deadline_seconds: float = 5.0) -> None:
    """The node's own address is dead: nothing may be asked of it."""
    options = EvmOptions(url="ws://127.0.0.1:1", chain_id=ChainId(1), deadline_seconds=deadline_seconds)
    asyncio.run(PrivateEvmChain(options, WallClock(), url).send(SIGNED))


def test_signed_bytes_go_to_the_private_endpoint_and_the_node_is_not_asked(relay: Relay) -> None:
    send(relay.url)
    assert relay.seen == [{"jsonrpc": "2.0", "id": 1, "method": "eth_sendRawTransaction", "params": ["0x02c0"]}]


def test_what_the_endpoint_knows_already_is_accepted_and_a_refusal_is_told(relay: Relay) -> None:
    relay.answer = b'{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"already known"}}'
    send(relay.url)
    relay.answer = b'{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"nonce too low"}}'
    with pytest.raises(RpcError, match="nonce too low"):
        send(relay.url)


@pytest.mark.parametrize("answer", [b"<html>", b'{"jsonrpc":"2.0","id":1}', b"[]"])
def test_an_answer_that_is_no_json_rpc_is_a_typed_error(relay: Relay, answer: bytes) -> None:
    relay.answer = answer
    with pytest.raises(MalformedAnswerError):
        send(relay.url)


def test_an_endpoint_that_fails_is_slow_or_is_not_there_is_named_without_its_key(relay: Relay) -> None:
    relay.status = 429
    with pytest.raises(RpcError, match="429") as refused:
        send(relay.url)
    relay.may_answer.clear()
    with pytest.raises(NodeTimeoutError) as slow:
        send(relay.url, deadline_seconds=0.2)
    with pytest.raises(NodeUnreachableError) as absent:
        send("http://127.0.0.1:1/secretkey")
    for error in (refused, slow, absent):
        assert "secretkey" not in str(error.value)


def test_only_http_is_a_private_endpoint() -> None:
    with pytest.raises(ConfigError):
        send("ftp://host/secretkey")


@pytest.mark.parametrize(
    "url",
    [
        "ws://user:secretkey@127.0.0.1:1/secretkey",
        "nonsense-secretkey",
        "ws://[::1/secretkey",
        "ws://h:99999/secretkey",
        "ws://h:abc/secretkey",
    ],
)
def test_no_error_of_a_node_quotes_more_of_its_address_than_the_host(url: str) -> None:
    with pytest.raises((ConfigError, NodeUnreachableError)) as caught:
        asyncio.run(open_transport(url, 1000))
    assert "secretkey" not in str(caught.value)
