from collections.abc import Callable
from fractions import Fraction

import pytest
from tests.support.config_sample import FILE, SAMPLE

from headrace.app import limits
from headrace.app.config.load import parse_config
from headrace.app.config.tree import Config
from headrace.errors import ConfigError
from headrace.model.account import chain_scope, strategy_scope, token_scope, venue_scope
from headrace.model.address import ChainId
from headrace.model.pool import ProtocolId

GWEI = 10**9


@pytest.fixture
def config() -> Config:
    return parse_config(SAMPLE, FILE)


def priced(usd_pico: int | None) -> Callable[[str], int | None]:
    return lambda symbol: usd_pico if symbol == "WETH" else None


def test_what_a_trade_must_earn_and_may_cost_comes_from_the_file_alone(config: Config) -> None:
    found = limits.thresholds(config, priced(3_000 * 10**12))
    assert found.profit_usd_micro_min == 500_000
    assert found.trade_usd_micro_max == 5_000_000_000
    assert found.gas_price_wei_max == 5 * GWEI  # the level at which the agent waits is below the engine's cap
    assert found.priority_fee_wei == 1
    assert found.deadline_blocks == 2
    assert found.gas_usd_micro_max == 25_000_000
    assert found.gas_share_ppm_max == 900_000
    assert not found.trades_unproven_pools  # the default


def test_unproven_pools_are_traded_only_where_the_file_says_so() -> None:
    text = SAMPLE.replace("    var_confidence: 0.95\n", "    var_confidence: 0.95\n    trade_unproven_pools: true\n")
    assert limits.thresholds(parse_config(text, FILE), priced(3_000 * 10**12)).trades_unproven_pools


def test_a_limit_in_a_token_is_converted_at_the_feeds_price_rounding_down(config: Config) -> None:
    found = limits.rules(config, priced(3_000_000_000_000_003)).limits
    assert found.daily_loss_usd_micro_max == 1_500_000_000
    assert found.position_usd_micro_max == 100_000_000_001
    assert found.allocation_max == Fraction(1, 2)
    assert (found.position_count_max, found.executions_max, found.execution_seconds_max) == (10, 3, 300)


def test_caps_on_exposure_are_by_token_venue_strategy_and_chain_rounding_down(config: Config) -> None:
    found = limits.rules(config, priced(3_000_000_000_000_003)).limits.exposure_usd_micro_max_by
    assert found == {
        token_scope(config.chain.tokens["USDC"]): 2_000_000_000,
        token_scope(config.chain.tokens["WETH"]): 3_000_000_000,
        venue_scope("uniswap_v2"): 1_500_500_000,
        strategy_scope("spatial"): 3_000_000_000,
        chain_scope(ChainId(1)): 4_000_000_000,
    }
    assert limits.thresholds(config, priced(3_000_000_000_000_003)).exposure_usd_micro_max_by == found


def test_a_least_profit_in_a_token_is_converted_rounding_up() -> None:
    config = parse_config(SAMPLE.replace("min_profit_usd: 0.50", "min_profit_usd: 0.001 WETH"), FILE)
    assert limits.thresholds(config, priced(3_000_000_000_000_001)).profit_usd_micro_min == 3_000_001


def test_a_limit_in_a_token_without_a_fresh_price_stops_the_start(config: Config) -> None:
    with pytest.raises(ConfigError, match=r"0\.5 WETH needs a fresh dollar price of WETH"):
        limits.rules(config, priced(None))


def test_gas_multipliers_and_fees_follow_the_file(config: Config) -> None:
    rules = limits.rehearsal_rules(config)
    assert rules.gas_limit(100, [ProtocolId("uniswap_v2")]) == 120
    assert rules.gas_limit(101, [ProtocolId("uniswap_v2"), ProtocolId("balancer_v2")]) == 137
    assert limits.fee_policy(config).fees_wei(GWEI) == (2 * GWEI + 1, 1)
    assert limits.rules(config, priced(10**12)).confirmations == 12
