"""Which pool an unknown event speaks of, with the real protocols: by hand, from the addresses and ids in the logs."""

import pytest

from headrace.adapters.protocols.uniswap_v4.key import PoolKey
from headrace.adapters.protocols.words import topic
from headrace.app.dexes import every_dex
from headrace.model.address import ZERO_ADDRESS, Address, Hash32, PoolId
from headrace.model.event import Log
from headrace.model.pool import Pool, ProtocolId
from headrace.pipeline.market.speakers import Speakers

LOW, HIGH = Address("0x" + "01" * 20), Address("0x" + "02" * 20)
PAIR, TICKED, CURVE, CRYPTO, STABLE_PAIR, MANAGER, VAULT2, VAULT3, POOL2, STABLE2, POOL3 = (
    Address(f"0x{number:040x}") for number in range(0xA1, 0xAC)
)
KEY = PoolKey(LOW, HIGH, 3000, 60, ZERO_ADDRESS)
ID2, STABLE_ID2 = PoolId(POOL2 + "00" * 12), PoolId(STABLE2 + "00" * 12)
UNKNOWN = topic("MadeUp(uint256)")
SWAP_OF_V3 = topic("Swap(address,address,int256,int256,uint160,uint128,int24)")


def pool(protocol: str, name: str, address: Address) -> Pool:
    return Pool(PoolId(name), address, ProtocolId(protocol), "venue", (LOW, HIGH))


POOLS = [
    pool("uniswap_v2", PAIR, PAIR),
    pool("uniswap_v3", TICKED, TICKED),
    pool("uniswap_v4", KEY.id, MANAGER),
    pool("curve_stableswap", CURVE, CURVE),
    pool("curve_cryptoswap", CRYPTO, CRYPTO),
    pool("solidly", STABLE_PAIR, STABLE_PAIR),
    pool("balancer_v2", ID2, VAULT2),
    pool("balancer_v2_stable", STABLE_ID2, VAULT2),
    pool("balancer_v3", POOL3, VAULT3),
]


def word(address: str) -> Hash32:
    return Hash32("0x" + address[2:].rjust(64, "0"))


def heard(emitter: Address, *topics: str) -> list[tuple[str, str]]:
    dexes = every_dex()
    speakers = Speakers(dexes, POOLS)
    for one in POOLS:
        dexes[one.protocol]._speakers.enter(one)  # type: ignore[attr-defined]  # as reading it does
    log = Log(emitter, tuple(Hash32(one) for one in topics), "0x", Hash32("0x"), 1, Hash32("0x"), 0)
    return [(unknown.dex.protocol_id, unknown.pool) for unknown in speakers.unknown_events(log)]


@pytest.mark.parametrize("index", [0, 1, 3, 4, 5])
def test_a_pool_that_is_a_contract_speaks_of_itself(index: int) -> None:
    own = POOLS[index]
    assert heard(own.address, UNKNOWN) == [(own.protocol, own.id)]
    assert heard(own.address, UNKNOWN, word(LOW), word(HIGH)) == [(own.protocol, own.id)]
    assert heard(own.address) == [(own.protocol, own.id)]


def test_an_event_of_another_protocol_is_unknown_too() -> None:
    assert heard(PAIR, SWAP_OF_V3, word(LOW), word(LOW)) == [("uniswap_v2", PAIR)]
    assert heard(TICKED, SWAP_OF_V3, word(LOW), word(LOW)) == []
    assert heard(TICKED, topic("Transfer(address,address,uint256)")) == [("uniswap_v3", TICKED)], "it has no shares"


def test_a_shared_contract_speaks_of_the_pool_that_its_second_topic_names() -> None:
    assert heard(MANAGER, UNKNOWN, KEY.id) == [("uniswap_v4", KEY.id)]
    assert heard(VAULT2, UNKNOWN, ID2, word(LOW)) == [("balancer_v2", ID2), ("balancer_v2_stable", ID2)]
    assert heard(VAULT3, UNKNOWN, word(POOL3)) == [("balancer_v3", POOL3)]


def test_an_unknown_event_of_a_shared_contract_that_names_no_pool_speaks_of_nobody() -> None:
    for shared in (MANAGER, VAULT2, VAULT3):
        assert heard(shared, UNKNOWN) == []
        assert heard(shared) == []
    assert heard(VAULT3, UNKNOWN, "0x" + "ff" * 32) == []


def test_a_pools_own_contract_beside_its_vault_speaks_of_that_pool() -> None:
    assert heard(POOL2, UNKNOWN) == [("balancer_v2", ID2)]
    assert heard(STABLE2, UNKNOWN, ID2) == [("balancer_v2_stable", STABLE_ID2)]
    assert heard(POOL3, UNKNOWN) == [("balancer_v3", POOL3)]


def test_a_stranger_speaks_of_nobody_whatever_he_names() -> None:
    assert heard(Address("0x" + "66" * 20), UNKNOWN, KEY.id) == []
