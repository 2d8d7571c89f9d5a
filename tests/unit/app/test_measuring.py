"""What is asked of a node before pools are chosen, against a chain in memory."""

import asyncio

import pytest
from tests.support.config_sample import FILE, SAMPLE
from tests.support.log_archive import MemoryArchive, too_much, unplaced
from tests.support.market import DEXES, USDC, WETH, Prices, pair

from headrace.adapters.protocols.uniswap_v2.logs import SYNC
from headrace.app.config.load import parse_config
from headrace.app.config.places import Follow
from headrace.app.discovery.measuring import Measuring
from headrace.errors import ConfigError, LogRangeRefusedError
from headrace.model.address import Address, Hash32
from headrace.model.event import Log

SECTION = parse_config(SAMPLE, FILE).chains["ethereum"]
PRICED = Prices({SECTION.tokens["WETH"]: 3000 * 10**12})


def sync(number: int, topics: tuple[Hash32, ...] = (SYNC,)) -> Log:
    return unplaced(Address(f"0x{number:040x}"), topics, "0x" + f"{10**18:064x}" * 2)


def measuring(archive: MemoryArchive, oracle: Prices = PRICED) -> Measuring:
    return Measuring(archive, SECTION, DEXES, oracle)


def follow(depth: str) -> Follow:
    text = SAMPLE.replace("      start_tokens:", f"      follow: {{min_depth_usd: {depth}}}\n      start_tokens:")
    chosen = parse_config(text, FILE).chains["ethereum"].follow
    assert chosen is not None
    return chosen


def test_pools_are_active_whose_logs_lie_in_the_last_blocks_and_what_is_odd_speaks_of_none() -> None:
    archive = MemoryArchive()
    archive.grow([sync(1)])
    archive.grow([sync(2), sync(3, (SYNC, SYNC))])
    archive.grow()
    archive.grow([sync(4)])
    archive.refuse = lambda query, _: too_much() if query.blocks > 1 else None

    def active(blocks: int) -> set[str]:
        head = archive.tip.header
        return set(asyncio.run(measuring(archive).active(blocks, head)))

    assert active(1) == {f"0x{4:040x}"}
    assert active(3) - {f"0x{3:040x}"} == {f"0x{n:040x}" for n in (2, 4)}
    assert active(10_000) >= {f"0x{n:040x}" for n in (1, 2, 4)}
    archive.refuse = lambda _query, _count: too_much()
    with pytest.raises(LogRangeRefusedError):
        active(1)


def test_a_least_depth_is_taken_in_dollars_or_at_the_price_of_its_token() -> None:
    archive = MemoryArchive()
    head = archive.tip.header
    assert measuring(archive).least_depth_usd(Follow(), head) == 0.0
    assert measuring(archive).least_depth_usd(follow("250.5"), head) == pytest.approx(250.5)
    assert measuring(archive).least_depth_usd(follow("0.5 WETH"), head) == pytest.approx(1500.0)
    with pytest.raises(ConfigError, match="WETH has no fresh price"):
        measuring(archive, Prices({})).least_depth_usd(follow("0.5 WETH"), head)


def test_without_a_fresh_price_no_depth_is_measured() -> None:
    archive = MemoryArchive(answer=lambda _: (18).to_bytes(32, "big"))
    pools = (pair(1, "a", WETH, USDC),)
    with pytest.raises(ConfigError, match="no token has a fresh price"):
        asyncio.run(measuring(archive, Prices({})).depths_usd(pools, archive.tip.header))
