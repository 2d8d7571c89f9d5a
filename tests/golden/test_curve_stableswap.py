"""Oracle: answers of mainnet's own Curve contracts, recorded with their states (../shared/data, see its README).

`get_dy`, `get_dy_underlying`, `calc_token_amount` and `calc_withdraw_one_coin` of 3pool (A without precision, scaled
before the fee) and of the RAI metapool (redemption price, remembered base price). All at 0 units off.

They tell the forms of the output apart, but not the three roundings of D, which agree on these balances.
"""

import json
import random
from itertools import pairwise
from pathlib import Path
from typing import TypedDict

import pytest

from headrace.adapters.protocols.curve_stableswap.detection import candidates
from headrace.adapters.protocols.curve_stableswap.quoting import quote_in, quote_out, shape
from headrace.adapters.protocols.curve_stableswap.state import (
    CachedPrice,
    CurveStableswapState,
    Ramp,
    RateSource,
    StableTerms,
    ViewForm,
    base_price,
    checked_state,
    rates_at,
)
from headrace.adapters.protocols.curve_stableswap.views import view_out
from headrace.adapters.protocols.curve_stableswap.ways import tokens_of
from headrace.errors import UnquotableError
from headrace.kernels.curve import Curves, hop
from headrace.kernels.shape import TickSegments
from headrace.kernels.stableswap import ProductRounding
from headrace.kernels.stableswap_liquidity import coin_withdrawn, token_price, tokens_estimated
from headrace.model.address import ZERO_ADDRESS, Address, PoolId
from headrace.model.block import BlockContext
from headrace.model.pool import Pool, ProtocolId

VECTORS = Path(__file__).parents[3] / "shared/data/vectors/onchain_parity"
TRIPOOL, RAI = "curve_tripool_block_24407242", "curve_metapool_rai_3crv_block_25144000"

SEED = 20_260_614

pytestmark = pytest.mark.skipif(not VECTORS.is_dir(), reason="../shared/data is absent: real recordings are not ours")


class Token(TypedDict):
    address: str
    symbol: str
    decimals: int


class Recorded(TypedDict, total=False):
    """A pool's state as it was recorded."""

    block: int
    block_timestamp: int
    address: str
    tokens: list[Token]
    balances: list[int]
    fee: int
    admin_fee: int
    initial_a: int
    future_a: int
    initial_a_time: int
    future_a_time: int
    virtual_price: int
    base_virtual_price: int
    base_cache_updated: int
    redemption_price: int
    lp_token_total_supply: int
    base_pool: "Recorded"


def recorded(name: str) -> Recorded:
    found: Recorded = json.loads((VECTORS / f"chain_data/{name}.json").read_text())
    return found


def answers(name: str) -> list[tuple[list[str], int]]:
    """The parts of each question, and the contract's answer."""
    entries = json.loads((VECTORS / f"golden/{name}.json").read_text())["entries"]
    return [(question.split("|")[1:], answer["value"]) for question, answer in entries.items()]


def pool_of(data: Recorded, tokens: tuple[Address, ...]) -> Pool:
    address = Address(data["address"].lower())
    return Pool(PoolId(address), address, ProtocolId("curve_stableswap"), "curve", tokens)


def ramp_of(data: Recorded) -> Ramp:
    return Ramp(data["initial_a"], data["future_a"], data["initial_a_time"], data["future_a_time"])


def plain(data: Recorded) -> CurveStableswapState:
    """3pool, alone or as a base."""
    coins = tuple(Address(token["address"].lower()) for token in data["tokens"])
    decimals = tuple(token["decimals"] for token in data["tokens"])
    terms = StableTerms(
        coins=coins,
        underlying=(),
        decimals=decimals,
        a_precision=1,
        rounding=ProductRounding.PER_COIN,
        held_back=1,
        withdrawal_held_back=1,
        view=ViewForm(held_back=1, scales_first=True),
        rate_sources=(RateSource.STATIC,) * len(coins),
        follows_logs=True,
    )
    state = CurveStableswapState(
        pool=pool_of(data, coins),
        terms=terms,
        balances=tuple(data["balances"]),
        rates=tuple(10 ** (36 - one) for one in decimals),
        fee=data["fee"],
        admin_fee=data["admin_fee"],
        ramp=ramp_of(data),
        supply=data["lp_token_total_supply"],
    )
    return checked_state(state)


