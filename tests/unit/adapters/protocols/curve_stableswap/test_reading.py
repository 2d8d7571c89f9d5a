"""Describing and reading: whatever stood in the contracts is found, or refused with a reason.

Oracle: the state that a mirror of the contracts was made from.
"""

import asyncio

import msgspec
import pytest
from tests.support.curve_mirror import BLOCK, Mirror, words
from tests.unit.adapters.protocols.curve_stableswap import pools
from tests.unit.adapters.protocols.curve_stableswap.pools import NUMBER, TIME, token

from headrace.adapters.protocols.curve_stableswap import CurveStableswap
from headrace.adapters.protocols.curve_stableswap.detection import KNOWN_BASES
from headrace.adapters.protocols.curve_stableswap.state import NATIVE, CurveStableswapState, RateSource
from headrace.adapters.protocols.words import call_data
from headrace.errors import MalformedAnswerError, MalformedPoolError
from headrace.kernels.stableswap import ProductRounding
from headrace.model.address import Address, Hash32

UNDERLYING = (token(11), token(12))


def mirror() -> Mirror:
    return Mirror(NUMBER, TIME)


def found(node: Mirror, state: CurveStableswapState) -> CurveStableswapState:
    async def both() -> CurveStableswapState:
        dex = CurveStableswap()
        pool = await dex.describe(node.chain, "curve", state.pool.id, BLOCK)
        return (await dex.read(node.chain, [pool], BLOCK))[0]

    return asyncio.run(both())


def refused(node: Mirror, state: CurveStableswapState, why: str) -> None:
    with pytest.raises(MalformedPoolError, match=why):
        found(node, state)


def test_a_plain_pool_is_found() -> None:
    node, state = mirror(), pools.plain()
    node.show(state)
    assert found(node, state) == state


def test_a_pool_of_the_first_kind_with_narrow_indices_and_a_that_stands_still_is_found() -> None:
    node, state = mirror(), pools.bare()
    node.show(state, "int128")
    node.show_underlying(state, state.terms.coins, "int128")
    assert found(node, state) == state


def test_a_compound_pool_is_found_with_what_its_tokens_store() -> None:
    node, state = mirror(), pools.compound()
    node.show(state, "int128")
    node.show_underlying(state, UNDERLYING, "int128")
    assert found(node, state) == state


def test_a_yearn_pool_is_found_without_its_underlying_coins() -> None:
    node, state = mirror(), pools.yearn()
    node.show(state)
    node.show_underlying(state, UNDERLYING, "uint256")
    assert found(node, state) == state


def test_an_aave_pool_is_found_with_its_fee_off_the_peg() -> None:
    node, state = mirror(), pools.aave()
    node.show(state)
    node.show_underlying(state, UNDERLYING, "uint256")
    assert found(node, state) == state


@pytest.mark.parametrize("has_length", [True, False])
def test_a_pool_with_rates_of_its_own_is_found(*, has_length: bool) -> None:
    node, state = mirror(), pools.rated()
    node.show(state)
    node.say(state.pool.address, "stored_rates()", *((32, 2) if has_length else ()), *state.rates)
    node.say(state.pool.address, "totalSupply()", 2 * 10**24)
    assert found(node, state) == state


@pytest.mark.parametrize("is_cached", [True, False])
def test_a_metapool_is_found_with_its_base_pool(*, is_cached: bool) -> None:
    node, state = mirror(), pools.meta(pools.plain(), is_cached=is_cached)
    node.show(state)
    assert found(node, state) == state


def test_a_base_pool_is_known_by_its_token_where_the_metapool_does_not_name_it() -> None:
    token_of_base, address = next(iter(KNOWN_BASES.items()))
    base = pools.plain()
    base = msgspec.structs.replace(base, pool=msgspec.structs.replace(base.pool, id=address, address=address))
    state = pools.meta(base, is_cached=False)
    coins = (state.terms.coins[0], token_of_base)
    renamed = msgspec.structs.replace(state.terms, coins=coins)
    named = msgspec.structs.replace(state.pool, tokens=(*coins, *base.terms.coins))
    state = msgspec.structs.replace(state, terms=renamed, pool=named)
    node = mirror()
    node.show(state)
    node.silence(state.pool.address, "base_pool()")
    assert found(node, state) == state


def test_a_pool_whose_redemption_price_moves_is_found() -> None:
    state = pools.meta(pools.plain())
    sources = (RateSource.REDEMPTION, RateSource.BASE_POOL)
    terms = msgspec.structs.replace(state.terms, rate_sources=sources)
    state = msgspec.structs.replace(state, terms=terms, rates=(297 * 10**16, 0))
    node = mirror()
    node.show(state)
    node.say(state.pool.address, "redemption_price_snap()", int(token(77), 16))
    node.say(token(77), "snappedRedemptionPrice()", 297 * 10**25)
    assert found(node, state) == state


def test_a_pool_whose_a_moves_is_read_at_each_block() -> None:
    state = pools.plain()
    ramp = msgspec.structs.replace(state.ramp, future_a=3000, initial_time=TIME - 10, future_time=TIME + 90)
    moving = msgspec.structs.replace(state, ramp=ramp, read_at=NUMBER, read_time=TIME)
    node = mirror()
    node.show(moving)
    assert found(node, moving) == moving


