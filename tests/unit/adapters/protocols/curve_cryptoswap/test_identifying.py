"""What a contract is, from scripted answers; the states of real pools are recorded, their `get_dy` here is ours."""

import asyncio

import msgspec
import pytest
from tests.unit.adapters.protocols.curve_cryptoswap.scripted import (
    BLOCK,
    NOW,
    NUMBER,
    POOL,
    POOL_ID,
    SHARES,
    TOKENS,
    node,
    text,
    words,
)
from tests.unit.kernels.test_cryptoswap import TRICRYPTO_NG, TWOCRYPTO_GROUPED, TWOCRYPTO_NG

from headrace.adapters.protocols.curve_cryptoswap import CurveCryptoSwap
from headrace.adapters.protocols.curve_cryptoswap.state import CryptoSwapState, Terms
from headrace.errors import MalformedAnswerError, MalformedPoolError
from headrace.kernels.cryptoswap import CryptoSwapPool, Generation
from headrace.model.address import Hash32, PoolId
from headrace.model.block import BlockContext
from headrace.model.pool import Pool
from headrace.model.proof import Proof
from headrace.ports.chain import Chain

AT = BlockContext(NUMBER + 1, NOW + 12, 1, TOKENS[0])
ONE = (1, 1, 1)
replace = msgspec.structs.replace


def read(chain: Chain, dex: CurveCryptoSwap | None = None) -> CryptoSwapState:
    found = dex or CurveCryptoSwap()
    pool = asyncio.run(found.describe(chain, "curve", POOL_ID, BLOCK))
    return asyncio.run(found.read(chain, [pool], BLOCK))[0]


def with_generation(pool: CryptoSwapPool, generation: Generation) -> CryptoSwapPool:
    return replace(pool, generation=generation)


POOLS = {
    Generation.TRIPLE: with_generation(TRICRYPTO_NG, Generation.TRIPLE),
    Generation.PAIR: with_generation(TWOCRYPTO_GROUPED, Generation.PAIR),
    Generation.PAIR_GROUPED: TWOCRYPTO_GROUPED,
    Generation.TRIPLE_NG: TRICRYPTO_NG,
    Generation.PAIR_NG: TWOCRYPTO_NG,
    Generation.PAIR_NG_WIDE: with_generation(TWOCRYPTO_NG, Generation.PAIR_NG_WIDE),
}


@pytest.mark.parametrize("generation", list(Generation))
def test_every_generation_is_told_by_what_it_answers_and_pays(generation: Generation) -> None:
    pool = POOLS[generation]
    state = read(node(pool))
    shares = POOL if generation.is_next else SHARES
    assert state.terms == Terms(generation, ONE[: generation.coins], shares)
    assert state.pool == Pool(POOL_ID, POOL, CurveCryptoSwap().protocol_id, "curve", TOKENS[: generation.coins])
    found = state.in_block(NOW)
    assert replace(found, backing=None) == replace(pool, backing=None)
    assert found.backing is not None


def test_the_quote_of_a_pool_read_is_what_its_chain_gave() -> None:
    state = read(node(TWOCRYPTO_NG, virtual_price=words(0)))
    assert CurveCryptoSwap().quote_out(state, TOKENS[0], TOKENS[1], 10**20, AT) == 178410447169437941926


def test_the_fee_of_pools_since_2025_is_told_by_what_they_pay() -> None:
    curved = replace(TWOCRYPTO_NG, fees=replace(TWOCRYPTO_NG.fees, has_curved_fee=True))
    dex = CurveCryptoSwap()
    state = read(node(curved), dex)
    assert state.terms.has_curved_fee
    assert state.in_block(NOW).backing is None
    assert dex.proof_of(state) is Proof.UNPROVEN
    assert dex.proof_of(read(node(TWOCRYPTO_NG), dex)) is Proof.RECORDED


