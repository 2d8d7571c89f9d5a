"""Balancer v2 from its published bytecode: the vault and weighted pools."""

import msgspec

from headrace.devnet.abi import encode_arguments
from headrace.devnet.artifacts import balancer_artifact
from headrace.devnet.deployer import Deployer
from headrace.devnet.recipe.tokens import MAX_UINT256
from headrace.model.address import ZERO_ADDRESS, Address, PoolId

_DAY = 86_400
_ONE = 10**18
_JOIN_INIT = 0
_CREATE = "create(string,string,address[],uint256[],address[],uint256,address)"


class BalancerV2(msgspec.Struct, frozen=True):
    """Contracts of the exchange; swaps go through the vault."""

    vault: Address
    weighted_factory: Address


class WeightedPoolSpec(msgspec.Struct, frozen=True):
    """A pool; tokens in address order, weights of 1e18 in sum, fee as a fraction of 1e18, amounts in smallest units."""

    tokens: tuple[Address, ...]
    weights: tuple[int, ...]
    amounts: tuple[int, ...]
    swap_fee: int


class WeightedPool(msgspec.Struct, frozen=True):
    """A pool's contract and its id in the vault."""

    address: Address
    pool_id: PoolId


def deploy_balancer_v2(deployer: Deployer, weth: Address) -> BalancerV2:
    """Queue authorizer, vault, fee provider and the factory of weighted pools; protocol fees are off."""
    authorizer = deployer.deploy(balancer_artifact("20210418-authorizer", "Authorizer"), ("address",), deployer.sender)
    vault_types = ("address", "address", "uint256", "uint256")
    vault_artifact = balancer_artifact("20210418-vault", "Vault")
    vault = deployer.deploy(vault_artifact, vault_types, authorizer, weth, 90 * _DAY, 30 * _DAY)
    fees_artifact = balancer_artifact("20220725-protocol-fee-percentages-provider", "ProtocolFeePercentagesProvider")
    fees = deployer.deploy(fees_artifact, ("address", "uint256", "uint256"), vault, _ONE, _ONE)
    factory_artifact = balancer_artifact("20220908-weighted-pool-v2", "WeightedPoolFactory")
    return BalancerV2(vault, deployer.deploy(factory_artifact, ("address", "address"), vault, fees))


def create_weighted_pools(
    deployer: Deployer, exchange: BalancerV2, specs: tuple[WeightedPoolSpec, ...]
) -> tuple[WeightedPool, ...]:
    """Mine new pools and queue their first liquidity; the vault must be approved for all tokens.

    Raises:
        DevnetError: a pool's parameters are refused.
    """
    nonces = [_create(deployer, exchange, spec) for spec in specs]
    addresses = [_created(deployer, exchange, nonce) for nonce in nonces]
    pools = tuple(WeightedPool(address, _pool_id(deployer, address)) for address in addresses)
    for pool, spec in zip(pools, specs, strict=True):
        _join(deployer, exchange, pool, spec)
    return pools


def _create(deployer: Deployer, exchange: BalancerV2, spec: WeightedPoolSpec) -> int:
    rate_providers = (ZERO_ADDRESS,) * len(spec.tokens)
    request = (spec.tokens, spec.weights, rate_providers, spec.swap_fee, deployer.sender)
    return deployer.transact(exchange.weighted_factory, _CREATE, "Weighted", "WEIGHTED", *request)


def _created(deployer: Deployer, exchange: BalancerV2, nonce: int) -> Address:
    topic = next(log.topics[1] for log in deployer.logs(nonce) if log.address == exchange.weighted_factory)
    return Address("0x" + topic[-40:])


def _pool_id(deployer: Deployer, pool: Address) -> PoolId:
    found = deployer.call(pool, "getPoolId()(bytes32)")[0]
    assert isinstance(found, bytes)
    return PoolId("0x" + found.hex())


def _join(deployer: Deployer, exchange: BalancerV2, pool: WeightedPool, spec: WeightedPoolSpec) -> None:
    payload = encode_arguments(("uint256", "uint256[]"), _JOIN_INIT, spec.amounts)
    request = (spec.tokens, (MAX_UINT256,) * len(spec.tokens), payload, False)
    join = "joinPool(bytes32,address,address,(address[],uint256[],bytes,bool))"
    deployer.transact(exchange.vault, join, bytes.fromhex(pool.pool_id[2:]), deployer.sender, deployer.sender, request)
