"""Logs in the form of IPoolManager and IProtocolFees, made by hand; real ones are folded in the conformance suite."""

from collections.abc import Mapping, Sequence
from functools import reduce

import msgspec
import pytest

from headrace.adapters.protocols.uniswap_v4 import PoolKey, UniswapV4, UniswapV4Venue, logs
from headrace.adapters.protocols.uniswap_v4.state import (
    PROTOCOL,
    ProtocolFee,
    UniswapV4State,
    checked_state,
    protocol_fee_flaw,
    swap_fee_pips_up,
    unpacked_fee,
)
from headrace.errors import MalformedLogError, MalformedPoolError
from headrace.kernels.tick_flaws import UNSET
from headrace.kernels.tick_math import SQRT_PRICE_MAX, SQRT_PRICE_MIN, TICK_MAX, sqrt_price_at_tick_up
from headrace.kernels.tick_table import PricePoint, TickLiquidity, TickTable
from headrace.model.address import ZERO_ADDRESS, Address, Hash32, PoolId
from headrace.model.event import Log
from headrace.model.pool import Pool

MANAGER = Address("0x" + "ab" * 20)
LOW, HIGH = Address("0x" + "01" * 20), Address("0x" + "02" * 20)
KEY = PoolKey(LOW, HIGH, 3000, 60)
POOL = Pool(KEY.id, MANAGER, PROTOCOL, "v4", (LOW, HIGH), 3000)
SENDER, SALT = 0x1234, 7
HASH = Hash32("0x" + "00" * 32)
LIQUIDITY = 10**18
PACKED = 200 << 12 | 1000
DOWN_FEE, UP_FEE = 3997, 3200  # 1000 + 3000 - 3 and 200 + 3000 - 0.6, which is rounded up
DEX_UNDER_TEST = UniswapV4({"v4": UniswapV4Venue(MANAGER)})


def word(value: int) -> str:
    return f"{value % 2**256:064x}"


def log(topic: Hash32, indexed: Sequence[int], data: Sequence[int]) -> Log:
    topics = (topic, Hash32(KEY.id), *(Hash32("0x" + word(value)) for value in indexed))
    return Log(MANAGER, topics, "0x" + "".join(map(word, data)), HASH, 1, HASH, 0)


def born(price: int = 2**96, tick: int = 0) -> Log:
    return log(logs.INITIALIZE, (int(LOW, 16), int(HIGH, 16)), (3000, 60, 0, price, tick))


def modify(lower: int, upper: int, delta: int) -> Log:
    return log(logs.MODIFY_LIQUIDITY, (SENDER,), (lower, upper, delta, SALT))


def swap(price: int, liquidity: int, tick: int, amounts: tuple[int, int] = (-5, 4), fee: int = DOWN_FEE) -> Log:
    return log(logs.SWAP, (SENDER,), (*amounts, price, liquidity, tick, fee))


def charge(packed: int) -> Log:
    return log(logs.PROTOCOL_FEE_UPDATED, (), (packed,))


def state_at(point: PricePoint, fee: ProtocolFee, ticks: Mapping[int, TickLiquidity]) -> UniswapV4State:
    return checked_state(UniswapV4State(POOL, ZERO_ADDRESS, fee, point, TickTable(3000, 60, ticks)))


def unset() -> UniswapV4State:
    return state_at(UNSET, ProtocolFee(0, 0), {})


def live() -> UniswapV4State:
    ticks = {-600: TickLiquidity(LIQUIDITY, LIQUIDITY), 600: TickLiquidity(LIQUIDITY, -LIQUIDITY)}
    return state_at(PricePoint(2**96, 0, LIQUIDITY), ProtocolFee(1000, 200), ticks)


def test_a_pool_is_folded_from_its_first_log_on() -> None:
    state = DEX_UNDER_TEST.apply(unset(), born())
    assert state.point == PricePoint(2**96, 0, 0)
    state = DEX_UNDER_TEST.apply(state, modify(-600, 600, LIQUIDITY))
    state = DEX_UNDER_TEST.apply(state, charge(PACKED))
    assert state == live()
    assert state.key == KEY
    assert [state.fee_pips(zero_for_one=down) for down in (True, False)] == [DOWN_FEE, UP_FEE]
    assert [state.table_for(zero_for_one=down).fee_pips for down in (True, False)] == [DOWN_FEE, UP_FEE]
    state = DEX_UNDER_TEST.apply(state, modify(660, 720, 5))
    price = sqrt_price_at_tick_up(77) + 9
    state = DEX_UNDER_TEST.apply(state, swap(price, LIQUIDITY, 77, (3, -4), UP_FEE))
    assert state.point == PricePoint(price, 77, LIQUIDITY)
    state = DEX_UNDER_TEST.apply(state, modify(-600, 600, -LIQUIDITY))
    assert state.point.liquidity == 0
    left = TickTable(3000, 60, {}).with_position(660, 720, 5)
    assert state.table == left
    state = DEX_UNDER_TEST.apply(state, charge(0))
    assert state.table_for(zero_for_one=True) is state.table_for(zero_for_one=False) is state.table
    assert not DEX_UNDER_TEST.is_outdated(state, 10**9)


