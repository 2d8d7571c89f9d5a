"""What is traded and within which limits: the sections `strategies`, `execution` and `risk`."""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from headrace.app.config.kind import (
    Bps,
    Contract,
    Count,
    Dollars,
    Flag,
    FractionPpm,
    GweiAsWei,
    MultiplierPpm,
    Name,
    Positive,
    ProtocolRef,
    Seconds,
    Symbol,
)


class Arbitrage(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of one arbitrage.

    Attributes:
        min_profit_usd: a trade is worth at least this after gas and fees.
        min_spread_bps: an opportunity's gross edge is at least this share of its size.
        max_trade_size_usd: one trade is at most this large.
        max_position_usd: all trades in flight together are at most this large.
    """

    min_profit_usd: Dollars
    min_spread_bps: Bps
    max_trade_size_usd: Dollars
    max_position_usd: Dollars


class Strategies(msgspec.Struct, frozen=True, kw_only=True):
    """Limits by kind of strategy.

    Attributes:
        arbitrage: spatial and triangular arbitrage.
    """

    arbitrage: Arbitrage


class FlashLoan(msgspec.Struct, frozen=True, kw_only=True):
    """The contract that trades, and who lends to it.

    Attributes:
        contract_address: the Executor; it also holds the own capital.
        max_gas_price_wei: nothing is sent while gas costs more, tip included.
        lenders: venues of the agents' chain that lend for one transaction (Aave v3, Balancer v2 and v3, Uniswap v3 and
            v4, Morpho Blue, any lender of ERC-3156 whose fee is proportional); the cheapest is taken, of equals the
            first; may be empty.
    """

    contract_address: Contract
    max_gas_price_wei: GweiAsWei = msgspec.field(name="max_gas_price_gwei")
    lenders: tuple[Name, ...]


class Capital(msgspec.Struct, frozen=True, kw_only=True):
    """Own capital.

    Attributes:
        max_allocation_ppm: share of the Executor's balance of a token that trades in flight may hold.
    """

    max_allocation_ppm: FractionPpm = msgspec.field(name="max_allocation_pct")


class Transactions(msgspec.Struct, frozen=True, kw_only=True):
    """How transactions are built and watched.

    Attributes:
        gas_limit_multiplier_ppm: the gas limit is the simulation's gas times this.
        gas_limit_multipliers_ppm: the same for plans that touch a protocol measured to need more; the largest holds.
            Whoever takes by an allowance (Balancer v2 and Curve, and as lenders Aave, Morpho and ERC-3156) can need
            up to a quarter more than is simulated, because what an allowance costs is refunded only at the end.
        confirmations: a receipt is final when this many blocks stand on its block.
        deadline_blocks: a plan may be included in this many blocks after the one it was quoted on.
        priority_fee_wei: tip per gas.
    """

    gas_limit_multiplier_ppm: MultiplierPpm = msgspec.field(name="gas_limit_multiplier")
    gas_limit_multipliers_ppm: Mapping[ProtocolRef, MultiplierPpm] = msgspec.field(
        name="gas_limit_multipliers", default_factory=lambda: MappingProxyType({})
    )
    confirmations: Count
    deadline_blocks: Positive
    priority_fee_wei: GweiAsWei = msgspec.field(name="priority_fee_gwei")


class Execution(msgspec.Struct, frozen=True, kw_only=True):
    """How trades are executed.

    Attributes:
        flash_loan: borrowed money.
        capital: own money.
        transactions: gas, deadlines, finality.
    """

    flash_loan: FlashLoan
    capital: Capital
    transactions: Transactions


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """Caps on what all trades in flight together put at one thing; a trade counts whole for each that it touches.

    Attributes:
        tokens: by symbol: any token on a trade's route.
        venues: by name: any exchange on a trade's route.
        strategies: by name.
        chains: by name.
    """

    tokens: Mapping[Symbol, Dollars] = msgspec.field(default_factory=lambda: MappingProxyType({}))
    venues: Mapping[Name, Dollars] = msgspec.field(default_factory=lambda: MappingProxyType({}))
    strategies: Mapping[Name, Dollars] = msgspec.field(default_factory=lambda: MappingProxyType({}))
    chains: Mapping[Name, Dollars] = msgspec.field(default_factory=lambda: MappingProxyType({}))


class Risk(msgspec.Struct, frozen=True, kw_only=True):
    """Limits over everything that runs from this file.

    Attributes:
        max_daily_loss_usd: reaching it halts until a person releases.
        max_position_count: trades in flight at once, of any kind.
        max_concurrent_executions: transactions in flight at once.
        max_execution_time_seconds: a transaction that is not included after this is cancelled.
        max_exposure_usd: caps by token, venue, strategy and chain; what is not named has none of its own.
        trade_unproven_pools: whether pools are traded whose quotes neither bytecode nor recorded answers prove.
        var_confidence_ppm: confidence of the one-day value at risk; no effect yet, as `headrace config check` says.
    """

    max_daily_loss_usd: Dollars
    max_position_count: Count
    max_concurrent_executions: Count
    max_execution_time_seconds: Seconds
    max_exposure_usd: Exposure = msgspec.field(default_factory=Exposure)
    trade_unproven_pools: Flag = False
    var_confidence_ppm: FractionPpm | None = msgspec.field(name="var_confidence", default=None)
