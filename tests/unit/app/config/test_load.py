"""What a valid configuration says, exactly."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.config_sample import FILE, POOL_ID, sample, spoiled

from headrace.app.config.exact import scaled_integer
from headrace.app.config.load import load_config, parse_config
from headrace.app.config.money import Money
from headrace.app.config.shown import to_yaml
from headrace.model.address import Address, checksum

ROOT = Path(__file__).parents[4]
ATTO = 10**18


def test_money_and_units_arrive_as_exact_integers() -> None:
    config = sample()
    arbitrage = config.strategies.arbitrage
    assert arbitrage.min_profit_usd == Money("USD", 500_000)
    assert arbitrage.max_position_usd == Money("USD", 100_000_000_001)
    assert config.risk.max_daily_loss_usd == Money("WETH", ATTO // 2)
    assert config.execution.flash_loan.max_gas_price_wei == 100_500_000_000
    assert config.execution.capital.max_allocation_ppm == 500_000
    assert config.execution.transactions.gas_limit_multiplier_ppm == 1_200_000
    assert config.execution.transactions.gas_limit_multipliers_ppm == {"balancer_v2": 1_350_000}
    assert config.execution.transactions.priority_fee_wei == 1
    assert config.risk.var_confidence_ppm == 950_000
    assert config.chain.block_time_ms == 250
    assert config.chain.gas_thresholds.ultra_low_wei == 10**8


def test_names_are_resolved() -> None:
    config = sample()
    assert config.chain_name == "ethereum"
    assert config.chain.wrapped_native_address == "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"
    assert config.chain.start_token_addresses == tuple(config.chain.tokens.values())
    assert config.venues["uniswap_v2"].protocol == "uniswap_v2"
    assert config.venues["uniswap_v2"].fee_pips == 3000
    assert config.venues["pancake"].fee_pips == 2550
    assert config.venues["balancer_v2"].pools == (POOL_ID,)
    assert config.data_dir == Path("/etc/headrace/data")
    assert config.journal_path == Path("/etc/headrace/data/journal.sqlite")
    assert config.wallet is not None
    assert config.wallet.keystore == Path("/etc/headrace/keys")
    assert config.chain.reorg_depth_blocks == 64


def test_a_venue_whose_pools_are_discovered_says_from_where_and_how_they_are_checked() -> None:
    code_hash = "0x" + "Ab" * 32
    keys = f'discover: {{from_block: 10000835}}\n        init_code_hash: "{code_hash}"'
    text = spoiled("fee_bps: 25.5", f"fee_bps: 25.5\n        {keys}")
    text = text.replace("public_mempool", f'multicall: "0x{"cA" * 20}"\n      public_mempool'.lower())
    config = parse_config(text, FILE)
    venue = config.venues["pancake"]
    assert venue.discover is not None
    assert venue.discover.from_block == 10_000_835
    assert venue.init_code_hash == code_hash.lower()
    assert config.venues["uniswap_v2"].discover is None
    assert config.chain.multicall == "0x" + "ca" * 20
    assert parse_config(to_yaml(config), FILE) == config


@pytest.mark.parametrize("url", ["ws://[::1]:8546", "wss://node.example/rpc", "/run/node.ipc"])
def test_a_node_is_a_websocket_or_a_socket_file(url: str) -> None:
    assert parse_config(spoiled("rpc: ws://127.0.0.1:8546", f'rpc: "{url}"'), FILE).chain.rpc.reveal() == url


@given(st.decimals(min_value=0, max_value=10**12, places=6))
def test_every_dollar_amount_of_six_decimals_is_read_exactly(amount: Decimal) -> None:
    """Oracle: Python's decimal arithmetic."""
    assert scaled_integer(f"{amount:f}", 6, "") == int(amount * 10**6)


@pytest.mark.parametrize(
    ("amount", "unit"), [("50", "USD"), ('"50.0"', "USD"), ("50.0 USD", "USD"), ("50 WETH", "WETH")]
)
def test_money_is_dollars_unless_a_token_is_named(amount: str, unit: str) -> None:
    money = parse_config(spoiled("min_profit_usd: 0.50", f"min_profit_usd: {amount}"), FILE).strategies.arbitrage
    assert str(money.min_profit_usd) == f"50 {unit}"


def test_a_limit_in_a_token_has_a_dollar_value_only_at_a_price() -> None:
    money = Money("WETH", 1)  # 1e-18 WETH
    price = 3_000 * 10**12
    assert (money.usd_micro_down(price), money.usd_micro_up(price)) == (0, 1)
    assert Money("WETH", 2 * ATTO).usd_micro_down(price) == 6_000_000_000
    assert (money.usd_micro_down(), money.usd_micro_up()) == (None, None)
    assert (Money("USD", 7).usd_micro_down(), Money("USD", 7).usd_micro_up()) == (7, 7)


def test_what_is_shown_loads_as_the_same_configuration() -> None:
    assert parse_config(to_yaml(sample()), FILE) == sample()


def test_lenders_may_be_none() -> None:
    text = spoiled("lenders: [balancer_v2, aave_v3]", "lenders: []")
    assert parse_config(text, FILE).execution.flash_loan.lenders == ()


def test_nothing_can_be_changed_afterwards() -> None:
    with pytest.raises(TypeError):
        sample().chains["other"] = sample().chain  # type: ignore[index]  # the point of the test
    with pytest.raises(AttributeError):
        sample().data_dir = Path("elsewhere")  # type: ignore[misc]  # the point of the test


@pytest.mark.parametrize(("name", "profit"), [("ethereum", "50 USD"), ("polygon", "0.5 USD")])
def test_the_sample_files_hold_the_papers_values(name: str, profit: str) -> None:
    config = load_config(ROOT / "examples" / f"config.{name}.yaml")
    assert str(config.strategies.arbitrage.min_profit_usd) == profit
    assert str(config.strategies.arbitrage.max_trade_size_usd) == "5000 USD"
    assert str(config.strategies.arbitrage.max_position_usd) == "100000 USD"
    assert str(config.risk.max_daily_loss_usd) == "10000 USD"
    assert config.execution.capital.max_allocation_ppm == 500_000
    assert config.risk.max_concurrent_executions == 3
    assert config.wallet is None


@pytest.mark.parametrize("name", ["ethereum", "polygon"])
def test_every_address_of_the_samples_carries_its_checksum(name: str) -> None:
    """Oracle: EIP-55; an address in lowercase would not be checked for a mistyped digit."""
    text = (ROOT / "examples" / f"config.{name}.yaml").read_text()
    quoted = [part for part in text.split('"') if part.startswith("0x")]
    assert len(quoted) > 15
    assert all(checksum(Address(address.lower())) == address for address in quoted)
