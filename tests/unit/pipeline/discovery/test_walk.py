"""The walk against a node that refuses; the oracle is the node's own list of all logs."""

import asyncio
import random
from collections import Counter

import pytest
from tests.support.log_archive import MemoryArchive, Refuse, too_much, unplaced

from headrace.errors import (
    ChainError,
    LogRangeRefusedError,
    MalformedAnswerError,
    NodeBusyError,
    NodeTimeoutError,
    RpcError,
)
from headrace.model.address import Address, Hash32
from headrace.model.event import Log
from headrace.pipeline.discovery.walk import Stretch, Walk
from headrace.pipeline.discovery.width import BLOCKS_MAX, Width
from headrace.ports.log_archive import LogQuery

FACTORY = Address("0x" + "fa" * 20)
TOPIC = Hash32("0x" + "70" * 32)
BUSY = NodeBusyError(RpcError("eth_getLogs", -32005, "Too Many Requests"))
SILENT = NodeTimeoutError("eth_getLogs: the node did not answer within 5 s")


class Naps:
    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)


def archive_of(blocks: int, draw: random.Random) -> MemoryArchive:
    """Some blocks crowded, most of them empty."""
    archive = MemoryArchive()
    for _ in range(blocks):
        count = draw.choices((0, 1, 40), (90, 9, 1))[0]
        archive.grow([unplaced(FACTORY, (TOPIC,), "0x")] * count)
    return archive


def walked(archive: MemoryArchive, first: int, last: int, naps: Naps | None = None) -> list[Stretch]:
    async def walk() -> list[Stretch]:
        query = LogQuery(FACTORY, (TOPIC,), first, last)
        return [one async for one in Walk(archive, (naps or Naps()).sleep).stretches(query)]

    return asyncio.run(walk())


def require_exact(archive: MemoryArchive, stretches: list[Stretch], first: int, last: int) -> None:
    """Every block once, in order, and every log."""
    assert [block for one in stretches for block in range(one.first, one.last + 1)] == list(range(first, last + 1))
    logs: list[Log] = [log for one in stretches for log in one.logs]
    assert logs == archive.all_logs(first, last)


def test_any_mixture_of_refusals_gives_every_block_once_and_every_log() -> None:
    reached: Counter[str] = Counter()
    for seed in range(80):
        draw = random.Random(seed)
        archive = archive_of(draw.randrange(1, 900), draw)
        blocks_max, logs_max = draw.choice((1, 7, 100, 10_000)), draw.choice((40, 50, 1_000))

        def refuse(
            query: LogQuery, count: int, *, draw: random.Random = draw, bounds: tuple[int, int] = (blocks_max, logs_max)
        ) -> Exception | None:
            hint = draw.choice((None, bounds[0]))
            if query.blocks > bounds[0]:
                reached["too many blocks"] += 1
                return too_much(hint)
            if count > bounds[1]:
                reached["too many logs"] += 1
                return too_much()
            kind = draw.choices(("answer", "busy", "silent"), (90, 5, 5))[0]
            reached[kind] += 1
            return {"answer": None, "busy": BUSY, "silent": SILENT}[kind]

        archive.refuse = refuse
        last = archive.tip.header.number
        first = draw.randrange(last + 1)
        require_exact(archive, walked(archive, first, last), first, last)
    print(f"\nwalks with refusals: {dict(reached)}")  # noqa: T201 - a test that passes says what it covered
    assert min(reached[kind] for kind in ("too many blocks", "too many logs", "busy", "silent")) >= 40


def test_a_bound_on_blocks_is_learnt_and_seldom_met_again() -> None:
    archive = archive_of(20_000, random.Random(1))
    archive.refuse = lambda query, _count: too_much() if query.blocks > 90 else None
    require_exact(archive, walked(archive, 0, 20_000), 0, 20_000)
    refused = len(archive.asked) - len(archive.answered)
    print(f"\n{refused} of {len(archive.asked)} requests refused")  # noqa: T201 - a test that passes says what it covered
    assert refused * 15 < len(archive.asked)
    assert len(archive.answered) < 1.2 * 20_000 / 90  # at most a fifth more than the best there is


def test_what_the_node_says_it_would_take_is_asked_for_at_once() -> None:
    archive = archive_of(3_000, random.Random(2))
    archive.refuse = lambda query, _count: too_much(500) if query.blocks > 500 else None
    walked(archive, 0, 2_999)
    assert [query.blocks for query in archive.asked[:2]] == [2_000, 500]


def test_the_width_grows_again_where_logs_are_few() -> None:
    archive = MemoryArchive()
    for number in range(6_000):
        archive.grow([unplaced(FACTORY, (TOPIC,), "0x")] * (10 if number < 300 else 0))
    archive.refuse = lambda _query, count: too_much() if count > 50 else None
    stretches = walked(archive, 0, 6_000)
    require_exact(archive, stretches, 0, 6_000)
    assert max(one.last - one.first for one in stretches[-10:]) > 100


def test_a_single_block_that_is_refused_is_not_skipped() -> None:
    archive = archive_of(50, random.Random(3))
    archive.refuse = lambda query, _count: too_much() if query.first <= 30 <= query.last else None
    with pytest.raises(LogRangeRefusedError):
        walked(archive, 0, 50)
    assert max(query.last for query in archive.answered) == 29


@pytest.mark.parametrize("error", [BUSY, SILENT], ids=["busy", "silent"])
def test_a_node_that_never_answers_is_given_up_after_growing_pauses(error: ChainError) -> None:
    archive = archive_of(5, random.Random(4))
    archive.refuse = lambda _query, _count: error
    naps = Naps()
    with pytest.raises(type(error)):
        walked(archive, 0, 5, naps)
    assert len(archive.asked) == 8
    assert naps.seconds == [0.5, 1, 2, 4, 8, 16, 32]


def once(error: Exception) -> Refuse:
    left = [error]
    return lambda _query, _count: left.pop() if left else None


def test_silence_shortens_the_range_and_business_does_not() -> None:
    for error, blocks in ((SILENT, [1_000, 500]), (BUSY, [1_000, 1_000])):
        archive = archive_of(999, random.Random(5))
        archive.refuse = once(error)
        walked(archive, 0, 999)
        assert [query.blocks for query in archive.asked[:2]] == blocks


def test_other_failures_are_the_callers_at_once() -> None:
    archive = archive_of(5, random.Random(6))
    archive.refuse = lambda _query, _count: MalformedAnswerError("eth_getLogs", "no list")
    with pytest.raises(MalformedAnswerError):
        walked(archive, 0, 5)
    assert len(archive.asked) == 1


def test_an_empty_range_asks_nothing() -> None:
    archive = archive_of(5, random.Random(7))
    assert walked(archive, 4, 3) == []
    assert not archive.asked


def test_widths_stay_within_their_bounds() -> None:
    width, draw = Width(), random.Random(8)
    for _ in range(20_000):
        if draw.random() < 0.1:
            asked = width.blocks
            width = width.refused(asked, draw.choice((None, 0, 5, asked, 10**9)))
            assert width.blocks < asked or asked == 1
        else:
            width = width.answered()
        assert 1 <= width.blocks <= BLOCKS_MAX
        assert width.blocks < width.below or width.blocks == 1
