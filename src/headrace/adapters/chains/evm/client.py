"""JSON-RPC with deadlines over a connection that is opened anew, and checked anew, whenever it is needed and gone."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import msgspec

from headrace.adapters.chains.evm.answer import read_text_quantity
from headrace.adapters.chains.evm.connection import Connection, OnNotification
from headrace.adapters.chains.evm.frame import ErrorObject, Frame, Params
from headrace.adapters.chains.evm.options import EvmOptions
from headrace.adapters.chains.evm.transport import open_transport
from headrace.errors import MalformedAnswerError, NodeTimeoutError, RpcError, WrongChainError
from headrace.ports.clock import Clock

T = TypeVar("T")


class NodeClient:
    """Requests to one node. All methods raise the errors that `headrace.ports.chain.Chain` lists.

    Attributes:
        options: as given.
        generation: how many connections there have been; what was learnt about a node holds for one of them.
    """

    def __init__(self, options: EvmOptions, clock: Clock) -> None:
        self.options = options
        self.generation = 0
        self._clock = clock
        self._connection: Connection | None = None
        self._opening = asyncio.Lock()

    async def connection(self) -> Connection:
        """The live connection, opened if there is none; a node of another chain is refused.

        Raises:
            WrongChainError: the node serves another chain.
        """
        if self._connection is not None and self._connection.is_open:
            return self._connection
        async with self._opening:
            if self._connection is None or not self._connection.is_open:
                self._connection = await self._open()
            return self._connection

    def request(self, method: str, params: Params, read: Callable[[msgspec.Raw], T]) -> Awaitable[T]:
        """One call; `read` parses its result and raises ValueError when it cannot.

        On a live connection the request is on its way when this returns; await what it returns for the result.
        """
        connection = self._connection
        if connection is None or not connection.is_open:
            return self._request_anew(method, params, read)
        return self._finish(method, connection.request(method, params), read)

    async def batch(
        self, method: str, params: Sequence[Params], read: Callable[[msgspec.Raw], T]
    ) -> list[T | ErrorObject]:
        """The same method many times, in batches; a refusal stands in the place of its result."""
        size = self.options.batch_size
        chunks = [params[i : i + size] for i in range(0, len(params), size)]
        gate = asyncio.Semaphore(self.options.batches_at_once)

        async def one(chunk: Sequence[Params]) -> list[T | ErrorObject]:
            async with gate:
                return await self._chunk(method, chunk, read)

        done = await asyncio.gather(*(one(chunk) for chunk in chunks))
        return [answer for chunk in done for answer in chunk]

    async def subscribe(self, params: Params, on_notification: OnNotification) -> None:
        """`eth_subscribe` on the live connection; it ends with that connection."""
        connection = await self.connection()
        await self._in_time("eth_subscribe", connection.subscribe(params, on_notification))

    async def close(self) -> None:
        """End the connection; a later request opens a new one."""
        async with self._opening:
            if self._connection is not None:
                await self._connection.close()
                self._connection = None

    async def _request_anew(self, method: str, params: Params, read: Callable[[msgspec.Raw], T]) -> T:
        connection = await self.connection()
        return await self._finish(method, connection.request(method, params), read)

    async def _finish(self, method: str, under_way: Awaitable[Frame], read: Callable[[msgspec.Raw], T]) -> T:
        return _result(method, await self._in_time(method, under_way), read)

    async def _chunk(
        self, method: str, params: Sequence[Params], read: Callable[[msgspec.Raw], T]
    ) -> list[T | ErrorObject]:
        connection = await self.connection()
        if len(params) == 1:
            frames = [await self._in_time(method, connection.request(method, params[0]))]
        else:
            frames = await self._in_time(method, connection.batch([(method, one) for one in params]))
        return [frame.error or _result(method, frame, read) for frame in frames]

    async def _open(self) -> Connection:
        if self._connection is not None:
            await self._connection.close()
        transport = await self._in_time("connect", open_transport(self.options.url, self.options.frame_bytes_max))
        connection = Connection(transport, self._clock)
        try:
            await self._require_chain(connection)
        except BaseException:
            await connection.close()
            raise
        self.generation += 1
        return connection

    async def _require_chain(self, connection: Connection) -> None:
        frame = await self._in_time("eth_chainId", connection.request("eth_chainId", ()))
        actual = _result("eth_chainId", frame, read_text_quantity)
        if actual != self.options.chain_id:
            raise WrongChainError(self.options.chain_id, actual)

    async def _in_time(self, method: str, work: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(self.options.deadline_seconds):
                return await work
        except TimeoutError as error:
            raise NodeTimeoutError(
                f"{method}: the node did not answer within {self.options.deadline_seconds} s: try again, or use another"
            ) from error


def _result(method: str, frame: Frame, read: Callable[[msgspec.Raw], T]) -> T:
    if frame.error is not None:
        error = frame.error
        raise RpcError(method, error.code, error.message, error.revert_data)
    try:
        return read(frame.result)
    except ValueError as error:
        raise MalformedAnswerError(method, str(error)) from error
