"""A proxy in front of a node: refuses what no public node offers, and breaks frames by rule or by seed.

It speaks WebSocket (`ws_url`, where faults strike) and plain HTTP (`http_url`, where only methods are refused). Use it
in the test's own event loop (`async with NodeProxy(node)`) or, for agents in other processes, in a thread of its own
(`with proxy_in_thread(node) as proxy`). `proxy.seen` counts every method, `proxy.refused` those that were refused,
`proxy.taken` the faults that struck.
"""

import asyncio
import contextlib
import random
import socket
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from types import TracebackType
from typing import Self, TypeVar

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

PRIVILEGED_PREFIXES = ("anvil_", "evm_", "debug_", "hardhat_")
NOTIFICATION = "eth_subscription"
ANY = "*"
METHOD_NOT_FOUND = -32601
_HOST = "127.0.0.1"
_REORDER_SECONDS_MAX = 0.05
_HTTP_BODY_BYTES_MAX = 1 << 26


class Fault(StrEnum):
    DROP = "drop"  # the frame never arrives
    DELAY = "delay"  # it arrives `seconds` later, others overtake it
    CORRUPT = "corrupt"  # a stretch of its bytes is replaced
    CUT = "cut"  # half of it arrives, then the connection is gone
    DUPLICATE = "duplicate"
    REORDER = "reorder"  # it arrives after the next frame
    HIDE_LOG = "hide_log"  # one log is missing in an answer to eth_getLogs


class Rule(msgspec.Struct):
    """Strike the next `times` frames that answer `method` (`NOTIFICATION` for pushed ones, `ANY` for all)."""

    fault: Fault
    method: str = ANY
    times: int = 1
    seconds: float = 0.0
    log: int = 0  # which log to hide


class _Request(msgspec.Struct):
    method: str
    id: msgspec.Raw = msgspec.Raw(b"null")


class _Answer(msgspec.Struct):
    id: msgspec.Raw = msgspec.Raw(b"null")
    method: str = ""
    result: msgspec.Raw = msgspec.Raw(b"")


_requests = msgspec.json.Decoder(_Request | list[_Request])
_answers = msgspec.json.Decoder(_Answer | list[_Answer])
_raw_list = msgspec.json.Decoder(list[msgspec.Raw])


