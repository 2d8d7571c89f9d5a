"""The wire under JSON-RPC: a WebSocket to any node, or a local node's socket file. Library errors end here.

Idea: between a block and a transaction lie a handful of round trips, and every turn of the event loop in each of them
is time lost. So frames are handed on where they are read and written where they are made: both wires are asyncio
protocols without queues or tasks. The rules of WebSocket are the `websockets` library's, in its form without I/O.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Iterable
from typing import Protocol, TypeAlias, cast
from urllib.parse import urlsplit

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidURI, WebSocketException
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import WebSocketURI, parse_uri

from headrace.errors import ConfigError, NodeUnreachableError

_PING_SECONDS = 10.0  # a half-open connection is noticed within two of these
_CLOSE_SECONDS = 1.0
_UNSENT_BYTES_MAX = 1 << 28
_DATA = frozenset({Opcode.TEXT, Opcode.BINARY, Opcode.CONT})
OnFrame: TypeAlias = Callable[[bytes], None]
OnEnd: TypeAlias = Callable[[NodeUnreachableError], None]


class Transport(Protocol):
    """Whole frames, both ways."""

    def start(self, on_frame: OnFrame, on_end: OnEnd) -> None:
        """Hand on every frame as it arrives, those that have arrived first, and once the reason of the end."""
        ...

    def send(self, frame: bytes) -> None:
        """Hand one frame to the system.

        Raises:
            NodeUnreachableError: the connection is gone, or the node reads nothing.
        """
        ...

    async def close(self) -> None:
        """End the connection; harmless when it has ended."""
        ...


async def open_transport(url: str, frame_bytes_max: int) -> Transport:
    """Connect to `ws://`, `wss://` or the path of a socket file.

    Raises:
        ConfigError: the address is of none of these kinds.
        NodeUnreachableError: nobody answers there.
    """
    if url.startswith(("ws://", "wss://")):
        return await _open_websocket(url, frame_bytes_max)
    if url.startswith("/"):
        return await _open_socket_file(url, frame_bytes_max)
    raise ConfigError(f"{_shown(url)} is no node address: ws://, wss:// or the absolute path of a socket file", "rpc")


class _Wire(asyncio.Protocol):
    """What both wires share: frames wait until somebody listens, and the end is told once."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._waiting: list[bytes] = []
        self._on_frame: OnFrame = self._waiting.append
        self._on_end: OnEnd | None = None
        self._error: NodeUnreachableError | None = None
        self._fault: Exception | None = None
        self._ended = asyncio.Event()

    def start(self, on_frame: OnFrame, on_end: OnEnd) -> None:
        waiting, self._waiting = self._waiting, []
        self._on_frame, self._on_end = on_frame, on_end
        for frame in waiting:
            on_frame(frame)
        if self._error is not None:
            on_end(self._error)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        is_fault = exc is not None and not isinstance(exc, OSError)
        self._fault = exc if is_fault else None
        self._end(f"the connection to the node broke ({exc})" if exc else "the node closed the connection")
        self._ended.set()

    async def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._ended.wait()
        if self._transport is not None:
            self._transport.abort()
        if self._fault is not None:
            raise self._fault  # a bug in a callback ends the task that closes

    def _write(self, parts: Iterable[bytes]) -> None:
        transport = self._transport
        if self._error is not None or transport is None:
            raise NodeUnreachableError(str(self._error or "the node closed the connection"))
        if transport.get_write_buffer_size() > _UNSENT_BYTES_MAX:
            raise NodeUnreachableError(f"the node has left more than {_UNSENT_BYTES_MAX} bytes unread")
        transport.write(b"".join(parts))

    def _end(self, why: str) -> None:
        if self._error is not None:
            return
        self._error = NodeUnreachableError(why)
        if self._transport is not None:
            self._transport.close()
        if self._on_end is not None:
            self._on_end(self._error)