def test_the_pools_of_2021_store_a_with_two_decimals() -> None:
    triple = POOLS[Generation.TRIPLE]
    stored = words(triple.ann // 100 << 128 | triple.gamma)
    chain = node(triple, A_precise=words(5), initial_A_gamma=stored, future_A_gamma=stored)
    state = read(chain)
    assert state.terms.ann_factor == 100
    assert state.in_block(NOW).ann == triple.ann


def test_a_pool_that_was_never_described_is_identified_when_it_is_read() -> None:
    chain = node(TRICRYPTO_NG)
    described = read(chain).pool
    (state,) = asyncio.run(CurveCryptoSwap().read(chain, [described], BLOCK))
    assert state == read(chain)


def test_only_what_logs_tell_in_full_is_kept_beyond_its_block() -> None:
    dex = CurveCryptoSwap()
    for generation, pool in POOLS.items():
        state = read(node(pool), CurveCryptoSwap())
        assert not dex.is_outdated(state, NUMBER)
        assert dex.is_outdated(state, NUMBER + 1) == (generation is not Generation.PAIR_NG)


def test_a_ramp_is_read_with_the_second_it_was_read_at() -> None:
    future = words(800_000 << 128 | 2 * 10**14)
    times = {"initial_A_gamma_time": words(NOW - 500), "future_A_gamma_time": words(NOW + 500)}
    chain = node(TWOCRYPTO_NG, future_A_gamma=future, **times)
    with pytest.raises(MalformedPoolError, match="otherwise"):
        read(chain)  # its `get_dy` does not ramp here
    state = read(node(replace(TWOCRYPTO_NG, is_ramping=True), **times))
    assert state.ramp_read_at == NOW
    assert CurveCryptoSwap().is_outdated(state, NUMBER + 1)
    assert state.in_block(NOW).is_ramping
    assert state.in_block(NOW).backing is None
    assert not state.in_block(NOW + 500).is_ramping
    assert state.in_block(NOW + 501).backing is not None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"gamma": None}, "gamma"),
        ({"gamma": b"\1"}, "gamma"),
        ({"coins__1": None}, "coins"),
        ({"coins__3": words(5)}, "coins"),
        ({"coins__1": words(1 << 200)}, "coins"),
        ({"coins__1": words(0)}, "coins"),
        ({"coins__1": words(int(TOKENS[0], 16))}, "tokens"),
        ({"decimals": words(19)}, "decimals"),
        ({"decimals": None}, "decimals"),
        ({"MATH": words(1 << 200)}, "MATH"),
        ({"MATH": None}, "MATH"),
        ({"math version": text("v0.1.0")}, "version"),
        ({"math version": None}, "version"),
        ({"math version": b"\1"}, "version"),
        ({"version": text("v3.0.0")}, "version"),
        ({"POLICY": words(5)}, "POLICY"),
        ({"no get_dy": b""}, "get_dy"),
        ({"mid_fee": words(10**9)}, "get_dy"),
    ],
)
def test_what_cannot_be_told_is_refused(changes: dict[str, bytes | None], field: str) -> None:
    with pytest.raises(MalformedPoolError) as caught:
        asyncio.run(CurveCryptoSwap().describe(node(TWOCRYPTO_NG, **changes), "curve", POOL_ID, BLOCK))
    assert (caught.value.pool, caught.value.field) == (POOL, field)


@pytest.mark.parametrize("pool", ["0x12", "0x" + "ab" * 32, "0x" + "00" * 20])
def test_an_id_that_is_no_address_is_refused(pool: str) -> None:
    with pytest.raises(MalformedPoolError) as caught:
        asyncio.run(CurveCryptoSwap().describe(node(TWOCRYPTO_NG), "curve", PoolId(pool), BLOCK))
    assert caught.value.field == "id"


def test_the_first_generation_names_its_shares() -> None:
    with pytest.raises(MalformedPoolError) as caught:
        read(node(POOLS[Generation.PAIR], token=None))
    assert caught.value.field == "token"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"D": None}, "D"),
        ({"D": words(1 << 130)}, "invariant"),
        ({"balances__0": words(1 << 130)}, "balances"),
        ({"balances__1": words(1, 2)}, "balances"),
        ({"price_scale": words(0)}, "prices"),
        ({"future_A_gamma": words(10**14)}, "future_ann"),
        ({"future_A_gamma": words(400_000 << 128)}, "future_gamma"),
        ({"mid_fee": words(10**10 + 1)}, "mid_fee"),
        ({"out_fee": words(10**10 + 1)}, "out_fee"),
        ({"fee_gamma": words(10**18 + 1)}, "fee_gamma"),
        ({"totalSupply": None}, "totalSupply or is_killed"),
    ],
)
def test_a_state_that_cannot_be_is_not_read(changes: dict[str, bytes | None], field: str) -> None:
    dex = CurveCryptoSwap()
    pool = read(node(TWOCRYPTO_NG), dex).pool
    with pytest.raises(MalformedPoolError) as caught:
        asyncio.run(dex.read(node(TWOCRYPTO_NG, **changes), [pool], BLOCK))
    assert (caught.value.pool, caught.value.field) == (POOL, field)


def test_a_block_that_the_node_does_not_know_is_an_error_of_the_chain() -> None:
    dex = CurveCryptoSwap()
    pool = read(node(TWOCRYPTO_NG), dex).pool
    with pytest.raises(MalformedAnswerError):
        asyncio.run(dex.read(node(TWOCRYPTO_NG), [pool], Hash32("0x" + "22" * 32)))
