"""Base fees as chains compute them. The oracles: recorded Polygon blocks, a node that runs the OP stack's rules."""

import asyncio
import itertools
import json
import lzma

import pytest
from tests.support.places import shared_data
from tests.support.wall_clock import WallClock

from headrace.adapters.chains.evm.chain import EvmChain
from headrace.adapters.chains.evm.options import EvmOptions
from headrace.devnet.accounts import account_address
from headrace.devnet.anvil import Anvil, AnvilOptions
from headrace.devnet.places import ANVIL_BINARY
from headrace.model.address import ChainId
from headrace.model.base_fee import (
    ARBITRUM_BASE_FEE,
    ETHEREUM_BASE_FEE,
    OPTIMISM_BASE_FEE,
    POLYGON_BASE_FEE,
    BaseFeeRule,
    FeeParent,
    child_base_fee_wei,
)
from headrace.model.block import BlockHeader, base_fee_wei_max, next_base_fee_wei

POLYGON = "fees/polygon_fee_history_512.json.xz"
BURNER = "0x" + "e4" * 20
BURNER_CODE = "0x5b600056"  # jumps for ever: takes all the gas it is given
FIRST_LIMIT = 59_641_168  # of the first recorded block: four times the denominator of its ratio in lowest terms


def gas_limits(ratios: list[float]) -> list[int]:
    """`eth_feeHistory` gives gas used by limit, as a float. A limit moves by less than 1/1024, and only one fits."""
    limit, limits = FIRST_LIMIT, []
    for ratio in ratios:
        step = limit // 1024 - 1
        near = (limit, limit + step, limit - step, *range(limit - step, limit + step))
        limit = next(near_by for near_by in near if round(ratio * near_by) / near_by == ratio)
        limits.append(limit)
    return limits


def test_base_fees_of_512_recorded_polygon_blocks_are_foretold_exactly() -> None:
    with lzma.open(shared_data(POLYGON), "rt") as file:
        history = json.load(file)["result"]
    fees = [int(fee, 16) for fee in history["baseFeePerGas"]]
    ratios = history["gasUsedRatio"]
    wrong = {"ethereum": 0, "polygon": 0}
    for at, limit in enumerate(gas_limits(ratios)):
        parent = FeeParent(fees[at], round(ratios[at] * limit), limit)
        wrong["polygon"] += child_base_fee_wei(parent, POLYGON_BASE_FEE) != fees[at + 1]
        wrong["ethereum"] += child_base_fee_wei(parent, ETHEREUM_BASE_FEE) != fees[at + 1]
        assert fees[at + 1] <= base_fee_wei_max(fees[at], 1, POLYGON_BASE_FEE)
    assert len(ratios) == 512
    assert wrong == {"ethereum": 512, "polygon": 0}


@pytest.mark.skipif(not ANVIL_BINARY.exists(), reason="the local chain is set up by `make setup`")
def test_base_fees_of_a_node_with_the_op_stacks_rules_are_foretold_exactly() -> None:
    async def headers(anvil: Anvil, count: int) -> list[BlockHeader]:
        async with EvmChain(EvmOptions(url=anvil.ws_url, chain_id=ChainId(10)), WallClock()) as chain:
            return [header for n in range(count) if (header := await chain.header_by_number(n)) is not None]

    with Anvil.start(AnvilOptions(chain_id=10, network="optimism")) as anvil, anvil.connect() as rpc:
        rpc.request("anvil_setCode", BURNER, BURNER_CODE)
        for gas in (0, 30_000_000, 6_000_000, 6_000_001, 100_000, 35_999_999, 5_000_000, 0):
            if gas:
                rpc.request("eth_sendTransaction", {"from": account_address(0), "to": BURNER, "gas": hex(gas)})
            rpc.request("evm_mine")
        chain = asyncio.run(headers(anvil, 9))
    assert len({header.gas_used for header in chain}) == 7
    for parent, child in itertools.pairwise(chain[1:]):
        assert next_base_fee_wei(parent, OPTIMISM_BASE_FEE) == child.base_fee_wei


def told(version: int, *fields: tuple[int, int]) -> bytes:
    return bytes([version]) + b"".join(value.to_bytes(size) for value, size in fields)


@pytest.mark.parametrize(
    ("extra_data", "expected"),
    [  # by hand: 10^9 wei, 20 of 30 million gas used
        (b"", 10**9 + 10**9 * 15 // 5 // 250),  # elasticity 6: 15 million over a target of 5
        (told(0, (50, 4), (2, 4)), 10**9 + 10**9 * 5 // 15 // 50),
        (told(0, (8, 4), (3, 4)), 10**9 + 10**9 * 10 // 10 // 8),
        (told(1, (50, 4), (2, 4), (2 * 10**9, 8)), 2 * 10**9),  # Jovian: not below the least
        (told(1, (50, 4), (2, 4), (7, 8)), 10**9 + 10**9 * 5 // 15 // 50),
        (told(0, (0, 4), (2, 4)), 10**9 + 10**9 * 15 // 5 // 250),  # not of the form: the chain's own
        (told(0, (8, 4), (0, 4)), 10**9 + 10**9 * 15 // 5 // 250),
        (told(2, (8, 4), (3, 4)), 10**9 + 10**9 * 15 // 5 // 250),
        (told(0, (8, 4), (3, 4), (1, 1)), 10**9 + 10**9 * 15 // 5 // 250),
    ],
)
def test_headers_of_the_op_stack_say_their_own_numbers(extra_data: bytes, expected: int) -> None:
    """Oracle: the form in the specification of Holocene and Jovian, by hand."""
    parent = FeeParent(10**9, 20_000_000, 30_000_000, extra_data)
    assert child_base_fee_wei(parent, OPTIMISM_BASE_FEE) == expected
    assert child_base_fee_wei(parent, ETHEREUM_BASE_FEE) == 10**9 + 10**9 * 5 // 15 // 8


@pytest.mark.parametrize("gas_used", [0, 10**7, 10**9])
def test_where_gas_does_not_determine_it_the_parents_is_expected(gas_used: int) -> None:
    assert child_base_fee_wei(FeeParent(10**7, gas_used, 2**50), ARBITRUM_BASE_FEE) == 10**7


@pytest.mark.parametrize("rule", [ETHEREUM_BASE_FEE, POLYGON_BASE_FEE, OPTIMISM_BASE_FEE])
def test_full_blocks_lead_to_the_highest_fee_and_never_beyond(rule: BaseFeeRule) -> None:
    """Oracle: the rule itself, over full blocks whose target divides the limit."""
    fee = highest = 10**9 + 7
    for _ in range(6):
        fee = child_base_fee_wei(FeeParent(fee, 60_000_000, 60_000_000), rule)
        highest = base_fee_wei_max(highest, 1, rule)
        assert fee <= highest
    if not rule.is_told_by_header:
        assert highest - fee <= 12
