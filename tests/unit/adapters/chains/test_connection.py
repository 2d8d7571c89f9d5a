"""The connection over a wire that the test holds at both ends."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest
from tests.support.wall_clock import WallClock

from headrace.adapters.chains.evm import connection as connection_module
from headrace.adapters.chains.evm.connection import Connection
from headrace.adapters.chains.evm.transport import open_transport
from headrace.errors import MalformedAnswerError, NodeUnreachableError, RpcError


class Wire:
    """A transport: what is put arrives (None ends it); what is in `replies` arrives when a frame is sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.incoming: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.is_broken = False
        self.replies: list[str] = []

    async def send(self, frame: bytes) -> None:
        if self.is_broken:
            raise NodeUnreachableError("broken")
        self.sent.append(frame)
        if self.replies:
            self.put(self.replies.pop(0))

    async def receive(self) -> bytes:
        frame = await self.incoming.get()
        if frame is None:
            raise NodeUnreachableError("gone")
        return frame

    async def close(self) -> None:
        self.is_broken = True

    def put(self, frame: str) -> None:
        self.incoming.put_nowait(frame.encode())


def with_connection(work: Callable[[Wire, Connection], Awaitable[None]]) -> None:
    async def scenario() -> None:
        wire = Wire()
        connection = Connection(wire, WallClock())
        try:
            await work(wire, connection)
        finally:
            await connection.close()

    asyncio.run(scenario())


def test_what_a_subscription_pushes_before_its_answer_is_read_is_not_lost() -> None:
    async def work(wire: Wire, connection: Connection) -> None:
        heard: list[bytes] = []
        wire.put('{"method":"eth_subscription","params":{"subscription":"0xa","result":1}}')
        wire.put('{"method":"eth_subscription","params":{"subscription":"0xother","result":3}}')
        wire.replies = ['{"id":0,"result":"0xa"}', '{"id":1,"result":"0xb"}']
        await connection.subscribe(("newHeads",), lambda result, _: heard.append(bytes(result)))
        wire.put('{"method":"eth_subscription","params":{"subscription":"0xa","result":2}}')
        await connection.subscribe(("logs",), lambda result, _: heard.append(bytes(result)))
        assert heard == [b"1", b"2"]

    with_connection(work)


def test_early_notifications_are_kept_in_a_bounded_number() -> None:
    async def work(wire: Wire, connection: Connection) -> None:
        heard: list[bytes] = []
        for i in range(100):
            wire.put(f'{{"method":"eth_subscription","params":{{"subscription":"0xa","result":{i}}}}}')
        wire.put('{"id":0,"result":"0xa"}')
        await connection.subscribe(("newHeads",), lambda result, _: heard.append(bytes(result)))
        assert heard == [str(i).encode() for i in range(64)]

    with_connection(work)


@pytest.mark.parametrize("answer", ['{"id":0,"result":7}', '{"id":0}', '{"id":0,"result":null}'])
def test_a_subscription_without_an_id_is_malformed(answer: str) -> None:
    async def work(wire: Wire, connection: Connection) -> None:
        wire.put(answer)
        with pytest.raises(MalformedAnswerError, match="eth_subscribe"):
            await connection.subscribe(("newHeads",), lambda *_: None)

    with_connection(work)


def test_an_error_without_an_id_fails_all_that_wait() -> None:
    async def work(wire: Wire, connection: Connection) -> None:
        wire.replies = ["{}"]
        wire.replies.append('{"id":null,"error":{"code":-32600,"message":"batches are not allowed"}}')
        answers = asyncio.gather(
            connection.batch([("a", ()), ("b", ())]), connection.request("c", ()), return_exceptions=True
        )
        for error in await answers:
            assert isinstance(error, RpcError)
            assert error.message == "batches are not allowed"
        assert connection.is_open

    with_connection(work)


def test_a_frame_that_says_nothing_is_ignored() -> None:
    async def work(wire: Wire, connection: Connection) -> None:
        wire.put("{}")
        wire.put('{"id":99,"result":1}')
        wire.put('{"id":0,"result":1}')
        assert bytes((await connection.request("a", ())).result) == b"1"

    with_connection(work)


def test_more_requests_than_the_limit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "_IN_FLIGHT_MAX", 2)

    async def work(wire: Wire, connection: Connection) -> None:
        with pytest.raises(NodeUnreachableError, match="more than 2"):
            await connection.batch([("a", ())] * 3)
        assert wire.sent == []

    with_connection(work)


def test_the_end_fails_whoever_waits_and_whoever_comes_later() -> None:
    async def work(wire: Wire, connection: Connection) -> None:
        told: list[str] = []
        connection.on_end(lambda: told.append("end"))
        wire.incoming.put_nowait(None)
        for _ in range(2):
            with pytest.raises(NodeUnreachableError, match="gone"):
                await connection.request("a", ())
        assert (told, connection.is_open) == (["end"], False)

    with_connection(work)


def test_a_frame_that_cannot_be_sent_is_forgotten() -> None:
    async def work(wire: Wire, connection: Connection) -> None:
        wire.is_broken = True
        with pytest.raises(NodeUnreachableError, match="broken"):
            await connection.request("a", ())
        assert connection._waiting == {}

    with_connection(work)


def test_a_bug_in_a_callback_ends_whoever_closes_the_connection() -> None:
    def bug(_result: msgspec.Raw, _at_ns: int) -> None:
        raise AssertionError("a bug")

    async def scenario() -> None:
        wire = Wire()
        connection = Connection(wire, WallClock())
        wire.put('{"id":0,"result":"0xa"}')
        await connection.subscribe(("newHeads",), bug)
        wire.put('{"method":"eth_subscription","params":{"subscription":"0xa","result":1}}')
        with pytest.raises(NodeUnreachableError):
            await connection.request("a", ())
        with pytest.raises(AssertionError, match="a bug"):
            await connection.close()

    asyncio.run(scenario())


def test_a_closed_socket_takes_no_more_frames(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = str(tmp_path_factory.mktemp("s") / "node.ipc")

    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async def scenario() -> None:
        server = await asyncio.start_unix_server(hang_up, path)
        async with server:
            transport = await open_transport(path, 1024)
            with pytest.raises(NodeUnreachableError, match="closed the connection"):
                await transport.receive()
            with pytest.raises(NodeUnreachableError):
                await send_until_refused(transport.send)
            await transport.close()

    asyncio.run(scenario())


async def send_until_refused(send: Callable[[bytes], Awaitable[None]]) -> None:
    for _ in range(10_000):
        await send(b"{}")
        await asyncio.sleep(0)
