"""A chain in memory that gives logs over ranges and refuses them on request; its own list of logs is the oracle."""

from collections.abc import Callable, Sequence

from headrace.errors import LogRangeRefusedError, RpcError
from headrace.model.address import Address, Hash32
from headrace.model.event import Log
from headrace.ports.chain import Call
from headrace.ports.log_archive import LogQuery
from tests.support.memory_chain import MemoryBlock, MemoryChain

Refuse = Callable[[LogQuery, int], Exception | None]
Answer = Callable[[Call], bytes | None]


def too_much(blocks_max: int | None = None) -> LogRangeRefusedError:
    return LogRangeRefusedError(RpcError("eth_getLogs", -32005, "query returned more than 10000 results"), blocks_max)


class MemoryArchive(MemoryChain):
    """Implements `headrace.ports.log_archive.LogArchive`; `refuse` sees each query and how many logs fit it."""

    def __init__(self, refuse: Refuse = lambda _query, _count: None, answer: Answer = lambda _call: None) -> None:
        super().__init__()
        self.refuse = refuse
        self.answer = answer
        self.asked: list[LogQuery] = []
        self.answered: list[LogQuery] = []
        self.hidden: set[tuple[int, int]] = set()
        self._canonical: list[MemoryBlock] = [self.tip]

    def grow(self, logs: Sequence[Log] = ()) -> None:
        """One block more, with these logs; their block, number and place are filled in."""
        block = self.add(self.tip, [])
        header = block.header
        placed = tuple(
            Log(one.address, one.topics, one.data, header.hash, header.number, header.hash, index)
            for index, one in enumerate(logs)
        )
        self.tip = MemoryBlock(header, placed, ())
        self.blocks[header.hash] = self.tip
        self._canonical.append(self.tip)

    def cut(self, number: int) -> None:
        """Forget every block above one: the next `grow` makes another branch."""
        del self._canonical[number + 1 :]
        self.tip = self._canonical[-1]

    def all_logs(self, first: int, last: int) -> list[Log]:
        return [log for block in self._canonical[first : last + 1] for log in block.logs]

    async def logs_between(self, query: LogQuery) -> tuple[Log, ...]:
        self.asked.append(query)
        found = [
            log
            for log in self.all_logs(query.first, query.last)
            if query.address in (None, log.address) and log.topics and log.topics[0] in query.topics
        ]
        refusal = self.refuse(query, len(found))
        if refusal is not None:
            raise refusal
        self.answered.append(query)
        return tuple(log for log in found if (log.block_number, log.log_index) not in self.hidden)

    async def call_many(self, calls: Sequence[Call], block: Hash32) -> tuple[bytes | None, ...]:
        assert block in self.blocks
        return tuple(self.answer(call) for call in calls)


def unplaced(address: Address, topics: tuple[Hash32, ...], data: str) -> Log:
    """A log before `grow` puts it into a block."""
    nowhere = Hash32("0x" + "00" * 32)
    return Log(address, topics, data, nowhere, 0, nowhere, 0)
