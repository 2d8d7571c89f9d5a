"""The manifest of a devnet: everything that an agent's configuration needs to know about its market."""

from typing import Literal

import msgspec

from headrace.model.address import Address, PoolId

Protocol = Literal["uniswap_v2", "uniswap_v3", "balancer_v2"]


class MarketToken(msgspec.Struct, frozen=True):
    """A token and its feed of dollar prices."""

    symbol: str
    address: Address
    decimals: int
    price_feed: Address


class MarketPool(msgspec.Struct, frozen=True):
    """A pool; tokens in the pool's order, fee in millionths of the input, `weights` (1e18 in sum) if weighted."""

    id: PoolId
    address: Address
    tokens: tuple[Address, ...]
    fee_pips: int
    weights: tuple[int, ...] = ()


class Exchange(msgspec.Struct, frozen=True):
    """An exchange: `factory` is the vault's factory of pools on Balancer, `router` the vault; `quoter` on v3 only.

    `fee_pips` is set where all pools have one fee.
    """

    name: str
    protocol: Protocol
    factory: Address
    router: Address
    pools: tuple[MarketPool, ...]
    quoter: Address | None = None
    fee_pips: int | None = None


class AaveMarket(msgspec.Struct, frozen=True):
    """The lending market that lends for one transaction, and its addresses provider."""

    pool: Address
    provider: Address
    flash_premium_bps: int


class Market(msgspec.Struct, frozen=True):
    """A whole devnet; `deploy_block` is the first block in which all of it stands."""

    chain_id: int
    seed: int
    deploy_block: int
    wrapped_native: Address
    tokens: tuple[MarketToken, ...]
    exchanges: tuple[Exchange, ...]
    aave: AaveMarket
    executor: Address
    operator: Address
    owner: Address

    def token(self, symbol: str) -> MarketToken:
        """The token of that symbol, which must exist."""
        return next(token for token in self.tokens if token.symbol == symbol)

    def exchange(self, name: str) -> Exchange:
        """The exchange of that name, which must exist."""
        return next(exchange for exchange in self.exchanges if exchange.name == name)
