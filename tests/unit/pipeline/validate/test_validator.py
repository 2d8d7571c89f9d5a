from fractions import Fraction

import msgspec
import pytest
from tests.support.market import (
    ACCOUNT,
    DAI,
    DEXES,
    ETHER,
    GWEI,
    USD_PRICES,
    USDC,
    WETH,
    Holdings,
    Lender,
    Prices,
    changed,
    found,
    header,
    mispriced,
    pair,
    snapshot,
    validator,
)

from headrace.adapters.protocols.uniswap_v2 import UniswapV2
from headrace.adapters.protocols.uniswap_v2.dex import GAS_PER_HOP
from headrace.adapters.protocols.uniswap_v2.state import UniswapV2State
from headrace.model.account import chain_scope, strategy_scope, token_scope, venue_scope
from headrace.model.address import ZERO_ADDRESS, Address, PoolId
from headrace.model.block import BlockContext, next_block
from headrace.model.executor_plan import Funding
from headrace.model.opportunity import Validated
from headrace.model.proof import Proof
from headrace.model.refusal import Reason, Refusal
from headrace.model.route import Route
from headrace.model.snapshot import Snapshot
from headrace.pipeline.plan.intent import intent_of
from headrace.pipeline.validate.funding import FLASH_SWAP_GAS, FundingDesk
from headrace.pipeline.validate.quoting import NativeQuote
from headrace.pipeline.validate.validator import PLAN_GAS, Validator
from headrace.ports.pool import PoolState


def judge(market: Snapshot[UniswapV2State], by: Validator | None = None) -> Validated | Refusal:
    (best,) = found(market)[:1]
    return (by or validator()).validate(best, market, next_block(market.header, 12))


def accepted(market: Snapshot[UniswapV2State], by: Validator | None = None) -> Validated:
    verdict = judge(market, by)
    assert isinstance(verdict, Validated), verdict
    return verdict


def refused(market: Snapshot[UniswapV2State], by: Validator | None = None) -> Reason:
    verdict = judge(market, by)
    assert isinstance(verdict, Refusal), verdict
    assert verdict.detail
    return verdict.reason


def by_hand(amount: int, reserve_in: int, reserve_out: int) -> int:
    """Uniswap v2's getAmountOut, written out from UniswapV2Library."""
    fee_free = amount * 997
    return fee_free * reserve_out // (reserve_in * 1000 + fee_free)


def test_a_validated_opportunity_carries_the_amounts_that_the_pairs_pay() -> None:
    """Oracle: UniswapV2Library's published formula."""
    market = mispriced()
    valid = accepted(market)
    amount, middle, last = valid.amounts_units
    first, second = (market.states[market.index_of[hop.pool]] for hop in valid.opportunity.route.hops)
    assert middle == by_hand(amount, first.reserve0, first.reserve1)
    assert last == by_hand(middle, second.reserve1, second.reserve0)
    assert valid.profit_units == last - amount > 0
    assert valid.profit_native_wei == valid.profit_units
    assert valid.expires_block == 102