def meta(data: Recorded) -> CurveStableswapState:
    base = plain(data["base_pool"])
    coins = tuple(Address(token["address"].lower()) for token in data["tokens"])
    terms = StableTerms(
        coins=coins,
        underlying=(),
        decimals=(18, 18),
        a_precision=100,
        rounding=ProductRounding.PER_COIN,
        held_back=1,
        withdrawal_held_back=1,
        view=ViewForm(held_back=1, scales_first=False),
        rate_sources=(RateSource.REDEMPTION, RateSource.BASE_POOL),
        follows_logs=False,
    )
    state = CurveStableswapState(
        pool=pool_of(data, tokens_of(terms, base.terms)),
        terms=terms,
        balances=tuple(data["balances"]),
        rates=(data["redemption_price"], 0),
        fee=data["fee"],
        admin_fee=data["admin_fee"],
        ramp=ramp_of(data),
        read_at=data["block"],
        read_time=data["block_timestamp"],
        cached=CachedPrice(data["base_virtual_price"], data["base_cache_updated"]),
        base=base,
    )
    return checked_state(state)


def context(data: Recorded) -> BlockContext:
    return BlockContext(data["block"], data["block_timestamp"], 0, ZERO_ADDRESS)


def by_symbol(data: Recorded) -> dict[str, Address]:
    tokens = data["tokens"] + (data["base_pool"]["tokens"] if "base_pool" in data else [])
    return {token["symbol"]: Address(token["address"].lower()) for token in tokens}


@pytest.mark.parametrize(
    ("name", "questions", "least"),
    [(TRIPOOL, "test_curve_tripool_get_dy", 18), (RAI, "test_curve_metapool_get_dy", 42)],
)
def test_the_contracts_own_estimates_are_met_to_the_unit(name: str, questions: str, least: int) -> None:
    data = recorded(name)
    state, named = meta(data) if name == RAI else plain(data), by_symbol(data)
    asked = answers(questions)
    for (_, way, amount), answer in asked:
        symbol_in, symbol_out = way.split("->")
        ours = view_out(state, named[symbol_in], named[symbol_out], int(amount), context(data))
        assert ours == answer, (way, amount)
    assert len(asked) >= least


@pytest.mark.parametrize(
    ("name", "questions"), [(TRIPOOL, "test_curve_tripool_get_dy"), (RAI, "test_curve_metapool_get_dy")]
)
def test_every_other_form_of_the_output_misses_some_answer(name: str, questions: str) -> None:
    data = recorded(name)
    state, named = meta(data) if name == RAI else plain(data), by_symbol(data)
    asked = [
        (way.split("->"), int(amount), answer) for (call, way, amount), answer in answers(questions) if call == "get_dy"
    ]
    met = {
        candidate.terms.view
        for candidate in candidates(state)
        if all(view_out(candidate, named[a], named[b], dx, context(data)) == answer for (a, b), dx, answer in asked)
    }
    assert met == {state.terms.view}


def test_deposits_withdrawals_and_the_price_of_3pools_token_are_met_to_the_unit() -> None:
    data = recorded(TRIPOOL)
    state = plain(data)
    pool = state.liquidity(state.rates, data["block_timestamp"])
    assert token_price(pool) == data["virtual_price"]
    asked = answers("test_curve_tripool_calc_withdraw_and_token_amount")
    for (call, *_, coin, amount), answer in ((question, answer) for question, answer in asked):
        index = int(coin.removeprefix("i="))
        if call == "calc_token_amount":
            assert tokens_estimated(pool, index, int(amount), is_deposit=True) == answer
        else:
            assert coin_withdrawn(pool, index, int(amount), held_back=1) == answer
    assert len(asked) >= 18


