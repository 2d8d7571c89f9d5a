import asyncio
import time
from itertools import pairwise

import pytest
from tests.support.waiting import until
from tests.unit.devnet.conftest import SEED

from headrace.devnet import upkeep
from headrace.devnet.anvil import BLOCK_GAS_LIMIT
from headrace.devnet.driver import BlockReport, Driver
from headrace.devnet.rpc import quantity
from headrace.devnet.world import Devnet
from headrace.model.address import Address, Hash32
from headrace.model.block import BlockHeader, next_base_fee_wei

BLOCKS = 20


@pytest.fixture(scope="module")
def reports(devnet: Devnet) -> list[BlockReport]:
    return asyncio.run(Driver(devnet, SEED).run(BLOCKS))


def test_blocks_follow_each_other_every_twelve_seconds(devnet: Devnet, reports: list[BlockReport]) -> None:
    assert [report.number for report in reports] == [devnet.market.deploy_block + i for i in range(1, BLOCKS + 1)]
    assert {after.timestamp - before.timestamp for before, after in pairwise(reports)} == {12}


def test_traders_trade_and_nearly_all_of_it_succeeds(reports: list[BlockReport]) -> None:
    trades = sum(report.trades for report in reports)
    assert trades > 5 * BLOCKS
    assert sum(report.trades_failed for report in reports) < 0.05 * trades


def test_rivals_trade_and_lose_some_races(reports: list[BlockReport]) -> None:
    trades = sum(report.rival_trades for report in reports)
    failed = sum(report.rival_trades_failed for report in reports)
    assert trades > BLOCKS / 2
    assert 0 < failed < 0.7 * trades


def header(report: BlockReport, gas_limit: int) -> BlockHeader:
    return BlockHeader(
        number=report.number,
        hash=report.hash,
        parent_hash=Hash32(""),
        timestamp=report.timestamp,
        base_fee_wei=report.base_fee_wei,
        gas_used=report.gas_used,
        gas_limit=gas_limit,
        coinbase=Address(""),
        logs_bloom=b"",
    )


def test_the_base_fee_follows_eip_1559_and_stays_realistic(reports: list[BlockReport]) -> None:
    for before, after in pairwise(reports):
        assert after.base_fee_wei == next_base_fee_wei(header(before, 36_000_000))
        assert 2 * 10**9 < after.base_fee_wei < 60 * 10**9


def test_the_same_seed_gives_the_same_final_block_hash(reports: list[BlockReport]) -> None:
    with Devnet.start(SEED) as twin:
        assert asyncio.run(Driver(twin, SEED).run(BLOCKS))[-1].hash == reports[-1].hash


def test_the_agent_is_told_of_every_block_when_it_is_mined(devnet: Devnet) -> None:
    driver = Driver(devnet, SEED)
    start, seen, heads = driver.block, [], []

    async def agent_finished(block: int) -> None:
        seen.append(block)
        heads.append(quantity(await asyncio.to_thread(devnet.rpc.request, "eth_blockNumber")))

    asyncio.run(driver.run(3, agent_finished))
    assert seen == heads == [start + 1, start + 2, start + 3]


def test_a_high_max_fee_comes_before_every_trader(devnet: Devnet) -> None:
    driver, sent = Driver(devnet, SEED), []

    async def agent_finished(_block: int) -> None:
        fields = {"from": devnet.market.operator, "to": devnet.market.owner, "gas": hex(21_000)}
        fees = {"maxFeePerGas": hex(500 * 10**9), "maxPriorityFeePerGas": hex(10**9)}
        sent.append(await asyncio.to_thread(devnet.rpc.request, "eth_sendTransaction", {**fields, **fees}))

    asyncio.run(driver.step(agent_finished))
    report = asyncio.run(driver.step())
    receipt = devnet.rpc.request("eth_getTransactionReceipt", sent[0])
    assert isinstance(receipt, dict)
    assert quantity(receipt["blockNumber"]) == report.number
    assert quantity(receipt["transactionIndex"]) == 0


def test_feeds_follow_the_fair_prices(devnet: Devnet) -> None:
    driver = Driver(devnet, SEED)
    report = asyncio.run(driver.run(30))[-1]
    for token in devnet.market.tokens:
        answer = devnet.rpc.request("eth_call", {"to": token.price_feed, "data": "0x50d25bcd"}, "latest")
        assert quantity(answer) / 1e8 == pytest.approx(report.fair_usd[token.symbol], rel=0.004)


def test_transactions_that_a_crowded_block_left_out_are_withdrawn(devnet: Devnet) -> None:
    driver = Driver(devnet, SEED)
    devnet.rpc.request("evm_setBlockGasLimit", hex(20_000_000))
    asyncio.run(driver.step())
    devnet.rpc.request("evm_setBlockGasLimit", hex(36_000_000))
    reports = asyncio.run(driver.run(3))
    status = devnet.rpc.request("txpool_status")
    assert status == {"pending": "0x0", "queued": "0x0"}
    assert sum(report.trades for report in reports) > 0


def test_a_crowd_leaves_no_room_for_an_agent_and_its_transaction_waits_for_a_calm_block(
    devnet: Devnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = Driver(devnet, SEED)
    sent: list[object] = []

    async def agent_finished(_block: int) -> None:
        if not sent:
            fee = 2 * driver._next_base_fee_wei() + 2 * 10**9  # what our agent bids
            fields = {"from": devnet.market.operator, "to": devnet.market.owner, "gas": hex(150_000)}
            fees = {"maxFeePerGas": hex(fee), "maxPriorityFeePerGas": hex(2 * 10**9)}
            sent.append(await asyncio.to_thread(devnet.rpc.request, "eth_sendTransaction", {**fields, **fees}))

    monkeypatch.setattr(upkeep, "_CROWD_CHANCE", 0.0)
    monkeypatch.setattr(upkeep, "_CROWD_STAYS", 0.0)
    asyncio.run(driver.step(agent_finished))
    monkeypatch.setattr(upkeep, "_CROWD_CHANCE", 1.0)
    crowded = asyncio.run(driver.step(agent_finished))
    assert crowded.gas_used > 0.99 * BLOCK_GAS_LIMIT
    assert devnet.rpc.request("eth_getTransactionReceipt", sent[0]) is None
    monkeypatch.setattr(upkeep, "_CROWD_CHANCE", 0.0)
    calm = asyncio.run(driver.step(agent_finished))
    receipt = devnet.rpc.request("eth_getTransactionReceipt", sent[0])
    assert isinstance(receipt, dict)
    assert quantity(receipt["blockNumber"]) == calm.number
    assert calm.gas_used < BLOCK_GAS_LIMIT // 2  # what the crowd added to the base fee comes off again


def test_on_the_clock_blocks_carry_the_time_of_day(devnet: Devnet) -> None:
    driver, is_over = Driver(devnet, SEED), asyncio.Event()
    start = driver.block

    async def stop_after_three() -> None:
        await until(lambda: driver.block >= start + 3, "three blocks")
        is_over.set()

    async def go() -> None:
        await asyncio.gather(driver.run_clock(0.02, is_over), stop_after_three())

    before = int(time.time())
    asyncio.run(go())
    assert driver.block >= start + 3
    block = devnet.rpc.request("eth_getBlockByNumber", "latest", False)
    assert isinstance(block, dict)
    assert before <= quantity(block["timestamp"]) <= time.time() + 5
