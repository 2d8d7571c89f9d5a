"""Logs in the form of IUniswapV3PoolEvents, made by hand; real ones are folded in the conformance suite."""

from collections.abc import Sequence

import msgspec
import pytest

from headrace.adapters.protocols.uniswap_v3 import UniswapV3, logs
from headrace.adapters.protocols.uniswap_v3.state import UniswapV3State
from headrace.errors import MalformedLogError
from headrace.kernels.tick_flaws import UNSET
from headrace.kernels.tick_math import SQRT_PRICE_MAX, SQRT_PRICE_MIN, TICK_MAX, sqrt_price_at_tick_up
from headrace.kernels.tick_table import PricePoint, TickTable
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.event import Log
from headrace.model.pool import Pool, ProtocolId

ADDRESS = Address("0x" + "ab" * 20)
POOL = Pool(
    PoolId(ADDRESS),
    ADDRESS,
    ProtocolId("uniswap_v3"),
    "v3",
    (Address("0x" + "01" * 20), Address("0x" + "02" * 20)),
    3000,
)
OWNER = 0x1234
HASH = Hash32("0x" + "00" * 32)


def word(value: int) -> str:
    return f"{value % 2**256:064x}"


def log(topic: Hash32, indexed: Sequence[int], data: Sequence[int]) -> Log:
    topics = (topic, *(Hash32("0x" + word(value)) for value in indexed))
    return Log(ADDRESS, topics, "0x" + "".join(map(word, data)), HASH, 1, HASH, 0)


def mint(lower: int, upper: int, liquidity: int) -> Log:
    return log(logs.MINT, (OWNER, lower, upper), (OWNER, liquidity, 1, 1))


def burn(lower: int, upper: int, liquidity: int) -> Log:
    return log(logs.BURN, (OWNER, lower, upper), (liquidity, 1, 1))


def swap(price: int, liquidity: int, tick: int) -> Log:
    return log(logs.SWAP, (OWNER, OWNER), (5, -4, price, liquidity, tick))


def unset() -> UniswapV3State:
    return UniswapV3State(POOL, UNSET, TickTable(3000, 60, {}))


def live() -> UniswapV3State:
    table = TickTable(3000, 60, {}).with_position(-600, 600, 10**18)
    return UniswapV3State(POOL, PricePoint(2**96, 0, 10**18), table)


def test_a_pool_is_folded_from_its_first_log_on() -> None:
    dex = UniswapV3()
    state = dex.apply(unset(), log(logs.INITIALIZE, (), (2**96, 0)))
    assert state.point == PricePoint(2**96, 0, 0)
    state = dex.apply(state, mint(-600, 600, 10**18))
    assert state == live()
    state = dex.apply(state, mint(660, 720, 5))
    price = sqrt_price_at_tick_up(77) + 9
    state = dex.apply(state, swap(price, 10**18, 77))
    assert state.point == PricePoint(price, 77, 10**18)
    state = dex.apply(state, burn(-600, 600, 10**18))
    assert state.point.liquidity == 0
    assert state.table == TickTable(3000, 60, {}).with_position(660, 720, 5)


def test_a_swap_shares_the_table_and_a_burn_of_nothing_changes_nothing() -> None:
    before = live()
    assert logs.apply(before, swap(2**96, 10**18, 0)).table is before.table
    assert logs.apply(before, burn(-600, 600, 0)) is before


def test_after_a_downward_crossing_the_tick_is_one_below_its_price() -> None:
    after = logs.apply(live(), swap(sqrt_price_at_tick_up(-600), 0, -601))
    assert after.point.tick == -601
    with pytest.raises(MalformedLogError, match="liquidity"):
        logs.apply(live(), swap(sqrt_price_at_tick_up(-600), 0, -600))


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        (swap(SQRT_PRICE_MIN - 1, 0, -TICK_MAX), "sqrt_price_x96"),
        (swap(SQRT_PRICE_MAX, 0, TICK_MAX - 1), "sqrt_price_x96"),
        (swap(SQRT_PRICE_MAX - 1, 0, TICK_MAX), "tick"),
        (swap(SQRT_PRICE_MIN, 0, -TICK_MAX - 1), "tick"),
        (swap(2**96, 10**18, 1), "tick"),
        (swap(2**96, 10**18, 2**23), "tick"),
        (swap(2**96, 10**18, -(2**23) - 1), "tick"),
        (swap(2**96, 2**128, 0), "liquidity"),
        (swap(2**96, 10**18 - 1, 0), "liquidity"),
        (mint(-60, 60, 2**128), "amount"),
        (mint(-60, 60, 2**127), "amount"),
        (mint(-61, 60, 1), "ticks"),
        (mint(-60, 61, 1), "ticks"),
        (mint(60, 60, 1), "ticks"),
        (mint(120, 60, 1), "ticks"),
        (mint(-887_280, 60, 1), "ticks"),
        (mint(60, 887_280, 1), "ticks"),
        (mint(2**24, 60, 1), "tick"),
        (burn(-600, 600, 10**18 + 1), "amount"),
        (burn(-60, 60, 1), "amount"),
        (burn(-600, 60, 1), "amount"),
        (log(logs.INITIALIZE, (), (2**96, 0)), "topics"),
    ],
)
def test_a_log_that_cannot_follow_the_state_is_refused(bad: Log, field: str) -> None:
    with pytest.raises(MalformedLogError) as caught:
        logs.apply(live(), bad)
    assert caught.value.field == field


