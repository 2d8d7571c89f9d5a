import csv
import itertools
import lzma

import msgspec
import pytest
from tests.support.places import shared_data

from headrace.model.address import ZERO_ADDRESS, Hash32
from headrace.model.block import BlockHeader, base_fee_wei_max, next_base_fee_wei, next_block

FEES = "fees/eth_mainnet_blocks_23665199.csv.xz"


def header(**fields: int) -> BlockHeader:
    plain = BlockHeader(
        number=100,
        timestamp=1000,
        base_fee_wei=10**9,
        gas_used=15_000_000,
        gas_limit=30_000_000,
        hash=Hash32("0x" + "11" * 32),
        parent_hash=Hash32("0x" + "22" * 32),
        coinbase=ZERO_ADDRESS,
        logs_bloom=bytes(256),
    )
    return msgspec.structs.replace(plain, **fields)


def test_base_fee_of_the_next_block_equals_that_of_2000_recorded_mainnet_blocks() -> None:
    """Oracle: recorded chain data."""
    with lzma.open(shared_data(FEES), "rt") as file:
        rows = list(csv.DictReader(file))
    checked = 0
    for row, child in itertools.pairwise(rows):
        if int(child["number"]) != int(row["number"]) + 1:
            continue
        parent = header(
            base_fee_wei=int(row["baseFeePerGas"]), gas_used=int(row["gasUsed"]), gas_limit=int(row["gasLimit"])
        )
        assert next_base_fee_wei(parent) == int(child["baseFeePerGas"])
        checked += 1
    assert checked > 1900


def test_a_block_at_target_keeps_the_base_fee_and_a_rise_is_at_least_one_wei() -> None:
    assert next_base_fee_wei(header()) == 10**9
    assert next_base_fee_wei(header(base_fee_wei=1, gas_used=15_000_001)) == 2
    assert next_base_fee_wei(header(gas_limit=0, gas_used=0)) == 10**9


def test_the_next_block_is_one_higher_and_some_seconds_later() -> None:
    at = next_block(header(), 12)
    assert (at.number, at.timestamp, at.base_fee_wei) == (101, 1012, 10**9)


@pytest.mark.parametrize("gas_used", [0, 30_000_000])
def test_the_base_fee_moves_by_an_eighth_at_most(gas_used: int) -> None:
    assert abs(next_base_fee_wei(header(gas_used=gas_used)) - 10**9) == 10**9 // 8


def test_full_blocks_raise_the_base_fee_by_an_eighth_each_and_no_block_more() -> None:
    """Oracle: the rule itself, over full blocks."""
    fee = 10**9 + 7
    for blocks in range(5):
        assert base_fee_wei_max(10**9 + 7, blocks) >= fee >= base_fee_wei_max(10**9 + 7, blocks) - 2 * blocks
        fee = next_base_fee_wei(header(base_fee_wei=fee, gas_used=30_000_000))
