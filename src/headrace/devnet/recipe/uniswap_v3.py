"""Uniswap v3 from its published bytecode: pools of any fee tier with any set of positions."""

import math
from functools import cache

import msgspec
from eth_hash.auto import keccak

from headrace.devnet.abi import encode_arguments
from headrace.devnet.artifacts import npm_artifact
from headrace.devnet.deployer import Deployer, create2_address
from headrace.devnet.recipe.uniswap_v2 import NO_DEADLINE
from headrace.model.address import ZERO_ADDRESS, Address

TICK_SPACINGS = {100: 1, 500: 10, 3000: 60, 10_000: 200}
MAX_TICK = 887_272
_TICK_BASE = 1.0001
_PERIPHERY = "@uniswap/v3-periphery/artifacts/contracts"


class UniswapV3(msgspec.Struct, frozen=True):
    """Contracts of the exchange; `router` is SwapRouter, `quoter` QuoterV2."""

    factory: Address
    positions: Address
    router: Address
    quoter: Address


class V3Position(msgspec.Struct, frozen=True):
    """Liquidity between two ticks, from at most these amounts in smallest units of token0 and token1."""

    tick_lower: int
    tick_upper: int
    amount0: int
    amount1: int


class V3PoolSpec(msgspec.Struct, frozen=True):
    """A pool; tokens in address order, starting price as Q64.96 square root."""

    token0: Address
    token1: Address
    fee_pips: int
    sqrt_price_x96: int
    positions: tuple[V3Position, ...]


def deploy_uniswap_v3(deployer: Deployer, weth: Address) -> UniswapV3:
    """Queue factory, position manager, router and quoter; the tier of 100 pips is enabled beside the three built in."""
    factory = deployer.deploy(
        npm_artifact("@uniswap/v3-core/artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json")
    )
    deployer.transact(factory, "enableFeeAmount(uint24,int24)", 100, TICK_SPACINGS[100])
    two, three = ("address", "address"), ("address", "address", "address")
    manager = npm_artifact(f"{_PERIPHERY}/NonfungiblePositionManager.sol/NonfungiblePositionManager.json")
    positions = deployer.deploy(manager, three, factory, weth, ZERO_ADDRESS)
    router = deployer.deploy(npm_artifact(f"{_PERIPHERY}/SwapRouter.sol/SwapRouter.json"), two, factory, weth)
    quoter = deployer.deploy(npm_artifact(f"{_PERIPHERY}/lens/QuoterV2.sol/QuoterV2.json"), two, factory, weth)
    return UniswapV3(factory, positions, router, quoter)


def create_v3_pool(deployer: Deployer, exchange: UniswapV3, spec: V3PoolSpec) -> Address:
    """Queue a new pool and its positions; the position manager must be approved for both tokens."""
    create = "createAndInitializePoolIfNecessary(address,address,uint24,uint160)"
    deployer.transact(exchange.positions, create, spec.token0, spec.token1, spec.fee_pips, spec.sqrt_price_x96)
    for position in spec.positions:
        mint_v3_position(deployer, exchange, spec, position)
    return v3_pool_address(exchange.factory, spec.token0, spec.token1, spec.fee_pips)


def mint_v3_position(deployer: Deployer, exchange: UniswapV3, spec: V3PoolSpec, position: V3Position) -> None:
    """Queue one more position of the pool of `spec`."""
    pool = (spec.token0, spec.token1, spec.fee_pips)
    amounts = (position.amount0, position.amount1, 0, 0)
    request = (*pool, position.tick_lower, position.tick_upper, *amounts, deployer.sender, NO_DEADLINE)
    mint = "mint((address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,address,uint256))"
    deployer.transact(exchange.positions, mint, request)


def v3_pool_address(factory: Address, token0: Address, token1: Address, fee_pips: int) -> Address:
    """Address of the pool, by its CREATE2 salt keccak(abi.encode(token0, token1, fee))."""
    salt = keccak(encode_arguments(("address", "address", "uint24"), token0, token1, fee_pips))
    return create2_address(factory, salt, _pool_code_hash())


def sqrt_price_x96(amount0: float, amount1: float) -> int:
    """Square root of amount1 / amount0 as Q64.96, to a float's precision."""
    return int(math.sqrt(amount1 / amount0) * 2**96)


def range_around(price_x96: int, *, width: float, fee_pips: int) -> tuple[int, int]:
    """Usable ticks a factor of `1 + width` below and above a square-root price, at least one spacing apart."""
    spacing = TICK_SPACINGS[fee_pips]
    centre = 2 * math.log(price_x96 / 2**96, _TICK_BASE)
    reach = math.log1p(width) / math.log(_TICK_BASE)
    highest = MAX_TICK // spacing * spacing
    lower = max(math.floor((centre - reach) / spacing) * spacing, -highest)
    upper = min(math.ceil((centre + reach) / spacing) * spacing, highest)
    return lower, max(upper, lower + spacing)


@cache
def _pool_code_hash() -> bytes:
    artifact = npm_artifact("@uniswap/v3-core/artifacts/contracts/UniswapV3Pool.sol/UniswapV3Pool.json")
    return keccak(bytes.fromhex(artifact.creation_code))
