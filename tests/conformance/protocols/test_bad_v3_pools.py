"""Contracts that look like Balancer v3's pools and are none: each is refused by name of pool and field."""

from collections.abc import Iterator

import pytest
from tests.conformance.protocols.answering import answering, words
from tests.conformance.protocols.local_chain import NodeOnly
from tests.conformance.protocols.test_bad_contracts import HIGH, LOW, PLACE, VAULT, described, put, read

from headrace.adapters.protocols.balancer_v3 import BalancerV3
from headrace.adapters.protocols.balancer_v3.state import PROTOCOL, BalancerV3State, StableTerms, WeightedTerms
from headrace.devnet.anvil import Anvil
from headrace.errors import MalformedAnswerError, MalformedPoolError
from headrace.kernels.fixed_point_power import ONE
from headrace.kernels.ramp import Ramp
from headrace.model.address import Hash32, PoolId
from headrace.model.pool import Pool

ID = PoolId(PLACE)
POOL = Pool(ID, VAULT, PROTOCOL, "here", (LOW, HIGH))
DIRTY = 1 << 200
PAIR = (2, int(LOW, 16), int(HIGH, 16))
INFO = (2, 0, 0, 0, 1, 7, 1)
DATA = (32, 0, 224, 320, 544, 640, 736, 832, *PAIR, *INFO, 2, 500, 600, 2, 500, 600, 2, ONE, ONE, 2, 1, 1)
CONFIG = (0, 0, 0, 0, 10**15, ONE // 2, 0, 0, 9, 1, 1, 0, 0)
VAULT_ANSWERS = {
    "getPoolTokens(address)": words(32, *PAIR),
    "getPoolTokenInfo(address)": words(128, 224, 448, 544, *PAIR, *INFO, 2, 500, 600, 2, 500, 600),
    "getPoolData(address)": words(*DATA),
    "getPoolTokenRates(address)": words(64, 160, 2, 1, 1, 2, ONE, ONE),
    "getPoolConfig(address)": words(*CONFIG),
    "getHooksConfig(address)": words(*(0,) * 11),
    "getPoolPausedState(address)": words(0, 5, 6, 0),
    "getVaultPausedState()": words(0, 7, 8),
    "getMinimumTradeAmount()": words(10**6),
}
WEIGHTED = {
    "getVault()": words(int(VAULT, 16)),
    "getNormalizedWeights()": words(32, 2, ONE // 2, ONE // 2),
    "getWeightedPoolImmutableData()": words(1),
}
STABLE = {
    "getVault()": words(int(VAULT, 16)),
    "getAmplificationState()": words(5000, 9000, 1, 2, 1000),
    "getStablePoolImmutableData()": words(1),
}


@pytest.fixture(scope="module")
def node() -> Iterator[NodeOnly]:
    with Anvil.start() as anvil, anvil.connect() as rpc:
        yield NodeOnly(anvil, rpc)


@pytest.fixture(autouse=True)
def market(node: NodeOnly) -> None:
    put(node, VAULT, VAULT_ANSWERS)
    put(node, PLACE, WEIGHTED)


def own(node: NodeOnly) -> BalancerV3State:
    state = read(node, BalancerV3(), POOL)
    assert isinstance(state, BalancerV3State)
    return state


def test_what_answers_like_a_pool_is_described_and_read(node: NodeOnly) -> None:
    assert described(node, BalancerV3(), ID) == POOL
    state = own(node)
    assert state.balances == (500, 600)
    assert state.terms.has_rates
    assert state.curve == WeightedTerms((ONE // 2, ONE // 2), None)
    put(node, PLACE, STABLE)
    assert own(node).curve == StableTerms(Ramp(5000, 9000, 1, 2))


@pytest.mark.parametrize(
    ("signature", "answer", "field"),
    [
        ("getVault()", words(), "getVault"),
        ("getVault()", words(DIRTY), "getVault"),
        ("getNormalizedWeights()", words(), "getNormalizedWeights"),
        ("getNormalizedWeights()", words(32, 2, ONE, ONE), "curve.weights"),
        ("getWeightedPoolImmutableData()", words(), "curve"),
        ("getMinTokenBalances()", words(32, 1, 5), "curve.minima"),
        ("getAmplificationState()", words(5000, 5000, 1, 2, 100), "getAmplificationState"),
        ("getAmplificationState()", words(5000, 5000), "getAmplificationState"),
        ("getAmplificationState()", words(0, 5000, 1, 2, 1000), "curve.start"),
    ],
)
def test_what_only_looks_like_a_pool_is_not_described(
    node: NodeOnly, signature: str, answer: bytes, field: str
) -> None:
    put(node, PLACE, (STABLE if "Amplification" in signature else WEIGHTED) | {signature: answer})
    with pytest.raises(MalformedPoolError) as caught:
        described(node, BalancerV3(), ID)
    assert (caught.value.pool, caught.value.field) == (ID, field)


@pytest.mark.parametrize(
    ("signature", "answer", "field"),
    [
        ("getPoolTokens(address)", words(32, 2, DIRTY, 5), "tokens"),
        ("getPoolTokens(address)", words(32, 1, 5), "getPoolTokenInfo"),
        ("getPoolTokenInfo(address)", words(), "getPoolTokenInfo"),
        ("getPoolTokenInfo(address)", words(128, 96, 0, 0, 2, 1), "getPoolTokenInfo"),
        ("getPoolData(address)", words(32, 1), "getPoolData"),
        ("getPoolData(address)", words(*DATA[:-13]), "getPoolData"),
        ("getPoolData(address)", b"\1" * 33, "getPoolData"),
        ("getPoolTokenRates(address)", words(64, 160, 2, 1, 1, 2, ONE), "getPoolTokenRates"),
        ("getPoolTokenRates(address)", words(64, 160, 2, 1, 1, 2, ONE, 0), "rates[1]"),
        ("getPoolConfig(address)", words(*CONFIG[:-1]), "getPoolConfig"),
        ("getPoolConfig(address)", words(*CONFIG[:4], ONE, *CONFIG[5:]), "swap_fee"),
        ("getHooksConfig(address)", words(0), "getHooksConfig"),
        ("getHooksConfig(address)", words(*(0,) * 4, 1, *(0,) * 6), "hooks"),
        ("getPoolPausedState(address)", words(0), "getPoolPausedState"),
        ("getVaultPausedState()", words(0), "getVaultPausedState"),
        ("getMinimumTradeAmount()", words(), "getMinimumTradeAmount"),
    ],
)
def test_a_vault_that_answers_otherwise_is_refused(node: NodeOnly, signature: str, answer: bytes, field: str) -> None:
    put(node, VAULT, VAULT_ANSWERS | {signature: answer})
    with pytest.raises(MalformedPoolError) as caught:
        described(node, BalancerV3(), ID)
    assert caught.value.field == field


@pytest.mark.parametrize("pool", ["0x12", PLACE + "00" * 12, "0x" + "AB" * 20])
def test_an_id_that_is_none_is_refused(node: NodeOnly, pool: str) -> None:
    with pytest.raises(MalformedPoolError) as caught:
        described(node, BalancerV3(), PoolId(pool))
    assert caught.value.field == "id"


def test_a_block_that_the_node_does_not_know_is_not_read(node: NodeOnly) -> None:
    with pytest.raises(MalformedAnswerError):
        node.through_chain(lambda chain: BalancerV3().read(chain, [POOL], Hash32("0x" + "ee" * 32)))


def test_code_that_answers_nothing_is_no_pool(node: NodeOnly) -> None:
    node.rpc.request("anvil_setCode", PLACE, answering({}))
    with pytest.raises(MalformedPoolError):
        described(node, BalancerV3(), ID)
