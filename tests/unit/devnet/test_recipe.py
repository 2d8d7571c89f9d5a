import statistics
from itertools import permutations

import msgspec
import pytest
from tests.unit.devnet.conftest import SEED
from tests.unit.devnet.quotes import PRICE, crossed_ticks, quote, units, usd

from headrace.devnet.accounts import RIVALS, TRADERS, account_address
from headrace.devnet.anvil import BLOCK_GAS_LIMIT
from headrace.devnet.deployer import Deployer
from headrace.devnet.market import Market
from headrace.devnet.recipe.outline import EXECUTOR_CAPITAL_USD
from headrace.devnet.rpc import Call, quantity
from headrace.devnet.world import Devnet
from headrace.model.address import Address

PROBE_USD = 100.0
ACTIVE, FLASH_LOAN_ENABLED = 1 << 56, 1 << 63  # Aave v3, ReserveConfiguration.sol


@pytest.fixture
def deployer(devnet: Devnet) -> Deployer:
    return Deployer(devnet.rpc)


def contracts(market: Market) -> set[Address]:
    found = {market.wrapped_native, market.aave.pool, market.aave.provider, market.executor}
    found.update(address for token in market.tokens for address in (token.address, token.price_feed))
    for exchange in market.exchanges:
        found.update((exchange.factory, exchange.router), (pool.address for pool in exchange.pools))
        if exchange.quoter is not None:
            found.add(exchange.quoter)
    return found


def test_code_stands_at_every_address_of_the_manifest(devnet: Devnet) -> None:
    codes = devnet.rpc.batch(Call("eth_getCode", (address, "latest")) for address in contracts(devnet.market))
    assert all(len(str(code)) > 10 for code in codes)


def test_the_market_has_thirty_pools_on_three_protocols(devnet: Devnet) -> None:
    pools = [pool.id for exchange in devnet.market.exchanges for pool in exchange.pools]
    assert len(set(pools)) == len(pools) >= 30
    assert {exchange.protocol for exchange in devnet.market.exchanges} == {"uniswap_v2", "uniswap_v3", "balancer_v2"}
    assert {pool.fee_pips for pool in devnet.market.exchange("uniswap_v3").pools} == {100, 500, 3000, 10_000}


@pytest.mark.parametrize("name", ["uniswap_v2", "sushiswap", "uniswap_v3", "balancer_v2"])
def test_quotes_lie_within_two_fees_of_the_fair_price(devnet: Devnet, deployer: Deployer, name: str) -> None:
    exchange = devnet.market.exchange(name)
    for pool in exchange.pools:
        for path in permutations(range(len(pool.tokens)), 2):
            amount = units(devnet.market, pool.tokens[path[0]], PROBE_USD)
            received = usd(devnet.market, pool.tokens[path[1]], quote(deployer, exchange, pool, path, amount))
            assert abs(received / PROBE_USD - 1) < 2 * pool.fee_pips / 1e6 + 0.002


def test_large_trades_cross_ticks_of_overlapping_v3_positions(devnet: Devnet, deployer: Deployer) -> None:
    exchange = devnet.market.exchange("uniswap_v3")
    sizes = {pool: units(devnet.market, pool.tokens[0], 100_000) for pool in exchange.pools}
    assert statistics.median(crossed_ticks(deployer, exchange, pool, size) for pool, size in sizes.items()) >= 1


def test_feeds_answer_the_starting_prices(devnet: Devnet, deployer: Deployer) -> None:
    for token in devnet.market.tokens:
        read = "latestRoundData()(uint80,int256,uint256,uint256,uint80)"
        assert deployer.call(token.price_feed, read)[1] == round(PRICE[token.symbol] * 10**8)


def test_every_token_can_be_borrowed_for_one_transaction(devnet: Devnet, deployer: Deployer) -> None:
    pool = devnet.market.aave.pool
    assert deployer.call_integer(pool, "FLASHLOAN_PREMIUM_TOTAL()(uint128)") == devnet.market.aave.flash_premium_bps
    for token in devnet.market.tokens:
        bits = deployer.call_integer(pool, "getConfiguration(address)(uint256)", token.address)
        assert bits & ACTIVE
        assert bits & FLASH_LOAN_ENABLED


def test_the_executor_has_its_operator_and_a_little_capital(devnet: Devnet, deployer: Deployer) -> None:
    market = devnet.market
    assert deployer.call_address(market.executor, "owner()(address)") == market.owner
    assert deployer.call(market.executor, "isOperator(address)(bool)", market.operator) == (True,)
    for symbol, capital_usd in EXECUTOR_CAPITAL_USD.items():
        token = market.token(symbol).address
        balance = deployer.call_integer(token, "balanceOf(address)(uint256)", market.executor)
        assert usd(market, token, balance) == pytest.approx(capital_usd)


def test_traders_and_rivals_hold_every_token(devnet: Devnet, deployer: Deployer) -> None:
    for index in (*TRADERS, *RIVALS):
        for token in devnet.market.tokens:
            read = "balanceOf(address)(uint256)"
            assert deployer.call_integer(token.address, read, account_address(index)) > 0


def test_blocks_are_as_large_as_the_main_nets_afterwards(devnet: Devnet) -> None:
    block = devnet.rpc.request("eth_getBlockByNumber", hex(devnet.market.deploy_block), False)
    assert isinstance(block, dict)
    assert quantity(block["gasLimit"]) == BLOCK_GAS_LIMIT


def latest_hash(devnet: Devnet) -> object:
    block = devnet.rpc.request("eth_getBlockByNumber", hex(devnet.market.deploy_block), False)
    assert isinstance(block, dict)
    return block["hash"]


def test_the_same_seed_gives_the_same_market_and_block_hash(devnet: Devnet) -> None:
    with Devnet.start(SEED) as twin:
        assert twin.market == devnet.market
        assert latest_hash(twin) == latest_hash(devnet)


def test_another_seed_gives_another_chain(devnet: Devnet) -> None:
    with Devnet.start(SEED + 1) as other:
        assert latest_hash(other) != latest_hash(devnet)


def test_the_manifest_survives_json(devnet: Devnet) -> None:
    assert msgspec.json.decode(msgspec.json.encode(devnet.market), type=Market) == devnet.market
