"""Causes of reverts: revert data replayed, races proven by logs, and honesty where neither helps."""

import asyncio
from typing import cast

import msgspec
import pytest
from eth_abi.abi import encode
from eth_hash.auto import keccak
from tests.support.intents import EXECUTOR, OTHER, block_hash, header, intent, transaction

from headrace.errors import NodeTimeoutError
from headrace.model.address import Hash32
from headrace.model.block import BlockContext, BlockHeader
from headrace.model.event import Log
from headrace.model.intent import Payload, Purpose
from headrace.model.transaction import Receipt, SimulationResult, UnsignedTransaction
from headrace.pipeline.execute.cause import find_cause
from headrace.ports.chain import Chain

HASH, RIVAL = Hash32("0x" + "01" * 32), Hash32("0x" + "02" * 32)
POOL = OTHER
VAULT_POOL = Hash32("0x" + "77" * 32)
RECEIPT = Receipt(HASH, 12, block_hash(12), 3, is_success=False, gas_used=90_000, gas_price_wei=1, logs=())
# ProfitBelowMinimum(-5, 3), encoded by eth-abi
BELOW = "0x" + (keccak(b"ProfitBelowMinimum(int256,uint256)")[:4] + encode(["int256", "uint256"], [-5, 3])).hex()


class Node:
    def __init__(self) -> None:
        self.header: BlockHeader | None = header(12)
        self.logs_of_block: tuple[Log, ...] = ()
        self.rival_index = 1
        self.is_down = False
        self.result = SimulationResult(is_success=True, gas_used=1, logs=())
        self.asked: list[tuple[Hash32, BlockContext]] = []

    async def header_by_hash(self, block: Hash32) -> BlockHeader | None:
        if self.is_down:
            raise NodeTimeoutError("no answer in time")
        assert block == RECEIPT.block_hash
        return self.header

    async def logs(self, block: Hash32) -> tuple[Log, ...]:
        assert block == RECEIPT.block_hash
        return self.logs_of_block

    async def receipt(self, transaction: Hash32) -> Receipt | None:
        if self.rival_index < 0:
            return None
        return msgspec.structs.replace(RECEIPT, tx_hash=transaction, tx_index=self.rival_index)

    async def replay(self, block: Hash32, transaction: Hash32) -> SimulationResult | None:
        """Single transactions only."""
        del block, transaction
        return None

    async def simulate(self, transaction: UnsignedTransaction, parent: Hash32, at: BlockContext) -> SimulationResult:
        assert transaction.data
        self.asked.append((parent, at))
        return self.result


def _log(address: str = POOL, topics: tuple[Hash32, ...] = ()) -> Log:
    return Log(address, topics, "0x", block_hash(12), 12, RIVAL, 0)  # type: ignore[arg-type]  # any text


def _cause(node: Node, receipt: Receipt = RECEIPT) -> str:
    opened = msgspec.structs.replace(intent(), pools=(POOL, VAULT_POOL))
    payload = Payload(HASH, b"", Purpose.EXECUTE, transaction())
    return asyncio.run(find_cause(cast("Chain", node), node, opened, payload, receipt))


def _reverting(data: str, message: str = "") -> Node:
    node = Node()
    node.result = SimulationResult(is_success=False, gas_used=1, logs=(), revert_data=data, message=message)
    return node


def test_the_replay_stands_on_the_parent_in_the_blocks_own_context() -> None:
    node = Node()
    _cause(node)
    assert node.asked == [(block_hash(11), BlockContext(12, 1_024, 10, EXECUTOR))]


def test_revert_data_names_the_executors_error() -> None:
    assert _cause(_reverting(BELOW)).startswith("ProfitBelowMinimum(")
    assert "-5" in _cause(_reverting(BELOW))


@pytest.mark.parametrize("log", [_log(), _log(EXECUTOR, (HASH, VAULT_POOL))], ids=["by address", "by id in a vault"])
def test_an_earlier_trade_on_the_route_is_named(log: Log) -> None:
    node = _reverting(BELOW)
    node.logs_of_block = (_log(EXECUTOR), log)
    pool = POOL if log.address == POOL else VAULT_POOL
    assert _cause(node).endswith(f" (pool {pool} traded earlier in block 12 by tx {RIVAL})")


def test_a_race_is_lost_only_where_a_log_proves_it() -> None:
    node = Node()
    node.logs_of_block = (_log(),)
    assert _cause(node) == f"lost race: pool {POOL} traded earlier in block 12 by tx {RIVAL}"
    node.rival_index = 4
    assert _cause(node).startswith("unexplained")
    node.rival_index = -1
    assert _cause(node).startswith("unexplained")


def test_what_a_node_cannot_show_is_said() -> None:
    node = Node()
    node.header = None
    assert _cause(node) == "not found: the node no longer knows the block"
    node.is_down = True
    assert _cause(node) == "not found: no answer in time"
    assert _cause(_reverting("", "execution reverted")) == "execution reverted"
    assert _cause(_reverting("")) == "reverted without a reason"


def test_gas_that_ran_out_is_the_cause() -> None:
    assert _cause(Node(), msgspec.structs.replace(RECEIPT, gas_used=300_000)) == "out of gas (300000 used)"
