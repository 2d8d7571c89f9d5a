"""Swap logs of a receipt as plain facts: which pool took how much of which token. Read without the code under test."""

from collections.abc import Mapping

import msgspec
from eth_abi.abi import decode

from headrace.devnet.abi import event_topic
from headrace.devnet.market import Market, MarketPool

V2 = event_topic("Swap(address,uint256,uint256,uint256,uint256,address)")
V3 = event_topic("Swap(address,address,int256,int256,uint160,uint128,int24)")
VAULT = event_topic("Swap(bytes32,address,address,uint256,uint256)")


class LogOfSwap(msgspec.Struct, frozen=True):
    address: str
    topics: tuple[str, ...]
    data: str


class SwapFact(msgspec.Struct, frozen=True):
    pool: str
    token_in: str
    token_out: str
    amount_in: int
    amount_out: int
    recipient: str | None  # None in the vault's log, which does not say


def pools_by_address(market: Market) -> dict[str, MarketPool]:
    return {pool.address: pool for exchange in market.exchanges for pool in exchange.pools}


def swap_facts(logs: list[LogOfSwap], pools: Mapping[str, MarketPool]) -> list[SwapFact]:
    return [fact for log in logs if (fact := _fact(log, pools)) is not None]


def _fact(log: LogOfSwap, pools: Mapping[str, MarketPool]) -> SwapFact | None:
    data = bytes.fromhex(log.data[2:])
    if log.topics[0] == V2:
        in0, in1, out0, out1 = decode(["uint256"] * 4, data)
        return _two_token_fact(log, pools, (in0 - out0, in1 - out1))
    if log.topics[0] == V3:
        amount0, amount1 = decode(["int256"] * 2, data[:64])
        return _two_token_fact(log, pools, (amount0, amount1))
    if log.topics[0] == VAULT:
        paid, got = decode(["uint256"] * 2, data)
        token_in, token_out = ("0x" + topic[-40:] for topic in log.topics[2:4])
        return SwapFact(log.topics[1], token_in, token_out, paid, got, None)
    return None


def _two_token_fact(log: LogOfSwap, pools: Mapping[str, MarketPool], into_pool: tuple[int, int]) -> SwapFact:
    pool = pools[log.address]
    paid = 0 if into_pool[0] > 0 else 1
    recipient = "0x" + log.topics[2][-40:]
    return SwapFact(pool.id, pool.tokens[paid], pool.tokens[1 - paid], into_pool[paid], -into_pool[1 - paid], recipient)
