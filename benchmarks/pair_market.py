"""A market of 10,000 v2 pairs and the blocks that move it, as the bytes a node would send.

Pairs hang on four hubs, as on mainnet: a few between hubs, most between a hub and one of 4,500 other tokens, the rest
between others. Each block has a Sync of 100 pairs, popular ones more often; their prices lie a few basis points off the
fair ones, and one pair in each block has just been knocked off by a large trade. Everything follows from the seed.
"""

import asyncio
import math
import random
from collections.abc import Sequence

import msgspec
from tests.support.memory_chain import MemoryChain

from headrace.adapters.protocols.uniswap_v2 import UniswapV2
from headrace.adapters.protocols.uniswap_v2.logs import SYNC
from headrace.adapters.protocols.uniswap_v2.state import PROTOCOL, UniswapV2State
from headrace.model.address import Address, ChainId, Hash32, PoolId, keccak_hex
from headrace.model.block import BlockHeader
from headrace.model.bloom import logs_bloom
from headrace.model.event import Log
from headrace.model.pool import Pool
from headrace.model.token import Token
from headrace.pipeline.market.market import Market
from headrace.ports.chain import Call

CHAIN = ChainId(1)
PAIRS = 10_000
SYNCS_PER_BLOCK = 100
FEES = {"pancakes": 2_500, "uniswap": 3_000, "sushi": 3_000}
_VENUES = tuple(FEES)
_TOKENS_PER_PAIR = 0.45
_HUBS = (("WETH", 18, 3_000.0), ("USDC", 6, 1.0), ("USDT", 6, 1.0), ("DAI", 18, 1.0))
_HUB_WEIGHTS = (62, 16, 13, 9)
_OFF_FAIR = 0.0008  # standard deviation of a pair's log price
_KNOCK = 0.015
_GWEI = 10**9


