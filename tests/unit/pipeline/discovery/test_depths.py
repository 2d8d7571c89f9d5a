"""Depths of v2 pairs in dollars; the oracle is algebra: 1 - sqrt(0.99) of a reserve is paid until one percent is gone.

With reserves x and y the price after an input falls by the factor (x / (x + input after the fee))^2, and what is left
of y by the root of that.
"""

import math

import pytest
from tests.support.market import DAI, DEXES, USDC, WETH, pair

from headrace.adapters.protocols.uniswap_v2.state import UniswapV2State
from headrace.model.address import Address
from headrace.model.quarantine import Quarantined
from headrace.model.token import Token
from headrace.pipeline.discovery.depths import depths_usd
from headrace.ports.pool import PoolState

SHARE = 1 - math.sqrt(0.99)
PRICED = {USDC.address: 1e-6}
LOST = Token(WETH.chain_id, Address("0x" + "dd" * 20), "LOST", 18)
OTHER = Token(WETH.chain_id, Address("0x" + "ee" * 20), "OTHER", 18)


def state(number: int, token0: Token, amount0: float, token1: Token, amount1: float) -> UniswapV2State:
    units = (int(amount0 * 10**token0.decimals), int(amount1 * 10**token1.decimals))
    return UniswapV2State(pair(number, "a", token0, token1), *units)


def test_a_pair_with_a_priced_token_is_as_deep_as_its_reserve_says() -> None:
    (depth,) = depths_usd([state(1, WETH, 1000, USDC, 3e6)], DEXES, PRICED)
    assert depth == pytest.approx(3e6 * SHARE, rel=1e-5)


def test_a_token_is_worth_what_the_deepest_way_to_it_gives() -> None:
    states = [
        state(1, WETH, 1000, USDC, 3e6),
        state(2, WETH, 5e6, USDC, 9e3),  # a heap of ether: a dollar buys hundreds of them by its own word
        state(3, WETH, 500, DAI, 1.5e6),
    ]
    depths = depths_usd(states, DEXES, PRICED)
    assert depths[2] == pytest.approx(1.5e6 * SHARE, rel=1e-5)
    assert depths[1] == pytest.approx(9e3 * SHARE, rel=1e-5)  # the lesser side counts, not the heap
    assert depths_usd(states[1:], DEXES, PRICED)[1] < depths[2] / 1e5  # where nothing else is known, it is believed


def test_what_no_priced_token_leads_to_is_worth_nothing_and_neither_is_what_gives_nothing() -> None:
    states: list[PoolState] = [
        state(1, LOST, 1e9, OTHER, 1e9),
        state(2, WETH, 0, USDC, 0),
        Quarantined(pair(3, "a", WETH, USDC), "odd"),
        state(4, WETH, 1, USDC, 3000),
    ]
    depths = depths_usd(states, DEXES, PRICED)
    assert depths[:3] == [0.0, 0.0, 0.0]
    assert depths[3] == pytest.approx(3000 * SHARE, rel=1e-5)
    assert depths_usd(states, DEXES, {}) == [0.0] * 4


def test_two_priced_tokens_that_disagree_make_a_pool_as_deep_as_its_lesser_side() -> None:
    prices = PRICED | {WETH.address: 1000 / 1e18}
    (depth,) = depths_usd([state(1, WETH, 1000, USDC, 3e6)], DEXES, prices)
    assert depth == pytest.approx(1e6 * SHARE, rel=1e-5)
