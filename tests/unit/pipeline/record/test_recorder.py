import asyncio
from collections.abc import Mapping, Sequence

import msgspec
import pytest
from tests.support.market import ACCOUNT, USDC, WETH, found, header, mispriced, validator

from headrace.model.address import Address, Hash32
from headrace.model.block import BlockHeader, next_block
from headrace.model.event import Log
from headrace.model.execution import Execution
from headrace.model.intent import Intent, IntentStatus, Outcome
from headrace.model.opportunity import Validated
from headrace.model.transaction import Receipt
from headrace.model.transfers import TRANSFER_TOPIC
from headrace.pipeline.plan.intent import intent_of
from headrace.pipeline.record.breaker import unexplained
from headrace.pipeline.record.recorder import Ended, record_execution

MARKET = mispriced()
OURS, STRANGER = Hash32("0x" + "0a" * 32), Hash32("0x" + "0b" * 32)
POOL = Address("0x" + "77" * 20)


def intent() -> Intent:
    (best,) = found(MARKET)[:1]
    valid = validator().validate(best, MARKET, next_block(MARKET.header, 12))
    assert isinstance(valid, Validated)
    return intent_of(valid, MARKET)


def log(address: Address, index: int, transaction: Hash32, *topics: str, units: int = 0, block: int = 101) -> Log:
    return Log(
        address, tuple(Hash32(t) for t in topics), f"0x{units:064x}", header(block).hash, block, transaction, index
    )


def moved(source: Address, target: Address, units: int, token: Address = WETH.address, index: int = 5) -> Log:
    words = ("0x" + a[2:].rjust(64, "0") for a in (source, target))
    return log(token, index, OURS, TRANSFER_TOPIC, *words, units=units)


class Blocks:
    """A chain of recorded blocks: logs by height."""

    def __init__(self, logs: Mapping[int, Sequence[Log]]) -> None:
        self._logs = logs

    async def header_by_number(self, number: int) -> BlockHeader | None:
        return header(number) if number in self._logs or number == MARKET.header.number else None

    async def logs(self, block: Hash32) -> tuple[Log, ...]:
        return tuple(self._logs[int(block, 16)])

    async def receipt(self, transaction: Hash32) -> Receipt:
        """Of a transaction whose place in its block is that of its first log."""
        places = [one.log_index for logs in self._logs.values() for one in logs if one.tx_hash == transaction]
        return msgspec.structs.replace(receipt(), tx_hash=transaction, tx_index=min(places))


def receipt(*logs: Log, is_success: bool = True, block: int = 101) -> Receipt:
    return Receipt(OURS, block, header(block).hash, 5, is_success, 150_000, 11, logs)


def outcome(status: IntentStatus, block: int = 101) -> Outcome:
    return Outcome(intent().id, status, OURS, block, header(block).hash, 150_000, 1_650_000)


def record(blocks: Mapping[int, Sequence[Log]], ended: Ended) -> Execution:
    return asyncio.run(record_execution(Blocks(blocks), ACCOUNT.executor, ended))  # type: ignore[arg-type]


def test_profit_is_folded_from_the_receipts_transfers_and_gas_is_taken_off() -> None:
    wanted = intent()
    own = ACCOUNT.executor
    logs = (
        moved(POOL, own, wanted.quoted_profit_units + 9),
        moved(own, POOL, 9),
        moved(POOL, own, 3, token=USDC.address),
        moved(POOL, STRANGER[:42], 10**20),  # type: ignore[arg-type]
    )
    ended = Ended(wanted, outcome(IntentStatus.LANDED), receipt(*logs), wanted.announced_ns + 2_500_000)
    execution = record({101: logs}, ended)
    assert execution.realised_profit_units == wanted.quoted_profit_units
    assert execution.deviation_units == 0
    assert execution.net_profit_native_wei == wanted.quoted_profit_native_wei - 1_650_000
    assert execution.slippage_bps == 0
    assert execution.latency_ms == 2.5
    assert execution.is_clean
    assert {fill.token: fill.delta_units for fill in execution.fills} == {
        WETH.address: wanted.quoted_profit_units,
        USDC.address: 3,
    }
    assert execution.route == "WETH > b > USDC > a > WETH"


