"""Runs under the rivals' own Python: quotes of degenbot's pools, timed there; one JSON object a line, in and out.

The pools are filled in without their constructors, which would read a node. Nothing of degenbot is changed: what is
timed is its public method, which the library itself calls for its arbitrage helpers.
"""

import json
import logging
import sys
import threading
import time
from fractions import Fraction

from degenbot.erc20_token import Erc20Token
from degenbot.types import BoundedCache
from degenbot.uniswap.types import (
    UniswapV2PoolState,
    UniswapV3BitmapAtWord,
    UniswapV3LiquidityAtTick,
    UniswapV3PoolState,
)
from degenbot.uniswap.v2_liquidity_pool import UniswapV2Pool
from degenbot.uniswap.v3_liquidity_pool import UniswapV3Pool
from eth_utils.address import to_checksum_address

logging.disable(logging.CRITICAL)
_PIPS = 1_000_000
_ADDRESS = to_checksum_address(f"0x{99:040x}")
Given = dict[str, int | list[list[int]]]


def _token(number: int) -> Erc20Token:
    token = object.__new__(Erc20Token)
    token.address = to_checksum_address(f"0x{number:040x}")
    token.symbol = token.name = f"T{number}"
    token.decimals = 18
    return token


_TOKENS = (_token(1), _token(2))


def _prepared(kind: type, state: object) -> object:
    pool = object.__new__(kind)
    pool.address, pool.name = _ADDRESS, "pool"
    pool.token0, pool.token1 = _TOKENS
    pool._state_lock, pool._subscribers, pool._update_block = threading.Lock(), set(), 1
    pool._state, pool._state_cache = state, BoundedCache(max_items=8)
    return pool


def _v2(given: Given) -> object:
    state = UniswapV2PoolState(pool=_ADDRESS, reserves_token0=given["reserve0"], reserves_token1=given["reserve1"])
    pool = _prepared(UniswapV2Pool, state)
    pool.fee_token0 = pool.fee_token1 = Fraction(given["fee_pips"], _PIPS)
    return pool


def _v3(given: Given) -> object:
    spacing, bitmap = given["tick_spacing"], {}
    for tick, _, _ in given["ticks"]:
        word, bit = divmod(tick // spacing, 256)
        bitmap[word] = bitmap.get(word, 0) | 1 << bit
    state = UniswapV3PoolState(
        pool=_ADDRESS,
        liquidity=given["liquidity"],
        sqrt_price_x96=given["sqrt_price_x96"],
        tick=given["tick"],
        tick_bitmap={word: UniswapV3BitmapAtWord(bitmap=bits, block=1) for word, bits in bitmap.items()},
        tick_data={
            tick: UniswapV3LiquidityAtTick(liquidity_net=net, liquidity_gross=gross, block=1)
            for tick, gross, net in given["ticks"]
        },
    )
    pool = _prepared(UniswapV3Pool, state)
    pool.fee, pool.tick_spacing, pool.sparse_liquidity_map = given["fee_pips"], spacing, False
    return pool


def _answer(pool: object, index_in: int, amounts: list[int]) -> dict[str, object]:
    quote, token = pool.calculate_tokens_out_from_tokens_in, _TOKENS[index_in]
    started = time.perf_counter_ns()
    outputs = [quote(token, amount) for amount in amounts]
    return {"ns": (time.perf_counter_ns() - started) / len(amounts), "outputs": outputs}


def main() -> None:
    pool = None
    for line in sys.stdin:
        asked = json.loads(line)
        if "pool" in asked:
            pool = _v2(asked["pool"]) if "reserve0" in asked["pool"] else _v3(asked["pool"])
        print(json.dumps(_answer(pool, asked["index_in"], asked["amounts"])), flush=True)


main()