def test_a_swap_shares_the_table_and_what_collects_fees_changes_nothing() -> None:
    before = live()
    assert logs.apply(before, swap(2**96, LIQUIDITY, 0)).table is before.table
    assert logs.apply(before, modify(-600, 600, 0)) is before


def test_a_swap_that_took_nothing_may_carry_the_fee_of_either_direction() -> None:
    for fee in (DOWN_FEE, UP_FEE):
        assert logs.apply(live(), swap(2**96, LIQUIDITY, 0, (0, 0), fee)) == live()


@pytest.mark.parametrize(
    ("lost", "field"), [(modify(-600, 600, LIQUIDITY), "liquidity"), (charge(PACKED), "fee"), (born(), "topics")]
)
def test_a_lost_log_is_noticed_by_the_next_swap_at_the_latest(lost: Log, field: str) -> None:
    story = [born(), modify(-600, 600, LIQUIDITY), charge(PACKED), swap(2**96, LIQUIDITY, 0)]
    assert reduce(logs.apply, story, unset()) == live()
    with pytest.raises(MalformedLogError) as caught:
        reduce(logs.apply, [one for one in story if one != lost], unset())
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("protocol_fee", "lp_fee", "whole"),
    [  # by hand from the formula of ProtocolFeeLibrary
        (0, 3000, 3000),
        (1000, 0, 1000),
        (125, 500, 625),
        (1000, 3000, 3997),
        (1000, 1_000_000, 1_000_000),
        (1000, 999_999, 1_000_000),
        (1, 999_999, 1_000_000),
    ],
)
def test_the_whole_fee_is_rounded_up(protocol_fee: int, lp_fee: int, whole: int) -> None:
    assert swap_fee_pips_up(protocol_fee, lp_fee) == whole


def test_the_protocols_fee_is_packed_with_zero_for_one_below() -> None:
    assert unpacked_fee(512_125) == ProtocolFee(125, 125)  # as set on mainnet's ETH/USDC pool
    assert unpacked_fee(PACKED) == ProtocolFee(1000, 200)
    assert protocol_fee_flaw(ProtocolFee(1000, 0)) is None
    for fee in (ProtocolFee(1001, 0), ProtocolFee(0, 1001), ProtocolFee(-1, 0), unpacked_fee(1 << 24)):
        assert protocol_fee_flaw(fee) is not None


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        (swap(SQRT_PRICE_MIN - 1, 0, -TICK_MAX), "sqrt_price_x96"),
        (swap(SQRT_PRICE_MAX, 0, TICK_MAX - 1), "sqrt_price_x96"),
        (swap(SQRT_PRICE_MAX - 1, 0, TICK_MAX), "tick"),
        (swap(2**96, LIQUIDITY, 1), "tick"),
        (swap(2**96, LIQUIDITY, 2**23), "tick"),
        (swap(2**96, 2**128, 0), "liquidity"),
        (swap(2**96, LIQUIDITY - 1, 0), "liquidity"),
        (swap(2**96, LIQUIDITY, 0, fee=3000), "fee"),
        (swap(2**96, LIQUIDITY, 0, fee=UP_FEE), "fee"),
        (swap(2**96, LIQUIDITY, 0, (4, -5)), "fee"),
        (swap(2**96, LIQUIDITY, 0, (0, 0), 3000), "fee"),
        (modify(-60, 60, 2**127), "liquidity_delta"),
        (modify(-60, 60, -(2**127)), "liquidity_delta"),
        (modify(-60, 60, 2**127 - 1), "liquidity_delta"),
        (modify(-61, 60, 1), "ticks"),
        (modify(-60, 61, 1), "ticks"),
        (modify(60, 60, 1), "ticks"),
        (modify(120, 60, 1), "ticks"),
        (modify(-887_280, 60, 1), "ticks"),
        (modify(60, 887_280, 1), "ticks"),
        (modify(2**24, 60, 1), "ticks"),
        (modify(-600, 600, -LIQUIDITY - 1), "liquidity_delta"),
        (modify(-60, 60, -1), "liquidity_delta"),
        (modify(-600, 60, -1), "liquidity_delta"),
        (charge(1001), "protocol_fee"),
        (charge(1001 << 12), "protocol_fee"),
        (born(), "topics"),
    ],
)
def test_a_log_that_cannot_follow_the_state_is_refused(bad: Log, field: str) -> None:
    with pytest.raises(MalformedLogError) as caught:
        logs.apply(live(), bad)
    assert (caught.value.pool, caught.value.field) == (KEY.id, field)


