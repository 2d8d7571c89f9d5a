"""Aave v3 from its published bytecode: a lending market whose only use here is to lend for one transaction."""

from collections.abc import Iterable

import msgspec

from headrace.devnet.artifacts import Artifact, npm_artifact
from headrace.devnet.deployer import Deployer
from headrace.devnet.market import AaveMarket
from headrace.model.address import ZERO_ADDRESS, Address

FLASH_PREMIUM_BPS = 5
_CONTRACTS = "@aave/core-v3/artifacts/contracts"
_LIBRARIES = (
    "SupplyLogic",
    "BorrowLogic",
    "LiquidationLogic",
    "EModeLogic",
    "BridgeLogic",
    "ConfiguratorLogic",
    "PoolLogic",
)
_ROLES = ("addPoolAdmin", "addAssetListingAdmin", "addEmergencyAdmin", "addRiskAdmin")
_TOKENIZATION = "protocol/tokenization"
_RAY = 10**27
_RESERVES_PER_TRANSACTION = 4
_INIT_RESERVES = (
    "initReserves((address,address,address,uint8,address,address,address,address,"
    "string,string,string,string,string,string,bytes)[])"
)


class ReserveSpec(msgspec.Struct, frozen=True):
    """A token that can be lent, its dollar feed and how much the deployer supplies, in smallest units."""

    symbol: str
    token: Address
    decimals: int
    price_feed: Address
    amount: int


class _Aave(msgspec.Struct, frozen=True):
    provider: Address
    pool: Address
    configurator: Address


def deploy_aave_v3(deployer: Deployer, reserves: tuple[ReserveSpec, ...]) -> AaveMarket:
    """Mine the market, list every reserve and queue the deployer's supply of it.

    Raises:
        DevnetError: the protocol refuses a reserve.
    """
    provider = _deploy_provider(deployer, reserves)
    aave = _deploy_pool(deployer, provider)
    _list(deployer, aave, reserves)
    _supply(deployer, aave, reserves)
    return AaveMarket(aave.pool, provider, FLASH_PREMIUM_BPS)


def _artifact(path: str) -> Artifact:
    return npm_artifact(f"{_CONTRACTS}/{path}.sol/{path.rsplit('/', 1)[-1]}.json")


def _deploy_provider(deployer: Deployer, reserves: tuple[ReserveSpec, ...]) -> Address:
    me = deployer.sender
    path = "protocol/configuration/PoolAddressesProvider"
    provider = deployer.deploy(_artifact(path), ("string", "address"), "Devnet", me)
    deployer.transact(provider, "setACLAdmin(address)", me)
    deployer.flush()  # the next constructor reads it
    acl = deployer.deploy(_artifact("protocol/configuration/ACLManager"), ("address",), provider)
    deployer.transact(provider, "setACLManager(address)", acl)
    for role in _ROLES:
        deployer.transact(acl, f"{role}(address)", me)
    oracle = _deploy_oracle(deployer, provider, reserves)
    deployer.transact(provider, "setPriceOracle(address)", oracle)
    data = deployer.deploy(_artifact("misc/AaveProtocolDataProvider"), ("address",), provider)
    deployer.transact(provider, "setPoolDataProvider(address)", data)
    return provider


def _deploy_oracle(deployer: Deployer, provider: Address, reserves: Iterable[ReserveSpec]) -> Address:
    listed = tuple(reserves)
    tokens, feeds = [one.token for one in listed], [one.price_feed for one in listed]
    types = ("address", "address[]", "address[]", "address", "address", "uint256")
    unit = 10**8  # dollars with 8 decimals
    return deployer.deploy(
        _artifact("misc/AaveOracle"), types, provider, tokens, feeds, ZERO_ADDRESS, ZERO_ADDRESS, unit
    )


def _deploy_pool(deployer: Deployer, provider: Address) -> _Aave:
    logic = "protocol/libraries/logic"
    libraries = {name: deployer.deploy(_artifact(f"{logic}/{name}")) for name in _LIBRARIES}
    libraries["FlashLoanLogic"] = deployer.deploy(_artifact(f"{logic}/FlashLoanLogic").linked(libraries))
    pool = deployer.deploy(_artifact("protocol/pool/Pool").linked(libraries), ("address",), provider)
    configurator = deployer.deploy(_artifact("protocol/pool/PoolConfigurator").linked(libraries))
    for implementation, setter in ((pool, "setPoolImpl"), (configurator, "setPoolConfiguratorImpl")):
        deployer.transact(implementation, "initialize(address)", provider)
        deployer.transact(provider, f"{setter}(address)", implementation)
    return _Aave(
        provider,
        deployer.call_address(provider, "getPool()(address)"),
        deployer.call_address(provider, "getPoolConfigurator()(address)"),
    )


def _list(deployer: Deployer, aave: _Aave, reserves: tuple[ReserveSpec, ...]) -> None:
    kinds = ("AToken", "StableDebtToken", "VariableDebtToken")
    implementations = tuple(
        deployer.deploy(_artifact(f"{_TOKENIZATION}/{kind}"), ("address",), aave.pool) for kind in kinds
    )
    strategy = _deploy_strategy(deployer, aave.provider)
    requests = [
        (*implementations, one.decimals, strategy, one.token, deployer.sender, ZERO_ADDRESS)
        + (f"a{one.symbol}",) * 2 + (f"v{one.symbol}",) * 2 + (f"s{one.symbol}",) * 2 + (b"\x10",)
        for one in reserves
    ]  # fmt: skip
    for start in range(0, len(requests), _RESERVES_PER_TRANSACTION):
        deployer.transact(aave.configurator, _INIT_RESERVES, requests[start : start + _RESERVES_PER_TRANSACTION])
    for one in reserves:
        deployer.transact(aave.configurator, "setReserveFlashLoaning(address,bool)", one.token, True)
    deployer.transact(aave.configurator, "updateFlashloanPremiumTotal(uint128)", FLASH_PREMIUM_BPS)


def _deploy_strategy(deployer: Deployer, provider: Address) -> Address:
    percents = (80, 0, 4, 75, 0, 75, 1, 8, 20)  # the curve's kink, base rate, slopes and offsets
    types = ("address", *("uint256",) * len(percents))
    path = "protocol/pool/DefaultReserveInterestRateStrategy"
    return deployer.deploy(_artifact(path), types, provider, *(percent * _RAY // 100 for percent in percents))


def _supply(deployer: Deployer, aave: _Aave, reserves: tuple[ReserveSpec, ...]) -> None:
    for one in reserves:
        deployer.transact(one.token, "approve(address,uint256)", aave.pool, one.amount)
        deployer.transact(
            aave.pool, "supply(address,uint256,address,uint16)", one.token, one.amount, deployer.sender, 0
        )
