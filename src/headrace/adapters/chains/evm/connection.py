"""One live connection: requests pipelined by id, notifications handed on, everything failed when it ends."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias, cast

import msgspec

from headrace.adapters.chains.evm.answer import read_text
from headrace.adapters.chains.evm.frame import (
    Frame,
    Params,
    Request,
    decode_frames,
    encode_batch,
    encode_request,
)
from headrace.adapters.chains.evm.transport import Transport
from headrace.errors import ChainError, MalformedAnswerError, NodeUnreachableError, RpcError
from headrace.ports.clock import Clock

OnNotification: TypeAlias = Callable[[msgspec.Raw, int], None]
_IN_FLIGHT_MAX = 4096
_EARLY_MAX = 64


class _Asked:
    """Requests that went out together, numbered from `first`, and their answers as they come: one future for all."""

    __slots__ = ("answers", "first", "frames", "missing")

    def __init__(self, first: int, count: int) -> None:
        self.first = first
        self.frames: list[Frame | None] = [None] * count
        self.missing = count
        self.answers: asyncio.Future[list[Frame]] = asyncio.get_running_loop().create_future()

    def take(self, request_id: int, frame: Frame) -> None:
        self.frames[request_id - self.first] = frame
        self.missing -= 1
        if not self.missing and not self.answers.done():  # else the deadline has passed
            self.answers.set_result(cast("list[Frame]", self.frames))


class Connection:
    """Belongs to one event loop. Whoever asks gets the node's frames, or the error that ended the connection."""

    def __init__(self, transport: Transport, clock: Clock) -> None:
        self._transport = transport
        self._clock = clock
        self._next_id = 0
        self._waiting: dict[int, _Asked] = {}
        self._subscribers: dict[str, OnNotification] = {}
        self._early: list[tuple[str, msgspec.Raw, int]] = []
        self._on_end: list[Callable[[], None]] = []
        self.error: ChainError | None = None
        transport.start(self._take, self._end)

    @property
    def is_open(self) -> bool:
        """Whether requests can still be answered."""
        return self.error is None

    def request(self, method: str, params: Params) -> Awaitable[Frame]:
        """Send one call; await what it returns for the answer.

        Raises:
            NodeUnreachableError: the connection ended, or too many requests are under way.
            MalformedAnswerError: the node sent what is no JSON-RPC.
        """
        requests, asked = self._enrol([(method, params)])
        self._send(encode_request(requests[0]), asked)
        return self._only(asked)

    async def batch(self, calls: Sequence[tuple[str, Params]]) -> list[Frame]:
        """Send many calls in one frame; answers in the order of the calls.

        Raises:
            NodeUnreachableError: the connection ended, or too many requests are under way.
            MalformedAnswerError: the node sent what is no JSON-RPC.
            RpcError: the node refuses batches.
        """
        if not calls:
            return []
        requests, asked = self._enrol(calls)
        self._send(encode_batch(requests), asked)
        return await self._answered(asked)

    async def subscribe(self, params: Params, on_notification: OnNotification) -> None:
        """`eth_subscribe`; the callback gets each result and the monotonic time at which its frame arrived.

        Raises:
            NodeUnreachableError: the connection ended.
            MalformedAnswerError: the answer is no subscription id.
            RpcError: the node offers no such subscription.
        """
        frame = await self.request("eth_subscribe", params)
        if frame.error is not None:
            raise RpcError("eth_subscribe", frame.error.code, frame.error.message)
        try:
            subscription = read_text(frame.result)
        except ValueError as error:
            raise MalformedAnswerError("eth_subscribe", str(error)) from error
        self._subscribers[subscription] = on_notification
        early, self._early = self._early, []
        for entry in early:
            self._notify(*entry)

    def on_end(self, callback: Callable[[], None]) -> None:
        """Call back once when the connection has ended."""
        self._on_end.append(callback)

    async def close(self) -> None:
        """End it; whoever waits gets NodeUnreachableError."""
        self._end(NodeUnreachableError("the connection was closed"))
        await self._transport.close()

    async def _only(self, asked: _Asked) -> Frame:
        return (await self._answered(asked))[0]

    async def _answered(self, asked: _Asked) -> list[Frame]:
        try:
            return await asked.answers
        finally:
            self._forget(asked)

    def _send(self, frame: bytes, asked: _Asked) -> None:
        try:
            self._transport.send(frame)
        except NodeUnreachableError:
            self._forget(asked)
            raise

    def _enrol(self, calls: Sequence[tuple[str, Params]]) -> tuple[list[Request], _Asked]:
        if self.error is not None:
            raise NodeUnreachableError(str(self.error))
        if len(self._waiting) + len(calls) > _IN_FLIGHT_MAX:
            raise NodeUnreachableError(f"more than {_IN_FLIGHT_MAX} requests wait for the node")
        first, self._next_id = self._next_id, self._next_id + len(calls)
        asked = _Asked(first, len(calls))
        self._waiting.update(dict.fromkeys(range(first, self._next_id), asked))
        return [Request(first + i, method, params) for i, (method, params) in enumerate(calls)], asked

    def _forget(self, asked: _Asked) -> None:
        if asked.missing:
            for request_id in range(asked.first, asked.first + len(asked.frames)):
                self._waiting.pop(request_id, None)
        if not asked.answers.cancel() and not asked.answers.cancelled():
            asked.answers.exception()  # seen: the sender's own error has precedence

    def _take(self, data: bytes) -> None:
        at_ns = self._clock.monotonic_ns()
        try:
            frames = decode_frames(data)
        except ValueError as error:
            self._end(MalformedAnswerError("JSON-RPC", str(error)))
            return
        for frame in frames:
            if frame.params is not None:
                self._notify(frame.params.subscription, frame.params.result, at_ns)
            elif frame.id is not None:
                self._answer(frame.id, frame)
            elif frame.error is not None:
                self._refuse_all(frame.error.code, frame.error.message)

    def _notify(self, subscription: str, result: msgspec.Raw, at_ns: int) -> None:
        subscriber = self._subscribers.get(subscription)
        if subscriber is not None:
            subscriber(result, at_ns)
        elif len(self._early) < _EARLY_MAX:  # the node may push before whoever subscribed has read the answer
            self._early.append((subscription, result, at_ns))

    def _answer(self, request_id: int, frame: Frame) -> None:
        asked = self._waiting.pop(request_id, None)
        if asked is not None:  # else the deadline has passed, or the frame came twice
            asked.take(request_id, frame)

    def _refuse_all(self, code: int, message: str) -> None:
        """An error without id answers no one request: all that wait fail."""
        self._fail_waiting(RpcError("JSON-RPC", code, message))

    def _end(self, error: ChainError) -> None:
        if self.error is not None:
            return
        self.error = error
        self._fail_waiting(error)
        for callback in self._on_end:
            callback()

    def _fail_waiting(self, error: ChainError) -> None:
        waiting, self._waiting = self._waiting, {}
        for asked in waiting.values():
            if not asked.answers.done():
                asked.answers.set_exception(error)
