"""Oracles: ids of mainnet pools as the exchange's own pages name them, and the flags of v4-core's Hooks.sol."""

import pytest

from headrace.adapters.protocols.uniswap_v4.key import (
    DYNAMIC_FEE,
    NATIVE,
    TICK_SPACING_MAX,
    PoolKey,
    key_of_words,
    tradable,
)
from headrace.errors import MalformedPoolError
from headrace.model.address import Address

USDC = Address("0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48")
USDT = Address("0xdac17f958d2ee523a2206206994597c13d831ec7")
BEFORE_SWAP, AFTER_SWAP, BEFORE_DELTA, AFTER_DELTA = 1 << 7, 1 << 6, 1 << 3, 1 << 2


def hook(flags: int) -> Address:
    return Address(f"0x{0x5E << 152 | flags:040x}")


@pytest.mark.parametrize(
    ("key", "pool"),
    [
        (PoolKey(NATIVE, USDC, 500, 10), "0x21c67e77068de97969ba93d4aab21826d33ca12bb9f565d8496e8fda8a82ca27"),
        (PoolKey(NATIVE, USDC, 3000, 60), "0xdce6394339af00981949f5f3baf27e3610c76326a700af57e4b3e3ae4977f78d"),
        (PoolKey(NATIVE, USDT, 500, 10), "0x72331fcb696b0151904c03584b66dc8365bc63f8a144d89a773384e3a579ca73"),
    ],
)
def test_a_key_hashes_to_the_id_of_its_mainnet_pool(key: PoolKey, pool: str) -> None:
    assert key.id == pool
    assert tradable(key.id, key) == key


@pytest.mark.parametrize(
    ("flag", "name"),
    [
        (BEFORE_SWAP, "BEFORE_SWAP"),
        (AFTER_SWAP, "AFTER_SWAP"),
        (BEFORE_SWAP | BEFORE_DELTA, "BEFORE_SWAP_RETURNS_DELTA"),
        (AFTER_SWAP | AFTER_DELTA, "AFTER_SWAP_RETURNS_DELTA"),
    ],
)
def test_a_hook_that_is_called_around_a_swap_bars_its_pool(flag: int, name: str) -> None:
    key = PoolKey(USDC, USDT, 100, 1, hook(flag | 1 << 13))
    with pytest.raises(MalformedPoolError, match=name) as caught:
        tradable(key.id, key)
    assert caught.value.field == "hooks"


def test_every_other_flag_is_harmless() -> None:
    harmless = 0x3FFF & ~(BEFORE_SWAP | AFTER_SWAP | BEFORE_DELTA | AFTER_DELTA)
    for flags in (harmless, *(1 << bit for bit in range(160) if bit >= 14 or harmless >> bit & 1)):
        key = PoolKey(USDC, USDT, 100, 1, hook(flags))
        assert tradable(key.id, key) == key


@pytest.mark.parametrize(
    ("key", "field"),
    [
        (PoolKey(USDT, USDC, 100, 1), "tokens"),
        (PoolKey(USDC, USDC, 100, 1), "tokens"),
        (PoolKey(USDC, USDT, 100, 0), "tick_spacing"),
        (PoolKey(USDC, USDT, 100, -1), "tick_spacing"),
        (PoolKey(USDC, USDT, 100, TICK_SPACING_MAX + 1), "tick_spacing"),
        (PoolKey(USDC, USDT, DYNAMIC_FEE, 1, hook(1 << 13)), "fee_pips"),
        (PoolKey(USDC, USDT, 1_000_001, 1), "fee_pips"),
    ],
)
def test_a_key_that_the_manager_would_not_take_is_refused(key: PoolKey, field: str) -> None:
    pool = PoolKey(USDC, USDT, key.fee_pips, abs(key.tick_spacing), key.hooks).id
    with pytest.raises(MalformedPoolError) as caught:
        tradable(pool, key)
    assert (caught.value.pool, caught.value.field) == (pool, field)


def test_a_key_is_proven_by_its_hash() -> None:
    key = PoolKey(USDC, USDT, 100, 1)
    for other in (PoolKey(NATIVE, USDT, 100, 1), PoolKey(USDC, USDT, 101, 1), PoolKey(USDC, USDT, 100, 2)):
        with pytest.raises(MalformedPoolError, match="that of") as caught:
            tradable(key.id, other)
        assert caught.value.field == "id"


def test_words_that_hold_no_key_are_refused() -> None:
    sound = [int(USDC, 16), int(USDT, 16), 100, 2**256 - 60, 0]
    assert key_of_words(sound) == PoolKey(USDC, USDT, 100, -60)
    for place, value in ((0, 1 << 160), (1, 1 << 255), (2, 1 << 24), (3, 1 << 23), (3, 2**255), (4, 1 << 200)):
        with pytest.raises(ValueError, match=r"address|24 bits"):
            key_of_words([*sound[:place], value, *sound[place + 1 :]])
