"""Rivals: arbitrageurs who know the fair price and trade mispriced pools back to it, in the same block as our agent.

A rival sells into a pool until the price after the fee is the fair one; selling x of the virtual reserves (X, Y) at
fair price F (out per in) and fee f is best at X + (1 - f) x = sqrt(X Y (1 - f) / F). It acts when that earns its gas
and when it noticed in time. Most bid little over the base fee; some bid so much that they come before almost anybody.
"""

import math
import random

import msgspec

from headrace.devnet.accounts import RIVALS
from headrace.devnet.mirror import Mirror, Venue
from headrace.devnet.swaps import Bid, Draft, SwapRequest, swap_draft
from headrace.devnet.valuation import Valuation

_GAS = 140_000
_MARGIN_MIN = 1.3  # profit over the cost of gas
_GWEI = 10**9
_PIPS = 10**6
_NOTICE_CHANCE_MAX = 0.9
_V3_OVERSHOOT = 4  # v3 stops at its price limit, so a generous amount is safe
_HUMBLE = (1.1, 1.7)  # bids, as multiples of the base fee
_PROUD = (2.1, 4.0)


class Rival(msgspec.Struct, frozen=True):
    """A rival's habits: the chance of noticing a pool that barely pays in a block, and of bidding high."""

    account: int
    notice_chance: float
    proud_chance: float


class _Chance(msgspec.Struct, frozen=True):
    venue: Venue
    request: SwapRequest
    profit_usd: float


_HABITS = ((0.35, 0.05), (0.25, 0.1), (0.12, 0.4))


class Rivals:
    """Seeded rivals on all pools of a market."""

    def __init__(self, mirror: Mirror, seed: int) -> None:
        self._mirror = mirror
        self._random = random.Random(f"{seed}:rivals")
        self._rivals = tuple(Rival(account, *habits) for account, habits in zip(RIVALS, _HABITS, strict=True))

    def drafts(self, valuation: Valuation, base_fee_wei: int) -> list[Draft]:
        """The swaps that rivals send for the next block."""
        cost_usd = valuation.gas_usd(_GAS, base_fee_wei + _GWEI) * _MARGIN_MIN
        chances = [chance for venue in self._mirror.venues if (chance := self._best(venue, valuation))]
        return [
            swap_draft(chance.venue, chance.request, rival.account, self._bid(rival, base_fee_wei))
            for chance in chances
            if chance.profit_usd > cost_usd
            for rival in self._rivals
            if self._random.random() < _notice_chance(rival, chance.profit_usd / cost_usd)
        ]

    def _best(self, venue: Venue, valuation: Valuation) -> _Chance | None:
        count = len(venue.pool.tokens)
        pairs = [(i, j) for i in range(count) for j in range(count) if i != j]
        found = [chance for i, j in pairs if (chance := self._chance(venue, i, j, valuation))]
        return max(found, key=lambda chance: chance.profit_usd, default=None)

    def _chance(self, venue: Venue, index_in: int, index_out: int, valuation: Valuation) -> _Chance | None:
        reserve_in, reserve_out = self._mirror.state(venue.pool.id).reserves(index_in, index_out)
        usd_in, usd_out = valuation.unit_usd(venue, index_in), valuation.unit_usd(venue, index_out)
        fair, kept = usd_in / usd_out, 1 - venue.pool.fee_pips / _PIPS
        paid = (math.sqrt(reserve_in * reserve_out * kept / fair) - reserve_in) / kept
        if paid <= 0:
            return None
        received = reserve_out * kept * paid / (reserve_in + kept * paid)
        request = _request(venue, (index_in, index_out), paid, fair)
        return _Chance(venue, request, received * usd_out - paid * usd_in)

    def _bid(self, rival: Rival, base_fee_wei: int) -> Bid:
        is_proud = self._random.random() < rival.proud_chance
        tip_wei = int(self._random.uniform(0.5, 3.0) * _GWEI)
        return Bid(int(base_fee_wei * self._random.uniform(*(_PROUD if is_proud else _HUMBLE))) + tip_wei, tip_wei)


def _notice_chance(rival: Rival, profit_to_cost: float) -> float:
    return min(1 - math.pow(1 - rival.notice_chance, math.sqrt(profit_to_cost)), _NOTICE_CHANCE_MAX)


def _request(venue: Venue, indices: tuple[int, int], paid: float, fair: float) -> SwapRequest:
    if venue.exchange.protocol != "uniswap_v3":
        return SwapRequest(*indices, int(paid), int(paid * fair))
    price_after = fair / (1 - venue.pool.fee_pips / _PIPS)
    if indices == (1, 0):
        price_after = 1 / price_after
    return SwapRequest(*indices, int(paid * _V3_OVERSHOOT), 0, int(math.sqrt(price_after) * 2**96))
