"""What the contracts themselves would pay: the quote functions of routers, quoter and vault."""

from headrace.devnet.deployer import Deployer
from headrace.devnet.market import Exchange, Market, MarketPool
from headrace.devnet.recipe.outline import TOKENS
from headrace.model.address import Address

PRICE = {spec.symbol: spec.usd for spec in TOKENS}
_QUOTER = "quoteExactInputSingle((address,address,uint256,uint24,uint160))(uint256,uint160,uint32,uint256)"
_ROUTER = "getAmountsOut(uint256,address[])(uint256[])"
_VAULT = (
    "queryBatchSwap(uint8,(bytes32,uint256,uint256,uint256,bytes)[],address[],"
    "(address,bool,address,bool))(int256[])"
)  # fmt: skip


def usd(market: Market, token: Address, amount: int) -> float:
    found = next(one for one in market.tokens if one.address == token)
    return amount / 10.0**found.decimals * PRICE[found.symbol]


def units(market: Market, token: Address, value_usd: float) -> int:
    return int(value_usd / usd(market, token, 10**18) * 10**18)


def quote(deployer: Deployer, exchange: Exchange, pool: MarketPool, path: tuple[int, int], amount: int) -> int:
    tokens = (pool.tokens[path[0]], pool.tokens[path[1]])
    if exchange.protocol == "uniswap_v2":
        return last(deployer.call(exchange.router, _ROUTER, amount, tokens)[0])
    if exchange.protocol == "uniswap_v3":
        assert exchange.quoter is not None
        return deployer.call_integer(exchange.quoter, _QUOTER, (*tokens, amount, pool.fee_pips, 0))
    step = (bytes.fromhex(pool.id[2:]), 0, 1, amount, b"")
    funds = (deployer.sender, False, deployer.sender, False)
    return -last(deployer.call(exchange.router, _VAULT, 0, [step], tokens, funds)[0])


def crossed_ticks(deployer: Deployer, exchange: Exchange, pool: MarketPool, amount: int) -> int:
    assert exchange.quoter is not None
    answer = deployer.call(exchange.quoter, _QUOTER, (*pool.tokens, amount, pool.fee_pips, 0))
    return int(str(answer[2]))


def last(values: object) -> int:
    assert isinstance(values, tuple)
    return int(values[-1])
