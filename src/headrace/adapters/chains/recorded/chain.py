"""`headrace.ports.chain.Chain` over blocks that were recorded: it announces them one by one and answers for their logs.

The feed follows it as it follows a node: it fetches logs by block hash, finds them complete, walks to parents, rolls
back. A branch that was left is in the recording as it came, so a reorganisation is replayed as one. The next block is
announced when the reader asks for it, so a replay has no clock and is the same every time.
"""

from collections.abc import AsyncIterator, Sequence
from typing import NoReturn

from headrace.errors import RpcError
from headrace.model.address import Address, ChainId, Hash32
from headrace.model.block import BlockHeader
from headrace.model.event import Announcement, Event, Log
from headrace.model.transaction import Receipt, SignedTransaction
from headrace.ports.chain import Call

_NOT_SUPPORTED = -32004  # EIP-1474: method not supported


class RecordedChain:
    """A first header and the blocks behind it, with their logs."""

    def __init__(
        self, chain_id: ChainId, first: BlockHeader, blocks: Sequence[tuple[BlockHeader, tuple[Log, ...]]]
    ) -> None:
        self._chain_id = chain_id
        self._headers = (first, *(header for header, _ in blocks))
        self._logs: dict[Hash32, tuple[Log, ...]] = {header.hash: logs for header, logs in blocks}
        self._announced = 0

    @property
    def chain_id(self) -> ChainId:
        """The recording's."""
        return self._chain_id

    @property
    def announced_number(self) -> int:
        """The highest block that was announced."""
        return max(header.number for header in self._headers[: self._announced + 1])

    async def head(self) -> BlockHeader:
        """The block that was announced last."""
        return self._headers[self._announced]

    async def header_by_hash(self, block: Hash32) -> BlockHeader | None:
        """A header that was announced already."""
        known = self._headers[: self._announced + 1]
        return next((header for header in known if header.hash == block), None)

    async def header_by_number(self, number: int) -> BlockHeader | None:
        """The header at a height that was announced last."""
        known = self._headers[: self._announced + 1]
        return next((header for header in reversed(known) if header.number == number), None)

    async def logs(self, block: Hash32) -> tuple[Log, ...]:
        """All logs of a recorded block."""
        if block not in self._logs:
            raise RpcError("eth_getLogs", _NOT_SUPPORTED, f"the recording has no block {block}")
        return self._logs[block]

    async def call(self, call: Call, block: Hash32) -> bytes:
        """Refused."""
        _refuse(f"eth_call of {call.to} at {block}")

    async def call_many(self, calls: Sequence[Call], block: Hash32) -> tuple[bytes | None, ...]:
        """Refused."""
        _refuse(f"eth_call of {len(calls)} contracts at {block}")

    async def code(self, address: Address) -> bytes:
        """Refused."""
        _refuse(f"eth_getCode of {address}")

    async def balance_wei(self, address: Address) -> int:
        """Refused."""
        _refuse(f"eth_getBalance of {address}")

    async def nonce(self, address: Address) -> int:
        """Refused."""
        _refuse(f"eth_getTransactionCount of {address}")

    async def send(self, transaction: SignedTransaction) -> None:
        """Refused."""
        _refuse(f"eth_sendRawTransaction of {transaction.hash}")

    async def receipt(self, transaction: Hash32) -> Receipt | None:
        """Refused."""
        _refuse(f"eth_getTransactionReceipt of {transaction}")

    async def events(self) -> AsyncIterator[Event]:
        """One announcement for each recorded block, in order; then it ends."""
        for at, header in enumerate(self._headers):
            self._announced = at
            yield Announcement(header.number, header.hash, at, header)


def _refuse(what: str) -> NoReturn:
    raise RpcError(what, _NOT_SUPPORTED, "a recording answers for its blocks only")
