"""Contracts that look like pools and are none, on a real chain: each is refused by name of pool and field."""

from collections.abc import Iterator

import pytest
from tests.conformance.protocols.answering import answering, words
from tests.conformance.protocols.local_chain import NodeOnly

from headrace.adapters.protocols.balancer_v2 import BalancerV2
from headrace.adapters.protocols.balancer_v2.state import PROTOCOL as BALANCER
from headrace.adapters.protocols.uniswap_v2 import UniswapV2
from headrace.adapters.protocols.uniswap_v2.state import PROTOCOL as PAIR
from headrace.devnet.anvil import Anvil
from headrace.errors import MalformedPoolError
from headrace.model.address import Address, PoolId
from headrace.model.pool import Pool
from headrace.ports.pool import DEX, PoolState

LOW, HIGH = Address("0x" + "11" * 20), Address("0x" + "22" * 20)
PLACE = Address("0x" + "ab" * 20)
VAULT = Address("0x" + "ba" * 20)
POOL_ID = PoolId(PLACE + "00" * 12)
HALVES = (5 * 10**17, 5 * 10**17)
DIRTY = (1 << 200) + 5

PAIR_ANSWERS = {"token0()": words(int(LOW, 16)), "token1()": words(int(HIGH, 16)), "getReserves()": words(5, 7, 1)}
POOL_ANSWERS = {
    "getVault()": words(int(VAULT, 16)),
    "getPoolId()": words(int(POOL_ID, 16)),
    "getNormalizedWeights()": words(32, 2, *HALVES),
    "getSwapFeePercentage()": words(10**15),
    "getPausedState()": words(0, 1, 2),
    "getScalingFactors()": words(32, 2, 10**18, 10**30),
}
VAULT_ANSWERS = {
    "getPoolTokens(bytes32)": words(96, 192, 3, 2, int(LOW, 16), int(HIGH, 16), 2, 100, 200),
    "getPoolTokenInfo(bytes32,address)": words(100, 20, 3, 0),
    "getPausedState()": words(0, 1, 2),
}


@pytest.fixture(scope="module")
def node() -> Iterator[NodeOnly]:
    with Anvil.start() as anvil, anvil.connect() as rpc:
        yield NodeOnly(anvil, rpc)


def described(node: NodeOnly, dex: DEX, pool: PoolId) -> Pool:
    block = node.head().hash
    return node.through_chain(lambda chain: dex.describe(chain, "here", pool, block))


def read(node: NodeOnly, dex: DEX, pool: Pool) -> PoolState:
    block = node.head().hash
    return node.through_chain(lambda chain: dex.read(chain, [pool], block))[0]


def put(node: NodeOnly, address: Address, answers: dict[str, bytes]) -> None:
    node.rpc.request("anvil_setCode", address, answering(answers))


def test_what_answers_like_a_pair_is_described_and_read(node: NodeOnly) -> None:
    put(node, PLACE, PAIR_ANSWERS)
    dex = UniswapV2({"here": 2500})
    pool = described(node, dex, PoolId(PLACE))
    assert pool == Pool(PoolId(PLACE), PLACE, PAIR, "here", (LOW, HIGH), 2500)
    assert read(node, dex, pool).pool == pool


@pytest.mark.parametrize(
    ("signature", "answer", "field"),
    [
        ("token0()", words(), "token0"),
        ("token0()", words(DIRTY), "token0"),
        ("token0()", words(int(HIGH, 16)), "tokens"),
        ("token0()", words(int(HIGH, 16) + 1), "tokens"),
        ("token0()", words(0), "tokens"),
        ("token1()", words(1, 2), "token1"),
        ("getReserves()", words(1, 2), "getReserves"),
        ("getReserves()", b"\1" * 95, "getReserves"),
        ("metadata()", words(1, 1, 5, 7, 0, int(LOW, 16), int(HIGH, 16)), "metadata"),
    ],
)
def test_what_only_looks_like_a_pair_is_not_described(
    node: NodeOnly, signature: str, answer: bytes, field: str
) -> None:
    put(node, PLACE, PAIR_ANSWERS | {signature: answer})
    with pytest.raises(MalformedPoolError) as caught:
        described(node, UniswapV2({"here": 3000}), PoolId(PLACE))
    assert (caught.value.pool, caught.value.field) == (PLACE, field)


@pytest.mark.parametrize(("reserves", "field"), [((1 << 112, 5, 0), "reserve0"), ((5, 1 << 112, 0), "reserve1")])
def test_reserves_over_112_bits_are_not_read(node: NodeOnly, reserves: tuple[int, ...], field: str) -> None:
    put(node, PLACE, PAIR_ANSWERS | {"getReserves()": words(*reserves)})
    pool = Pool(PoolId(PLACE), PLACE, PAIR, "here", (LOW, HIGH), 3000)
    with pytest.raises(MalformedPoolError) as caught:
        read(node, UniswapV2({"here": 3000}), pool)
    assert (caught.value.pool, caught.value.field) == (PLACE, field)