def test_less_than_quoted_is_positive_slippage() -> None:
    wanted = intent()
    logs = (moved(POOL, ACCOUNT.executor, wanted.quoted_profit_units * 99 // 100),)
    execution = record({101: logs}, Ended(wanted, outcome(IntentStatus.LANDED), receipt(*logs), None))
    assert execution.slippage_bps == 100
    assert execution.latency_ms is None


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("nothing", True),
        ("a stranger's log of a pool before ours", False),
        ("our other transaction before ours", False),
        ("a stranger's log of a pool after ours", True),
        ("a log of another contract before ours", True),
        ("a log of a pool in a block between", False),
        ("a block between that the node forgot", False),
    ],
)
def test_clean_means_that_no_log_of_its_pools_lies_between_quote_and_transaction(name: str, *, clean: bool) -> None:
    wanted, own = intent(), ACCOUNT.executor
    pool = Address(wanted.pools[0])
    logs = [moved(POOL, own, wanted.quoted_profit_units)]
    foreign = {
        "a stranger's log of a pool before ours": log(pool, 4, STRANGER),
        "our other transaction before ours": log(pool, 3, Hash32("0x" + "0c" * 32)),
        "a stranger's log of a pool after ours": log(pool, 6, STRANGER),
        "a log of another contract before ours": log(POOL, 4, STRANGER),
    }
    landed = 102 if "between" in name else 101
    between = [log(pool, 0, STRANGER)] if "in a block between" in name else []
    blocks = {landed: [*logs, *([foreign[name]] if name in foreign else [])]}
    if "forgot" not in name and landed == 102:
        blocks[101] = between
    ended = Ended(wanted, outcome(IntentStatus.LANDED, landed), receipt(*logs, block=landed), None)
    assert record(blocks, ended).is_clean is clean


@pytest.mark.parametrize(("landed", "clean"), [(101, True), (102, False)])
def test_a_quote_of_a_pool_that_moves_without_logs_is_clean_in_its_own_block_alone(landed: int, *, clean: bool) -> None:
    wanted = msgspec.structs.replace(intent(), is_for_one_block=True)
    logs = [moved(POOL, ACCOUNT.executor, wanted.quoted_profit_units - 1)]
    blocks: dict[int, list[Log]] = {101: [], landed: logs}
    ended = Ended(wanted, outcome(IntentStatus.LANDED, landed), receipt(*logs, block=landed), None)
    execution = record(blocks, ended)
    assert execution.is_clean is clean
    assert bool(unexplained(execution)) is clean
    timeless = msgspec.structs.replace(ended, intent=intent())
    assert record(blocks, timeless).is_clean is True


def test_a_pool_in_a_vault_is_touched_by_logs_that_name_its_id() -> None:
    pool_id = "0x" + "ab" * 32
    wanted = msgspec.structs.replace(intent(), pools=(pool_id,))
    ended = Ended(wanted, outcome(IntentStatus.REVERTED), receipt(is_success=False), None)
    vault = log(POOL, 1, STRANGER, "0x" + "01" * 32, pool_id)
    assert record({101: [vault]}, ended).is_clean is False
    assert record({101: [log(POOL, 1, STRANGER, "0x" + "01" * 32, "0x" + "cd" * 32)]}, ended).is_clean


@pytest.mark.parametrize(("place", "clean"), [(4, False), (6, True)])
def test_a_revert_has_no_logs_and_its_place_is_told_by_receipts(place: int, *, clean: bool) -> None:
    wanted = intent()
    ended = Ended(wanted, outcome(IntentStatus.REVERTED), receipt(is_success=False), None)
    assert record({101: [log(Address(wanted.pools[0]), place, STRANGER)]}, ended).is_clean is clean


def test_a_log_of_a_vaulted_pools_own_contract_counts_as_well() -> None:
    contract = Address("0x" + "5c" * 20)
    wanted = msgspec.structs.replace(intent(), pools=(contract + "00" * 12,))
    ended = Ended(wanted, outcome(IntentStatus.REVERTED), receipt(is_success=False), None)
    assert record({101: [log(contract, 1, STRANGER, "0x" + "01" * 32)]}, ended).is_clean is False


def test_a_quote_on_a_block_that_left_the_chain_is_never_clean() -> None:
    wanted = msgspec.structs.replace(intent(), quoted_block_hash=header(99).hash)
    logs = (moved(POOL, ACCOUNT.executor, wanted.quoted_profit_units),)
    assert record({101: logs}, Ended(wanted, outcome(IntentStatus.LANDED), receipt(*logs), None)).is_clean is False


def test_what_did_not_land_realised_nothing_and_cost_its_gas() -> None:
    wanted = intent()
    for status in (IntentStatus.REVERTED, IntentStatus.CANCELLED):
        execution = record(
            {101: []}, Ended(wanted, outcome(status), receipt(is_success=status is IntentStatus.CANCELLED), None)
        )
        assert execution.realised_profit_units is None
        assert execution.deviation_units is None
        assert execution.net_profit_native_wei == -1_650_000
    pending = record({}, Ended(wanted, Outcome(wanted.id, IntentStatus.SIGNED), None, None))
    assert pending.is_clean is None
