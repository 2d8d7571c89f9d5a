import pytest

from headrace.devnet.deployer import Deployer, create2_address, create_address
from headrace.devnet.recipe.balancer_v2 import WeightedPoolSpec, create_weighted_pools, deploy_balancer_v2
from headrace.devnet.recipe.tokens import approve_all, deploy_token, deploy_weth
from headrace.devnet.recipe.uniswap_v2 import V2PoolSpec, create_v2_pool, deploy_uniswap_v2
from headrace.devnet.recipe.uniswap_v3 import (
    V3PoolSpec,
    V3Position,
    create_v3_pool,
    deploy_uniswap_v3,
    range_around,
    sqrt_price_x96,
)
from headrace.devnet.rpc import Rpc, quantity
from headrace.errors import DevnetError
from headrace.model.address import Address

ETHER = 10**18


def test_addresses_of_created_contracts_are_foretold(rpc: Rpc) -> None:
    deployer = Deployer(rpc)
    tokens = [deploy_token(deployer, f"T{i}", 18, ETHER) for i in range(3)]
    for token in tokens:
        assert deployer.call_integer(token, "totalSupply()(uint256)") == ETHER


@pytest.mark.parametrize(
    ("nonce", "address"),
    [
        (0, "0x333c3310824b7c685133f2bedb2ca4b8b4df633d"),
        (1, "0x8bda78331c916a08481428e4b07c96d3e916d165"),
        (2, "0xc9ddedf451bc62ce88bf9292afb13df35b670699"),
    ],
)
def test_create_addresses_are_those_of_go_ethereum(nonce: int, address: str) -> None:
    sender = Address("0x970e8128ab834e8eac17ab8e3812f010678cf791")  # crypto/crypto_test.go, TestNewContractAddress
    assert create_address(sender, nonce) == address


def test_create2_addresses_are_those_of_eip_1014() -> None:
    zero = Address("0x" + "00" * 20)
    code_hash = bytes.fromhex("bc36789e7a1e281436464229828f817d6612f7b477d66591ff96a9e064bcc98a")  # keccak(0x00)
    assert create2_address(zero, bytes(32), code_hash) == "0x4d1a2e2bb4f88f0250f26ffff098b0b30b26bf38"


def test_a_reverting_transaction_names_itself_and_the_reason(rpc: Rpc) -> None:
    deployer = Deployer(rpc)
    weth = deploy_weth(deployer)
    exchange = deploy_uniswap_v2(deployer, weth)
    deployer.transact(exchange.factory, "createPair(address,address)", weth, weth)
    with pytest.raises(DevnetError, match="IDENTICAL_ADDRESSES"):
        deployer.flush()


def test_more_than_one_block_is_mined_when_one_is_too_small(rpc: Rpc) -> None:
    deployer = Deployer(rpc)
    before = quantity(rpc.request("eth_blockNumber"))
    tokens = [deploy_token(deployer, f"T{i}", 18, ETHER) for i in range(60)]
    assert deployer.call_integer(tokens[-1], "totalSupply()(uint256)") == ETHER
    assert quantity(rpc.request("eth_blockNumber")) - before > 1


def test_pools_of_three_protocols_stand_where_they_were_foretold(rpc: Rpc) -> None:
    deployer = Deployer(rpc)
    weth, coin = sorted((deploy_weth(deployer, 1000 * ETHER), deploy_token(deployer, "COIN", 6, 10**15)))
    first, second, third = (
        deploy_uniswap_v2(deployer, weth),
        deploy_uniswap_v3(deployer, weth),
        deploy_balancer_v2(deployer, weth),
    )
    approve_all(deployer, (weth, coin), (first.router, second.positions, third.vault))

    pair = create_v2_pool(deployer, first, V2PoolSpec(weth, coin, 10**12, 3 * 10**12))
    assert deployer.call_address(first.factory, "getPair(address,address)(address)", weth, coin) == pair

    price = sqrt_price_x96(10**12, 3 * 10**12)
    bounds = range_around(price, width=0.1, fee_pips=500)
    spec = V3PoolSpec(weth, coin, 500, price, (V3Position(*bounds, 10**12, 3 * 10**12),))
    pool = create_v3_pool(deployer, second, spec)
    assert deployer.call_address(second.factory, "getPool(address,address,uint24)(address)", weth, coin, 500) == pool
    assert deployer.call_integer(pool, "liquidity()(uint128)") > 0

    halves = WeightedPoolSpec((weth, coin), (ETHER // 2, ETHER // 2), (10**12, 3 * 10**12), 10**15)
    (weighted,) = create_weighted_pools(deployer, third, (halves,))
    read = "getPoolTokens(bytes32)(address[],uint256[],uint256)"
    assert deployer.call(third.vault, read, bytes.fromhex(weighted.pool_id[2:]))[1] == (10**12, 3 * 10**12)
