"""Pools of Uniswap v3's published bytecode, built to be awkward, and a probe that asks them what a swap would do.

The probe forwards a call to a pool and, when the pool calls back for its input, reverts with the two amounts that the
pool asked for and paid. So the pool itself says what it takes and gives, at any price limit, without any payment.
"""

import random
from collections.abc import Sequence
from typing import NamedTuple

from tests.conformance.protocols.local_chain import LocalChain

from headrace.adapters.protocols.uniswap_v3.state import PROTOCOL
from headrace.devnet.abi import signed_word
from headrace.devnet.recipe.tokens import approve_all
from headrace.devnet.recipe.uniswap_v3 import (
    TICK_SPACINGS,
    V3PoolSpec,
    V3Position,
    create_v3_pool,
    deploy_uniswap_v3,
    v3_pool_address,
)
from headrace.kernels.tick_math import TICK_MAX, sqrt_price_at_tick_up
from headrace.model.address import Address, PoolId
from headrace.model.pool import Pool

PROBE = Address("0x00000000000000000000000000000000000b0b0b")
PROBE_CODE = (
    "0x5f3560e01c63%s14602b57"  # unless this is the callback, whose selector is to be put in
    "601436038060145f375f5f825f5f5f3560601c5af1503d5f5f3e3d5ff3"  # call the pool, answer whatever it answered
    "5b604060045f3760405ffd"  # revert with the callback's two amounts
)
CALLBACK_SELECTOR = "fa461e33"  # uniswapV3SwapCallback(int256,int256,bytes)
SWAP_SELECTOR = "128acb08"
WORD = 256
NO_POOLS_FEE = 77  # a tier of this test alone; its one pool has no price at first
LONG_STEP_FEE = 88  # another, whose bitmap has a single word on each side of 0
LONG_STEP = 16_383


class Asked(NamedTuple):
    """A swap to be asked for; the amount is negative for an exact output."""

    pool: Pool
    amount: int
    limit_x96: int
    zero_for_one: bool


class Answered(NamedTuple):
    """What the pool took and paid."""

    amount_in: int
    amount_out: int