@pytest.mark.parametrize("early", [swap(2**96, 0, 0), mint(-60, 60, 1), burn(-60, 60, 1)])
def test_nothing_happens_to_a_pool_without_a_price(early: Log) -> None:
    with pytest.raises(MalformedLogError):
        logs.apply(unset(), early)


def test_a_first_price_must_be_one() -> None:
    with pytest.raises(MalformedLogError) as caught:
        logs.apply(unset(), log(logs.INITIALIZE, (), (2**96, 3)))
    assert caught.value.field == "tick"


@pytest.mark.parametrize("good", [swap(2**96, 10**18, 0), mint(-60, 60, 1), burn(-600, 600, 1)])
def test_a_log_of_another_form_or_pool_is_refused(good: Log) -> None:
    replace = msgspec.structs.replace
    for bad in (
        replace(good, topics=()),
        replace(good, topics=(HASH, *good.topics[1:])),
        replace(good, topics=good.topics[:-1]),
        replace(good, data=good.data + "00"),
        replace(good, data="0x" + "zz" + good.data[4:]),
        replace(good, data="0x" + "  " + good.data[4:]),
        replace(good, address=Address("0x" + "cd" * 20)),
    ):
        with pytest.raises(MalformedLogError):
            logs.apply(live(), bad)


def test_indexed_ticks_that_are_not_hex_are_refused() -> None:
    good = mint(-60, 60, 1)
    bad = msgspec.structs.replace(good, topics=(*good.topics[:3], Hash32("0x" + "zz" * 32)))
    with pytest.raises(MalformedLogError) as caught:
        logs.apply(live(), bad)
    assert caught.value.field == "topics"


@pytest.mark.parametrize("shares", [(0, 0), (5, 2**128 - 1)])
def test_a_swap_of_pancakeswap_moves_the_price_whatever_the_protocol_takes(shares: tuple[int, int]) -> None:
    told = log(logs.SWAP_OF_PANCAKE, (OWNER, OWNER), (5, -4, 2**96 + 7, 10**18, 0, *shares))
    assert logs.apply(live(), told) == logs.apply(live(), swap(2**96 + 7, 10**18, 0))


@pytest.mark.parametrize("shares", [(2**128, 0), (0, 2**256 - 1)])
def test_a_share_of_more_than_128_bits_is_none(shares: tuple[int, int]) -> None:
    with pytest.raises(MalformedLogError) as caught:
        logs.apply(live(), log(logs.SWAP_OF_PANCAKE, (OWNER, OWNER), (5, -4, 2**96 + 7, 10**18, 0, *shares)))
    assert caught.value.field == "protocol_fees"


def test_the_pool_of_a_log_is_who_speaks() -> None:
    assert UniswapV3().pool_of(swap(2**96, 1, 0)) == POOL.id
    assert UniswapV3().topics == {logs.INITIALIZE, logs.SWAP, logs.SWAP_OF_PANCAKE, logs.MINT, logs.BURN}
    assert logs.SWAP == "0xc42079f94a6350d7e6235f29174924f928cc2ac818eb64fed8004e115fbcca67"


def test_a_pool_known_in_part_follows_its_price_and_no_position() -> None:
    dex = UniswapV3()
    document = dex.state_to_document(live()) | {"ticks": {}, "coverage": ["-60", "120"]}
    part = dex.state_from_document(POOL, document)
    price = sqrt_price_at_tick_up(77) + 9
    moved = dex.apply(part, swap(price, 10**18, 77))
    assert moved.point == PricePoint(price, 77, 10**18)
    for beyond in (swap(sqrt_price_at_tick_up(130), 10**18, 130), mint(-600, 600, 5), burn(0, 60, 5)):
        with pytest.raises(MalformedLogError):
            dex.apply(part, beyond)
    assert dex.apply(part, burn(-600, 600, 0)) == part