class _WebSocket(_Wire):
    def __init__(self, uri: WebSocketURI, frame_bytes_max: int) -> None:
        super().__init__()
        self._rules = ClientProtocol(uri, max_size=frame_bytes_max)
        self._fragments: list[bytes] = []
        self._socket: socket.socket | None = None
        self._is_heard = True
        self._timer: asyncio.TimerHandle | None = None
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def send(self, frame: bytes) -> None:
        if self._rules.state is not State.OPEN:
            raise NodeUnreachableError(str(self._error or "the node closed the connection"))
        self._rules.send_text(frame)
        self._write(self._rules.data_to_send())

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._socket = _tcp_socket(transport)
        self._rules.send_request(self._rules.connect())
        self._write(self._rules.data_to_send())

    def data_received(self, data: bytes) -> None:
        self._acknowledge_at_once()
        self._is_heard = True
        self._rules.receive_data(data)
        for event in self._rules.events_received():
            if isinstance(event, Frame):
                self._take(event)
            else:
                self._open()
        self._answer()

    def eof_received(self) -> None:
        self._rules.receive_eof()
        self._answer()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)
        if not self.opened.done():
            self.opened.set_exception(self._rules.handshake_exc or EOFError("it closed the connection"))

    async def close(self) -> None:
        if self._rules.state is State.OPEN:
            self._rules.send_close()
            with contextlib.suppress(NodeUnreachableError):  # it is closed from the other side at this moment
                self._write(self._rules.data_to_send())
        await super().close()

    def _open(self) -> None:
        if self._rules.handshake_exc is not None:
            self.opened.set_exception(self._rules.handshake_exc)
            return
        self.opened.set_result(None)
        self._timer = asyncio.get_running_loop().call_later(_PING_SECONDS, self._ping)

    def _take(self, frame: Frame) -> None:
        if frame.opcode not in _DATA:
            return
        if frame.fin and not self._fragments:
            self._on_frame(bytes(frame.data))
            return
        self._fragments.append(bytes(frame.data))
        if frame.fin:
            whole, self._fragments = b"".join(self._fragments), []
            self._on_frame(whole)

    def _answer(self) -> None:
        """What the rules want sent: pongs and the closing handshake."""
        parts = self._rules.data_to_send()
        if any(parts) and self._error is None:
            self._write(parts)
        if not self.opened.done() and self._rules.handshake_exc is not None:
            self.opened.set_exception(self._rules.handshake_exc)
        if self.opened.done() and self._rules.state is not State.OPEN:
            why = self._rules.parser_exc or self._rules.close_rcvd or "without a word"
            self._end(f"the node closed the connection ({why})")

    def _ping(self) -> None:
        if not self._is_heard:
            self._end(f"the node has not answered a ping for {_PING_SECONDS:g} s")
            return
        self._is_heard = False
        self._rules.send_ping(b"")
        self._answer()
        self._timer = asyncio.get_running_loop().call_later(_PING_SECONDS, self._ping)

    def _acknowledge_at_once(self) -> None:
        # Linux forgets the option after each use; without it two overlapping frames of a node that waits for
        # acknowledgements (Nagle's algorithm) are 40 ms apart.
        if self._socket is not None:
            with contextlib.suppress(OSError):  # the socket has just been closed: the next receive says so
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


class _SocketFile(_Wire):
    """Frames are lines."""

    def __init__(self, frame_bytes_max: int) -> None:
        super().__init__()
        self._frame_bytes_max = frame_bytes_max
        self._parts: list[bytes] = []
        self._size = 0

    def send(self, frame: bytes) -> None:
        self._write((frame, b"\n"))

    def data_received(self, data: bytes) -> None:
        *ends, rest = data.split(b"\n")
        for end in ends:
            self._keep(end)
            whole, self._parts, self._size = b"".join(self._parts), [], 0
            if self._error is not None:
                return
            self._on_frame(whole)
        self._keep(rest)

    def _keep(self, part: bytes) -> None:
        self._parts.append(part)
        self._size += len(part)
        if self._size > self._frame_bytes_max:
            self._end(f"the connection to the node broke (a frame of more than {self._frame_bytes_max} bytes)")


def _shown(url: str) -> str:
    """Scheme, host and port: the rest of a URL may be a key."""
    try:
        parts = urlsplit(url)
    except ValueError:  # a bracket that is never closed
        return "the address"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.scheme else "the address"


async def _open_websocket(url: str, frame_bytes_max: int) -> Transport:
    try:
        uri = parse_uri(url)
    except (InvalidURI, ValueError):
        raise ConfigError(f"{_shown(url)} is no WebSocket address", "rpc") from None  # the cause would quote a key
    context = ssl.create_default_context() if uri.secure else None
    loop = asyncio.get_running_loop()
    try:
        _, wire = await loop.create_connection(
            lambda: _WebSocket(uri, frame_bytes_max), uri.host, uri.port, ssl=context
        )
        try:
            await wire.opened
        except BaseException:
            await wire.close()
            raise
    except (OSError, WebSocketException, EOFError) as error:
        why = f"no node answers at {_shown(url)} ({error}): start it, or correct `rpc`"
        raise NodeUnreachableError(why) from error
    return wire


async def _open_socket_file(path: str, frame_bytes_max: int) -> Transport:
    loop = asyncio.get_running_loop()
    try:
        _, wire = await loop.create_unix_connection(lambda: _SocketFile(frame_bytes_max), path)
    except OSError as error:
        raise NodeUnreachableError(f"no node answers at {path} ({error}): start it, or correct `rpc`") from error
    return wire


def _tcp_socket(transport: asyncio.BaseTransport) -> socket.socket | None:
    found: socket.socket | None = transport.get_extra_info("socket")
    return found if hasattr(socket, "TCP_QUICKACK") else None
