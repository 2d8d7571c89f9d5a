"""The devnet's market as an ordinary configuration: for the agent it is just another chain."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec

from headrace.app.config.checks import AGENT_TYPES
from headrace.app.config.money import USD, USD_DECIMALS, Money
from headrace.app.config.places import ChainConfig, GasThresholds, PriceFeed, TokenCheck, Venue
from headrace.app.config.secret import Endpoint, Secret
from headrace.app.config.shown import to_yaml
from headrace.app.config.trading import Arbitrage, Capital, Execution, FlashLoan, Risk, Strategies, Transactions
from headrace.app.config.tree import AgentConfig, Config, WalletConfig
from headrace.devnet.market import Exchange, Market
from headrace.model.address import Address
from headrace.model.pool import ProtocolId

CHAIN = "devnet"
LENDER = "aave_v3"
_GWEI = 10**9
_LENDING_PROTOCOLS = ("balancer_v2", "uniswap_v3")
_FEED_MAX_AGE_SECONDS = 86_400
# 1.2, and a quarter more where the plan's own allowance is refunded at its end: a refund is at most a fifth (EIP-3529)
_GAS_LIMIT_MULTIPLIERS_PPM = {ProtocolId("balancer_v2"): 1_500_000, ProtocolId("aave_v3"): 1_500_000}
_GAS_PRICE_MAX_GWEI = 200


class DevnetPlaces(msgspec.Struct, frozen=True, kw_only=True):
    """What a devnet's configuration needs beside its market: the node, and where things lie."""

    rpc_url: str
    block_time_ms: int
    keystore: Path
    passphrase_file: Path
    data_dir: Path


def devnet_config(market: Market, places: DevnetPlaces) -> Config:
    """The configuration of an agent on the devnet. Its limits are the devnet's own: the money is not real."""
    return Config(
        strategies=Strategies(arbitrage=_arbitrage()),
        execution=_execution(market),
        risk=_risk(),
        protocols=MappingProxyType({CHAIN: _venues(market)}),
        chains=MappingProxyType({CHAIN: _chain(market, places)}),
        agents=(AgentConfig(type=AGENT_TYPES[0], chain=CHAIN, strategies=("spatial", "triangular")),),
        wallet=WalletConfig(
            keystore=places.keystore, address=market.operator, passphrase=Secret(file=places.passphrase_file)
        ),
        data_dir=places.data_dir,
    )


def devnet_config_text(market: Market, places: DevnetPlaces) -> str:
    """The same as the text of a configuration file."""
    return "# Written by `headrace devnet up`; valid while that devnet runs.\n" + to_yaml(devnet_config(market, places))


def _arbitrage() -> Arbitrage:
    return Arbitrage(
        min_profit_usd=_usd("0.5"),
        min_spread_bps=0,
        max_trade_size_usd=_usd("250000"),
        max_position_usd=_usd("1000000"),
    )


def _execution(market: Market) -> Execution:
    lenders = [exchange.name for exchange in market.exchanges if exchange.protocol in _LENDING_PROTOCOLS]
    return Execution(
        flash_loan=FlashLoan(
            contract_address=market.executor,
            max_gas_price_wei=_GAS_PRICE_MAX_GWEI * _GWEI,
            lenders=(*sorted(lenders, key=lambda name: market.exchange(name).protocol), LENDER),
        ),
        capital=Capital(max_allocation_ppm=500_000),
        transactions=Transactions(
            gas_limit_multiplier_ppm=1_200_000,
            gas_limit_multipliers_ppm=MappingProxyType(_GAS_LIMIT_MULTIPLIERS_PPM),
            confirmations=1,
            deadline_blocks=2,
            priority_fee_wei=2 * _GWEI,
        ),
    )


def _risk() -> Risk:
    return Risk(
        max_daily_loss_usd=_usd("10000"),
        max_position_count=10,
        max_concurrent_executions=8,
        max_execution_time_seconds=300,
    )


def _chain(market: Market, places: DevnetPlaces) -> ChainConfig:
    symbols = {token.address: token.symbol for token in market.tokens}
    return ChainConfig(
        chain_id=market.chain_id,
        rpc=Endpoint(url=places.rpc_url),
        block_time_ms=places.block_time_ms,
        public_mempool=False,
        wrapped_native=symbols[market.wrapped_native],
        start_tokens=tuple(symbols.values()),
        gas_thresholds=GasThresholds(high_wei=_GAS_PRICE_MAX_GWEI * _GWEI),
        tokens=MappingProxyType({token.symbol: token.address for token in market.tokens}),
        price_feeds=MappingProxyType({token.symbol: _feed(token.price_feed) for token in market.tokens}),
        token_check=TokenCheck(allowed=tuple(token.address for token in market.tokens)),
    )


def _feed(address: Address) -> PriceFeed:
    return PriceFeed(address=address, max_age_seconds=_FEED_MAX_AGE_SECONDS)


def _venues(market: Market) -> Mapping[str, Venue]:
    venues = {exchange.name: _venue(exchange) for exchange in market.exchanges}
    lender = Venue(protocol=ProtocolId(LENDER), pool=market.aave.pool)
    return MappingProxyType({**venues, LENDER: lender})


def _venue(exchange: Exchange) -> Venue:
    pools = tuple(pool.id for pool in exchange.pools)
    protocol = ProtocolId(exchange.protocol)
    if exchange.protocol == "balancer_v2":
        return Venue(protocol=protocol, vault=exchange.router, pools=pools)
    fee_pips = exchange.fee_pips if exchange.protocol == "uniswap_v2" else None
    return Venue(protocol=protocol, factory=exchange.factory, router=exchange.router, fee_pips=fee_pips, pools=pools)


def _usd(whole: str) -> Money:
    dollars, _, cents = whole.partition(".")
    return Money(USD, int(dollars + cents.ljust(USD_DECIMALS, "0")))
