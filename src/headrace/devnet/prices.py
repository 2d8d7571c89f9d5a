"""Fair prices: what each token is worth in the world outside, seeded, one step per block.

Log prices walk with the volatility of the main net's tokens: a common market factor, each token's own noise, now and
then a jump. A weak pull to the starting price keeps a devnet that runs for days within its pools' liquidity. Floats
are right here: no amount is computed from them without the contracts' own check.
"""

import math
import random
from collections.abc import Iterable

import msgspec

from headrace.devnet.recipe.outline import STABLE_SYMBOLS
from headrace.devnet.recipe.tokens import TokenSpec

_BPS = 1e-4
_MARKET_BPS = 3.5  # standard deviation per 12 s block: 57 % a year
_MARKET_JUMP_CHANCE = 1 / 120
_MARKET_JUMP_BPS = 25.0
_OWN_JUMP_CHANCE = 1 / 150
_OWN_JUMP_BPS = 45.0
_PULL = 2e-5  # half-life of a deviation: 35,000 blocks
_STABLE_PULL = 0.02


class _Walk(msgspec.Struct, frozen=True):
    beta: float  # share of the market's move
    own_bps: float  # standard deviation of the token's own noise


_WALKS = {"WETH": _Walk(1.0, 1.0), "WBTC": _Walk(0.7, 1.2)}
_ALTCOIN = _Walk(1.1, 4.0)
_STABLE = _Walk(0.0, 0.3)


class FairPrices:
    """Dollar prices by symbol; `advance` moves them by one block."""

    def __init__(self, specs: Iterable[TokenSpec], seed: int) -> None:
        self._start = {spec.symbol: math.log(spec.usd) for spec in specs}
        self._log = dict(self._start)
        self._random = random.Random(f"{seed}:prices")

    @property
    def usd(self) -> dict[str, float]:
        """The current price of every token."""
        return {symbol: math.exp(value) for symbol, value in self._log.items()}

    def advance(self) -> None:
        """Move every price by one block."""
        market = self._move(_MARKET_BPS, _MARKET_JUMP_CHANCE, _MARKET_JUMP_BPS)
        for symbol, value in self._log.items():
            is_stable = symbol in STABLE_SYMBOLS
            walk = _STABLE if is_stable else _WALKS.get(symbol, _ALTCOIN)
            own = self._move(walk.own_bps, 0.0 if is_stable else _OWN_JUMP_CHANCE, _OWN_JUMP_BPS)
            pull = (_STABLE_PULL if is_stable else _PULL) * (self._start[symbol] - value)
            self._log[symbol] = value + pull + walk.beta * market + own

    def _move(self, deviation_bps: float, jump_chance: float, jump_bps: float) -> float:
        noise = self._random.gauss(0.0, deviation_bps)
        jump = self._random.gauss(0.0, jump_bps) if self._random.random() < jump_chance else 0.0
        return (noise + jump) * _BPS
