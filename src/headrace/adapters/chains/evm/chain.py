"""`headrace.ports.chain.Chain` over a node's JSON-RPC, with the methods that every public node offers and no others."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from types import TracebackType
from typing import Self

from headrace.adapters.chains.evm import answer, log_range
from headrace.adapters.chains.evm.ahead import LogsAhead
from headrace.adapters.chains.evm.announcer import Announcer
from headrace.adapters.chains.evm.client import NodeClient
from headrace.adapters.chains.evm.frame import ErrorObject
from headrace.adapters.chains.evm.hexadecimal import write_bytes
from headrace.adapters.chains.evm.options import EvmOptions
from headrace.errors import MalformedAnswerError, NodeUnreachableError, RpcError
from headrace.model.address import Address, ChainId, Hash32
from headrace.model.block import BlockHeader
from headrace.model.codec import JsonValue
from headrace.model.event import Announcement, ConnectionLost, Event, Log
from headrace.model.transaction import Receipt, SignedTransaction
from headrace.ports.chain import CREATION, Call
from headrace.ports.clock import Clock
from headrace.ports.log_archive import LogQuery

_ALREADY_KNOWN = ("already known", "already imported", "known transaction", "already_exists", "already exists")


class EvmChain:
    """One chain through one node; use it as an async context manager.

    After a lost connection the next call opens a new one, once; `events` keeps trying, with growing pauses taken by
    `sleep` (seconds).
    """

    def __init__(
        self, options: EvmOptions, clock: Clock, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self.client = NodeClient(options, clock)
        self._options = options
        self._clock = clock
        self._sleep = sleep
        self._announcer = Announcer()
        self._ahead = LogsAhead(self._ask_logs)

    @property
    def chain_id(self) -> ChainId:
        """The chain the configuration says."""
        return self._options.chain_id

    @property
    def announced_number(self) -> int:
        """The highest block that the connection of `events` has named, read or not yet; 0 before the first."""
        return self._announcer.highest

    async def connect(self) -> None:
        """Open the connection and check the chain.

        Raises:
            WrongChainError: the node serves another chain.
        """
        await self.client.connection()

    async def close(self) -> None:
        """End the connection."""
        self._ahead.close()
        await self.client.close()

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def head(self) -> BlockHeader:
        """The newest block's header."""
        return await self.client.request("eth_getBlockByNumber", ("latest", False), answer.read_known_header)

    async def header_by_hash(self, block: Hash32) -> BlockHeader | None:
        """A header, or None where the node does not know the block (any more)."""
        header = await self.client.request("eth_getBlockByHash", (block, False), answer.read_header)
        if header is not None and header.hash != block:
            raise MalformedAnswerError("eth_getBlockByHash", f"block {header.hash} for {block}")
        return header

    async def header_by_number(self, number: int) -> BlockHeader | None:
        """The canonical header at a height, or None above the head."""
        header = await self.client.request("eth_getBlockByNumber", (hex(number), False), answer.read_header)
        if header is not None and header.number != number:
            raise MalformedAnswerError("eth_getBlockByNumber", f"block {header.number} for {number}")
        return header

    async def logs(self, block: Hash32) -> Sequence[Log]:
        """All logs of a block, in the node's order; those of the block named last may be on their way already."""
        under_way = self._ahead.take(block)
        return await (self._ask_logs(block) if under_way is None else under_way)

    async def logs_between(self, query: LogQuery) -> tuple[Log, ...]:
        """Logs of one contract in many blocks; a refusal says whether fewer blocks or waiting help."""
        try:
            return await self.client.request(
                log_range.METHOD,
                log_range.parameters(query),
                lambda result: log_range.checked(answer.read_logs(result), query),
            )
        except RpcError as error:
            raise log_range.refusal(error, query) from error

    async def call(self, call: Call, block: Hash32) -> bytes:
        """`eth_call` on the state after `block`, named by hash (EIP-1898)."""
        return await self.client.request("eth_call", _call_params(call, block), answer.read_text_bytes)

    async def call_many(self, calls: Sequence[Call], block: Hash32) -> tuple[bytes | None, ...]:
        """Many reads of one state, None for each that reverts."""
        data = {call.data: write_bytes(call.data) for call in calls}
        at: dict[str, JsonValue] = {"blockHash": block}
        params = [(_asked(call.to, data[call.data]), at) for call in calls]
        answers = await self.client.batch("eth_call", params, answer.read_text_bytes)
        return tuple(_unless_reverted(one) for one in answers)

    async def code(self, address: Address) -> bytes:
        """Code at the head; empty for an account without any."""
        return await self.client.request("eth_getCode", (address, "latest"), answer.read_text_bytes)

    async def balance_wei(self, address: Address) -> int:
        """Native balance at the head."""
        return await self.client.request("eth_getBalance", (address, "latest"), answer.read_text_quantity)

    async def nonce(self, address: Address) -> int:
        """Number of mined transactions of an account at the head."""
        return await self.client.request("eth_getTransactionCount", (address, "latest"), answer.read_text_quantity)

    async def send(self, transaction: SignedTransaction) -> None:
        """Hand over signed bytes; a node that has them already has accepted them."""
        try:
            known_as = await self.client.request(
                "eth_sendRawTransaction", (write_bytes(transaction.raw),), answer.read_hash
            )
        except RpcError as error:
            if is_already_known(error.message):
                return
            raise
        if known_as != transaction.hash:
            raise MalformedAnswerError("eth_sendRawTransaction", f"hash {known_as} for {transaction.hash}")

    async def receipt(self, transaction: Hash32) -> Receipt | None:
        """The receipt on the node's canonical chain, or None."""
        receipt = await self.client.request("eth_getTransactionReceipt", (transaction,), answer.read_receipt)
        if receipt is not None and receipt.tx_hash != transaction:
            raise MalformedAnswerError("eth_getTransactionReceipt", f"receipt of {receipt.tx_hash}")
        return receipt

    async def events(self) -> AsyncIterator[Event]:
        """Announcements until the reader stops; the head is announced first on every connection.

        Raises:
            WrongChainError: a reconnection reached a node of another chain.
        """
        attempt = 0
        while True:
            try:
                async for announcement in self._announcements():
                    attempt = 0
                    yield announcement
            except (NodeUnreachableError, RpcError, MalformedAnswerError) as error:
                yield ConnectionLost(str(error))
            if attempt:
                longest = self._options.backoff_seconds_max
                await self._sleep(min(self._options.backoff_seconds_min * 2.0 ** min(attempt, 32), longest))
            attempt += 1

    async def _announcements(self) -> AsyncIterator[Announcement]:
        """Announcements of one connection, until it ends with NodeUnreachableError."""
        announcer = await self._subscribed()
        announcer.announce(await self.head(), self._clock.monotonic_ns())
        while True:
            try:
                announcement = await announcer.next(self._options.poll_seconds)
            except TimeoutError:
                announcer.announce(await self.head(), self._clock.monotonic_ns())
                continue
            if announcement is None:
                raise NodeUnreachableError("the connection to the node was lost")
            yield announcement

    async def _subscribed(self) -> Announcer:
        connection = await self.client.connection()
        self._announcer = announcer = Announcer(self._ahead.begin)
        connection.on_end(announcer.close)
        await self.client.subscribe(("newHeads",), announcer.on_head)
        if self._options.hint_addresses:
            wanted: dict[str, JsonValue] = {"address": list(self._options.hint_addresses)}
            await self.client.subscribe(("logs", wanted), announcer.on_log)
        return announcer

    def _ask_logs(self, block: Hash32) -> Awaitable[Sequence[Log]]:
        return self.client.request("eth_getLogs", ({"blockHash": block},), answer.read_block_logs)


def is_already_known(message: str) -> bool:
    """Whether a refusal to take a transaction says that it has been taken before."""
    return any(words in message.lower() for words in _ALREADY_KNOWN)


def _call_params(call: Call, block: Hash32) -> tuple[JsonValue, ...]:
    return _asked(call.to, write_bytes(call.data)), {"blockHash": block}


def _asked(to: Address, data: str) -> dict[str, JsonValue]:
    return {"data": data} if to == CREATION else {"to": to, "data": data}


def _unless_reverted(one: bytes | ErrorObject) -> bytes | None:
    if not isinstance(one, ErrorObject):
        return one
    if one.is_revert:
        return None
    raise RpcError("eth_call", one.code, one.message)