@pytest.mark.parametrize("early", [swap(2**96, 0, 0), modify(-60, 60, 1), charge(0)])
def test_nothing_happens_to_a_pool_without_a_price(early: Log) -> None:
    with pytest.raises(MalformedLogError):
        logs.apply(unset(), early)


def test_a_first_price_must_be_one() -> None:
    with pytest.raises(MalformedLogError) as caught:
        logs.apply(unset(), born(tick=3))
    assert caught.value.field == "tick"


@pytest.mark.parametrize("good", [born(), swap(2**96, LIQUIDITY, 0), modify(-60, 60, 1), charge(0)])
def test_a_log_of_another_form_or_pool_is_refused(good: Log) -> None:
    replace = msgspec.structs.replace
    for bad in (
        replace(good, topics=()),
        replace(good, topics=(HASH, *good.topics[1:])),
        replace(good, topics=good.topics[:-1]),
        replace(good, topics=(*good.topics, HASH)),
        replace(good, topics=(good.topics[0], HASH, *good.topics[2:])),
        replace(good, data=good.data + "00"),
        replace(good, data=good.data[2:]),
        replace(good, data="0x" + "zz" + good.data[4:]),
        replace(good, address=Address("0x" + "cd" * 20)),
    ):
        with pytest.raises(MalformedLogError):
            logs.apply(live() if good.topics[0] != logs.INITIALIZE else unset(), bad)


def test_a_log_speaks_of_a_pool_only_when_the_manager_emits_it() -> None:
    good = swap(2**96, LIQUIDITY, 0)
    assert DEX_UNDER_TEST.pool_of(good) == KEY.id
    stranger = Address("0x" + "cd" * 20)
    assert DEX_UNDER_TEST.pool_of(msgspec.structs.replace(good, address=stranger)) == PoolId(stranger)
    with pytest.raises(MalformedLogError):
        DEX_UNDER_TEST.pool_of(msgspec.structs.replace(good, topics=good.topics[:1]))


def test_the_first_log_tells_the_key_which_its_id_proves() -> None:
    assert DEX_UNDER_TEST.learn(born()) == KEY.id
    replace = msgspec.structs.replace
    words = born().data
    for bad, field in (
        (swap(2**96, LIQUIDITY, 0), "topics"),
        (replace(born(), data="0x" + word(3001) + words[66:]), "key"),
        (replace(born(), data="0x" + word(1 << 24) + words[66:]), "key"),
        (replace(born(), topics=(*born().topics[:3], Hash32("0x" + "zz" * 32))), "key"),
        (replace(born(), topics=(*born().topics[:2], HASH, HASH)), "key"),
        (replace(born(), address=Address("0x" + "cd" * 20)), "address"),
    ):
        with pytest.raises(MalformedLogError) as caught:
            DEX_UNDER_TEST.learn(bad)
        assert caught.value.field == field


def test_a_state_that_no_pool_can_have_is_not_made() -> None:
    replace, good = msgspec.structs.replace, live()
    for bad, field in (
        (replace(good, point=PricePoint(2**96, 0, 1)), "liquidity"),
        (replace(good, protocol_fee=ProtocolFee(0, 1001)), "protocol_fee"),
        (replace(good, hooks=Address("0x" + "5e" * 20)), "id"),
        (replace(good, pool=replace(POOL, fee_pips=500)), "id"),
        (replace(good, pool=replace(POOL, tokens=(LOW, HIGH, MANAGER))), "tokens"),
        (replace(good, table=TickTable(3000, 10, good.table.entries())), "id"),
    ):
        with pytest.raises(MalformedPoolError) as caught:
            checked_state(bad)
        assert (caught.value.pool, caught.value.field) == (KEY.id, field)
