"""The configuration's money as the integers that the line decides by.

A limit in a token is converted once, at start-up, at the oracle's price; limits round down, the least profit rounds up.
"""

from collections.abc import Callable, Mapping
from fractions import Fraction
from types import MappingProxyType

from headrace.app.config.money import Money
from headrace.app.config.tree import Config
from headrace.errors import ConfigError
from headrace.model.account import Scope, chain_scope, strategy_scope, token_scope, venue_scope
from headrace.model.address import ChainId
from headrace.model.fees import FeePolicy
from headrace.model.limits import Limits
from headrace.pipeline.execute.rules import Rules
from headrace.pipeline.rehearse.rehearsal import RehearsalRules
from headrace.pipeline.validate.validator import Thresholds

PriceOf = Callable[[str], int | None]
_PPM = 1_000_000
_MS_PER_SECOND = 1000


def thresholds(config: Config, price_of: PriceOf) -> Thresholds:
    """What a trade must earn and may cost; `price_of` gives 1e-12 dollars for a whole token of a symbol.

    Raises:
        ConfigError: a limit in a token that has no fresh price.
    """
    arbitrage, gas = config.strategies.arbitrage, config.chain.gas_thresholds
    cost_max = gas.max_cost_usd
    return Thresholds(
        profit_usd_micro_min=_usd_micro_up(arbitrage.min_profit_usd, price_of),
        trade_usd_micro_max=_usd_micro_down(arbitrage.max_trade_size_usd, price_of),
        gas_price_wei_max=gas_price_wei_max(config),
        priority_fee_wei=config.execution.transactions.priority_fee_wei,
        deadline_blocks=config.execution.transactions.deadline_blocks,
        gas_usd_micro_max=None if cost_max is None else _usd_micro_down(cost_max, price_of),
        gas_share_ppm_max=gas.max_profit_share_ppm,
        exposure_usd_micro_max_by=_exposure_max(config, price_of),
        base_fee=config.chain.rules.base_fee,
        trades_unproven_pools=config.risk.trade_unproven_pools,
    )


def rules(config: Config, price_of: PriceOf) -> Rules:
    """The limits that reservations are taken from.

    Raises:
        ConfigError: a limit in a token that has no fresh price.
    """
    arbitrage, risk = config.strategies.arbitrage, config.risk
    return Rules(
        limits=Limits(
            trade_usd_micro_max=_usd_micro_down(arbitrage.max_trade_size_usd, price_of),
            position_usd_micro_max=_usd_micro_down(arbitrage.max_position_usd, price_of),
            position_count_max=risk.max_position_count,
            executions_max=risk.max_concurrent_executions,
            execution_seconds_max=risk.max_execution_time_seconds,
            allocation_max=allocation_max(config),
            daily_loss_usd_micro_max=_usd_micro_down(risk.max_daily_loss_usd, price_of),
            exposure_usd_micro_max_by=_exposure_max(config, price_of),
        ),
        confirmations=config.execution.transactions.confirmations,
        reorg_blocks=config.chain.reorg_depth_blocks,
        block_seconds=max(round(config.chain.block_time_ms / _MS_PER_SECOND), 1),
        base_fee=config.chain.rules.base_fee,
    )


def allocation_max(config: Config) -> Fraction:
    """Share of own capital that plans in flight may hold."""
    return Fraction(config.execution.capital.max_allocation_ppm, _PPM)


def gas_price_wei_max(config: Config) -> int:
    """Above this nothing is sent: the lower of the engine's cap and the chain's level at which the agent waits."""
    return min(config.execution.flash_loan.max_gas_price_wei, config.chain.gas_thresholds.high_wei)


def fee_policy(config: Config) -> FeePolicy:
    """What a transaction offers."""
    return FeePolicy(config.execution.transactions.priority_fee_wei, gas_price_wei_max(config))


def rehearsal_rules(config: Config) -> RehearsalRules:
    """From simulated gas to the gas limit."""
    transactions = config.execution.transactions
    return RehearsalRules(
        gas_multiplier=Fraction(transactions.gas_limit_multiplier_ppm, _PPM),
        gas_multipliers={
            protocol: Fraction(ppm, _PPM) for protocol, ppm in transactions.gas_limit_multipliers_ppm.items()
        },
        gas_price_wei_max=gas_price_wei_max(config),
    )


def _exposure_max(config: Config, price_of: PriceOf) -> Mapping[Scope, int]:
    caps = config.risk.max_exposure_usd
    by_scope = {
        **{token_scope(config.chain.tokens[symbol]): money for symbol, money in caps.tokens.items()},
        **{venue_scope(venue): money for venue, money in caps.venues.items()},
        **{strategy_scope(strategy): money for strategy, money in caps.strategies.items()},
        **{chain_scope(ChainId(config.chains[chain].chain_id)): money for chain, money in caps.chains.items()},
    }
    return MappingProxyType({scope: _usd_micro_down(money, price_of) for scope, money in by_scope.items()})


def _usd_micro_down(money: Money, price_of: PriceOf) -> int:
    return _known(money.usd_micro_down(None if money.is_usd else price_of(money.unit)), money)


def _usd_micro_up(money: Money, price_of: PriceOf) -> int:
    return _known(money.usd_micro_up(None if money.is_usd else price_of(money.unit)), money)


def _known(usd_micro: int | None, money: Money) -> int:
    if usd_micro is None:
        raise ConfigError(f"the limit {money} needs a fresh dollar price of {money.unit}: check its price feed")
    return usd_micro
