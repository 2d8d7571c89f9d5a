"""The whole market from an empty chain, in about a second; the same seed gives the same addresses and block hashes."""

from headrace.devnet.accounts import (
    GUARDIAN,
    MAKER,
    OPERATOR,
    OWNER,
    RIVALS,
    TRADERS,
    TREASURY,
    account_address,
)
from headrace.devnet.anvil import BLOCK_GAS_LIMIT
from headrace.devnet.artifacts import own_artifact
from headrace.devnet.deployer import Deployer
from headrace.devnet.market import Exchange, Market, MarketToken
from headrace.devnet.recipe.aave_v3 import ReserveSpec, deploy_aave_v3
from headrace.devnet.recipe.outline import (
    EXECUTOR_CAPITAL_USD,
    FIRST_V2,
    INVENTORY_USD,
    LENT_USD,
    SECOND_V2,
    TOKENS,
)
from headrace.devnet.recipe.pools import DeployedToken, PoolMaker
from headrace.devnet.recipe.tokens import TokenSpec, approve_all, deploy_token, deploy_weth
from headrace.devnet.rpc import Call, Rpc, quantity
from headrace.model.address import Address

BLOCK_SECONDS = 12
FEED_DECIMALS = 8
FEED_UNIT = 1e8
STARTING_BASE_FEE_WEI = 10 * 10**9
_ETHER = 10**18
_SETUP_BLOCK_GAS_LIMIT = 1 << 40
_SUPPLY_USD = 2e9  # of each token
_WRAPPED_WEI = 600_000 * _ETHER
_MAKER_WEI = 10**9 * _ETHER
_OPERATOR_WEI = 50 * _ETHER
_PARTICIPANT_WEI = 10**6 * _ETHER


def build_market(rpc: Rpc, seed: int) -> Market:
    """Make the market on a fresh chain that mines on demand; afterwards its blocks are as large as the main net's.

    Raises:
        DevnetError: the contracts are not built, npm packages are missing, or a transaction reverts.
    """
    _prepare_chain(rpc)
    deployer = Deployer(rpc)
    tokens = tuple(_deploy_token(deployer, spec) for spec in TOKENS)
    feeds = tuple(_deploy_feed(deployer, spec) for spec in TOKENS)
    exchanges = _deploy_exchanges(deployer, tokens, seed)
    aave = deploy_aave_v3(deployer, tuple(_reserve(token, feed) for token, feed in zip(tokens, feeds, strict=True)))
    executor = _deploy_executor(deployer, tokens)
    _equip_participants(deployer, tokens, exchanges)
    return Market(
        chain_id=quantity(rpc.request("eth_chainId")),
        seed=seed,
        deploy_block=_hand_over(rpc),
        wrapped_native=tokens[0].address,
        tokens=tuple(_manifest_token(token, feed) for token, feed in zip(tokens, feeds, strict=True)),
        exchanges=exchanges,
        aave=aave,
        executor=executor,
        operator=account_address(OPERATOR),
        owner=account_address(OWNER),
    )


def answer_units(usd: float) -> int:
    """A feed's answer for a price, rounded to the nearest unit."""
    return round(usd * FEED_UNIT)


def _prepare_chain(rpc: Rpc) -> None:
    balances = {MAKER: _MAKER_WEI, OPERATOR: _OPERATOR_WEI}
    balances.update(dict.fromkeys((*TRADERS, *RIVALS), _PARTICIPANT_WEI))
    calls = [Call("anvil_setBalance", (account_address(index), hex(wei))) for index, wei in balances.items()]
    calls.append(Call("evm_setBlockGasLimit", (hex(_SETUP_BLOCK_GAS_LIMIT),)))
    calls.append(Call("anvil_setBlockTimestampInterval", (BLOCK_SECONDS,)))
    rpc.batch(calls)


def _hand_over(rpc: Rpc) -> int:
    rpc.request("evm_setBlockGasLimit", hex(BLOCK_GAS_LIMIT))
    rpc.request("anvil_setNextBlockBaseFeePerGas", hex(STARTING_BASE_FEE_WEI))
    rpc.request("evm_mine")
    rpc.request("anvil_removeBlockTimestampInterval")
    return quantity(rpc.request("eth_blockNumber"))


def _deploy_token(deployer: Deployer, spec: TokenSpec) -> DeployedToken:
    if spec.symbol == "WETH":
        return DeployedToken(spec, deploy_weth(deployer, _WRAPPED_WEI))
    return DeployedToken(spec, deploy_token(deployer, spec.symbol, spec.decimals, spec.units(_SUPPLY_USD)))


def _deploy_feed(deployer: Deployer, spec: TokenSpec) -> Address:
    types = ("uint8", "string", "int256")
    name = f"{spec.symbol} / USD"
    return deployer.deploy(own_artifact("PriceFeed"), types, FEED_DECIMALS, name, answer_units(spec.usd))


def _deploy_exchanges(deployer: Deployer, tokens: tuple[DeployedToken, ...], seed: int) -> tuple[Exchange, ...]:
    maker = PoolMaker(deployer, tokens, seed)
    return (
        maker.uniswap_v2("uniswap_v2", FIRST_V2),
        maker.uniswap_v2("sushiswap", SECOND_V2),
        maker.uniswap_v3("uniswap_v3"),
        maker.balancer_v2("balancer_v2"),
    )


def _reserve(token: DeployedToken, feed: Address) -> ReserveSpec:
    spec = token.spec
    return ReserveSpec(spec.symbol, token.address, spec.decimals, feed, spec.units(LENT_USD))


def _deploy_executor(deployer: Deployer, tokens: tuple[DeployedToken, ...]) -> Address:
    native = tokens[0].address
    executor = deployer.deploy(own_artifact("Executor"), ("address", "address"), account_address(OWNER), native)
    for token in tokens:
        usd = EXECUTOR_CAPITAL_USD.get(token.spec.symbol)
        if usd is not None:
            deployer.transact(token.address, "transfer(address,uint256)", executor, token.spec.units(usd))
    deployer.flush()
    owner = Deployer(deployer.rpc, account_address(OWNER))
    owner.transact(executor, "setOperator(address,bool)", account_address(OPERATOR), True)
    owner.transact(executor, "setGuardian(address)", account_address(GUARDIAN))
    owner.transact(executor, "setTreasury(address)", account_address(TREASURY))
    owner.transact(executor, "setListed(address[],bool)", [token.address for token in tokens], True)
    owner.flush()
    return executor


def _equip_participants(deployer: Deployer, tokens: tuple[DeployedToken, ...], exchanges: tuple[Exchange, ...]) -> None:
    routers = tuple(exchange.router for exchange in exchanges)
    spenders: dict[int, tuple[Address, ...]] = {
        trader: (router,) for trader, router in zip(TRADERS, routers, strict=True)
    }
    spenders.update(dict.fromkeys(RIVALS, routers))
    addresses = tuple(token.address for token in tokens)
    for index in spenders:
        for token in tokens:
            amount = token.spec.units(INVENTORY_USD)
            deployer.transact(token.address, "transfer(address,uint256)", account_address(index), amount)
    deployer.flush()
    for index, taken_by in spenders.items():
        participant = Deployer(deployer.rpc, account_address(index))
        approve_all(participant, addresses, taken_by)
        participant.flush()


def _manifest_token(token: DeployedToken, feed: Address) -> MarketToken:
    return MarketToken(token.spec.symbol, token.address, token.spec.decimals, feed)
