"""The outline's pools on the exchanges: each starts a little off the fair price, inside its own fee."""

import math
import random
from collections.abc import Iterable

import msgspec

from headrace.devnet.deployer import Deployer
from headrace.devnet.market import Exchange, MarketPool
from headrace.devnet.recipe.balancer_v2 import (
    BalancerV2,
    WeightedPool,
    WeightedPoolSpec,
    create_weighted_pools,
    deploy_balancer_v2,
)
from headrace.devnet.recipe.outline import BALANCER, STABLE_SYMBOLS, V3, PoolOutline
from headrace.devnet.recipe.tokens import TokenSpec, approve_all
from headrace.devnet.recipe.uniswap_v2 import FEE_PIPS, UniswapV2, V2PoolSpec, create_v2_pool, deploy_uniswap_v2
from headrace.devnet.recipe.uniswap_v3 import (
    V3PoolSpec,
    V3Position,
    create_v3_pool,
    deploy_uniswap_v3,
    range_around,
    sqrt_price_x96,
)
from headrace.model.address import Address, PoolId

_PIPS = 10**6
_OFFSET_OF_FEE = 0.5  # how far from the fair price a pool may start, in fees
_VOLATILE_BANDS = (  # half width of the price range, share of the pool's money
    (3.0, 0.34),
    (0.30, 0.30),
    (0.08, 0.20),
    (0.03, 0.10),
    (0.01, 0.04),
    (0.004, 0.02),
)
_STABLE_BANDS = ((0.05, 0.20), (0.005, 0.40), (0.001, 0.40))
_CENTRE_SPREAD = 0.8  # how far from the price a band's centre may lie, in half widths


class DeployedToken(msgspec.Struct, frozen=True):
    """A token of the outline and where it stands."""

    spec: TokenSpec
    address: Address


class PoolMaker:
    """Builds the outline's exchanges with one deployer; the seed moves starting prices and positions."""

    def __init__(self, deployer: Deployer, tokens: Iterable[DeployedToken], seed: int) -> None:
        self._deployer = deployer
        self._tokens = {token.spec.symbol: token for token in tokens}
        self._random = random.Random(f"{seed}:pools")
        self._weth = self._tokens["WETH"].address

    def uniswap_v2(self, name: str, outlines: tuple[PoolOutline, ...]) -> Exchange:
        """Queue a v2 exchange with its pairs."""
        exchange = deploy_uniswap_v2(self._deployer, self._weth)
        self._approve(exchange.router)
        pools = tuple(self._v2_pool(exchange, outline) for outline in outlines)
        return Exchange(name, "uniswap_v2", exchange.factory, exchange.router, pools, fee_pips=FEE_PIPS)

    def uniswap_v3(self, name: str) -> Exchange:
        """Queue the v3 exchange with its pools and their positions."""
        exchange = deploy_uniswap_v3(self._deployer, self._weth)
        self._approve(exchange.positions)
        specs = [self._v3_spec(outline) for outline in V3]
        pools = []
        for spec in specs:
            address = create_v3_pool(self._deployer, exchange, spec)
            pools.append(MarketPool(PoolId(address), address, (spec.token0, spec.token1), spec.fee_pips))
        return Exchange(name, "uniswap_v3", exchange.factory, exchange.router, tuple(pools), quoter=exchange.quoter)

    def balancer_v2(self, name: str) -> Exchange:
        """Mine the vault and its weighted pools; their first liquidity stays queued."""
        exchange: BalancerV2 = deploy_balancer_v2(self._deployer, self._weth)
        self._approve(exchange.vault)
        specs = tuple(self._weighted_spec(outline) for outline in BALANCER)
        made = create_weighted_pools(self._deployer, exchange, specs)
        pools = tuple(_weighted_pool(pool, spec) for pool, spec in zip(made, specs, strict=True))
        return Exchange(name, "balancer_v2", exchange.weighted_factory, exchange.vault, pools)

    def _approve(self, spender: Address) -> None:
        approve_all(self._deployer, (token.address for token in self._tokens.values()), (spender,))

    def _sorted(self, outline: PoolOutline) -> list[DeployedToken]:
        return sorted((self._tokens[symbol] for symbol in outline.symbols), key=lambda token: token.address)

    def _offset(self, fee_pips: int) -> float:
        return 1 + self._random.uniform(-1, 1) * _OFFSET_OF_FEE * fee_pips / _PIPS

    def _v2_pool(self, exchange: UniswapV2, outline: PoolOutline) -> MarketPool:
        first, second = self._sorted(outline)
        amounts = first.spec.units(outline.usd / 2), second.spec.units(outline.usd / 2 * self._offset(FEE_PIPS))
        spec = V2PoolSpec(first.address, second.address, *amounts)
        address = create_v2_pool(self._deployer, exchange, spec)
        return MarketPool(PoolId(address), address, (first.address, second.address), FEE_PIPS)

    def _v3_spec(self, outline: PoolOutline) -> V3PoolSpec:
        first, second = self._sorted(outline)
        offset = self._offset(outline.fee_pips)
        price_x96 = sqrt_price_x96(first.spec.units(1e6), second.spec.units(1e6 * offset))
        is_stable = STABLE_SYMBOLS.issuperset(outline.symbols)
        positions = tuple(
            self._v3_position(price_x96, (first.spec, second.spec), width, share * outline.usd / 2, outline.fee_pips)
            for width, share in (_STABLE_BANDS if is_stable else _VOLATILE_BANDS)
        )
        return V3PoolSpec(first.address, second.address, outline.fee_pips, price_x96, positions)

    def _v3_position(
        self, price_x96: int, specs: tuple[TokenSpec, TokenSpec], width: float, usd: float, fee_pips: int
    ) -> V3Position:
        shift = self._random.uniform(-1, 1) * _CENTRE_SPREAD * min(width, 1.0)
        centre = price_x96 * math.sqrt(1 + shift)
        lower, upper = range_around(int(centre), width=width, fee_pips=fee_pips)
        return V3Position(lower, upper, specs[0].units(usd), specs[1].units(usd))

    def _weighted_spec(self, outline: PoolOutline) -> WeightedPoolSpec:
        tokens = self._sorted(outline)
        percents = dict(zip(outline.symbols, outline.weights, strict=True))
        shares = [percents[token.spec.symbol] for token in tokens]
        amounts = [
            token.spec.units(outline.usd * share / 100 * self._offset(outline.fee_pips))
            for token, share in zip(tokens, shares, strict=True)
        ]
        return WeightedPoolSpec(
            tuple(token.address for token in tokens),
            tuple(share * 10**16 for share in shares),
            tuple(amounts),
            outline.fee_pips * 10**12,
        )


def _weighted_pool(pool: WeightedPool, spec: WeightedPoolSpec) -> MarketPool:
    return MarketPool(pool.pool_id, pool.address, spec.tokens, spec.swap_fee // 10**12, spec.weights)
