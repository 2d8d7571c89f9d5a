from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import create_engine, select

from headrace.adapters.stores.sql.history import SqlHistory
from headrace.adapters.stores.sql.tables import EXECUTIONS, OPPORTUNITIES
from headrace.errors import StoreError
from headrace.model.address import Address, ChainId, Hash32
from headrace.model.history import ExecutionEntry, OpportunityEntry
from headrace.model.pending import RivalCounts

WETH = Address("0x" + "aa" * 20)
TAKEN = OpportunityEntry(
    id="0x01",
    chain_id=ChainId(137),
    detected_at=1_700_000_000,
    strategy="triangular",
    venues=("uniswap_v3", "sushiswap", "balancer_v2"),
    asset=WETH,
    profit_units=2**255 + 1,
    decimals=18,
    block=5,
    pools=("0x1", "0x2", "0x3"),
)
ENDED = ExecutionEntry(
    id="0x01",
    opportunity_id="0x01",
    chain_id=ChainId(137),
    executed_at=1_700_000_012,
    tx_hash=Hash32("0x" + "ab" * 32),
    hashes=(Hash32("0x" + "ab" * 32),),
    asset=WETH,
    profit_units=-(10**30) - 1,
    decimals=18,
    gas_used=150_000,
    gas_cost_wei=10**15 + 1,
    gas_cost_usd_micro=3_000_001,
    execution_time_ms=4,
    status="landed",
    cause="",
    is_clean=True,
)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'history.sqlite'}"


@pytest.fixture
def store(url: str) -> Iterator[SqlHistory]:
    history = SqlHistory(url)
    yield history
    history.close()


def test_amounts_of_any_size_come_back_exactly(store: SqlHistory, url: str) -> None:
    store.write_opportunities([TAKEN])
    store.write_executions([ENDED])
    engine = create_engine(url)
    with engine.connect() as connection:
        taken = connection.execute(select(OPPORTUNITIES)).one()
        ended = connection.execute(select(EXECUTIONS)).one()
    engine.dispose()
    assert taken.profit_wei == 2**255 + 1
    assert taken.estimated_profit == Decimal(f"{(2**255 + 1) // 10**18}.{(2**255 + 1) % 10**18:018d}")
    assert (taken.venue_a, taken.venue_b, taken.metadata["block"]) == ("uniswap_v3", "balancer_v2", 5)
    assert taken.metadata["rivals"] is None
    assert ended.profit_wei == -(10**30) - 1
    assert ended.gas_cost_usd == Decimal("3.000001")
    assert ended.gas_cost_wei == 10**15 + 1
    assert ended.success
    assert ended.hashes == ["0x" + "ab" * 32]


def test_rivals_are_counted_later_and_stand_beside_what_was_taken_on(store: SqlHistory, url: str) -> None:
    store.write_opportunities([TAKEN])
    store.write_opportunities([msgspec.structs.replace(TAKEN, rivals=RivalCounts(2, 1, 3.5))])
    engine = create_engine(url)
    with engine.connect() as connection:
        taken = connection.execute(select(OPPORTUNITIES)).one()
    engine.dispose()
    assert taken.metadata["rivals"] == {"certain": 2, "possible": 1, "listened_seconds": 3.5}
    assert taken.metadata["block"] == 5


def test_writing_an_id_again_replaces_its_row(store: SqlHistory, url: str) -> None:
    store.write_executions([ENDED])
    lost = msgspec.structs.replace(ENDED, status="reverted", profit_units=None, gas_cost_usd_micro=None)
    store.write_executions([lost])
    store.write_executions([])
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(select(EXECUTIONS)).all()
    engine.dispose()
    assert [(row.status, row.success, row.actual_profit, row.gas_cost_usd) for row in rows] == [
        ("reverted", False, None, None)
    ]


def test_a_database_that_cannot_be_opened_or_written_is_a_typed_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened"):
        SqlHistory.in_file(tmp_path / "missing" / "history.sqlite")
    path = tmp_path / "history.sqlite"
    history = SqlHistory.in_file(path)
    path.write_bytes(b"this is no database, and long enough to be looked at" * 100)
    with pytest.raises(StoreError, match="cannot be written"):
        history.write_executions([ENDED])
    history.close()
