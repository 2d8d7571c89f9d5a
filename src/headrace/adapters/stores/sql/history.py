"""`headrace.ports.store.Store` on SQLAlchemy Core."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Context, Decimal
from pathlib import Path

import msgspec
from sqlalchemy import Engine, Table, create_engine, delete, insert, text
from sqlalchemy.exc import SQLAlchemyError

from headrace.adapters.stores.sql.tables import EXECUTIONS, METADATA, OPPORTUNITIES
from headrace.errors import StoreError
from headrace.model.history import ExecutionEntry, OpportunityEntry

_WIDE = Context(prec=120)
_USD_DECIMALS = 6
_BUSY_SECONDS_MAX = 0.05  # it is written between two blocks
Row = dict[str, object]


class SqlHistory:
    """Writes both tables; makes them where they are missing."""

    def __init__(self, url: str) -> None:
        """Connect.

        Raises:
            StoreError: the database cannot be reached or does not let tables be made.
        """
        try:
            self._engine: Engine = create_engine(url)
            METADATA.create_all(self._engine)
        except SQLAlchemyError as error:
            raise StoreError(f"the history cannot be opened: {_first_line(error)}; check the database") from error

    @classmethod
    def in_file(cls, path: Path) -> "SqlHistory":
        """History in an SQLite file, made where it is missing.

        Raises:
            StoreError: it cannot be opened.
        """
        history = cls(f"sqlite:///{path.absolute()}?timeout={_BUSY_SECONDS_MAX}")
        with history._engine.connect() as connection:
            connection.execute(text("PRAGMA journal_mode = WAL"))  # readers never make the writer wait
        return history

    def write_opportunities(self, entries: Sequence[OpportunityEntry]) -> None:
        """Keep what was taken on.

        Raises:
            StoreError: the database refused.
        """
        self._replace(OPPORTUNITIES, [_opportunity(entry) for entry in entries])

    def write_executions(self, entries: Sequence[ExecutionEntry]) -> None:
        """Keep how executions ended.

        Raises:
            StoreError: the database refused.
        """
        self._replace(EXECUTIONS, [_execution(entry) for entry in entries])

    def close(self) -> None:
        """End all connections."""
        self._engine.dispose()

    def _replace(self, table: Table, rows: Sequence[Row]) -> None:
        if not rows:
            return
        try:
            with self._engine.begin() as connection:
                connection.execute(delete(table).where(table.c.id.in_([row["id"] for row in rows])))
                connection.execute(insert(table), rows)
        except SQLAlchemyError as error:
            raise StoreError(f"the history cannot be written: {_first_line(error)}; check the database") from error


def _opportunity(entry: OpportunityEntry) -> Row:
    return {
        "id": entry.id,
        "detected_at": _time(entry.detected_at),
        "strategy_type": entry.strategy,
        "venue_a": entry.venues[0],
        "venue_b": entry.venues[-1],
        "estimated_profit": _whole(entry.profit_units, entry.decimals),
        "confidence_score": None,
        "metadata": {
            "block": entry.block,
            "pools": list(entry.pools),
            "venues": list(entry.venues),
            "rivals": None if entry.rivals is None else msgspec.to_builtins(entry.rivals),
        },
        "chain": entry.chain_id,
        "asset": entry.asset,
        "profit_wei": Decimal(entry.profit_units),
    }


def _execution(entry: ExecutionEntry) -> Row:
    usd, profit = entry.gas_cost_usd_micro, entry.profit_units
    return {
        "id": entry.id,
        "opportunity_id": entry.opportunity_id,
        "executed_at": _time(entry.executed_at),
        "tx_hash": entry.tx_hash,
        "actual_profit": None if profit is None else _whole(profit, entry.decimals),
        "gas_used": entry.gas_used,
        "gas_cost_usd": None if usd is None else _whole(usd, _USD_DECIMALS),
        "execution_time_ms": entry.execution_time_ms,
        "success": entry.status == "landed",
        "chain": entry.chain_id,
        "asset": entry.asset,
        "profit_wei": None if profit is None else Decimal(profit),
        "gas_cost_wei": Decimal(entry.gas_cost_wei),
        "hashes": list(entry.hashes),
        "status": entry.status,
        "cause": entry.cause,
        "is_clean": entry.is_clean,
    }


def _time(seconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise StoreError(f"the history keeps no time such as {seconds}: is the node's clock right?") from error


def _whole(units: int, decimals: int) -> Decimal:
    return Decimal(units).scaleb(-decimals, context=_WIDE)


def _first_line(error: SQLAlchemyError) -> str:
    return str(error).partition("\n")[0]
