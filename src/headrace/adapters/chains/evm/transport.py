"""The wire under JSON-RPC: a WebSocket to any node, or a local node's socket file. Library errors end here."""

import asyncio
import contextlib
import socket
from typing import Protocol
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidURI, WebSocketException

from headrace.errors import ConfigError, NodeUnreachableError

_PING_SECONDS = 10.0  # a half-open connection is noticed within two of these
_CLOSE_SECONDS = 1.0
_FRAMES_QUEUED_MAX = 1024


class Transport(Protocol):
    """Whole frames, both ways. Every method raises `NodeUnreachableError` when the connection is gone."""

    async def send(self, frame: bytes) -> None:
        """Hand one frame over."""
        ...

    async def receive(self) -> bytes:
        """Wait for the next frame."""
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


class _WebSocket:
    def __init__(self, websocket: ClientConnection) -> None:
        self._websocket = websocket
        self._socket = _tcp_socket(websocket)

    async def send(self, frame: bytes) -> None:
        try:
            await self._websocket.send(frame, text=True)
        except ConnectionClosed as error:
            raise NodeUnreachableError(f"the node closed the connection ({error})") from error

    async def receive(self) -> bytes:
        try:
            frame = await self._websocket.recv(decode=False)
        except ConnectionClosed as error:
            raise NodeUnreachableError(f"the node closed the connection ({error})") from error
        self._acknowledge_at_once()
        return frame

    async def close(self) -> None:
        await self._websocket.close()

    def _acknowledge_at_once(self) -> None:
        # Linux forgets the option after each use; without it two overlapping frames of a node that waits for
        # acknowledgements (Nagle's algorithm) are 40 ms apart.
        if self._socket is not None:
            with contextlib.suppress(OSError):  # the socket has just been closed: the next receive says so
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


class _SocketFile:
    """Frames are lines."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, frame: bytes) -> None:
        try:
            self._writer.write(frame + b"\n")
            await self._writer.drain()
        except OSError as error:
            raise NodeUnreachableError(f"the node closed the connection ({error})") from error

    async def receive(self) -> bytes:
        try:
            line = await self._reader.readline()
        except (OSError, ValueError) as error:  # readline reports a line over the limit as ValueError
            raise NodeUnreachableError(f"the connection to the node broke ({error})") from error
        if not line.endswith(b"\n"):
            raise NodeUnreachableError("the node closed the connection")
        return line

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(OSError):  # it was already broken
            await self._writer.wait_closed()


def _shown(url: str) -> str:
    """Scheme, host and port: the rest of a URL may be a key."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.scheme else "the address"


async def _open_websocket(url: str, frame_bytes_max: int) -> Transport:
    try:
        websocket = await connect(
            url,
            compression=None,  # the deadline is latency, not bandwidth
            max_size=frame_bytes_max,
            max_queue=_FRAMES_QUEUED_MAX,
            ping_interval=_PING_SECONDS,
            ping_timeout=_PING_SECONDS,
            close_timeout=_CLOSE_SECONDS,
        )
    except InvalidURI:
        raise ConfigError(f"{_shown(url)} is no WebSocket address", "rpc") from None  # the cause would quote a key
    except (OSError, WebSocketException, EOFError) as error:
        why = f"no node answers at {_shown(url)} ({error}): start it, or correct `rpc`"
        raise NodeUnreachableError(why) from error
    return _WebSocket(websocket)


async def _open_socket_file(path: str, frame_bytes_max: int) -> Transport:
    try:
        reader, writer = await asyncio.open_unix_connection(path, limit=frame_bytes_max)
    except OSError as error:
        raise NodeUnreachableError(f"no node answers at {path} ({error}): start it, or correct `rpc`") from error
    return _SocketFile(reader, writer)


def _tcp_socket(websocket: ClientConnection) -> socket.socket | None:
    found = websocket.transport.get_extra_info("socket")
    is_supported = hasattr(socket, "TCP_QUICKACK") and found is not None
    return found if is_supported else None