class NodeProxy:
    """Stands between one node and any number of clients."""

    def __init__(self, node_port: int, *, is_privileged: bool = False) -> None:
        self._node_port = node_port
        self._is_privileged = is_privileged
        self._ws: Server | None = None
        self._http: asyncio.Server | None = None
        self._clients: set[ServerConnection] = set()
        self._random = random.Random(0)
        self._rates: Mapping[Fault, float] = {}
        self._delay_seconds_max = 0.0
        self._spared: frozenset[str] = frozenset()
        self.seen: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.taken: Counter[Fault] = Counter()
        self.rules: list[Rule] = []
        self.refused_methods: set[str] = set()
        self.canned: dict[str, bytes] = {}
        self.ws_port = 0
        self.http_port = 0
        self._news = asyncio.Event()

    @property
    def ws_url(self) -> str:
        return f"ws://{_HOST}:{self.ws_port}"

    @property
    def http_url(self) -> str:
        return f"http://{_HOST}:{self.http_port}"

    def strike(self, fault: Fault, method: str = ANY, *, times: int = 1, seconds: float = 0.0, log: int = 0) -> None:
        """Script a fault; the first rule that fits a frame is used."""
        self.rules.append(Rule(fault, method, times, seconds, log))

    async def until_struck(self, fault: Fault) -> None:
        """Wait until this fault has struck at least once; only in the proxy's own event loop."""
        while not self.taken[fault]:
            self._news.clear()
            await self._news.wait()

    async def until_asked(self, method: str) -> None:
        """Wait until this method has been asked for at least once; only in the proxy's own event loop."""
        while not self.seen[method]:
            self._news.clear()
            await self._news.wait()

    def note(self, fault: Fault) -> None:
        """Count a fault that strikes."""
        self.taken[fault] += 1
        self._news.set()

    def strike_at_random(
        self, seed: int, rates: Mapping[Fault, float], *, delay_seconds_max: float, spared: Iterable[str] = ()
    ) -> None:
        """From now on each frame meets each fault with its rate, but answers to `spared` methods; `{}` ends it."""
        self._random = random.Random(seed)
        self._spared = frozenset(spared)
        self._rates = rates
        self._delay_seconds_max = delay_seconds_max

    def answer_with(self, method: str, result: bytes) -> None:
        """Answer `method` with this JSON (or any bytes) as its result, without asking the node."""
        self.canned[method] = result

    def cut_all(self) -> None:
        """End every connection without a farewell."""
        for client in list(self._clients):
            client.transport.abort()

    async def start(self, ws_port: int = 0) -> None:
        """Listen; port 0 lets the system choose."""
        self._ws = await serve(self._serve_ws, _HOST, ws_port, compression=None, max_size=None, ping_interval=None)
        self._http = await asyncio.start_server(self._serve_http, _HOST, 0)
        self.ws_port = next(iter(self._ws.sockets)).getsockname()[1]
        self.http_port = self._http.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Nobody listens any more, and every connection is cut."""
        self.cut_all()
        if self._ws is not None and self._http is not None:
            self._ws.close()
            self._http.close()
            await self._ws.wait_closed()
            await self._http.wait_closed()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _serve_ws(self, client: ServerConnection) -> None:
        self._clients.add(client)
        url = f"ws://{_HOST}:{self._node_port}"
        try:
            async with connect(url, compression=None, max_size=None, ping_interval=None) as node:
                await _Relay(self, client, node).run()
        except (ConnectionClosed, OSError):
            client.transport.abort()
        finally:
            self._clients.discard(client)

    async def _serve_http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                body = await _read_http(reader)
                refusals = self.refusals(body)
                answer = await self._post(body) if refusals is None else refusals
                head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}\r\n\r\n"
                writer.write(head.encode() + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, OSError, ValueError):
            writer.close()

    async def _post(self, body: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(_HOST, self._node_port)
        head = (
            f"POST / HTTP/1.1\r\nHost: {_HOST}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        try:
            return await _read_http(reader)
        finally:
            writer.close()

    def refusals(self, frame: bytes) -> bytes | None:
        """Count the frame's methods; the whole answer if one of them is refused or canned, else None."""
        decoded = _requests.decode(frame)
        requests = decoded if isinstance(decoded, list) else [decoded]
        self.seen.update(request.method for request in requests)
        self._news.set()
        stopped = [request for request in requests if self._is_refused(request.method) or request.method in self.canned]
        if not stopped:
            return None
        answers = [self._stop(request) for request in requests]
        return b"[" + b",".join(answers) + b"]" if isinstance(decoded, list) else answers[0]

    def _is_refused(self, method: str) -> bool:
        is_privileged = method.startswith(PRIVILEGED_PREFIXES) and not self._is_privileged
        return is_privileged or method in self.refused_methods

    def _stop(self, request: _Request) -> bytes:
        head = b'{"jsonrpc":"2.0","id":' + bytes(request.id)
        if request.method in self.canned:
            return head + b',"result":' + self.canned[request.method] + b"}"
        self.refused[request.method] += 1
        words = f"the method {request.method} does not exist/is not available"
        return head + f',"error":{{"code":{METHOD_NOT_FOUND},"message":"{words}"}}}}'.encode()

    def fault_for(self, methods: Sequence[str]) -> Rule | None:
        """The fault that strikes a frame which answers `methods`, if any."""
        for rule in self.rules:
            if rule.times > 0 and (rule.method == ANY or rule.method in methods):
                rule.times -= 1
                return rule
        if self._spared.intersection(methods):
            return None
        for fault, rate in self._rates.items():
            if self._random.random() < rate and (fault != Fault.HIDE_LOG or "eth_getLogs" in methods):
                return Rule(
                    fault, seconds=self._random.uniform(0, self._delay_seconds_max), log=self._random.randrange(8)
                )
        return None


AnyProxy = TypeVar("AnyProxy", bound=NodeProxy)