@pytest.mark.parametrize("fee", [-1, 10**6])
def test_a_fee_of_all_there_is_is_refused(node: NodeOnly, fee: int) -> None:
    put(node, PLACE, PAIR_ANSWERS)
    with pytest.raises(MalformedPoolError) as caught:
        described(node, UniswapV2({"here": fee}), PoolId(PLACE))
    assert caught.value.field == "fee_pips"


def test_what_answers_like_a_weighted_pool_is_described_and_read(node: NodeOnly) -> None:
    put(node, PLACE, POOL_ANSWERS)
    put(node, VAULT, VAULT_ANSWERS)
    dex = BalancerV2()
    pool = described(node, dex, POOL_ID)
    assert pool == Pool(POOL_ID, VAULT, BALANCER, "here", (LOW, HIGH))
    assert read(node, dex, pool).pool == pool


@pytest.mark.parametrize(
    ("signature", "answer", "field"),
    [
        ("getVault()", words(), "getVault"),
        ("getVault()", words(DIRTY), "getVault"),
        ("getPoolId()", words(5), "getPoolId"),
        ("getPoolId()", words(), "getPoolId"),
        ("getNormalizedWeights()", words(), "getNormalizedWeights"),
        ("getNormalizedWeights()", words(31), "getNormalizedWeights"),
        ("getNormalizedWeights()", words(32, 9, 1), "getNormalizedWeights"),
        ("getGradualWeightUpdateParams()", words(1, 2), "weights"),
    ],
)
def test_what_only_looks_like_a_weighted_pool_is_not_described(
    node: NodeOnly, signature: str, answer: bytes, field: str
) -> None:
    put(node, PLACE, POOL_ANSWERS | {signature: answer})
    put(node, VAULT, VAULT_ANSWERS)
    with pytest.raises(MalformedPoolError) as caught:
        described(node, BalancerV2(), POOL_ID)
    assert (caught.value.pool, caught.value.field) == (POOL_ID, field)


@pytest.mark.parametrize(
    ("listed", "field"),
    [
        (words(), "getPoolTokens"),
        (words(96, 192, 3, 2, int(LOW, 16), int(LOW, 16), 2, 1, 1), "tokens"),
        (words(96, 160, 3, 1, int(LOW, 16), 1, 1), "tokens"),
        (words(96, 192, 3, 2, int(LOW, 16), DIRTY, 2, 1, 1), "tokens"),
    ],
)
def test_a_vault_that_lists_no_proper_tokens_is_refused(node: NodeOnly, listed: bytes, field: str) -> None:
    put(node, PLACE, POOL_ANSWERS)
    put(node, VAULT, VAULT_ANSWERS | {"getPoolTokens(bytes32)": listed})
    with pytest.raises(MalformedPoolError) as caught:
        described(node, BalancerV2(), POOL_ID)
    assert caught.value.field == field


@pytest.mark.parametrize("pool", ["0x12", PLACE, "0x" + "AB" * 32])
def test_an_id_that_is_none_is_refused(node: NodeOnly, pool: str) -> None:
    with pytest.raises(MalformedPoolError) as caught:
        described(node, BalancerV2(), PoolId(pool))
    assert caught.value.field == "id"


@pytest.mark.parametrize(
    ("signature", "answer", "field"),
    [
        ("getNormalizedWeights()", words(32, 2, 5 * 10**17, 4 * 10**17), "weights"),
        ("getNormalizedWeights()", words(32, 2, 10**18, 0), "weights"),
        ("getNormalizedWeights()", words(32, 3, *HALVES, 0), "weights"),
        ("getScalingFactors()", words(32, 2, 10**18, 10**18 + 7), "getScalingFactors"),
        ("getSwapFeePercentage()", words(10**18), "swap_fee"),
        ("getSwapFeePercentage()", words(1, 2), "getSwapFeePercentage"),
        ("getPausedState()", words(0), "getPausedState"),
    ],
)
def test_a_pool_whose_numbers_cannot_be_is_not_read(node: NodeOnly, signature: str, answer: bytes, field: str) -> None:
    put(node, PLACE, POOL_ANSWERS | {signature: answer})
    put(node, VAULT, VAULT_ANSWERS)
    with pytest.raises(MalformedPoolError) as caught:
        read(node, BalancerV2(), Pool(POOL_ID, VAULT, BALANCER, "here", (LOW, HIGH)))
    assert (caught.value.pool, caught.value.field) == (POOL_ID, field)


def test_balances_over_112_bits_are_not_read(node: NodeOnly) -> None:
    put(node, PLACE, POOL_ANSWERS)
    put(node, VAULT, VAULT_ANSWERS | {"getPoolTokenInfo(bytes32,address)": words(1 << 111, 1 << 111, 0, 0)})
    with pytest.raises(MalformedPoolError) as caught:
        read(node, BalancerV2(), Pool(POOL_ID, VAULT, BALANCER, "here", (LOW, HIGH)))
    assert caught.value.field == "cash[0]"
