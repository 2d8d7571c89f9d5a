"""Off the hot path: whether the logs that were applied are all logs of their blocks, to the last byte.

`completeness` checks logs against a header's bloom before they are applied, and cannot see a hidden tail of logs whose
addresses and topics all occur earlier in the block. The receipts root can: it is recomputed here from the logs that
were applied and from the receipts' other fields, which the node is asked for once the block has been dealt with. A root
that differs means that a log was hidden or changed: the market is lost, and read anew from the contracts.

What it trusts: that the header is the chain's. What it cannot tell: anything about a block whose receipts the node will
not give; such blocks are counted, and make nothing stale.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import msgspec

from headrace.errors import MalformedAnswerError, NodeUnreachableError, RpcError
from headrace.model.address import Hash32
from headrace.model.block import BlockHeader
from headrace.model.event import Log
from headrace.model.receipts import ReceiptOutline, encoded_receipt, logs_by_transaction, root_of_encoded
from headrace.ports.receipts import ReceiptSource

_RECEIPTS_AT_ONCE = 16  # about a quarter of a millisecond, then whatever else waits has its turn
_FAILURES = (NodeUnreachableError, RpcError, MalformedAnswerError)


class AuditLimits(msgspec.Struct, frozen=True):
    """How patiently blocks are audited.

    Attributes:
        attempts_max: times that the receipts of a block are asked for before it is given up, or found wanting.
        pause_seconds: wait between two attempts.
        blocks_max: blocks that wait at most; the oldest are given up first.
    """

    attempts_max: int = 3
    pause_seconds: float = 0.2
    blocks_max: int = 64


class ReceiptAudit:
    """Give it blocks by `add` and look at `fault`; use it as an async context manager, which runs it.

    Attributes:
        fault: why the market cannot be trusted; empty while nothing was found. `restart` forgets it, unless the audit
            itself has ended: what nobody looks at is not trusted.
        audited: blocks whose logs were found complete.
        given_up: blocks of which nothing could be told.
    """

    def __init__(self, source: ReceiptSource, limits: AuditLimits | None = None) -> None:
        self._source = source
        self._limits = limits or AuditLimits()
        self._waiting: deque[tuple[BlockHeader, Sequence[Log]]] = deque()
        self._has_work = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._round = 0
        self._end = ""
        self.fault = ""
        self.audited = 0
        self.given_up = 0

    def add(self, header: BlockHeader, logs: Sequence[Log]) -> None:
        """A block was applied with these logs, which name it."""
        if len(self._waiting) == self._limits.blocks_max:
            self._waiting.popleft()
            self.given_up += 1
        self._waiting.append((header, logs))
        self._has_work.set()

    def restart(self) -> None:
        """The market was read from the contracts: what was applied before is of no interest any more."""
        self._round += 1
        self._waiting.clear()
        self.fault = self._end

    async def run(self) -> None:
        """Audit for ever."""
        while True:
            await self._has_work.wait()
            await self.audit_waiting()

    async def audit_waiting(self) -> None:
        """Audit every block that waits."""
        while self._waiting:
            this_round = self._round
            fault = await self._audit(*self._waiting.popleft())
            if fault and this_round == self._round:
                self.fault = fault
        self._has_work.clear()

    async def _audit(self, header: BlockHeader, logs: Sequence[Log]) -> str:
        """What is wrong with a block's logs, if anything is."""
        fault = ""
        for attempt in range(self._limits.attempts_max if header.receipts_root else 0):
            if attempt:
                await asyncio.sleep(self._limits.pause_seconds)
            try:
                outlines = await self._source.receipt_outlines(header.hash)
            except _FAILURES:
                continue
            if await _root(outlines, logs) == header.receipts_root:
                self.audited += 1
                return ""
            fault = (
                f"block {header.number}: its logs do not add up to its receipts root, so the node hid or changed one"
            )
        self.given_up += not fault
        return fault

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self.run())
        self._task.add_done_callback(self._ended)
        return self

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self.fault = self._end = f"the audit of receipts ended: {error}"

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.wait([self._task])
        if not self._task.cancelled():
            self._task.result()  # it ended by itself: raise what ended it


async def _root(outlines: Sequence[ReceiptOutline], logs: Sequence[Log]) -> Hash32 | None:
    """As `receipts_root`, in slices: a full block takes some milliseconds."""
    logs_of = logs_by_transaction(outlines, logs)
    if logs_of is None:
        return None
    encoded: list[bytes] = []
    for outline in outlines:
        encoded.append(encoded_receipt(outline, logs_of[outline.tx_hash]))
        if len(encoded) % _RECEIPTS_AT_ONCE == 0:
            await asyncio.sleep(0)
    return root_of_encoded(encoded)