class _Relay:
    """One client's connection and the node's."""

    def __init__(self, proxy: NodeProxy, client: ServerConnection, node: ClientConnection) -> None:
        self._proxy = proxy
        self._client = client
        self._node = node
        self._method_of: dict[bytes, str] = {}
        self._held: list[bytes] = []
        self._later: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        tasks = [asyncio.create_task(self._up()), asyncio.create_task(self._down())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*tasks, *self._later):
                task.cancel()
            await asyncio.gather(*tasks, *self._later, return_exceptions=True)
            self._client.transport.abort()
            self._node.transport.abort()  # a farewell could take as long as the node is busy

    async def _up(self) -> None:
        while True:
            frame = await self._client.recv(decode=False)
            refusals = self._proxy.refusals(frame)
            if refusals is not None:
                await self._client.send(refusals, text=True)
                continue
            decoded = _requests.decode(frame)
            for request in decoded if isinstance(decoded, list) else [decoded]:
                self._method_of[bytes(request.id)] = request.method
            await self._node.send(frame, text=True)

    async def _down(self) -> None:
        quick: socket.socket = self._node.transport.get_extra_info("socket")
        while True:
            frame = await self._node.recv(decode=False)
            quick.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)  # the kernel forgets; a late one costs 40 ms
            rule = self._proxy.fault_for(self._methods(frame))
            if rule is None:
                await self._pass(frame)
            else:
                await self._strike(rule, frame)

    def _methods(self, frame: bytes) -> list[str]:
        decoded = _answers.decode(frame)
        answers = decoded if isinstance(decoded, list) else [decoded]
        return [answer.method or self._method_of.pop(bytes(answer.id), "") for answer in answers]

    async def _pass(self, frame: bytes) -> None:
        await self._client.send(frame, text=True)
        held, self._held = self._held, []
        for late in held:
            await self._client.send(late, text=True)

    async def _strike(self, rule: Rule, frame: bytes) -> None:
        self._proxy.note(rule.fault)
        match rule.fault:
            case Fault.DROP:
                pass
            case Fault.DELAY:
                self._do_later(rule.seconds, frame)
            case Fault.CORRUPT:
                middle = len(frame) // 2
                await self._pass(frame[:middle] + b"\x01garbage" + frame[middle + 8 :])
            case Fault.CUT:
                self._client.transport.write(b"\x81\x7e\xff\xff" + frame[: len(frame) // 2])
                self._client.transport.abort()
            case Fault.DUPLICATE:
                await self._pass(frame)
                await self._pass(frame)
            case Fault.REORDER:
                self._held.append(frame)
                self._do_later(_REORDER_SECONDS_MAX, None)
            case Fault.HIDE_LOG:
                await self._pass(_without_log(frame, rule.log))

    def _do_later(self, seconds: float, frame: bytes | None) -> None:
        async def late() -> None:
            await asyncio.sleep(seconds)  # the delay is the fault that is played
            if frame is not None:
                await self._pass(frame)
            elif self._held:
                await self._pass(self._held.pop(0))

        task = asyncio.create_task(late())
        self._later.add(task)
        task.add_done_callback(self._later.discard)


def _without_log(frame: bytes, index: int) -> bytes:
    answer = msgspec.json.decode(frame, type=_Answer)
    logs = _raw_list.decode(answer.result)
    if logs:
        del logs[index % len(logs)]
    return b'{"jsonrpc":"2.0","id":' + bytes(answer.id) + b',"result":' + msgspec.json.encode(logs) + b"}"


async def _read_http(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            size = int(value)
            if size > _HTTP_BODY_BYTES_MAX:
                raise ValueError(f"a body of {size} bytes")
            return await reader.readexactly(size)
    raise ValueError("no Content-Length")


@contextlib.contextmanager
def proxy_in_thread(node_port: int, *, is_privileged: bool = False) -> Iterator[NodeProxy]:
    """A proxy in an event loop and thread of its own; set rules and read counters from any thread."""
    with running_in_thread(NodeProxy(node_port, is_privileged=is_privileged)) as proxy:
        yield proxy


@contextlib.contextmanager
def running_in_thread(proxy: AnyProxy) -> Iterator[AnyProxy]:
    """The same with a proxy that was made already."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="node proxy", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(proxy.start(), loop).result(10)
        yield proxy
    finally:
        asyncio.run_coroutine_threadsafe(proxy.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
