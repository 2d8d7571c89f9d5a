"""The tables `arbitrage_opportunities` and `execution_results`.

Amounts are exact: decimal text in SQLite, which would keep them as floats, and NUMERIC elsewhere.
"""

from decimal import Decimal
from typing import Any  # SQLAlchemy's own signature

from sqlalchemy import JSON, BigInteger, Boolean, Column, DateTime, Float, Integer, MetaData, Numeric, String, Table
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

_DIGITS, _PLACES = 116, 38  # 2^256 has 78 digits; a token may have 36 decimals


class ExactDecimal(TypeDecorator[Decimal]):
    """A decimal number that comes back as it was written."""

    impl = Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Text in SQLite, NUMERIC elsewhere."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(_DIGITS + 2))
        return dialect.type_descriptor(Numeric(_DIGITS, _PLACES))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> object:
        """Plain notation for SQLite."""
        if value is None or dialect.name != "sqlite":
            return value
        return f"{value:f}"

    def process_result_value(self, value: object, dialect: Dialect) -> Decimal | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Back to a decimal."""
        return None if value is None else Decimal(str(value))


METADATA = MetaData()

OPPORTUNITIES = Table(
    "arbitrage_opportunities",
    METADATA,
    Column("id", String(66), primary_key=True),
    Column("detected_at", DateTime(timezone=True), nullable=False, index=True),
    Column("strategy_type", String(64), nullable=False),
    Column("venue_a", String(64), nullable=False),
    Column("venue_b", String(64), nullable=False),
    Column("estimated_profit", ExactDecimal, nullable=False),
    Column("confidence_score", Float),
    Column("metadata", JSON, nullable=False),
    Column("chain", BigInteger, nullable=False),
    Column("asset", String(42), nullable=False),
    Column("profit_wei", ExactDecimal, nullable=False),
)

EXECUTIONS = Table(
    "execution_results",
    METADATA,
    Column("id", String(66), primary_key=True),
    Column("opportunity_id", String(66), nullable=False, index=True),
    Column("executed_at", DateTime(timezone=True), nullable=False, index=True),
    Column("tx_hash", String(66)),
    Column("actual_profit", ExactDecimal),
    Column("gas_used", BigInteger, nullable=False),
    Column("gas_cost_usd", ExactDecimal),
    Column("execution_time_ms", Integer),
    Column("success", Boolean, nullable=False),
    Column("chain", BigInteger, nullable=False),
    Column("asset", String(42), nullable=False),
    Column("profit_wei", ExactDecimal),
    Column("gas_cost_wei", ExactDecimal, nullable=False),
    Column("hashes", JSON, nullable=False),
    Column("status", String(16), nullable=False),
    Column("cause", String, nullable=False),
    Column("is_clean", Boolean),
)
