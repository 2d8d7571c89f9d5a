"""Uniswap v2 from its published bytecode; deploy it twice for two exchanges."""

from functools import cache

import msgspec
from eth_hash.auto import keccak

from headrace.devnet.artifacts import npm_artifact
from headrace.devnet.deployer import Deployer, create2_address
from headrace.model.address import Address

FEE_PIPS = 3000
NO_DEADLINE = 2**40


class UniswapV2(msgspec.Struct, frozen=True):
    """Contracts of one exchange; `router` is Router02."""

    factory: Address
    router: Address


class V2PoolSpec(msgspec.Struct, frozen=True):
    """A pair and what the deployer puts into it, in smallest units."""

    token_a: Address
    token_b: Address
    amount_a: int
    amount_b: int


def deploy_uniswap_v2(deployer: Deployer, weth: Address) -> UniswapV2:
    """Queue a factory without protocol fee and its router."""
    factory_artifact = npm_artifact("@uniswap/v2-core/build/UniswapV2Factory.json")
    factory = deployer.deploy(factory_artifact, ("address",), deployer.sender)
    router_artifact = npm_artifact("@uniswap/v2-periphery/build/UniswapV2Router02.json")
    router = deployer.deploy(router_artifact, ("address", "address"), factory, weth)
    return UniswapV2(factory, router)


def create_v2_pool(deployer: Deployer, exchange: UniswapV2, spec: V2PoolSpec) -> Address:
    """Queue a new pair with liquidity; the router must be approved for both tokens."""
    deployer.transact(
        exchange.router,
        "addLiquidity(address,address,uint256,uint256,uint256,uint256,address,uint256)",
        *(spec.token_a, spec.token_b, spec.amount_a, spec.amount_b, 0, 0, deployer.sender, NO_DEADLINE),
    )
    return v2_pool_address(exchange.factory, spec.token_a, spec.token_b)


def v2_pool_address(factory: Address, token_a: Address, token_b: Address) -> Address:
    """Address of the pair, by its CREATE2 salt keccak(token0 . token1)."""
    salt = keccak(b"".join(bytes.fromhex(token[2:]) for token in sorted((token_a, token_b))))
    return create2_address(factory, salt, _pair_code_hash())


@cache
def _pair_code_hash() -> bytes:
    return keccak(bytes.fromhex(npm_artifact("@uniswap/v2-core/build/UniswapV2Pair.json").creation_code))
