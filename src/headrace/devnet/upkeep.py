"""What the devnet does for itself in every block: price feeds, and other people's demand for block space.

Demand burns gas so that blocks are as full as a seeded process wants them. The base fee then follows from EIP-1559
alone, wanders between about 5 and 30 gwei, and can be foretold from the parent block as on the main net. A creation
whose code is the invalid opcode burns exactly its gas limit, costs the machine nothing and leaves no state.

Now and then there is a crowd, as when something is minted: for a block or two people who do not care what gas costs
take all of it. Whoever bids less stays in the mempool: traders and rivals then give up, and an agent has a transaction
that is pending on a market that moves on.
"""

import math
import random

from headrace.devnet.abi import encode_call
from headrace.devnet.accounts import MAKER
from headrace.devnet.anvil import BLOCK_GAS_LIMIT
from headrace.devnet.deployer import TRANSACTION_GAS_LIMIT
from headrace.devnet.market import Market
from headrace.devnet.recipe.build import STARTING_BASE_FEE_WEI, answer_units
from headrace.devnet.swaps import Bid, Draft

_INVALID_OPCODE = "0xfe"
_GAS_TARGET = BLOCK_GAS_LIMIT // 2
_GAS_OF_SWAP = 110_000  # used by each of the others, on average
_ROOM_FOR_AGENTS = 4_000_000
_BURN_MIN = 60_000
_CROWD_CHANCE = 1 / 20  # in a block
_CROWD_STAYS = 0.3
_CROWD_BID = 3  # times the base fee: above nearly everybody, below the proudest rivals
_CROWD_GAS_EACH = 100_000  # of the last of them: less than any swap wants
_CROWD_SMALL = 60
_PULL = 0.012
_NOISE = 0.05
_CHANGE_MAX = 0.08  # of the base fee per block, as far as the room goes; the protocol's own bound is 1/8
_RISE_OF_FULL_BLOCK = 1 / 8  # of the base fee: EIP-1559
_GWEI = 10**9
_FEED_DEVIATION = 0.002
_FEED_HEARTBEAT_BLOCKS = 25
_FEED_GAS = 150_000
_FEED_BID = 6  # times the base fee: an oracle has to get through any crowd


class Demand:
    """Seeded demand for block space by people who do not trade."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"{seed}:demand")
        self._crowds = random.Random(f"{seed}:crowds")
        self._is_crowded = False
        self._excess = 0.0  # share of the base fee that crowds have added and calm blocks have not taken off again

    def drafts(self, base_fee_wei: int, others: list[Draft]) -> list[Draft]:
        """Creations that fill the next block, beside `others`, as far as demand goes; they bid less than anybody.

        A crowd's fill all of it and bid more than nearly anybody; the blocks behind a crowd are emptier.
        """
        self._is_crowded = self._crowds.random() < (_CROWD_STAYS if self._is_crowded else _CROWD_CHANCE)
        if not self._is_crowded:
            return self._calm(base_fee_wei, others)
        self._excess += _RISE_OF_FULL_BLOCK
        return _crowd(base_fee_wei)

    def _calm(self, base_fee_wei: int, others: list[Draft]) -> list[Draft]:
        pull = _PULL * math.log(STARTING_BASE_FEE_WEI / base_fee_wei)
        relief = min(self._excess, _CHANGE_MAX)
        self._excess -= relief
        change = max(-_CHANGE_MAX, min(_CHANGE_MAX, pull + self._random.gauss(0.0, _NOISE) - relief))
        wanted = min(int(_GAS_TARGET * (1 + 8 * change)), BLOCK_GAS_LIMIT - _ROOM_FOR_AGENTS)
        gas = wanted - len(others) * _GAS_OF_SWAP
        bid = Bid(base_fee_wei, 0)
        drafts = []
        while gas > _BURN_MIN:
            drafts.append(Draft(MAKER, _INVALID_OPCODE, min(gas, TRANSACTION_GAS_LIMIT), bid))
            gas -= TRANSACTION_GAS_LIMIT
        return drafts


def _crowd(base_fee_wei: int) -> list[Draft]:
    """As much gas as a block has, in one sender's order: what does not fit any more is small, so no room is left."""
    bid, left = Bid(_CROWD_BID * base_fee_wei, _GWEI), BLOCK_GAS_LIMIT - _CROWD_SMALL * _CROWD_GAS_EACH
    large = [TRANSACTION_GAS_LIMIT] * (left // TRANSACTION_GAS_LIMIT) + [left % TRANSACTION_GAS_LIMIT]
    return [Draft(MAKER, _INVALID_OPCODE, gas, bid) for gas in (*large, *[_CROWD_GAS_EACH] * _CROWD_SMALL)]


class FeedKeeper:
    """Keeps the price feeds near the fair prices: on a deviation, or when an answer has become old."""

    def __init__(self, market: Market, usd: dict[str, float]) -> None:
        self._market = market
        self._answers = dict(usd)
        self._due_block = {
            token.symbol: market.deploy_block + _FEED_HEARTBEAT_BLOCKS + 3 * i for i, token in enumerate(market.tokens)
        }

    def drafts(self, block: int, usd: dict[str, float], base_fee_wei: int) -> list[Draft]:
        """The new answers for the block of that number."""
        drafts = []
        for token in self._market.tokens:
            price = usd[token.symbol]
            deviation = abs(price / self._answers[token.symbol] - 1)
            if deviation < _FEED_DEVIATION and block < self._due_block[token.symbol]:
                continue
            self._answers[token.symbol] = price
            self._due_block[token.symbol] = block + _FEED_HEARTBEAT_BLOCKS
            data = encode_call("set(int256)", answer_units(price))
            drafts.append(Draft(MAKER, data, _FEED_GAS, Bid(_FEED_BID * base_fee_wei, _GWEI), token.price_feed))
        return drafts
