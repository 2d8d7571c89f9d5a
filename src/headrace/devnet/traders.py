"""Traders: people who swap for reasons of their own, each at one exchange, and so push its pools off the fair price.

How many come is Poisson; sizes are log-normal as a share of the pool's depth, so a few of them move a price by
percents.
"""

import math
import random

from headrace.devnet.accounts import TRADERS
from headrace.devnet.market import Market
from headrace.devnet.mirror import Mirror, Venue
from headrace.devnet.swaps import Bid, Draft, SwapRequest, swap_draft
from headrace.devnet.valuation import Valuation

_SWAPS_PER_BLOCK = 12.0
_SHARE_MEDIAN = 4.5e-4  # of the virtual reserve, in a pool of a million dollars a side
_SHARE_SIGMA = 1.3
_SHARE_MAX = 0.015
_SIZE_USD_MAX = 120_000.0
_SHARE_EXPONENT = -0.3  # deeper pools see larger swaps, but not in proportion
_DRAW_EXPONENT = 0.3  # nor do they draw traders in proportion
_EXCHANGE_DRAW = {"balancer_v2": 2.5}  # aggregators send it more than its depth would draw
_MILLION = 1e6
_SLIPPAGE = 0.02
_GWEI = 10**9
_PIPS = 10**6


class Traders:
    """Seeded traders on all pools of a market."""

    def __init__(self, market: Market, mirror: Mirror, seed: int) -> None:
        self._mirror = mirror
        self._random = random.Random(f"{seed}:traders")
        self._account = {exchange.name: trader for exchange, trader in zip(market.exchanges, TRADERS, strict=True)}

    def drafts(self, valuation: Valuation, base_fee_wei: int) -> list[Draft]:
        """The swaps that traders send for the next block."""
        weights = [self._draw(venue, valuation) for venue in self._mirror.venues]
        chosen = self._random.choices(self._mirror.venues, weights, k=self._count())
        return [self._draft(venue, self._depth_usd(venue, valuation), base_fee_wei) for venue in chosen]

    def _draw(self, venue: Venue, valuation: Valuation) -> float:
        draw = _EXCHANGE_DRAW.get(venue.exchange.name, 1.0)
        return draw * math.pow(self._depth_usd(venue, valuation), _DRAW_EXPONENT)

    def _depth_usd(self, venue: Venue, valuation: Valuation) -> float:
        return self._mirror.state(venue.pool.id).reserves(0, 1)[0] * valuation.unit_usd(venue, 0)

    def _count(self) -> int:
        limit, product, count = math.exp(-_SWAPS_PER_BLOCK), self._random.random(), 0
        while product > limit:
            product *= self._random.random()
            count += 1
        return count

    def _draft(self, venue: Venue, depth_usd: float, base_fee_wei: int) -> Draft:
        index_in, index_out = self._random.sample(range(len(venue.pool.tokens)), 2)
        reserve_in, reserve_out = self._mirror.state(venue.pool.id).reserves(index_in, index_out)
        paid = reserve_in * self._share(depth_usd)
        kept = paid * (1 - venue.pool.fee_pips / _PIPS)
        expected = reserve_out * kept / (reserve_in + kept)
        request = SwapRequest(index_in, index_out, int(paid), int(expected * (1 - _SLIPPAGE)))
        return swap_draft(venue, request, self._account[venue.exchange.name], self._bid(base_fee_wei))

    def _share(self, depth_usd: float) -> float:
        median = _SHARE_MEDIAN * (depth_usd / _MILLION) ** _SHARE_EXPONENT
        share = self._random.lognormvariate(math.log(median), _SHARE_SIGMA)
        return min(share, _SHARE_MAX, _SIZE_USD_MAX / depth_usd)

    def _bid(self, base_fee_wei: int) -> Bid:
        tip_wei = int(self._random.uniform(0.05, 1.5) * _GWEI)
        return Bid(int(base_fee_wei * self._random.uniform(1.0, 1.3)) + tip_wei, tip_wei)