def test_a_base_pool_whose_withdrawals_hold_nothing_back_is_found() -> None:
    base = pools.plain()
    terms = msgspec.structs.replace(base.terms, withdrawal_held_back=0)
    state = pools.meta(msgspec.structs.replace(base, terms=terms))
    node = mirror()
    node.show(state)
    assert found(node, state) == state


def test_a_lending_base_pool_is_found_although_no_way_leads_through_it() -> None:
    state = pools.meta(pools.yearn())
    assert state.base is not None
    node = mirror()
    node.show(state)
    node.show_underlying(state.base, UNDERLYING, "uint256")
    assert found(node, state) == state


def test_what_cannot_be_told_or_paid_is_refused_with_the_reason() -> None:
    state = pools.plain()
    pool = state.pool.address

    def changed(contract: Address, signature: str, *values: int) -> Mirror:
        node = mirror()
        node.show(state)
        node.say(contract, signature, *values)
        return node

    refused(changed(pool, "gamma()", 5), state, "CryptoSwap")
    refused(changed(token(2), "decimals()", 19), state, "decimals: .* says 19")
    refused(changed(pool, "base_pool()", 1 << 200), state, "no address")
    refused(changed(pool, "A_precise()", 5), state, "no known kind")
    refused(changed(pool, "fee()", 10**10), state, "fee")
    refused(changed(pool, "future_A()", 0), state, "future_a: 0")
    node = mirror()
    node.show(state)
    node.say(pool, "coins(uint256)", int(NATIVE, 16), arguments=(1,))
    refused(node, state, "ether")
    node = mirror()
    refused(node, state, "does not answer as a StableSwap pool")
    node.show(state)
    node.silence(pool, "fee()")
    refused(node, state, "fee: the contract does not answer")


def test_a_pool_that_answers_as_none_that_is_known_is_refused() -> None:
    node, state = mirror(), pools.plain()
    node.show(state)
    node.compute(state.pool.address, "get_dy(int128,int128,uint256)", lambda asked: asked[2] // 2)
    refused(node, state, "no known kind")
    node.compute(state.pool.address, "get_dy(int128,int128,uint256)", lambda asked: asked[2] // (asked[2] - asked[2]))
    refused(node, state, "empty pool")


def test_a_lender_that_is_not_known_is_refused() -> None:
    node, state = mirror(), pools.yearn()
    node.show(state)
    node.show_underlying(state, UNDERLYING, "uint256")
    node.silence(token(2), "getPricePerFullShare()")
    refused(node, state, "cannot be told")


def test_rates_that_are_none_are_refused() -> None:
    state = pools.rated()
    for answer in (words(32, 9, 1), words(64) + b"1", words(10**18)):
        node = mirror()
        node.show(state)
        node.fixed[state.pool.address, call_data("stored_rates()")] = answer
        refused(node, state, "rates")


@pytest.mark.parametrize("rounding", list(ProductRounding))
@pytest.mark.parametrize("is_meta", [True, False])
def test_uneven_deposits_tell_how_d_is_rounded(rounding: ProductRounding, *, is_meta: bool) -> None:
    state = pools.meta(pools.plain()) if is_meta else pools.late()
    terms = msgspec.structs.replace(state.terms, rounding=rounding)
    state = msgspec.structs.replace(state, terms=terms)
    node = mirror()
    node.show(state)
    node.say(state.pool.address, "lp_token()", int(token(31), 16))
    node.say(token(31), "totalSupply()", 3 * 10**24)
    node.show_deposits(msgspec.structs.replace(state, supply=3 * 10**24))
    assert found(node, state) == state


def test_a_metapool_over_a_base_pool_without_any_token_is_refused() -> None:
    state = pools.meta(pools.plain(), is_cached=False)
    assert state.base is not None
    node = mirror()
    node.show(state)
    node.say(state.terms.coins[-1], "totalSupply()", 0)
    refused(node, state, "calc_withdraw_one_coin|no price|no known kind|empty pool")


def test_a_base_pool_on_a_base_pool_is_refused() -> None:
    state = pools.meta(pools.plain())
    assert state.base is not None
    node = mirror()
    node.show(state)
    node.say(state.base.pool.address, "base_pool()", int(token(99), 16))
    refused(node, state, "stands on another")


def test_a_base_pool_whose_withdrawals_are_of_no_known_kind_is_refused() -> None:
    state = pools.meta(pools.plain())
    assert state.base is not None
    for answer in (lambda asked: asked[0], lambda asked: asked[0] // 0):
        node = mirror()
        node.show(state)
        node.compute(state.base.pool.address, "calc_withdraw_one_coin(uint256,int128)", answer)
        refused(node, state, "base pool does|calc_withdraw_one_coin")


def test_a_block_that_the_node_does_not_know_is_an_answer_of_no_form() -> None:
    node, state = mirror(), pools.plain()
    node.show(state)
    with pytest.raises(MalformedAnswerError):
        asyncio.run(CurveStableswap().read(node.chain, [state.pool], Hash32("0x" + "77" * 32)))
