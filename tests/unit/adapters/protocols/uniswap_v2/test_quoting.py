"""The pair's limits; amounts are proven against bytecode in the conformance suite."""

import pytest

from headrace.adapters.protocols.uniswap_v2 import UniswapV2
from headrace.adapters.protocols.uniswap_v2.quoting import quote_in, quote_out
from headrace.adapters.protocols.uniswap_v2.state import PROTOCOL, UniswapV2State, checked_pool
from headrace.errors import MalformedPoolError, UnquotableError
from headrace.model.address import Address, PoolId
from headrace.model.block import BlockContext
from headrace.model.executor_step import UniswapV2Step
from headrace.model.pool import Pool

LOW, HIGH, PAIR = (Address("0x" + digit * 40) for digit in "123")
POOL = Pool(PoolId(PAIR), PAIR, PROTOCOL, "uniswap_v2", (LOW, HIGH), 3000)
END = 1 << 112
AT = BlockContext(1, 12, 0, LOW)


def test_a_balance_may_fill_112_bits_and_not_one_unit_more() -> None:
    state = UniswapV2State(POOL, END - 1000, 10**9)
    assert quote_out(UniswapV2State(POOL, END - 10**30, END - 1), LOW, HIGH, 10**30 - 1, AT) > 0
    for amount in (1000, 1001, END):
        with pytest.raises(UnquotableError, match="112 bits"):
            quote_out(state, LOW, HIGH, amount, AT)
    with pytest.raises(UnquotableError, match="112 bits"):
        quote_in(state, LOW, HIGH, 10**8, AT)


def test_an_empty_pair_is_refused_in_both_directions() -> None:
    for reserves in ((0, 0), (0, 5), (5, 0)):
        state = UniswapV2State(POOL, *reserves)
        with pytest.raises(UnquotableError, match="INSUFFICIENT_LIQUIDITY"):
            quote_out(state, LOW, HIGH, 1000, AT)
        with pytest.raises(UnquotableError, match="INSUFFICIENT_LIQUIDITY"):
            quote_in(state, HIGH, LOW, 1 if reserves[0] == 0 else 5, AT)


@pytest.mark.parametrize("tokens", [(LOW,), (LOW, HIGH, PAIR), (LOW, LOW), (HIGH, LOW)])
def test_a_pair_has_two_tokens_in_order(tokens: tuple[Address, ...]) -> None:
    with pytest.raises(MalformedPoolError) as caught:
        checked_pool(Pool(PoolId(PAIR), PAIR, PROTOCOL, "uniswap_v2", tokens, 3000))
    assert caught.value.field == "tokens"


def test_the_step_carries_the_pair_and_its_fee() -> None:
    dex = UniswapV2({})
    assert dex.supports_flash_swap
    assert dex.step(UniswapV2State(POOL, 1, 1), HIGH, LOW) == UniswapV2Step(HIGH, LOW, PAIR, 3000)
