"""A chain, through a node."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

import msgspec

from headrace.model.address import Address, ChainId, Hash32
from headrace.model.block import BlockHeader
from headrace.model.event import Event, Log
from headrace.model.transaction import Receipt, SignedTransaction

CREATION = Address("")  # no contract: the data is creation code, run once and kept nowhere


class Call(msgspec.Struct, frozen=True):
    """A read of a contract; or, to `CREATION`, what creation code returns, which not every node answers."""

    to: Address
    data: bytes


class Chain(Protocol):
    """One chain through one node. Every call has a deadline.

    All methods raise `NodeUnreachableError` (also on the deadline, as `NodeTimeoutError`), `RpcError` when the node
    refuses, and `MalformedAnswerError` when the answer is not of the documented form.
    """

    @property
    def chain_id(self) -> ChainId:
        """The chain the configuration says; `connect` has checked it."""
        ...

    async def head(self) -> BlockHeader:
        """The newest block's header."""
        ...

    async def header_by_hash(self, block: Hash32) -> BlockHeader | None:
        """A header, or None where the node does not know the block (any more)."""
        ...

    async def header_by_number(self, number: int) -> BlockHeader | None:
        """The canonical header at a height, or None above the head."""
        ...

    async def logs(self, block: Hash32) -> Sequence[Log]:
        """All logs of a block, in order; their completeness is for the caller to check against the bloom.

        A `LogTable` where the adapter has one: the market and the check read it faster.
        """
        ...

    async def call(self, call: Call, block: Hash32) -> bytes:
        """`eth_call` on the state after `block`; raises RpcError with revert data where the contract reverts."""
        ...

    async def call_many(self, calls: Sequence[Call], block: Hash32) -> tuple[bytes | None, ...]:
        """Many reads of one state, None for each that reverts; in few round trips."""
        ...

    async def code(self, address: Address) -> bytes:
        """Code at the head; empty for an account without any."""
        ...

    async def balance_wei(self, address: Address) -> int:
        """Native balance at the head."""
        ...

    async def nonce(self, address: Address) -> int:
        """Number of mined transactions of an account at the head."""
        ...

    async def send(self, transaction: SignedTransaction) -> None:
        """Hand over signed bytes; returns when the node has accepted them (or knows them already).

        Raises:
            RpcError: refused (nonce too low, underpriced, insufficient funds ...); the transaction may still be known
                elsewhere.
        """
        ...

    async def receipt(self, transaction: Hash32) -> Receipt | None:
        """The receipt on the node's canonical chain, or None."""
        ...

    def events(self) -> AsyncIterator[Event]:
        """Announcements of new blocks as they arrive, as hints; `ConnectionLost` before each reconnection."""
        ...
