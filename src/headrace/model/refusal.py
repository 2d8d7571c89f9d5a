"""Why something was not done. A refusal is a value: it is counted, shown and journaled, never raised."""

from enum import StrEnum

import msgspec


class Reason(StrEnum):
    """Every reason for which the line stops an opportunity; reports count by it."""

    MARKET_STALE = "market_stale"
    BLOCK_PASSED = "block_passed"
    TOKEN_UNFIT = "token_unfit"  # noqa: S105 - a reason, no password
    POOL_DOUBTED = "pool_doubted"
    POOL_UNQUOTABLE = "pool_unquotable"
    POOL_UNEXECUTABLE = "pool_unexecutable"
    POOL_UNPROVEN = "pool_unproven"
    POOL_TRIPPED = "pool_tripped"
    NOT_PROFITABLE_EXACT = "not_profitable_exact"
    NOT_PROFITABLE_AFTER_GAS = "not_profitable_after_gas"
    BELOW_MIN_PROFIT = "below_min_profit"
    NO_FRESH_PRICE = "no_fresh_price"
    NO_NATIVE_QUOTE = "no_native_quote"
    GAS_PRICE_TOO_HIGH = "gas_price_too_high"
    GAS_COST_TOO_HIGH = "gas_cost_too_high"
    NO_FUNDING = "no_funding"
    TRADE_SIZE_LIMIT = "trade_size_limit"
    POSITION_LIMIT = "position_limit"
    EXPOSURE_LIMIT = "exposure_limit"
    POSITION_COUNT_LIMIT = "position_count_limit"
    CONCURRENCY_LIMIT = "concurrency_limit"
    DAILY_LOSS_LIMIT = "daily_loss_limit"
    CAPITAL_RESERVED = "capital_reserved"
    POOL_IN_FLIGHT = "pool_in_flight"
    ACCOUNT_HALTED = "account_halted"
    CALLDATA_MISMATCH = "calldata_mismatch"
    REHEARSAL_REVERTED = "rehearsal_reverted"
    REHEARSAL_OFF_QUOTE = "rehearsal_off_quote"
    REHEARSAL_BELOW_MINIMUM = "rehearsal_below_minimum"
    NODE_FAILED = "node_failed"
    CHECK_FAILED = "check_failed"


class Refusal(msgspec.Struct, frozen=True):
    """One thing not done, and why; `detail` is a sentence for a person."""

    reason: Reason
    detail: str
