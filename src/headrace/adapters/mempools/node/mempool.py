"""`headrace.ports.mempool.Mempool` over a node's `newPendingTransactions`.

Idea: a public mempool can announce far more than anybody reads, and none of it may delay a block. So it has a
connection of its own, the callback of that connection only puts raw frames into a bounded queue whose oldest give way,
and parsing happens in the reader's own time, a few frames at a turn of the event loop.

Nodes differ: with `true` as a second parameter some push bodies, some refuse, some ignore it and push hashes. A body is
taken as it is, a hash is asked for. A node that refuses both has no mempool to show, and says why.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import msgspec

from headrace.adapters.chains.evm.client import NodeClient
from headrace.adapters.chains.evm.frame import ErrorObject
from headrace.adapters.chains.evm.options import EvmOptions
from headrace.adapters.mempools.node.body import ForeignTypeError, read_announced_hash, read_mined, read_pending
from headrace.adapters.mempools.node.frame_queue import FRAMES_MAX, FrameQueue
from headrace.errors import ChainError, NodeUnreachableError, RpcError, WrongChainError
from headrace.model.address import Hash32
from headrace.model.event import ConnectionLost
from headrace.model.pending import MinedTransaction, PendingTransaction, Visibility
from headrace.ports.clock import Clock
from headrace.ports.mempool import FeedCounters, Hidden, Listening, PendingEvent

_AT_A_TURN = 64
_KIND = "newPendingTransactions"
_WORDS_MAX = 200
_LIMIT_EXCEEDED = -32005  # EIP-1474


class NodeMempool:
    """The pending transactions that one node shows; `close` ends it. For one reader.

    `options` are as for the chain, and the connection is another one. Between two connections it pauses as `options`
    say, by `sleep` (seconds).
    """

    def __init__(
        self,
        options: EvmOptions,
        clock: Clock,
        visibility: Visibility,
        *,
        frames_max: int = FRAMES_MAX,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._options = options
        self._client = NodeClient(options, clock)
        self._visibility = visibility
        self._frames_max = frames_max
        self._sleep = sleep
        self._counters = FeedCounters()

    @property
    def visibility(self) -> Visibility:
        """What can be seen here, before the node is asked."""
        return self._visibility

    @property
    def counters(self) -> FeedCounters:
        """Counts since the start, kept up to date in place."""
        return self._counters

    async def close(self) -> None:
        """End the connection."""
        await self._client.close()

    async def mined(self, block_number: int) -> tuple[MinedTransaction, ...] | None:
        """The transactions of the canonical block of that number; None where the node does not know it."""
        return await self._client.request("eth_getBlockByNumber", (hex(block_number), True), read_mined)

    async def transactions(self) -> AsyncIterator[PendingEvent]:
        """Pending transactions until the reader stops, or until it turns out that there is nothing to see.

        Raises:
            WrongChainError: the node serves another chain.
        """
        if not self._visibility.is_visible:
            yield Hidden(self._visibility.hidden_because)
            return
        attempt = 0
        while True:
            try:
                queue = FrameQueue(self._counters, frames_max=self._frames_max)
                refusal = await self._subscribe(queue)
                if refusal:
                    yield Hidden(f"the node shows no pending transactions ({refusal[:_WORDS_MAX]})")
                    return
                yield Listening()
                async for transaction in self._read(queue):
                    attempt = 0
                    yield transaction
            except WrongChainError:
                raise
            except ChainError as error:
                await self._client.close()  # or its subscription would go on beside the next one
                yield ConnectionLost(str(error))
            pause_seconds = self._options.backoff_seconds_min * 2.0 ** min(attempt, 32)
            await self._sleep(min(pause_seconds, self._options.backoff_seconds_max))
            attempt += 1

    async def _subscribe(self, queue: FrameQueue) -> str:
        """Subscribe, with bodies if the node gives them; the node's words where it refuses, else nothing."""
        connection = await self._client.connection()
        connection.on_end(queue.close)
        refusal = ""
        for params in ((_KIND, True), (_KIND,)):
            try:
                await self._client.subscribe(params, queue.put)
            except RpcError as error:
                if error.code == _LIMIT_EXCEEDED:  # says nothing about what the node offers
                    raise
                refusal = error.message or "it refuses the subscription"
            else:
                return ""
        return refusal

    async def _read(self, queue: FrameQueue) -> AsyncIterator[PendingTransaction]:
        while frames := await queue.take(_AT_A_TURN):
            for transaction in await self._parsed(frames):
                yield transaction
            await asyncio.sleep(0)  # a block that waits comes first
        raise NodeUnreachableError("the connection to the node was lost")

    async def _parsed(self, frames: Sequence[msgspec.Raw]) -> list[PendingTransaction]:
        bodies, hashes = [], []
        for frame in frames:
            if bytes(memoryview(frame)[:1]) == b'"':
                hashes += self._hash(frame)
            else:
                bodies += self._body(frame)
        return bodies + await self._asked(hashes)

    async def _asked(self, hashes: Sequence[Hash32]) -> list[PendingTransaction]:
        answers = await self._client.batch("eth_getTransactionByHash", [(one,) for one in hashes], _unread)
        found = []
        for wanted, answer in zip(hashes, answers, strict=True):
            malformed_before = self._counters.malformed + self._counters.foreign
            bodies = [] if isinstance(answer, ErrorObject) else self._body(answer)
            if any(body.hash != wanted for body in bodies):
                self._counters.malformed += 1
            elif not bodies and malformed_before == self._counters.malformed + self._counters.foreign:
                self._counters.vanished += 1
            else:
                found += bodies
        return found

    def _hash(self, frame: msgspec.Raw) -> list[Hash32]:
        try:
            return [read_announced_hash(frame)]
        except ValueError:
            self._counters.malformed += 1
            return []

    def _body(self, frame: msgspec.Raw) -> list[PendingTransaction]:
        try:
            transaction = read_pending(frame, self._options.chain_id)
        except ForeignTypeError:
            self._counters.foreign += 1
            return []
        except (ValueError, RecursionError):
            self._counters.malformed += 1
            return []
        return [] if transaction is None else [transaction]


def _unread(result: msgspec.Raw) -> msgspec.Raw:
    return result
