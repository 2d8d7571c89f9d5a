"""Contracts that look like Balancer v2's stable pools and are none: each is refused by name of pool and field."""

from collections.abc import Iterator

import pytest
from tests.conformance.protocols.answering import words
from tests.conformance.protocols.local_chain import NodeOnly
from tests.conformance.protocols.test_bad_contracts import HIGH, LOW, PLACE, POOL_ID, VAULT, described, put, read

from headrace.adapters.protocols.balancer_v2_stable import BalancerV2Stable
from headrace.adapters.protocols.balancer_v2_stable.state import PROTOCOL, BalancerV2StableState, CachedRate
from headrace.devnet.anvil import Anvil
from headrace.errors import MalformedAnswerError, MalformedPoolError
from headrace.kernels.fixed_point_power import ONE
from headrace.model.address import Address, Hash32
from headrace.model.pool import Pool

PROVIDER = Address("0x" + "cd" * 20)
POOL = Pool(POOL_ID, VAULT, PROTOCOL, "here", (LOW, HIGH))
RATE = 3 * ONE // 2
POOL_ANSWERS = {
    "getVault()": words(int(VAULT, 16)),
    "getPoolId()": words(int(POOL_ID, 16)),
    "getAmplificationParameter()": words(100_000, 0, 1000),
    "getScalingFactors()": words(32, 3, RATE, 10**30, 10**18),
    "getRateProviders()": words(32, 3, int(PROVIDER, 16), 0, 0),
    "getTokenRateCache(address)": words(RATE, RATE, 60, 5),
    "getBptIndex()": words(2),
    "inRecoveryMode()": words(0),
    "getSwapFeePercentage()": words(10**15),
    "getPausedState()": words(0, 1, 2),
}
VAULT_ANSWERS = {
    "getPoolTokens(bytes32)": words(96, 224, 9, 3, int(LOW, 16), int(HIGH, 16), int(PLACE, 16), 3, 100, 200, 300),
    "getPoolTokenInfo(bytes32,address)": words(100, 20, 3, 0),
    "getPausedState()": words(0, 1, 2),
}


@pytest.fixture(scope="module")
def node() -> Iterator[NodeOnly]:
    with Anvil.start() as anvil, anvil.connect() as rpc:
        made = NodeOnly(anvil, rpc)
        put(made, VAULT, VAULT_ANSWERS)
        put(made, PROVIDER, {"getRate()": words(2 * ONE)})
        put(made, HIGH, {"decimals()": words(6)})
        yield made


@pytest.fixture
def pool(node: NodeOnly) -> Pool:
    put(node, PLACE, POOL_ANSWERS)
    put(node, LOW, {"decimals()": words(18)})
    return POOL


def test_what_answers_like_a_stable_pool_is_described_and_read(node: NodeOnly, pool: Pool) -> None:
    dex = BalancerV2Stable()
    assert described(node, dex, POOL_ID) == pool
    state = read(node, dex, pool)
    assert isinstance(state, BalancerV2StableState)
    assert state.rates == (CachedRate(RATE, 5, 2 * ONE), None)
    assert not state.terms.rounds_up


@pytest.mark.parametrize(
    ("signature", "answer", "field"),
    [
        ("getPoolId()", words(5), "getPoolId"),
        ("getVault()", words(1 << 200), "getVault"),
        ("getAmplificationParameter()", words(100_000), "getAmplificationParameter"),
    ],
)
def test_what_only_looks_like_a_stable_pool_is_not_described(
    node: NodeOnly, pool: Pool, signature: str, answer: bytes, field: str
) -> None:
    put(node, PLACE, POOL_ANSWERS | {signature: answer})
    with pytest.raises(MalformedPoolError) as caught:
        described(node, BalancerV2Stable(), POOL_ID)
    assert (caught.value.pool, caught.value.field) == (pool.id, field)


@pytest.mark.parametrize(
    ("signature", "answer", "field"),
    [
        ("getAmplificationParameter()", words(100_000, 0, 100), "getAmplificationParameter"),
        ("getAmplificationParameter()", words(5, 0, 1000), "amplification.start"),
        ("getScalingFactors()", words(32, 3, ONE, 10**30, ONE), "getScalingFactors"),
        ("getScalingFactors()", words(32, 2, RATE, 10**18), "getScalingFactors"),
        ("getRateProviders()", words(32, 4, 0, 0, 0, 0), "getRateProviders"),
        ("getRateProviders()", words(32, 3, 1 << 200, 0, 0), "getRateProviders"),
        ("getTokenRateCache(address)", words(RATE), "getTokenRateCache"),
        ("getTokenRateCache(address)", b"\1" * 95, "getTokenRateCache"),
        ("getSwapFeePercentage()", words(10**18), "swap_fee"),
        ("getPausedState()", words(0), "getPausedState"),
    ],
)
def test_a_pool_whose_numbers_cannot_be_is_not_read(
    node: NodeOnly, pool: Pool, signature: str, answer: bytes, field: str
) -> None:
    put(node, PLACE, POOL_ANSWERS | {signature: answer})
    with pytest.raises(MalformedPoolError) as caught:
        read(node, BalancerV2Stable(), pool)
    assert (caught.value.pool, caught.value.field) == (pool.id, field)


@pytest.mark.parametrize("decimals", [19, 36, 1 << 255])
def test_more_than_18_decimals_are_refused(node: NodeOnly, pool: Pool, decimals: int) -> None:
    put(node, LOW, {"decimals()": words(decimals)})
    with pytest.raises(MalformedPoolError) as caught:
        read(node, BalancerV2Stable(), pool)
    assert caught.value.field == "decimals"


def test_a_block_that_the_node_does_not_know_is_not_read(node: NodeOnly, pool: Pool) -> None:
    with pytest.raises(MalformedAnswerError):
        node.through_chain(lambda chain: BalancerV2Stable().read(chain, [pool], Hash32("0x" + "ee" * 32)))
