"""Oracles: the published swap cases of v3-core's own tests, and quotes recorded from a mainnet pool."""

import lzma
from typing import NamedTuple

import msgspec
import pytest
from tests.support.places import shared_data

from headrace.kernels.tick_math import tick_at_sqrt_price_down
from headrace.kernels.tick_segments import fill, input_for
from headrace.kernels.tick_table import PricePoint, TickLiquidity, TickTable
from headrace.kernels.tick_walk import Swap, extreme_limit, walk

CORE_CASES = "vectors/v3_core_swap_cases.json.xz"
WBTC_WETH = "vectors/onchain_parity/chain_data/uniswap_v3_wbtc_weth_block_24407242.json"
WBTC_WETH_QUOTES = "vectors/onchain_parity/golden/test_cached_calculations_v3_wbtc_weth.json"


class Position(msgspec.Struct, rename="camel"):
    tick_lower: int
    tick_upper: int
    liquidity: str


class Expected(msgspec.Struct, rename="camel"):
    amount0_delta: str = ""
    amount1_delta: str = ""
    tick_after: int = 0
    swap_error: str = ""


class Case(msgspec.Struct, kw_only=True, rename="camel"):
    pool: str
    fee: int
    tick_spacing: int
    start: str = msgspec.field(name="startSqrtPriceX96")
    positions: list[Position]
    kind: str
    zero_for_one: bool
    amount: str
    limit: str | None = msgspec.field(name="sqrtPriceLimitX96")
    expected: Expected


class Scalars(msgspec.Struct):
    fee: int
    tick_spacing: int
    sqrt_price_x96: int
    tick: int
    liquidity: int


class RecordedPool(msgspec.Struct):
    scalars: Scalars
    tick_data: dict[str, tuple[int, int, int]]


class RecordedQuote(msgspec.Struct):
    value: int


class RecordedQuotes(msgspec.Struct):
    entries: dict[str, RecordedQuote]


class Market(NamedTuple):
    table: TickTable
    point: PricePoint


def core_cases() -> list[Case]:
    return msgspec.json.decode(lzma.decompress(shared_data(CORE_CASES).read_bytes()), type=list[Case])


def market_of(case: Case) -> Market:
    table = TickTable(case.fee, case.tick_spacing, {})
    for position in case.positions:
        table = table.with_position(position.tick_lower, position.tick_upper, int(position.liquidity))
    price = int(case.start)
    tick = tick_at_sqrt_price_down(price)
    assert table.flaw() == ""
    return Market(table, PricePoint(price, tick, table.liquidity_at(tick)))


def swap(case: Case) -> Swap | None:
    table, point = market_of(case)
    limit = extreme_limit(zero_for_one=case.zero_for_one) if case.limit is None else int(case.limit)
    amount = -int(case.amount) if case.kind == "exactOut" else int(case.amount)
    return walk(table, point, amount, limit, zero_for_one=case.zero_for_one)


def deltas(done: Swap, *, zero_for_one: bool) -> tuple[int, int]:
    return (done.amount_in, -done.amount_out) if zero_for_one else (-done.amount_out, done.amount_in)


def recorded_pool() -> Market:
    pool = msgspec.json.decode(shared_data(WBTC_WETH).read_bytes(), type=RecordedPool)
    ticks = {int(tick): TickLiquidity(gross, net) for tick, (gross, net, _) in pool.tick_data.items()}
    at = pool.scalars
    table = TickTable(at.fee, at.tick_spacing, ticks)
    return Market(table, PricePoint(at.sqrt_price_x96, at.tick, at.liquidity))


def test_all_240_core_cases_give_the_published_amounts_or_revert() -> None:
    cases = core_cases()
    reverted = 0
    for case in cases:
        done = swap(case)
        if case.expected.swap_error:
            assert done is None, case
            reverted += 1
            continue
        assert done is not None, case
        expected = (int(case.expected.amount0_delta), int(case.expected.amount1_delta))
        assert deltas(done, zero_for_one=case.zero_for_one) == expected, case
        assert done.point.tick == case.expected.tick_after, case
    assert (len(cases), reverted) == (240, 50)


def test_the_fast_quote_agrees_with_every_core_case_without_a_limit_and_refuses_what_is_not_taken_whole() -> None:
    agreed = refused = 0
    for case in (case for case in core_cases() if case.kind == "exactIn" and case.limit is None):
        done = swap(case)
        quote = fill(*market_of(case), int(case.amount), zero_for_one=case.zero_for_one)
        if done is None or done.amount_in < int(case.amount):
            assert quote is None, case
            refused += 1
        else:
            assert quote is not None
            assert quote.amount_out == done.amount_out, case
            agreed += 1
    assert agreed >= 40, agreed
    assert refused >= 4, refused


def test_leaving_out_the_word_edges_is_caught_by_the_core_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headrace.kernels.tick_walk.WORD_BITS", 40)
    off = 0
    for case in (case for case in core_cases() if not case.expected.swap_error):
        done = swap(case)
        assert done is not None
        expected = (int(case.expected.amount0_delta), int(case.expected.amount1_delta))
        off += deltas(done, zero_for_one=case.zero_for_one) != expected
    assert off >= 30, off


def test_recorded_mainnet_quotes_of_wbtc_weth_are_met_to_the_unit() -> None:
    table, point = recorded_pool()
    assert table.flaw() == ""
    assert table.liquidity_at(point.tick) == point.liquidity
    recorded = msgspec.json.decode(shared_data(WBTC_WETH_QUOTES).read_bytes(), type=RecordedQuotes).entries
    taken_whole = exact_outputs = 0
    for key, quote in recorded.items():
        _, method, way, amount_text = key.split("|")
        amount, zero_for_one = int(amount_text), way == "WBTC->WETH"
        is_input = method == "quoteExactInputSingle"
        done = walk(
            table,
            point,
            amount if is_input else -amount,
            extreme_limit(zero_for_one=zero_for_one),
            zero_for_one=zero_for_one,
        )
        assert done is not None
        assert quote.value == (done.amount_out if is_input else done.amount_in), key
        if is_input:
            fast = fill(table, point, amount, zero_for_one=zero_for_one)
            assert (fast.amount_out if fast else None) == (quote.value if done.amount_in == amount else None), key
            taken_whole += fast is not None
        else:
            least = input_for(table, point, amount, zero_for_one=zero_for_one)
            assert least == (quote.value if done.amount_out == amount else None), key
            exact_outputs += least is not None
    assert len(recorded) == 80
    assert taken_whole >= 30, taken_whole
    assert exact_outputs >= 20, exact_outputs
