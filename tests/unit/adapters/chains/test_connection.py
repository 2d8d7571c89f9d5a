"""The connection over a wire that the test holds at both ends."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.support.wall_clock import WallClock
from websockets.asyncio.server import ServerConnection, serve
from websockets.frames import Frame, Opcode

from headrace.adapters.chains.evm import connection as connection_module
from headrace.adapters.chains.evm import transport as transport_module
from headrace.adapters.chains.evm.connection import Connection
from headrace.adapters.chains.evm.transport import OnEnd, OnFrame, Transport, open_transport
from headrace.errors import MalformedAnswerError, NodeUnreachableError, RpcError


class Wire:
    """A transport: what is put arrives at the next turn of the loop; what is in `replies` when a frame is sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.is_broken = False
        self.replies: list[str] = []
        self._on_frame: OnFrame = print
        self._on_end: OnEnd = print

    def start(self, on_frame: OnFrame, on_end: OnEnd) -> None:
        self._on_frame, self._on_end = on_frame, on_end

    def send(self, frame: bytes) -> None:
        if self.is_broken:
            raise NodeUnreachableError("broken")
        self.sent.append(frame)
        if self.replies:
            self.put(self.replies.pop(0))

    async def close(self) -> None:
        self.is_broken = True

    def put(self, frame: str) -> None:
        asyncio.get_running_loop().call_soon(self._on_frame, frame.encode())

    def end(self) -> None:
        self._on_end(NodeUnreachableError("gone"))


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
        asyncio.get_running_loop().call_soon(wire.end)
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


