"""Dollars and smallest units: how outsiders value what they trade, at the fair prices of the moment."""

from headrace.devnet.market import Market
from headrace.devnet.mirror import Venue


class Valuation:
    """Fair dollar values of one smallest unit of every token."""

    def __init__(self, market: Market, usd: dict[str, float]) -> None:
        self._unit_usd = {token.address: usd[token.symbol] / 10.0**token.decimals for token in market.tokens}
        self._ether_usd = usd["WETH"]

    def unit_usd(self, venue: Venue, index: int) -> float:
        """Value of one smallest unit of a pool's token."""
        return self._unit_usd[venue.pool.tokens[index]]

    def gas_usd(self, gas: int, price_wei: int) -> float:
        """Value of the ether that `gas` costs."""
        return gas * price_wei / 1e18 * self._ether_usd
