"""Blocks as tables beside the same blocks as logs, which are applied one by one: the same market after each of them.

The blocks hold Syncs of pairs that are listed and of others, several of one pair, malformed ones, those of a pool of
another protocol with the same topic, and events that are harmless, unknown, or a stranger's. How many of each is
counted.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence

import msgspec
import numpy as np
import pytest
from tests.support import log_frames
from tests.support.log_frames import Fields, digits
from tests.support.memory_chain import MemoryChain

from headrace.adapters.chains.evm.answer import read_logs
from headrace.adapters.chains.evm.log_scan import scan_logs
from headrace.adapters.protocols.uniswap_v2 import UniswapV2
from headrace.adapters.protocols.uniswap_v2.logs import HARMLESS, SYNC
from headrace.adapters.protocols.uniswap_v2.state import PROTOCOL
from headrace.errors import IncompleteBlockError
from headrace.kernels.log_table import IntArray, LogTable
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.block import BlockHeader
from headrace.model.bloom import logs_bloom
from headrace.model.event import Log
from headrace.model.pool import Pool, ProtocolId
from headrace.model.snapshot import Snapshot
from headrace.pipeline.feed.completeness import require_complete
from headrace.pipeline.market.market import Market
from headrace.ports.chain import Call
from headrace.ports.pool import DEX, PoolState

PAIRS = 8
OTHER = ProtocolId("other_pairs")
HARMLESS_KINDS = ("harmless", "stranger", "stranger's unknown")


class OtherPairs(UniswapV2):
    """Another protocol with the same event, which reads no columns."""

    whole_topic = None  # type: ignore[assignment]  # not the socket's
    states_told = None  # type: ignore[assignment]

    protocol_id = OTHER


class Reserves(MemoryChain):
    """Every pair holds the same."""

    async def call_many(self, calls: Sequence[Call], block: Hash32) -> tuple[bytes | None, ...]:
        del block
        return tuple((10**18).to_bytes(32) + (10**6).to_bytes(32) + bytes(32) for _ in calls)


def pools() -> list[Pool]:
    rng = random.Random(9)
    tokens = tuple(sorted(Address(digits(rng, 40)) for _ in range(2)))
    addresses = [Address(digits(rng, 40)) for _ in range(PAIRS)]
    protocols = [OTHER if i % 4 == 3 else PROTOCOL for i in range(PAIRS)]
    return [Pool(PoolId(a), a, p, "pairs", tokens, 3000) for a, p in zip(addresses, protocols, strict=True)]


def opened(*, is_alone: bool) -> Market:
    listed = [pool for pool in pools() if not is_alone or pool.protocol == PROTOCOL]
    dexes: dict[ProtocolId, DEX] = {PROTOCOL: UniswapV2({"pairs": 3000})}
    if not is_alone:
        dexes[OTHER] = OtherPairs({"pairs": 3000})
    market = Market(listed, dexes, {})
    asyncio.run(market.read_all(Reserves(), header(100, ()), 0))
    market.snapshot(0)
    return market


def header(number: int, logs: Sequence[Log]) -> BlockHeader:
    hashes = [Hash32(f"0x{height:064x}") for height in (number, number - 1)]
    return BlockHeader(number, hashes[0], hashes[1], 12 * number, 7, 1, 2, Address("0x" + "cb" * 20), logs_bloom(logs))


def drawn(rng: random.Random, number: int, kinds: Counter[str]) -> list[Fields]:
    listed, made = pools(), []
    for index in range(rng.randrange(1, 25)):
        kind = rng.choice(
            ("sync",) * 8 + (*HARMLESS_KINDS, "unknown", "no topic", "long", "two topics", "113 bits", "empty")
        )
        kind = kind if kind in ("sync", *HARMLESS_KINDS) or rng.random() < 0.15 else "sync"
        kinds[kind] += 1
        words = [rng.randrange(1 << rng.randrange(1, 113)) for _ in "ab"]
        if kind == "113 bits":
            words[rng.randrange(2)] |= 1 << 112
        data = "0x" if kind == "empty" else f"0x{words[0]:064x}{words[1]:064x}" + "00" * (kind == "long")
        unknown = [digits(rng, 64)]
        topics = {
            "harmless": [rng.choice(sorted(HARMLESS))],
            **dict.fromkeys(("unknown", "stranger's unknown"), unknown),
            "no topic": [],
            "two topics": [SYNC, SYNC],
        }.get(kind, [SYNC])
        address = digits(rng, 40) if "stranger" in kind else rng.choice(listed).address
        made.append({
            "address": address, "topics": topics, "data": data, "blockHash": f"0x{number:064x}",
            "blockNumber": hex(number), "transactionHash": digits(rng, 64), "logIndex": hex(index),
        })  # fmt: skip
    return made


def both(fields: list[Fields]) -> tuple[LogTable, tuple[Log, ...]]:
    raw = msgspec.Raw(log_frames.plainly(fields).encode())
    table = scan_logs(raw)
    assert table is not None
    return table, read_logs(raw)


def difference(left: Snapshot[PoolState], right: Snapshot[PoolState]) -> str:
    for name in ("states", "changed", "quarantined", "outdated"):
        if getattr(left, name) != getattr(right, name):
            return name
    return ""


def followed(seed: int, kinds: Counter[str], *, is_alone: bool) -> str:
    """Where the two ways part, if they do: block after block, then all of it rolled back."""
    rng = random.Random(seed)
    by_table, by_log = opened(is_alone=is_alone), opened(is_alone=is_alone)
    start = by_table.tip
    for number in range(101, 105):
        table, logs = both(drawn(rng, number, kinds))
        block = header(number, logs)
        require_complete(block, table)
        parted = difference(by_table.apply(block, table, 0), by_log.apply(block, logs, 0))
        if parted:
            return f"{parted} after block {number}"
    for market in (by_table, by_log):
        market.roll_back(start)
    return difference(by_table.snapshot(0), by_log.snapshot(0))


@pytest.mark.parametrize("is_alone", [True, False])
def test_a_table_makes_the_same_market_as_its_logs(*, is_alone: bool) -> None:
    kinds: Counter[str] = Counter()
    for seed in range(150):
        assert followed(seed, kinds, is_alone=is_alone) == "", seed
    print(dict(kinds))  # noqa: T201 - what was covered
    assert min(kinds.values()) >= 40
    assert len(kinds) == 10


def test_a_table_read_without_its_unknown_events_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LogTable, "rows_outside", lambda *_: np.empty(0, np.int64))
    assert any(followed(seed, Counter(), is_alone=True) for seed in range(20))


def _first_wins(told: list[PoolState | None]) -> list[PoolState | None]:
    return told[::-1]


def _forgives(told: list[PoolState | None]) -> list[PoolState | None]:
    good = next((state for state in told if state is not None), None)
    return [state or good for state in told]


def _drops_the_last(told: list[PoolState | None]) -> list[PoolState | None]:
    return told[:-1] + told[-2:-1]


@pytest.mark.parametrize("mutant", [_first_wins, _forgives, _drops_the_last])
def test_a_column_read_wrongly_is_noticed(mutant: object, monkeypatch: pytest.MonkeyPatch) -> None:
    read = UniswapV2.states_told

    def misread(self: UniswapV2, pools: Sequence[Pool], table: LogTable, rows: IntArray) -> list[PoolState | None]:
        assert callable(mutant)
        wrong: list[PoolState | None] = mutant(read(self, pools, table, rows))
        return wrong if len(wrong) == len(rows) else read(self, pools, table, rows)

    monkeypatch.setattr(UniswapV2, "states_told", misread)
    assert any(followed(seed, Counter(), is_alone=True) for seed in range(20))


def test_a_table_of_another_block_or_with_a_log_missing_is_incomplete() -> None:
    fields = drawn(random.Random(1), 101, Counter())
    fewer, _ = both(fields)
    last = {**fields[-1], "address": digits(random.Random(2), 40), "logIndex": hex(len(fields))}
    table, logs = both([*fields, last])
    require_complete(header(101, logs), table)
    with pytest.raises(IncompleteBlockError, match="a log belongs to block 101"):
        require_complete(header(102, logs), table)
    with pytest.raises(IncompleteBlockError, match="do not add up to its bloom"):
        require_complete(header(101, logs), fewer)
