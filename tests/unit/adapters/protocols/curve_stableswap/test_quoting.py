"""Quotes of kinds that neither Solidity nor recordings reach here, and states that cannot be.

Oracles: the published contracts' order of roundings, written out again (Curve's, and `accrueInterest` of Compound's
tokens).
"""

import msgspec
import pytest
from tests.unit.adapters.protocols.curve_stableswap import pools
from tests.unit.adapters.protocols.curve_stableswap.pools import AT, NUMBER, TIME, token

from headrace.adapters.protocols.curve_stableswap import CurveStableswap
from headrace.adapters.protocols.curve_stableswap.state import CurveStableswapState, Ramp, checked_state, rates_at
from headrace.adapters.protocols.curve_stableswap.views import view_out
from headrace.errors import MalformedPoolError, UnquotableError
from headrace.kernels.curve import Curves, hop
from headrace.kernels.stableswap import FEE_DENOMINATOR, PRECISION, prepared, swap
from headrace.kernels.stableswap_liquidity import common_units, tokens_estimated, tokens_minted
from headrace.model.executor_step import CurveCall

DEX = CurveStableswap()
U1, U2 = token(11), token(12)


def test_compounds_interest_is_accrued_for_swaps_and_extrapolated_for_views() -> None:
    state = pools.compound()
    lent = state.compound[0]
    assert lent is not None
    blocks = NUMBER + 1 - lent.accrual_block
    interest = lent.borrow_rate * blocks * lent.borrows // PRECISION
    reserves = lent.reserves + lent.reserve_share * interest // PRECISION
    accrued = (lent.cash + lent.borrows + interest - reserves) * PRECISION // lent.supply
    assert rates_at(state, NUMBER + 1, TIME)[0] == accrued
    seen = lent.stored + lent.stored * lent.supply_rate * blocks // PRECISION
    assert rates_at(state, NUMBER + 1, TIME, is_view=True)[0] == seen
    assert lent.accrued(lent.accrual_block) == lent.stored == lent.seen(lent.accrual_block - 9)