class PairMarket:
    """The pairs, their fair reserves, and blocks after block; nothing here is timed."""

    def __init__(self, pairs: int = PAIRS, seed: int = 1, syncs_per_block: int = SYNCS_PER_BLOCK) -> None:
        self._syncs_per_block = syncs_per_block
        self._rng = random.Random(seed)
        self.tokens = [_token(i, *hub[:2]) for i, hub in enumerate(_HUBS)]
        count = max(int(pairs * _TOKENS_PER_PAIR), 2 * len(_HUBS))
        self.tokens += [_token(i, f"T{i}", 18) for i in range(len(_HUBS), count)]
        hub_prices = [hub[2] for hub in _HUBS]
        self.usd = hub_prices + [math.exp(self._rng.gauss(0, 3)) for _ in range(len(_HUBS), count)]
        self._sides = [self._draw_sides(i) for i in range(pairs)]
        self.pools = tuple(self._pool(i, sides) for i, sides in enumerate(self._sides))
        self._depth_usd = [math.exp(self._rng.gauss(11.5, 1.5)) for _ in range(pairs)]
        self._popularity = [math.sqrt(depth) for depth in self._depth_usd]
        self.dex = UniswapV2(FEES)
        self.states = tuple(self._state(i, self._rng.gauss(0, _OFF_FAIR)) for i in range(pairs))
        self.header = _header(100, Hash32("0x" + "00" * 32), ())

    def open(self) -> Market:
        """A market that has read every pair at `header`."""
        market = Market(self.pools, {PROTOCOL: self.dex}, {token.address: token for token in self.tokens})
        asyncio.run(market.read_all(_Reserves(self.states), self.header, 0))
        return market

    def blocks(self, count: int) -> list[tuple[BlockHeader, bytes]]:
        """Headers that follow each other, each with a node's answer to `eth_getLogs`."""
        parent, made = self.header, []
        for _ in range(count):
            logs = self._syncs(parent)
            header = _header(parent.number + 1, parent.hash, logs)
            made.append((header, _answer_bytes(logs)))
            parent = header
        return made

    def _draw_sides(self, index: int) -> tuple[int, int]:
        hubs = range(len(_HUBS))
        if index < len(self.tokens) - len(_HUBS):  # every token has a pair with a hub
            return self._rng.choices(hubs, _HUB_WEIGHTS)[0], index + len(_HUBS)
        if self._rng.random() < 0.02:
            return tuple(self._rng.sample(hubs, 2))  # type: ignore[return-value]  # two of them
        other = len(_HUBS) + int((len(self.tokens) - len(_HUBS)) * self._rng.random() ** 3)
        if self._rng.random() < 0.8:
            return self._rng.choices(hubs, _HUB_WEIGHTS)[0], other
        another = len(_HUBS) + int((len(self.tokens) - len(_HUBS)) * self._rng.random() ** 3)
        return (other, another) if other != another else (0, other)

    def _pool(self, index: int, sides: tuple[int, int]) -> Pool:
        address = Address(keccak_hex(f"pair {index}".encode())[:42])
        tokens = sorted(self.tokens[side].address for side in sides)
        return Pool(PoolId(address), address, PROTOCOL, _VENUES[index % 3], tuple(tokens), FEES[_VENUES[index % 3]])

    def _state(self, index: int, off_fair: float) -> UniswapV2State:
        pool = self.pools[index]
        sides = sorted(self._sides[index], key=lambda side: self.tokens[side].address)
        skews = (math.exp(off_fair / 2), math.exp(-off_fair / 2))
        reserves = [
            max(int(self._depth_usd[index] * skew / self.usd[side] * 10 ** self.tokens[side].decimals), 1_000)
            for side, skew in zip(sides, skews, strict=True)
        ]
        return UniswapV2State(pool, *reserves)

    def _syncs(self, parent: BlockHeader) -> tuple[Log, ...]:
        touched = list(
            dict.fromkeys(self._rng.choices(range(len(self.pools)), self._popularity, k=self._syncs_per_block))
        )
        number = parent.number + 1
        block_hash = _block_hash(number)
        knocked = max(touched, key=lambda index: self._depth_usd[index])
        logs = []
        for at, index in enumerate(touched):
            state = self._state(index, _KNOCK if index == knocked else self._rng.gauss(0, _OFF_FAIR))
            data = f"0x{state.reserve0:064x}{state.reserve1:064x}"
            tx_hash = keccak_hex(block_hash.encode() + (at // 3).to_bytes(4))
            logs.append(Log(state.pool.address, (SYNC,), data, block_hash, number, tx_hash, at))
        return tuple(logs)


class _Reserves(MemoryChain):
    """A node that knows the pairs' reserves."""

    def __init__(self, states: Sequence[UniswapV2State]) -> None:
        super().__init__()
        self._states = {state.pool.address: state for state in states}

    async def call_many(self, calls: Sequence[Call], block: Hash32) -> tuple[bytes | None, ...]:
        del block
        found = [self._states[call.to] for call in calls]
        return tuple(s.reserve0.to_bytes(32) + s.reserve1.to_bytes(32) + bytes(32) for s in found)


def _token(index: int, symbol: str, decimals: int) -> Token:
    return Token(CHAIN, Address(keccak_hex(f"token {index}".encode())[:42]), symbol, decimals)


def _block_hash(number: int) -> Hash32:
    return keccak_hex(f"block {number}".encode())


def _header(number: int, parent: Hash32, logs: Sequence[Log]) -> BlockHeader:
    return BlockHeader(
        number=number,
        hash=_block_hash(number),
        parent_hash=parent,
        timestamp=1_700_000_000 + 12 * number,
        base_fee_wei=5 * _GWEI,
        gas_used=15_000_000,
        gas_limit=30_000_000,
        coinbase=Address("0x" + "cb" * 20),
        logs_bloom=logs_bloom(logs),
    )


def _answer_bytes(logs: Sequence[Log]) -> bytes:
    wires = [
        {
            "address": log.address,
            "topics": log.topics,
            "data": log.data,
            "blockHash": log.block_hash,
            "blockNumber": hex(log.block_number),
            "blockTimestamp": hex(1_700_000_000 + 12 * log.block_number),
            "transactionHash": log.tx_hash,
            "transactionIndex": hex(log.log_index // 3),
            "logIndex": hex(log.log_index),
            "removed": False,
        }
        for log in logs
    ]
    return msgspec.json.encode({"jsonrpc": "2.0", "id": 7, "result": wires})
