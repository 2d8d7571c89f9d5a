"""Tokens: the real WETH9 and plain ERC-20 tokens, all in the deployer's hands."""

from collections.abc import Iterable

import msgspec

from headrace.devnet.artifacts import npm_artifact, own_artifact
from headrace.devnet.deployer import Deployer
from headrace.model.address import Address

MAX_UINT256 = 2**256 - 1


class TokenSpec(msgspec.Struct, frozen=True):
    """A token to be made; `usd` is its price when the chain starts."""

    symbol: str
    decimals: int
    usd: float

    def units(self, usd: float) -> int:
        """Smallest units worth `usd` at the starting price, rounded down."""
        return int(usd / self.usd * 10**self.decimals)


def deploy_weth(deployer: Deployer, supply_wei: int = 0) -> Address:
    """Deploy WETH9 and wrap `supply_wei` of the deployer's own ether."""
    weth = deployer.deploy(npm_artifact("@uniswap/v2-periphery/build/WETH9.json"))
    if supply_wei:
        deployer.transact(weth, "deposit()", value_wei=supply_wei)
    return weth


def deploy_token(deployer: Deployer, symbol: str, decimals: int, supply_units: int) -> Address:
    """Deploy a plain token; the deployer holds the whole supply."""
    types = ("string", "string", "uint8", "uint256")
    return deployer.deploy(own_artifact("DevToken"), types, f"Devnet {symbol}", symbol, decimals, supply_units)


def approve_all(deployer: Deployer, tokens: Iterable[Address], spenders: Iterable[Address]) -> None:
    """Let every spender take every token of the deployer, without limit."""
    takers = tuple(spenders)
    for token in tokens:
        for spender in takers:
            deployer.transact(token, "approve(address,uint256)", spender, MAX_UINT256)
