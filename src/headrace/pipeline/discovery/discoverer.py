"""Discovery of one factory's pools: what is kept is read, what is new is walked, checked and kept range by range.

Only blocks that a reorganisation will not reach are kept, with the hash of each range's last one, so that what was
kept is known to be of this chain when it is read again. Newer blocks are walked each time anew and belong to the
result only. Where no rule tells a pool's address, its factory is asked, at the head, and must agree.
"""

from collections.abc import AsyncIterator, Callable, Sequence

import msgspec

from headrace.errors import CatalogueError, IncompleteBlockError, MalformedLogError
from headrace.model.address import Address
from headrace.model.block import BlockHeader, BlockRef
from headrace.model.creation import Creation, Survey
from headrace.model.event import Log
from headrace.pipeline.discovery.completeness import require_consecutive, require_count
from headrace.pipeline.discovery.walk import Sleep, Stretch, Walk
from headrace.ports.catalogue import Catalogue
from headrace.ports.chain import Chain
from headrace.ports.factory import Factory
from headrace.ports.log_archive import LogArchive, LogQuery

_WORD = 32


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """How far to go.

    Attributes:
        last_block: the last one of interest; None for the head.
        confirmations: blocks on top of one that is kept.
        pools_max: end after the range in which so many are known; None for all.
    """

    last_block: int | None = None
    confirmations: int
    pools_max: int | None = None


class Progress(msgspec.Struct, frozen=True):
    """How far a discovery has come: blocks (or indices) from `first` to `last`; those below `next_block` are done."""

    first: int
    next_block: int
    last: int
    pools: int
    unit: str = "block"


class Discovered(msgspec.Struct, frozen=True):
    """All creations known, refused ones among them; `is_whole` unless it ended early at `pools_max`."""

    creations: tuple[Creation, ...]
    malformed: tuple[str, ...]
    last_block: int
    kept_to_block: int | None
    is_whole: bool


class Discoverer:
    """One factory on one node."""

    def __init__(self, archive: LogArchive, factory: Factory, catalogue: Catalogue, sleep: Sleep) -> None:
        """Read what is kept; nothing is asked yet."""
        self._archive = archive
        self._factory = factory
        self._catalogue = catalogue
        self._walk = Walk(archive, sleep)
        self._creations = list(catalogue.creations)
        self._malformed = list(catalogue.malformed)
        self._ordinal = self._creations[-1].ordinal if self._creations and not self._malformed else None

    async def run(self, wanted: Wanted, on_progress: Callable[[Progress], None]) -> Discovered:
        """Walk from where the catalogue ends to `wanted.last_block`.

        Raises:
            CatalogueError: what is kept is of another chain, or cannot be written.
            MissingLogsError: the node leaves creations out.
            ChainError: the node failed; what was kept before stays.
        """
        head = await self._archive.head()
        await require_same_chain(self._archive, self._catalogue, self._factory.address, head)
        last = head.number if wanted.last_block is None else min(wanted.last_block, head.number)
        safe = min(last, head.number - wanted.confirmations)
        first = self._catalogue.first_block
        position = first if self._catalogue.last is None else self._catalogue.last.number + 1
        on_progress(Progress(first, position, last, len(self._creations)))
        async for stretch, is_kept in self._stretches(position, safe, last):
            if wanted.pools_max is not None and len(self._creations) >= wanted.pools_max:
                return self._result(position - 1, is_whole=False)
            await self._take(stretch, head, is_kept=is_kept)
            position = stretch.last + 1
            on_progress(Progress(first, position, last, len(self._creations)))
        if last == head.number:
            await self._require_all(head)
        return self._result(position - 1, is_whole=True)

    async def _stretches(self, first: int, safe: int, last: int) -> AsyncIterator[tuple[Stretch, bool]]:
        address, topics = self._factory.address, self._factory.topics
        async for stretch in self._walk.stretches(LogQuery(address, topics, first, safe)):
            yield stretch, True
        async for stretch in self._walk.stretches(LogQuery(address, topics, max(first, safe + 1), last)):
            yield stretch, False

    async def _take(self, stretch: Stretch, head: BlockHeader, *, is_kept: bool) -> None:
        creations, malformed = self._read(stretch.logs)
        ordinal = None if malformed else require_consecutive(self._ordinal, creations)
        confirmed = await self._confirmed(creations, head)
        if is_kept:
            last = await self._block(stretch)
            self._catalogue.append(Survey(stretch.first, last, confirmed, tuple(malformed)))
        self._creations += confirmed
        self._malformed += malformed
        self._ordinal = ordinal

    def _read(self, logs: Sequence[Log]) -> tuple[list[Creation], list[str]]:
        creations: list[Creation] = []
        malformed: list[str] = []
        for log in logs:
            try:
                creations.append(self._factory.read(log))
            except MalformedLogError as error:
                malformed.append(f"block {log.block_number}, log {log.log_index}: {error}")
        return creations, malformed

    async def _confirmed(self, creations: Sequence[Creation], head: BlockHeader) -> tuple[Creation, ...]:
        """The same, with a flaw where the factory was asked and does not agree."""
        questions = [None if one.flaw else self._factory.question(one) for one in creations]
        asked = [question for question in questions if question is not None]
        answers = iter(await self._archive.call_many(asked, head.hash) if asked else ())
        return tuple(
            one if question is None else _compared(one, next(answers))
            for one, question in zip(creations, questions, strict=True)
        )

    async def _block(self, stretch: Stretch) -> BlockRef:
        """The last block of a range, which must be that of its logs."""
        header = await self._archive.header_by_number(stretch.last)
        if header is None:
            raise IncompleteBlockError(f"the node does not know block {stretch.last} any more")
        if any(log.block_number == header.number and log.block_hash != header.hash for log in stretch.logs):
            raise IncompleteBlockError(f"block {stretch.last} was replaced while its logs were read")
        return header.ref

    async def _require_all(self, head: BlockHeader) -> None:
        question = self._factory.count_question
        if question is not None and self._ordinal is not None:
            (answer,) = await self._archive.call_many([question], head.hash)
            require_count(self._ordinal, answer)

    def _result(self, last_block: int, *, is_whole: bool) -> Discovered:
        kept = self._catalogue.last
        return Discovered(
            creations=tuple(self._creations),
            malformed=tuple(self._malformed),
            last_block=last_block,
            kept_to_block=None if kept is None else kept.number,
            is_whole=is_whole,
        )


async def require_same_chain(chain: Chain, catalogue: Catalogue, factory: Address, head: BlockHeader) -> None:
    """What is kept is of the node's chain.

    Raises:
        CatalogueError: it is of another, or reaches beyond the node.
    """
    last = catalogue.last
    if last is None:
        return
    header = await chain.header_by_number(last.number)
    if header is None:
        why = f"it reaches to block {last.number}, the node only to {head.number}: wait for the node"
    elif header.hash == last.hash:
        return
    else:
        why = f"its block {last.number} is {last.hash}, the node's is {header.hash}: it is of another chain"
    raise CatalogueError(f"what is kept of {factory} does not fit the node: {why}, or delete it")


def _compared(creation: Creation, answer: bytes | None) -> Creation:
    named = None if answer is None or len(answer) != _WORD else int.from_bytes(answer, "big")
    if named == int(creation.pool, 16):
        return creation
    shown = "does not answer" if named is None else f"answers 0x{named:040x} for its tokens"
    return msgspec.structs.replace(creation, flaw=f"its factory {shown}")
