"""`headrace.ports.oracle.Oracle` over feeds with Chainlink's AggregatorV3Interface.

Prices are read off the hot path, at a block, and looked up from memory. An answer is refused, and the token then has no
price, when it is not positive, when its round lies in the future of the block, when it rounds to nothing, or when the
feed does not answer as such a contract does.

Source: Chainlink, AggregatorV3Interface: latestRoundData() and decimals().
"""

from collections.abc import Mapping, Sequence

import msgspec

from headrace.model.address import Address
from headrace.model.block import BlockHeader
from headrace.ports.chain import Call, Chain
from headrace.ports.oracle import Price

_LATEST_ROUND_DATA = bytes.fromhex("feaf968c")
_DECIMALS = bytes.fromhex("313ce567")
_PICO_DECIMALS = 12
_DECIMALS_MAX = 36
_WORD = 32
_ROUND_WORDS = 5
_CLOCK_SKEW_SECONDS_MAX = 15  # a block's timestamp may run this far ahead of our clock (geth accepts as much)


class ChainlinkFeed(msgspec.Struct, frozen=True):
    """A token and its dollar feed; a price older than `staleness_seconds_max` is none (choose the feed's heartbeat)."""

    token: Address
    feed: Address
    staleness_seconds_max: int


class ChainlinkOracle:
    """Fresh prices of the configured tokens; empty until the first `refresh`."""

    def __init__(self, feeds: Sequence[ChainlinkFeed]) -> None:
        self._feeds = tuple(feeds)
        self._staleness_seconds_max: Mapping[Address, int] = {f.token: f.staleness_seconds_max for f in feeds}
        self._prices: dict[Address, Price] = {}
        assert len(self._staleness_seconds_max) == len(self._feeds), "a token has two feeds"

    async def refresh(self, chain: Chain, block: BlockHeader) -> None:
        """Read all feeds on the state after `block`, in few round trips.

        Raises:
            ChainError: the node failed; the prices stay as they were and grow old.
        """
        calls = [Call(f.feed, data) for f in self._feeds for data in (_LATEST_ROUND_DATA, _DECIMALS)]
        answers = await chain.call_many(calls, block.hash)
        prices = {
            feed.token: _read_price(answers[2 * i], answers[2 * i + 1], block.timestamp)
            for i, feed in enumerate(self._feeds)
        }
        self._prices = {token: price for token, price in prices.items() if price is not None}

    def price(self, token: Address, now: int) -> Price | None:
        """Dollars for one whole token, rounded down to 1e-12, if its feed renewed it recently enough as of `now`."""
        price = self._prices.get(token)
        if price is None:
            return None
        age = now - price.updated_at
        is_fresh = -_CLOCK_SKEW_SECONDS_MAX <= age <= self._staleness_seconds_max[token]
        return price if is_fresh else None


def _read_price(round_data: bytes | None, decimals_word: bytes | None, block_timestamp: int) -> Price | None:
    if round_data is None or decimals_word is None:
        return None
    if len(round_data) != _ROUND_WORDS * _WORD or len(decimals_word) != _WORD:
        return None
    _, answer, _, updated_at, _ = _signed_words(round_data)
    decimals = int.from_bytes(decimals_word)
    if answer <= 0 or decimals > _DECIMALS_MAX or not 0 < updated_at <= block_timestamp:
        return None
    usd_pico = answer * 10**_PICO_DECIMALS // 10**decimals
    return Price(usd_pico, updated_at) if usd_pico > 0 else None


def _signed_words(data: bytes) -> list[int]:
    return [int.from_bytes(data[i : i + _WORD], signed=True) for i in range(0, len(data), _WORD)]
