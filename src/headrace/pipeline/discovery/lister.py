"""Discovery by a list that a contract keeps: what is kept is read, what was appended since is asked for by its index.

The list is read at two blocks: one that no reorganisation will reach, whose pools are kept with its hash, and the
newest. Questions go in bundles of a bounded size. A run keeps what it read as one line, whole or not at all: such lists
have some thousand pools, seconds of work, and after `kill -9` the next run begins behind the last line.

A list that only grows keeps every index, so every pool that is kept must still stand where it stood, and is asked for
once a run. If one does not, somebody removed pools, and what is kept is not to be relied on.
"""

from collections.abc import Callable

from headrace.errors import CatalogueError, IncompleteBlockError, MalformedAnswerError
from headrace.model.address import Address, PoolId
from headrace.model.block import BlockHeader
from headrace.model.creation import Creation, Survey
from headrace.pipeline.discovery.discoverer import Discovered, Progress, Wanted, require_same_chain
from headrace.ports.catalogue import Catalogue
from headrace.ports.chain import Chain
from headrace.ports.factory import PoolList

INDICES_AT_ONCE = 256
_ADDRESS_BYTES = 20
_WORD = 32
_NOTHING = bytes(_WORD)
_LAST_INDEX = (1 << 32) - 1  # a longer list is an answer of something else


class Lister:
    """One list on one node."""

    def __init__(self, chain: Chain, pool_list: PoolList, catalogue: Catalogue) -> None:
        """Read what is kept; nothing is asked yet."""
        self._chain = chain
        self._list = pool_list
        self._catalogue = catalogue
        self._creations = list(catalogue.creations)
        self._malformed = list(catalogue.malformed)

    async def run(self, wanted: Wanted, on_progress: Callable[[Progress], None]) -> Discovered:
        """Read on from where the catalogue ends; `pools_max` bounds the indices, and nothing is kept where it does.

        Raises:
            CatalogueError: what is kept is of another chain, the list lost pools, or it cannot be written.
            MalformedAnswerError: the contract has no such list.
            ChainError: the node failed; what was kept before stays.
        """
        head = await self._chain.head()
        await require_same_chain(self._chain, self._catalogue, self._list.address, head)
        await self._require_unmoved(head)
        last = head.number if wanted.last_block is None else min(wanted.last_block, head.number)
        kept = self._catalogue.last
        begin = self._catalogue.first_block if kept is None else kept.number + 1
        is_whole = True
        for number in sorted({min(last, head.number - wanted.confirmations), last}):
            if number < begin or not is_whole:
                continue
            header = await self._header(number)
            is_whole = await self._read_at(header, wanted.pools_max, on_progress)
            if number <= head.number - wanted.confirmations and is_whole:
                self._keep(begin, header)
        kept = self._catalogue.last
        return Discovered(
            creations=tuple(self._creations),
            malformed=tuple(self._malformed),
            last_block=last,
            kept_to_block=None if kept is None else kept.number,
            is_whole=is_whole,
        )

    @property
    def _known(self) -> int:
        """How many indices have been read: each is a pool, or told to be none."""
        return len(self._creations) + len(self._malformed)

    async def _read_at(
        self, header: BlockHeader, pools_max: int | None, on_progress: Callable[[Progress], None]
    ) -> bool:
        """Read what the list has at a block beyond what is known; whether that was all."""
        count = await self._count(header)
        end = count if pools_max is None else min(count, max(pools_max, self._known))
        while self._known < end:
            on_progress(Progress(0, self._known, count - 1, len(self._creations), "index"))
            indices = range(self._known, min(self._known + INDICES_AT_ONCE, end))
            questions = [self._list.pool_question(index) for index in indices]
            for index, answer in zip(indices, await self._chain.call_many(questions, header.hash), strict=True):
                self._take(index, answer, header)
        on_progress(Progress(0, self._known, count - 1, len(self._creations), "index"))
        return end == count

    def _take(self, index: int, answer: bytes | None, header: BlockHeader) -> None:
        pool = _address(answer)
        if pool is None:
            self._malformed.append(f"index {index}: the list names no pool there")
        elif any(one.pool == pool for one in self._creations):
            self._malformed.append(f"index {index}: {pool} stands there again")
        else:
            self._creations.append(Creation(pool, (), header.number, index))

    async def _count(self, header: BlockHeader) -> int:
        (answer,) = await self._chain.call_many([self._list.count_question], header.hash)
        count = None if answer is None or len(answer) != _WORD else int.from_bytes(answer, "big")
        if count is None or count > _LAST_INDEX:
            raise MalformedAnswerError("eth_call", f"{self._list.address} does not count its pools: is it the factory?")
        return count

    async def _require_unmoved(self, header: BlockHeader) -> None:
        for start in range(0, len(self._creations), INDICES_AT_ONCE):
            batch = self._creations[start : start + INDICES_AT_ONCE]
            questions = [self._list.pool_question(one.ordinal or 0) for one in batch]
            for one, answer in zip(batch, await self._chain.call_many(questions, header.hash), strict=True):
                if _address(answer) != one.pool:
                    why = f"{one.pool} stood at {one.ordinal} and does no longer"
                    raise CatalogueError(
                        f"the list of {self._list.address} lost pools: {why}; delete what is kept of it"
                    )

    def _keep(self, begin: int, header: BlockHeader) -> None:
        kept, known = len(self._catalogue.creations), len(self._catalogue.malformed)
        new = tuple(self._creations[kept:]), tuple(self._malformed[known:])
        self._catalogue.append(Survey(begin, header.ref, *new))

    async def _header(self, number: int) -> BlockHeader:
        header = await self._chain.header_by_number(number)
        if header is None:
            raise IncompleteBlockError(f"the node does not know block {number} any more")
        return header


def _address(answer: bytes | None) -> PoolId | None:
    if answer is None or len(answer) != _WORD or answer == _NOTHING or any(answer[:-_ADDRESS_BYTES]):
        return None
    return PoolId(Address("0x" + answer[-_ADDRESS_BYTES:].hex()))