@pytest.mark.parametrize("make", [pools.compound, pools.aave])
def test_underlying_coins_pass_through_shares_that_are_rounded_down_each_time(make: object) -> None:
    state: CurveStableswapState = make()  # type: ignore[operator]
    rates, amount = rates_at(state, AT.number, AT.timestamp), 12_345 * 10**18
    shares = amount * PRECISION // rates[0]
    pool = prepared(state.curve(AT.timestamp), common_units(state.balances, rates), state.stable_fee)
    done = swap(pool, 0, 1, shares * rates[0] // PRECISION, held_back=0)
    paid = done.net * PRECISION // rates[1] * (rates[1] // 10**12) // PRECISION
    assert DEX.quote_out(state, U1, U2, amount, AT) == paid
    assert DEX.step(state, U1, U2).call is CurveCall.EXCHANGE_UNDERLYING
    coin_in, coin_out = state.terms.coins
    assert DEX.gas(state, U1, U2, 1) > DEX.gas(state, coin_in, coin_out, 1)
    least = DEX.quote_in(state, U1, U2, paid, AT)
    assert DEX.quote_out(state, U1, U2, least, AT) >= paid > DEX.quote_out(state, U1, U2, least - 1, AT)
    curves = Curves(1)
    curves.put(0, DEX.shape(state, U1, U2))
    seen = hop(curves.arrays, 0, float(amount))[0]
    assert seen == pytest.approx(paid, rel=1e-6 if state.compound else 1e-9, abs=2)


def test_coins_and_what_they_stand_for_are_not_swapped_for_each_other() -> None:
    state = pools.compound()
    coin = state.terms.coins[0]
    for pair in ((coin, U2), (U1, coin), (coin, coin), (coin, token(99))):
        with pytest.raises(UnquotableError):
            DEX.quote_out(state, *pair, 10**9, AT)
    curves = Curves(1)
    curves.put(0, DEX.shape(state, coin, U2))
    assert hop(curves.arrays, 0, 1e9) == (0.0, 0.0)
    with pytest.raises(UnquotableError):
        DEX.shape(state, coin, token(99))


def test_views_in_underlying_coins_round_as_the_contracts_do() -> None:
    amount = 10**21
    for state, hold, first in ((pools.compound(), 0, True), (pools.aave(), 0, True)):
        rates = rates_at(state, AT.number, AT.timestamp, is_view=True)
        pool = prepared(state.curve(AT.timestamp), common_units(state.balances, rates), state.stable_fee)
        done = swap(pool, 0, 1, amount, held_back=hold)
        scaled = done.gross // 10**12
        assert first
        assert view_out(state, U1, U2, amount, AT) == scaled - done.fee_rate * scaled // FEE_DENOMINATOR
    late = pools.compound()
    terms = msgspec.structs.replace(late.terms, view=pools.LATE)
    late = msgspec.structs.replace(late, terms=terms)
    rates = rates_at(late, AT.number, AT.timestamp, is_view=True)
    pool = prepared(late.curve(AT.timestamp), common_units(late.balances, rates), late.stable_fee)
    assert view_out(late, U1, U2, amount, AT) == swap(pool, 0, 1, amount, held_back=1).net // 10**12


def test_a_metapools_way_through_a_base_pool_that_cannot_be_told_is_refused() -> None:
    for base in (pools.aave(), pools.yearn()):
        state = pools.meta(base)
        with pytest.raises(UnquotableError, match="cannot be told"):
            DEX.quote_out(state, token(21), token(1), 10**18, AT)
        assert DEX.quote_out(state, token(21), token(22), 10**18, AT)


def test_a_metapool_on_rates_estimates_deposits_with_their_fee_and_is_not_inverted() -> None:
    state = pools.meta(pools.rated())
    terms = msgspec.structs.replace(state.terms, has_fee_in_estimate=True)
    state = msgspec.structs.replace(state, terms=terms)
    assert view_out(state, token(1), token(21), 10**21, AT) == DEX.quote_out(state, token(1), token(21), 10**21, AT)
    with pytest.raises(UnquotableError, match="least input"):
        DEX.quote_in(state, token(1), token(21), 10**18, AT)
    curves = Curves(1)
    curves.put(0, DEX.shape(state, token(1), token(21)))
    assert hop(curves.arrays, 0, 1e21) == (0.0, 0.0)


def test_deposits_that_the_contract_refuses_are_refused() -> None:
    base = pools.plain()
    pool = msgspec.structs.replace(base, supply=10**26).liquidity(base.rates, TIME)
    assert tokens_minted(pool, 1, 10**9) < tokens_estimated(pool, 1, 10**9, is_deposit=True)
    assert tokens_estimated(pool, 1, 10**9, is_deposit=False) > 0
    with pytest.raises(ArithmeticError, match="too small"):
        tokens_minted(pool, 0, 0)
    with pytest.raises(ArithmeticError, match="all coins"):
        tokens_minted(base.liquidity(base.rates, TIME), 0, 10**20)
    with pytest.raises(ArithmeticError):
        tokens_estimated(pool, 1, 10**15, is_deposit=False)


def test_an_empty_pool_gives_nothing() -> None:
    state = msgspec.structs.replace(pools.plain(), balances=(0, 0, 0))
    first, second = state.terms.coins[:2]
    for quote in (DEX.quote_out, DEX.quote_in, view_out):
        with pytest.raises(UnquotableError):
            quote(state, first, second, 10**6, AT)
    curves = Curves(1)
    curves.put(0, DEX.shape(state, first, second))
    assert hop(curves.arrays, 0, 1e18) == (0.0, 0.0)


def test_a_metapool_without_any_supply_below_it_reverts_in_all_quotes() -> None:
    state = pools.meta(pools.plain(), is_cached=False)
    assert state.base is not None
    state = msgspec.structs.replace(state, base=msgspec.structs.replace(state.base, supply=0))
    for quote in (DEX.quote_out, DEX.quote_in, view_out):
        with pytest.raises(UnquotableError, match="reverts"):
            quote(state, token(21), token(22), 10**6, AT)


def test_a_moving_a_is_rounded_as_the_contract_rounds_it() -> None:
    up, down = Ramp(100, 1000, 10, 110), Ramp(1000, 100, 10, 110)
    assert [up.at(t) for t in (0, 10, 11, 109, 110, 999)] == [100, 100, 109, 991, 1000, 1000]
    assert [down.at(t) for t in (0, 10, 11, 109, 110, 999)] == [1000, 1000, 991, 109, 100, 100]


def test_states_that_no_pool_can_hold_are_refused_by_field() -> None:
    state = pools.plain()
    replace = msgspec.structs.replace
    coins = state.terms.coins
    compound = pools.compound()
    for broken, field in (
        (replace(state, balances=(1, 2)), "balances"),
        (replace(state, balances=(1, 2, 1 << 128)), "balances[2]"),
        (replace(state, rates=(1, 2, -3)), "rates[2]"),
        (replace(state, rates=(1, 2, 0)), "rates[2]"),
        (replace(state, fee=-1), "fee"),
        (replace(state, admin_fee=FEE_DENOMINATOR + 1), "admin_fee"),
        (replace(state, fee=10**9, offpeg_multiplier=11 * 10**10), "offpeg_multiplier"),
        (replace(state, offpeg_multiplier=10**20), "offpeg_multiplier"),
        (replace(state, ramp=Ramp(0, 5, 0, 0)), "initial_a"),
        (replace(state, ramp=Ramp(5, 10**6, 0, 0)), "future_a"),
        (replace(state, ramp=Ramp(5, 6, 9, 9)), "future_time"),
        (replace(state, base=pools.plain()), "base"),
        (replace(compound, compound=()), "compound[0]"),
        (replace(compound, compound=(None,)), "compound"),
        (replace(state, terms=replace(state.terms, coins=coins[:1])), "coins"),
        (replace(state, terms=replace(state.terms, coins=(coins[0],) * 3)), "coins"),
        (replace(state, terms=replace(state.terms, underlying=coins[:2])), "underlying"),
        (replace(state, terms=replace(state.terms, decimals=(19, 6, 6))), "decimals[0]"),
        (replace(state, terms=replace(state.terms, decimals=(6, 6))), "decimals"),
        (replace(state, terms=replace(state.terms, rate_sources=())), "rate_sources"),
        (replace(state, terms=replace(state.terms, a_precision=10)), "a_precision"),
    ):
        with pytest.raises(MalformedPoolError) as caught:
            checked_state(broken)
        assert caught.value.field == field