def test_the_size_is_within_a_millionth_of_the_best_by_brute_force() -> None:
    market = mispriced()
    valid = accepted(market)
    first, second = (market.states[market.index_of[hop.pool]] for hop in valid.opportunity.route.hops)

    def profit(amount: int) -> int:
        middle = by_hand(amount, first.reserve0, first.reserve1)
        return by_hand(middle, second.reserve1, second.reserve0) - amount

    best = max(profit(at * ETHER // 1000) for at in range(1, 5000))
    assert valid.profit_units >= best * (1 - 1e-6)


def test_what_pays_for_its_gas_and_the_minimum_passes_and_the_contract_is_told_the_same_floor() -> None:
    valid = accepted(mispriced())
    gas = PLAN_GAS + FLASH_SWAP_GAS + 2 * GAS_PER_HOP
    assert valid.gas_estimate == gas
    worst = gas * (12 * GWEI + GWEI // 4)  # the deadline is a full block later: an eighth more
    minimum = 500_000 * 10**18 // (3000 * 10**6)
    assert worst + minimum <= valid.profit_min_units <= worst + minimum + 3
    assert valid.reservation.loss_usd_micro == -(-2 * gas * 21 * GWEI * 3000 // 10**12)
    assert valid.reservation.native_usd_pico == 3000 * 10**12
    assert valid.reservation.capital_units == 0
    assert valid.reservation.pools == valid.opportunity.route.pools


def test_each_stop_is_named() -> None:
    market = mispriced()
    assert refused(market, validator(oracle=Prices({}))) is Reason.NO_FRESH_PRICE
    assert refused(market, validator(oracle=Prices({USDC.address: 10**12}))) is Reason.NO_FRESH_PRICE
    assert refused(market, validator(changed(gas_price_wei_max=10 * GWEI))) is Reason.GAS_PRICE_TOO_HIGH
    assert refused(market, validator(changed(profit_usd_micro_min=10**12))) is Reason.BELOW_MIN_PROFIT
    assert refused(market, validator(changed(gas_usd_micro_max=1))) is Reason.GAS_COST_TOO_HIGH
    assert refused(market, validator(changed(gas_share_ppm_max=1))) is Reason.GAS_COST_TOO_HIGH
    assert refused(mispriced(gap_bps=80)) is Reason.NOT_PROFITABLE_AFTER_GAS
    accepted(market, validator(changed(gas_usd_micro_max=10**9, gas_share_ppm_max=10**6)))


def test_an_opportunity_of_another_block_is_refused() -> None:
    market = mispriced()
    (best,) = found(market)[:1]
    later = mispriced()
    later.header = header(101)
    verdict = validator().validate(best, later, next_block(later.header, 12))
    assert isinstance(verdict, Refusal)
    assert verdict.reason is Reason.BLOCK_PASSED


def test_a_pool_that_changed_to_nothing_is_refused_not_believed() -> None:
    market = mispriced()
    (best,) = found(market)[:1]
    emptied = snapshot(*(msgspec.structs.replace(state, reserve0=0, reserve1=0) for state in market.states))
    verdict = validator().validate(best, emptied, next_block(market.header, 12))
    assert isinstance(verdict, Refusal)
    assert verdict.reason is Reason.POOL_UNQUOTABLE


class Unproven(UniswapV2):
    """The real plug-in, without its proof."""

    def __init__(self, pool: PoolId) -> None:
        super().__init__({"a": 3000, "b": 3000})
        self.pool = pool
        self.quoted = 0

    def proof_of(self, state: PoolState) -> Proof:
        return Proof.UNPROVEN if state.pool.id == self.pool else super().proof_of(state)

    def quote_out(
        self, state: PoolState, token_in: Address, token_out: Address, amount_in: int, at: BlockContext
    ) -> int:
        self.quoted += 1
        return super().quote_out(state, token_in, token_out, amount_in, at)


def test_a_route_through_an_unproven_pool_is_refused_unquoted_until_the_configuration_allows_it() -> None:
    market = mispriced()
    for pool in market.pools:
        dex = Unproven(pool.id)
        dexes = {dex.protocol_id: dex}
        verdict = judge(market, validator(dexes=dexes))
        assert isinstance(verdict, Refusal)
        assert verdict.reason is Reason.POOL_UNPROVEN
        for named in (pool.id, pool.venue, pool.protocol, "risk.trade_unproven_pools"):
            assert named in verdict.detail
        assert dex.quoted == 0
        accepted(market, validator(changed(trades_unproven_pools=True), dexes=dexes))
        assert dex.quoted > 0
    elsewhere = Unproven(PoolId("0x" + "99" * 20))
    accepted(market, validator(dexes={elsewhere.protocol_id: elsewhere}))


class Moving(UniswapV2):
    """The real plug-in, with pools that something moves without a log from a block on."""

    def __init__(self, block: int) -> None:
        super().__init__({"a": 3000, "b": 3000})
        self.block = block

    def is_outdated(self, state: PoolState, block_number: int) -> bool:
        return super().is_outdated(state, block_number) or block_number >= self.block


@pytest.mark.parametrize(("block", "expected"), [(101, True), (102, False)])
def test_a_quote_that_time_alone_outdates_is_known_as_one_for_its_block(block: int, *, expected: bool) -> None:
    market, dex = mispriced(), Moving(block)
    valid = accepted(market, validator(dexes={dex.protocol_id: dex}))
    assert valid.context.number == 101
    assert valid.is_for_one_block is expected
    assert intent_of(valid, market).is_for_one_block is expected
    assert not accepted(market).is_for_one_block


def test_what_gas_is_worth_is_not_told_by_an_unproven_pool() -> None:
    market = mispriced()
    at = next_block(market.header, 12)
    worth = {
        pool.id: NativeQuote(WETH.address, {pool.protocol: Unproven(pool.id)}).native_wei(
            USDC.address, 10**6, market, at
        )
        for pool in market.pools
    }
    believed = NativeQuote(WETH.address, DEXES).native_wei(USDC.address, 10**6, market, at)
    first, second = (value or 0 for value in worth.values())
    assert first != second
    assert max(first, second) == believed
    alone = snapshot(market.states[0])
    unproven = Unproven(market.pools[0].id)
    native = NativeQuote(WETH.address, {unproven.protocol_id: unproven})
    assert native.native_wei(USDC.address, 10**6, alone, at) is None


def test_a_trade_above_the_limit_is_cut_to_it() -> None:
    limit = changed(trade_usd_micro_max=1_500 * 10**6)
    valid = accepted(mispriced(gap_bps=500), validator(limit))
    assert valid.amounts_units[0] == ETHER // 2
    assert valid.reservation.exposure_usd_micro == 1_500 * 10**6
    assert accepted(mispriced(gap_bps=500)).amounts_units[0] > ETHER


def test_a_trade_is_cut_to_the_least_cap_on_what_it_is_exposed_to() -> None:
    scopes = accepted(mispriced(gap_bps=500)).reservation.scopes
    assert set(scopes) == {
        chain_scope(ACCOUNT.chain_id),
        strategy_scope("spatial"),
        venue_scope("a"),
        venue_scope("b"),
        token_scope(WETH.address),
        token_scope(USDC.address),
    }
    for scope in scopes:
        caps = {scope: 1_500 * 10**6, venue_scope("elsewhere"): 1}
        valid = accepted(mispriced(gap_bps=500), validator(changed(exposure_usd_micro_max_by=caps)))
        assert valid.amounts_units[0] == ETHER // 2


def test_a_token_that_no_pool_turns_into_gas_is_refused() -> None:
    usdc, dai = 10**6 * 10**6, 10**6 * ETHER
    market = snapshot(
        UniswapV2State(pair(1, "a", USDC, DAI), usdc, dai),
        UniswapV2State(pair(2, "b", USDC, DAI), usdc, dai * 103 // 100),
    )
    assert refused(market) is Reason.NO_NATIVE_QUOTE


def test_profit_in_another_token_is_converted_by_the_best_exact_quote() -> None:
    market = mispriced()
    at = next_block(market.header, 12)
    quotes = [by_hand(10**6, state.reserve1, state.reserve0) for state in market.states]
    native = NativeQuote(WETH.address, DEXES)
    assert native.native_wei(USDC.address, 10**6, market, at) == max(quotes)
    assert native.native_wei(WETH.address, 7, market, at) == 7
    assert native.native_wei(DAI.address, 7, market, at) is None


def test_gas_in_a_coarse_token_is_rounded_against_us() -> None:
    market = mispriced(gap_bps=300)
    (best,) = found(market, USDC)[:1]
    valid = validator().validate(best, market, next_block(market.header, 12))
    assert isinstance(valid, Validated)
    exact = Fraction(valid.gas_estimate * (12 * GWEI + GWEI // 4) * (valid.amounts_units[-1] - valid.amounts_units[0]))
    native = NativeQuote(WETH.address, DEXES).native_wei(
        USDC.address, valid.amounts_units[-1] - valid.amounts_units[0], market, valid.context
    )
    assert native is not None
    exact /= native
    assert valid.profit_min_units >= exact + 500_000


@pytest.mark.parametrize(
    ("holdings", "lenders", "expected"),
    [
        ({WETH.address: 10**24}, [], Funding.OWN_CAPITAL),
        ({WETH.address: 1}, [], Funding.FLASH_SWAP),
        ({}, [Lender(Funding.AAVE_V3_FLASH_LOAN, fee=Fraction(5, 10_000))], Funding.FLASH_SWAP),
        ({}, [Lender(Funding.BALANCER_V2_FLASH_LOAN, fee=Fraction(0), gas=-(10**6))], Funding.BALANCER_V2_FLASH_LOAN),
    ],
)
def test_the_cheapest_money_is_taken(holdings: dict[Address, int], lenders: list[Lender], expected: Funding) -> None:
    valid = accepted(mispriced(), validator(funding=FundingDesk(Holdings(holdings), lenders, DEXES)))
    assert valid.funding.funding is expected
    assert valid.reservation.capital_units == (valid.amounts_units[0] if expected is Funding.OWN_CAPITAL else 0)


class NoFlashSwap(UniswapV2):
    supports_flash_swap = False


def test_a_loan_costs_its_fee_and_a_source_that_the_plan_locks_is_never_used() -> None:
    market = mispriced(gap_bps=300)
    dexes = {name: NoFlashSwap({"a": 3000, "b": 3000}) for name in DEXES}
    locked = Lender(Funding.UNISWAP_V3_FLASH, fee=Fraction(0), locked=frozenset({market.pools[0].id}))
    aave = Lender(Funding.AAVE_V3_FLASH_LOAN, fee=Fraction(5, 10_000), gas=130_000)
    valid = accepted(market, validator(funding=FundingDesk(Holdings(), [locked, aave], dexes)))
    assert valid.funding.funding is Funding.AAVE_V3_FLASH_LOAN
    assert valid.funding.fee_units == -(-valid.amounts_units[0] * 5 // 10_000)
    assert valid.profit_units == valid.amounts_units[-1] - valid.amounts_units[0] - valid.funding.fee_units
    assert refused(market, validator(funding=FundingDesk(Holdings(), [locked], dexes))) is Reason.NO_FUNDING


def test_a_lender_that_is_closed_is_no_engine_and_says_why_where_nobody_else_lends() -> None:
    market = mispriced(gap_bps=300)
    dexes = {name: NoFlashSwap({"a": 3000, "b": 3000}) for name in DEXES}
    closed = Lender(Funding.AAVE_V3_FLASH_LOAN, fee=Fraction(0), closed="the reserve is paused")
    dear = Lender(Funding.BALANCER_V2_FLASH_LOAN, fee=Fraction(1, 1000))
    valid = accepted(market, validator(funding=FundingDesk(Holdings(), [closed, dear], dexes)))
    assert valid.funding.funding is Funding.BALANCER_V2_FLASH_LOAN
    verdict = judge(market, validator(funding=FundingDesk(Holdings(), [closed], dexes)))
    assert isinstance(verdict, Refusal)
    assert verdict.reason is Reason.NO_FUNDING
    assert verdict.detail.endswith("for this route: the reserve is paused")


STOPPED = Refusal(Reason.REHEARSAL_REVERTED, "the lender is shut")


def test_each_source_of_money_is_tried_once_and_the_cheapest_of_the_others_is_next() -> None:
    market = mispriced(gap_bps=300)
    free = Lender(Funding.BALANCER_V2_FLASH_LOAN, fee=Fraction(0), gas=20_000)
    aave = Lender(Funding.AAVE_V3_FLASH_LOAN, fee=Fraction(5, 10_000), gas=110_000)
    judge_ = validator(funding=FundingDesk(Holdings({WETH.address: 10**24}), [aave, free], DEXES))
    verdict: Validated | Refusal = accepted(market, judge_)
    order, seen = [], []
    while isinstance(verdict, Validated):
        order.append(verdict.funding.funding)
        seen.append(verdict)
        verdict = judge_.on_next_engine(verdict, STOPPED, market)
    assert order == [
        Funding.OWN_CAPITAL,
        Funding.FLASH_SWAP,
        Funding.BALANCER_V2_FLASH_LOAN,
        Funding.AAVE_V3_FLASH_LOAN,
    ]
    assert verdict.reason is Reason.NO_FUNDING
    first, last = seen[0], seen[-1]
    assert [one.engine for one in last.engines_refused] == ["own_capital", "flash_swap", "flash_loan"]
    assert last.engines_refused[-1].lender == free.lender
    assert {one.refusal for one in last.engines_refused} == {STOPPED}
    assert first.engines_refused == ()
    assert {one.amounts_units for one in seen} == {first.amounts_units}
    assert first.profit_units - last.profit_units == last.funding.fee_units > 0
    assert first.reservation.capital_units == first.amounts_units[0]
    assert last.reservation.capital_units == 0
    assert first.profit_min_units < last.profit_min_units  # its gas


def test_the_next_engine_is_not_taken_where_it_costs_more_than_the_trade_earns_or_nothing_can_be_priced() -> None:
    market = mispriced(gap_bps=150)
    dear = Lender(Funding.AAVE_V3_FLASH_LOAN, fee=Fraction(1, 100))
    dexes = {name: NoFlashSwap({"a": 3000, "b": 3000}) for name in DEXES}
    desk = FundingDesk(Holdings({WETH.address: 10**24}), [dear], dexes)
    valid = accepted(market, validator(funding=desk))
    for by, reason in (
        (validator(funding=desk), Reason.NOT_PROFITABLE_AFTER_GAS),
        (validator(funding=desk, oracle=Prices({})), Reason.NO_FRESH_PRICE),
        (validator(changed(gas_price_wei_max=1), funding=desk), Reason.GAS_PRICE_TOO_HIGH),
    ):
        verdict = by.on_next_engine(valid, STOPPED, market)
        assert isinstance(verdict, Refusal)
        assert verdict.reason is reason


def test_prices_of_the_fixture_are_those_of_its_pools() -> None:
    assert USD_PRICES[WETH.address] == 3000 * USD_PRICES[USDC.address]


def test_the_fee_for_data_is_charged_besides_gas() -> None:
    market = mispriced()
    (best,) = found(market)[:1]
    plain = validator().validate(best, market, next_block(market.header, 12))
    fee_wei = ETHER // 100
    charged = validator().validate(best, market, next_block(market.header, 12, l1_fee_wei=fee_wei))
    assert isinstance(plain, Validated)
    assert isinstance(charged, Validated)
    dearer_units = charged.profit_min_units - plain.profit_min_units
    assert best.route.token_in == WETH.address
    assert dearer_units == fee_wei
    assert charged.reservation.l1_fee_wei == 2 * fee_wei
    worst_wei = 2 * charged.gas_estimate * 21 * GWEI + 2 * fee_wei  # twice the table's gas, and data besides
    assert charged.reservation.loss_usd_micro == -(-worst_wei * 3000 // 10**12)
    assert plain.reservation.l1_fee_wei == 0


def test_a_fee_for_data_above_the_profit_refuses_before_anything_is_quoted() -> None:
    market = mispriced()
    (best,) = found(market)[:1]
    verdict = validator().validate(best, market, next_block(market.header, 12, l1_fee_wei=100 * ETHER))
    assert isinstance(verdict, Refusal)
    assert verdict.reason == Reason.NOT_PROFITABLE_AFTER_GAS


def test_a_fee_for_data_counts_for_the_limit_on_the_cost_of_gas() -> None:
    market = mispriced()
    (best,) = found(market)[:1]
    limited = validator(changed(gas_usd_micro_max=20_000_000))
    assert isinstance(limited.validate(best, market, next_block(market.header, 12)), Validated)
    verdict = limited.validate(best, market, next_block(market.header, 12, l1_fee_wei=ETHER // 100))
    assert isinstance(verdict, Refusal)
    assert verdict.reason == Reason.GAS_COST_TOO_HIGH


def test_a_route_through_the_native_currency_is_refused_since_the_executor_has_no_step_for_it() -> None:
    market = mispriced()
    (best,) = found(market)[:1]
    hops = [
        msgspec.structs.replace(
            hop, **{side: ZERO_ADDRESS for side in ("token_in", "token_out") if getattr(hop, side) == USDC.address}
        )
        for hop in best.route.hops
    ]
    native = msgspec.structs.replace(best, route=Route(tuple(hops)))
    verdict = validator().validate(native, market, next_block(market.header, 12))
    assert isinstance(verdict, Refusal)
    assert verdict.reason is Reason.POOL_UNEXECUTABLE