class AwkwardPools:
    """Every tier with dense ticks, with a gap, and with its price on an initialised tick; prices near both bounds."""

    def __init__(self, chain: LocalChain, seed: int) -> None:
        self.chain = chain
        self.specs: list[V3PoolSpec] = []
        self.pools: list[Pool] = []
        self._random = random.Random(seed)
        self.exchange = deploy_uniswap_v3(chain.deployer, chain.weth)
        chain.deployer.transact(self.exchange.factory, "enableFeeAmount(uint24,int24)", NO_POOLS_FEE, 30)
        chain.deployer.transact(self.exchange.factory, "enableFeeAmount(uint24,int24)", LONG_STEP_FEE, LONG_STEP)
        approve_all(chain.deployer, chain.tokens, (self.exchange.positions, self.exchange.router))
        chain.rpc.request("anvil_setCode", PROBE, PROBE_CODE % CALLBACK_SELECTOR)
        self._build_tiers()
        self._build_extremes()
        self.unset = self._create_without_price()
        for i, pool in enumerate(self.pools[:-1]):
            if i % 2 == 0:
                chain.deployer.transact(pool.address, "setFeeProtocol(uint8,uint8)", 4 + i % 7, 10 - i % 7)
        chain.deployer.flush()

    def ask(self, asked: Sequence[Asked]) -> list[Answered | None]:
        """What the pools would do on the head, None where they revert."""
        return ask_probe(self.chain, asked)

    def _build_tiers(self) -> None:
        rng = self._random
        for fee, spacing in TICK_SPACINGS.items():
            centre = rng.randint(-3 * WORD, 3 * WORD) * spacing
            on_tick = sqrt_price_at_tick_up(centre)
            off_tick = on_tick + on_tick // 100_003
            self._create(fee, off_tick, dense_positions(rng, centre, spacing))
            if fee > 100:  # a spacing of 1 has 6,932 words to read: one such pool is enough
                self._create(fee, off_tick, _with_gap(rng, centre, spacing, is_funded_here=fee > 500))
                self._create(fee, on_tick, _dense(rng, centre, spacing)[:12])

    def _build_extremes(self) -> None:
        highest = TICK_MAX // 60 * 60
        low, high = sqrt_price_at_tick_up(-highest), sqrt_price_at_tick_up(highest - 30)
        self._create(3000, low + low // 999, [V3Position(-highest, highest - 600, 2**70, 2**40)])
        self._create(3000, high, [V3Position(600 - highest, highest, 2**40, 2**70)])
        self._create(500, sqrt_price_at_tick_up(-TICK_MAX), [V3Position(-887_270, 887_270, 2**120, 2**30)])
        self._create(10_000, 2**96, [])
        self._create(LONG_STEP_FEE, 2**150, [V3Position(-54 * LONG_STEP, 54 * LONG_STEP, 10**19, 2**174)])

    def _create(self, fee_pips: int, sqrt_price_x96: int, positions: Sequence[V3Position]) -> None:
        spec = V3PoolSpec(*self._free_pair(fee_pips), fee_pips, sqrt_price_x96, tuple(positions))
        self._keep(spec, create_v3_pool(self.chain.deployer, self.exchange, spec))

    def _create_without_price(self) -> Pool:
        token0, token1 = self._free_pair(NO_POOLS_FEE)
        factory = self.exchange.factory
        self.chain.deployer.transact(factory, "createPool(address,address,uint24)", token0, token1, NO_POOLS_FEE)
        spec = V3PoolSpec(token0, token1, NO_POOLS_FEE, 0, ())
        return self._keep(spec, v3_pool_address(factory, token0, token1, NO_POOLS_FEE))

    def _free_pair(self, fee_pips: int) -> tuple[Address, Address]:
        taken = {pool.tokens for pool in self.pools if pool.fee_pips == fee_pips}
        tokens = self.chain.tokens
        return next((a, b) for i, a in enumerate(tokens) for b in tokens[i + 1 :] if (a, b) not in taken)

    def _keep(self, spec: V3PoolSpec, address: Address) -> Pool:
        tokens = (spec.token0, spec.token1)
        self.specs.append(spec)
        self.pools.append(Pool(PoolId(address), address, PROTOCOL, "uniswap_v3", tokens, spec.fee_pips))
        return self.pools[-1]


def ask_probe(chain: LocalChain, asked: Sequence[Asked]) -> list[Answered | None]:
    """What pools would do on the head, by the probe; None where they revert."""
    answers = chain.call_all(({"to": PROBE, "data": _forwarded(one)}, "latest") for one in asked)
    return [_amounts(one, words) for one, words in zip(asked, answers, strict=True)]


def dense_positions(rng: random.Random, centre: int, spacing: int) -> list[V3Position]:
    """Many short positions around a tick, and one over everything."""
    return [*_dense(rng, centre, spacing), _everywhere(spacing)]


def gapped_positions(rng: random.Random, centre: int, spacing: int) -> list[V3Position]:
    """Liquidity at a tick and far away on both sides."""
    return _with_gap(rng, centre, spacing, is_funded_here=True)


def _forwarded(one: Asked) -> str:
    words = (int(PROBE, 16), int(one.zero_for_one), one.amount % 2**256, one.limit_x96, 160, 0)
    return one.pool.address + SWAP_SELECTOR + "".join(f"{word:064x}" for word in words)


def _amounts(asked: Asked, words: Sequence[int] | None) -> Answered | None:
    assert words is not None, "the probe itself never reverts"
    if len(words) != 2:  # a revert reason
        return None
    amount0, amount1 = signed_word(words[0]), signed_word(words[1])
    return Answered(amount0, -amount1) if asked.zero_for_one else Answered(amount1, -amount0)


def _dense(rng: random.Random, centre: int, spacing: int) -> list[V3Position]:
    """Many short positions around the price, some with an end on the edge of a bitmap word."""
    positions = [_position(rng, centre - 400 * spacing, centre + 400 * spacing)]
    for _ in range(28):
        lower = centre + rng.randint(-60, 50) * spacing
        positions.append(_position(rng, lower, lower + rng.randint(1, 25) * spacing))
    first_word = centre // spacing // WORD
    for word in (first_word - 1, first_word, first_word + 1):
        start, last = word * WORD * spacing, (word * WORD + 255) * spacing
        positions.append(_position(rng, start, start + 3 * spacing))
        positions.append(_position(rng, last - 2 * spacing, last))
        positions.append(_position(rng, last, last + spacing))
    return positions


def _everywhere(spacing: int) -> V3Position:
    return V3Position(-(TICK_MAX // spacing) * spacing, TICK_MAX // spacing * spacing, 10**10, 10**10)


def _with_gap(rng: random.Random, centre: int, spacing: int, *, is_funded_here: bool) -> list[V3Position]:
    """Liquidity far away on both sides, some at the price or none, nothing between."""
    positions = [_position(rng, centre - 4 * spacing, centre + 6 * spacing)] if is_funded_here else []
    for side in (-1, 1):
        for _ in range(6):
            lower = centre + side * rng.randint(280, 620) * spacing
            positions.append(_position(rng, lower, lower + rng.randint(1, 90) * spacing))
    return positions


def _position(rng: random.Random, tick_lower: int, tick_upper: int) -> V3Position:
    amount = int(10 ** rng.uniform(6, 15))
    return V3Position(tick_lower, tick_upper, amount, amount)