def test_the_base_pools_price_is_remembered_for_ten_minutes_and_then_computed() -> None:
    data = recorded(RAI)
    state = meta(data)
    remembered, until = data["base_virtual_price"], data["base_cache_updated"] + 600
    assert base_price(state, data["block"], until) == remembered
    live = base_price(state, data["block"], until + 1)
    assert live == data["base_pool"]["virtual_price"] != remembered
    assert rates_at(state, data["block"], until)[1] == remembered


def test_a_swap_pays_a_unit_less_than_the_older_view_or_the_same() -> None:
    """3pool's `exchange` takes the fee before it scales to decimals, its `get_dy` after (source, lines of both)."""
    data = recorded(TRIPOOL)
    state, named = plain(data), by_symbol(data)
    off = []
    for (_, way, amount), answer in answers("test_curve_tripool_get_dy"):
        symbol_in, symbol_out = way.split("->")
        off.append(answer - quote_out(state, named[symbol_in], named[symbol_out], int(amount), context(data)))
    assert set(off) == {0, 1}


def test_shape_and_inverse_agree_with_the_quotes_of_real_pools() -> None:
    compared = 0
    for name, questions in ((TRIPOOL, "test_curve_tripool_get_dy"), (RAI, "test_curve_metapool_get_dy")):
        data = recorded(name)
        state, named, at = meta(data) if name == RAI else plain(data), by_symbol(data), context(data)
        for (call, way, amount), _ in answers(questions):
            token_in, token_out = (named[symbol] for symbol in way.split("->"))
            given = quote_out(state, token_in, token_out, int(amount), at)
            least = quote_in(state, token_in, token_out, given, at)
            assert least <= int(amount)
            assert quote_out(state, token_in, token_out, least, at) >= given
            assert quote_out(state, token_in, token_out, least - 1, at) < given
            curves, drawn = Curves(1), shape(state, token_in, token_out)
            curves.put(0, drawn)
            close = 1e-9 if call == "get_dy" else 2e-5  # through the base pool it is sampled, up to 99.9 % of the pool
            if isinstance(drawn, TickSegments) and int(amount) > drawn.input_max:
                close = 2e-3
            if call == "get_dy" or named["RAI"] in (token_in, token_out):
                assert hop(curves.arrays, 0, float(amount))[0] == pytest.approx(given, rel=close, abs=3)
                compared += 1
    assert compared >= 40


@pytest.mark.parametrize("way", ["RAI->DAI", "RAI->USDC", "DAI->RAI", "USDC->RAI", "USDT->RAI"])
def test_a_way_through_the_base_pool_is_sampled_closely_from_dust_to_more_than_the_pool(way: str) -> None:
    data = recorded(RAI)
    state, named, at, draw = meta(data), by_symbol(data), context(data), random.Random(SEED)
    symbol_in, symbol_out = way.split("->")
    token_in, token_out = named[symbol_in], named[symbol_out]
    most = {"RAI": 10**22, "DAI": 10**23, "USDC": 10**11, "USDT": 10**11}[symbol_in]
    curves, slopes = Curves(1), []
    curves.put(0, shape(state, token_in, token_out))
    amounts = sorted(int(most * 10 ** draw.uniform(-8, 0)) for _ in range(150))
    for amount in amounts:
        given, slope = hop(curves.arrays, 0, float(amount))
        exact = quote_out(state, token_in, token_out, amount, at)
        assert given == pytest.approx(exact, rel=2e-5 if amount > most // 10**4 else 2e-4, abs=4), amount
        slopes.append(slope)
    assert all(later <= earlier * (1 + 1e-6) for earlier, later in pairwise(slopes))


def test_a_deposit_really_mints_other_than_the_view_estimates() -> None:
    data = recorded(RAI)
    state, named, at = meta(data), by_symbol(data), context(data)
    amount = 10**21
    paid = quote_out(state, named["DAI"], named["RAI"], amount, at)
    assert paid != view_out(state, named["DAI"], named["RAI"], amount, at)
    with pytest.raises(UnquotableError, match="no call"):
        quote_out(state, named["3Crv"], named["DAI"], amount, at)
