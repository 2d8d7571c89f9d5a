"""Uniswap v2 and a fork against the published bytecode; the oracles are told in `uniswap_v2_subject`."""

import random
from collections import Counter

import pytest
from tests.conformance.protocols.local_chain import LocalChain
from tests.conformance.protocols.subject import Case, quote
from tests.conformance.protocols.suite import SEED, DexConformance
from tests.conformance.protocols.uniswap_v2_subject import V2Subject

from headrace.devnet.abi import encode_call
from headrace.errors import ConfigError
from headrace.kernels import constant_product
from headrace.kernels.shape import ConstantProduct
from headrace.model.address import PoolId


@pytest.fixture(scope="module")
def subject(local_chain: LocalChain) -> V2Subject:
    return V2Subject(local_chain)


class TestUniswapV2(DexConformance):
    def test_the_routers_input_is_ours_or_one_more(self, subject: V2Subject) -> None:
        draw, asked, ours = random.Random(SEED), [], []
        router = subject.router("uniswap_v2")
        for _ in range(1000):
            reserves = [int(10 ** draw.uniform(3, 33)) for _ in range(2)]
            wanted = max(1, int(reserves[1] * 10 ** draw.uniform(-30, -0.001)))
            data = encode_call("getAmountIn(uint256,uint256,uint256)", wanted, *reserves)
            asked.append(({"to": router, "data": data}, "latest"))
            ours.append(constant_product.amount_in(reserves[0], reserves[1], 3000, wanted))
        differences = Counter(
            answer[0] - least
            for answer, least in zip(subject.chain.call_all(asked), ours, strict=True)
            if answer is not None and least is not None
        )
        assert differences.keys() <= {0, 1}
        assert differences[0] >= 500

    def test_a_pair_without_liquidity_gives_nothing(self, subject: V2Subject) -> None:
        chain, tokens = subject.chain, subject.chain.tokens
        pair = subject.empty_pair(tokens[0], tokens[3])
        block = chain.head().hash
        pool = chain.through_chain(lambda port: subject.dex.describe(port, "uniswap_v2", PoolId(pair), block))
        (state,) = chain.through_chain(lambda port: subject.dex.read(port, [pool], block))
        cases = [Case(state, pool.tokens[0], pool.tokens[1], amount) for amount in (1, 10**6, 10**30)]
        assert subject.ask_contract(cases) == [None] * 3
        assert [quote(subject, case, chain.next_context()) for case in cases] == [None] * 3
        shape = subject.dex.shape(state, pool.tokens[0], pool.tokens[1])
        assert isinstance(shape, ConstantProduct)
        assert shape.reserve_out == 0

    def test_a_venue_without_a_fee_is_a_mistake_of_the_configuration(self, subject: V2Subject) -> None:
        pool, block = subject.pools[0].id, subject.chain.head().hash
        with pytest.raises(ConfigError, match="fee_pips"):
            subject.chain.through_chain(lambda port: subject.dex.describe(port, "unknown", pool, block))