class Peer:
    """The other end of a socket file: takes what comes, says what it is told to."""

    def __init__(self) -> None:
        self._writers: list[asyncio.StreamWriter] = []
        self.has_come = asyncio.Event()

    async def __call__(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        self.has_come.set()

    def say(self, data: bytes) -> None:
        self._writers[0].write(data)

    def hang_up(self) -> None:
        self._writers[0].close()


def with_peer(folder: Path, work: Callable[[Peer, Transport], Awaitable[None]]) -> None:
    async def scenario() -> None:
        path, peer = str(folder / "node.ipc"), Peer()
        async with await asyncio.start_unix_server(peer, path):
            transport = await open_transport(path, 100)
            await peer.has_come.wait()
            try:
                await work(peer, transport)
            finally:
                peer.hang_up()
                await transport.close()

    asyncio.run(scenario())


class Heard:
    """What a transport hands on."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.ends: list[str] = []
        self.changed = asyncio.Event()

    def on_frame(self, frame: bytes) -> None:
        self.frames.append(frame)
        self.changed.set()

    def on_end(self, error: NodeUnreachableError) -> None:
        self.ends.append(str(error))
        self.changed.set()

    async def until(self, frames: int = 0, ends: int = 0) -> None:
        while len(self.frames) < frames or len(self.ends) < ends:
            self.changed.clear()
            await self.changed.wait()


def test_frames_of_a_socket_file_are_lines_however_they_arrive(tmp_path_factory: pytest.TempPathFactory) -> None:
    async def work(peer: Peer, transport: Transport) -> None:
        heard = Heard()
        transport.start(heard.on_frame, heard.on_end)
        peer.say(b"one\ntwo\nthr")
        await heard.until(frames=2)
        peer.say(b"ee\n\n")
        await heard.until(frames=4)
        assert heard.frames == [b"one", b"two", b"three", b""]

    with_peer(tmp_path_factory.mktemp("s"), work)


@pytest.mark.parametrize("said", [b"x" * 101, b"x" * 60 + b"y" * 60 + b"\n", b"fine\n" + b"x" * 101 + b"\nlate\n"])
def test_a_frame_beyond_the_limit_ends_the_connection(said: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    async def work(peer: Peer, transport: Transport) -> None:
        heard = Heard()
        peer.say(said)
        transport.start(heard.on_frame, heard.on_end)
        await heard.until(ends=1)
        assert "more than 100 bytes" in heard.ends[0]
        assert b"late" not in heard.frames

    with_peer(tmp_path_factory.mktemp("s"), work)


def test_a_bug_in_a_callback_ends_whoever_closes_the_connection(tmp_path_factory: pytest.TempPathFactory) -> None:
    def bug(_frame: bytes) -> None:
        raise AssertionError("a bug")

    async def work(peer: Peer, transport: Transport) -> None:
        heard = Heard()
        transport.start(bug, heard.on_end)
        peer.say(b"{}\n")
        await heard.until(ends=1)
        with pytest.raises(AssertionError, match="a bug"):
            await transport.close()
        transport._fault = None  # type: ignore[attr-defined]  # shown

    with_peer(tmp_path_factory.mktemp("s"), work)


def test_a_closed_socket_takes_no_more_frames_and_tells_whoever_comes_late(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async def work(peer: Peer, transport: Transport) -> None:
        heard = Heard()
        transport.start(heard.on_frame, heard.on_end)
        peer.say(b"last\n")
        peer.hang_up()
        await heard.until(frames=1, ends=1)
        assert heard.frames == [b"last"]
        with pytest.raises(NodeUnreachableError, match="closed the connection"):
            transport.send(b"{}")
        late = Heard()
        transport.start(late.on_frame, late.on_end)
        assert late.ends == heard.ends

    with_peer(tmp_path_factory.mktemp("s"), work)


def test_a_node_that_reads_nothing_is_given_up(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport_module, "_UNSENT_BYTES_MAX", 1000)

    async def work(_peer: Peer, transport: Transport) -> None:
        with pytest.raises(NodeUnreachableError, match="unread"):
            flood(transport)

    with_peer(tmp_path_factory.mktemp("s"), work)


def flood(transport: Transport) -> None:
    for _ in range(10_000):
        transport.send(b"x" * 10_000)


async def with_websocket(
    talk: Callable[[ServerConnection], Awaitable[None]], work: Callable[[Heard, Transport], Awaitable[None]]
) -> None:
    async with serve(talk, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        transport, heard = await open_transport(f"ws://127.0.0.1:{port}/path", 1000), Heard()
        transport.start(heard.on_frame, heard.on_end)
        await work(heard, transport)
        await transport.close()


def test_a_message_in_fragments_with_pings_between_arrives_whole() -> None:
    async def talk(server: ServerConnection) -> None:
        await server.send(["a", "b", "c"])
        await (await server.ping())
        await server.send(await server.recv())

    async def work(heard: Heard, transport: Transport) -> None:
        await heard.until(frames=1)
        transport.send(b"back")
        await heard.until(frames=2, ends=1)
        assert heard.frames == [b"abc", b"back"]
        with pytest.raises(NodeUnreachableError, match="closed"):
            transport.send(b"late")

    asyncio.run(with_websocket(talk, work))


def test_a_message_beyond_the_limit_ends_the_websocket() -> None:
    async def talk(server: ServerConnection) -> None:
        await server.send("x" * 1001)
        await server.wait_closed()

    async def work(heard: Heard, _transport: Transport) -> None:
        await heard.until(ends=1)
        assert heard.frames == []

    asyncio.run(with_websocket(talk, work))


def test_a_node_that_answers_pings_is_kept_and_a_silent_one_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport_module, "_PING_SECONDS", 0.02)
    pings: list[Frame] = []

    async def talk(server: ServerConnection) -> None:
        true_receive = server.protocol.recv_frame

        def receive(frame: Frame) -> None:
            pings.append(frame)
            if len(pings) <= 5:  # after these it says nothing more
                true_receive(frame)

        server.protocol.recv_frame = receive  # type: ignore[method-assign]
        await server.wait_closed()

    async def work(heard: Heard, _transport: Transport) -> None:
        await heard.until(ends=1)
        assert "has not answered a ping" in heard.ends[0]
        assert [ping.opcode for ping in pings] == [Opcode.PING] * 6

    asyncio.run(with_websocket(talk, work))


def test_what_is_no_websocket_is_no_node() -> None:
    async def scenario() -> None:
        async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            writer.close()

        async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
            await reader.read()  # and never ends
            writer.close()

        for peer in (answer, hang_up, babble):
            async with await asyncio.start_server(peer, "127.0.0.1", 0) as server:
                port = server.sockets[0].getsockname()[1]
                with pytest.raises(NodeUnreachableError, match="no node answers"):
                    await open_transport(f"ws://127.0.0.1:{port}", 1000)

    asyncio.run(scenario())
