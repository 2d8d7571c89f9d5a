"""What traders and rivals see: every pool as virtual reserves, kept up to date from the logs of each block.

Around its current price any pool of the market behaves like a constant product x * y of some virtual reserves: a v2
pair of its own, a v3 pool of L / sqrt(P) and L * sqrt(P), a weighted pool of reserves with the same price and the
same price impact. That is exact for pairs, exact within a tick range, and second order in the size elsewhere: enough
to decide how much to trade, while the contracts decide what is paid.
"""

from collections.abc import Iterable, Iterator
from typing import Protocol

import msgspec

from headrace.devnet.abi import decode_words, encode_call, event_topic
from headrace.devnet.deployer import Log
from headrace.devnet.market import Exchange, Market, MarketPool
from headrace.devnet.rpc import Call, Rpc, text
from headrace.model.address import Address, PoolId

_Q96 = 2.0**96
_SYNC = event_topic("Sync(uint112,uint112)")
_V3_SWAP = event_topic("Swap(address,address,int256,int256,uint160,uint128,int24)")
_VAULT_SWAP = event_topic("Swap(bytes32,address,address,uint256,uint256)")
_WORD_BALANCES = 3  # of getPoolTokens: three words of head, then the tokens' array


class State(Protocol):
    """A pool's state as far as its price and depth go."""

    def reserves(self, index_in: int, index_out: int) -> tuple[float, float]:
        """Virtual reserves of two of the pool's tokens, in smallest units."""
        ...


class PairState(msgspec.Struct, frozen=True):
    """A constant-product pair."""

    amounts: tuple[float, float]

    def reserves(self, index_in: int, index_out: int) -> tuple[float, float]:
        """The pair's own reserves."""
        return self.amounts[index_in], self.amounts[index_out]


class RangeState(msgspec.Struct, frozen=True):
    """A v3 pool: square root of the price of token0 in token1, and the liquidity in range."""

    sqrt_price: float
    liquidity: float

    def reserves(self, index_in: int, index_out: int) -> tuple[float, float]:
        """Virtual reserves of the range in force (white paper, section 6.2.1)."""
        amounts = self.liquidity / self.sqrt_price, self.liquidity * self.sqrt_price
        return amounts[index_in], amounts[index_out]


class WeightedState(msgspec.Struct, frozen=True):
    """A weighted pool; weights sum to 1."""

    balances: tuple[float, ...]
    weights: tuple[float, ...]

    def reserves(self, index_in: int, index_out: int) -> tuple[float, float]:
        """Reserves of the constant product with the same price and price impact."""
        balance_in, weight_in = self.balances[index_in], self.weights[index_in]
        balance_out, weight_out = self.balances[index_out], self.weights[index_out]
        price = balance_out * weight_in / (balance_in * weight_out)
        depth = 2 * balance_in / (1 + weight_in / weight_out)
        return depth, depth * price

    def swapped(self, index_in: int, index_out: int, amounts: tuple[int, int]) -> "WeightedState":
        """The state after a swap."""
        balances = list(self.balances)
        balances[index_in] += amounts[0]
        balances[index_out] -= amounts[1]
        return WeightedState(tuple(balances), self.weights)


class Venue(msgspec.Struct, frozen=True):
    """A pool and the exchange it belongs to."""

    exchange: Exchange
    pool: MarketPool


class Mirror:
    """All pools of a market with their current states."""

    def __init__(self, rpc: Rpc, market: Market) -> None:
        self.venues = tuple(Venue(exchange, pool) for exchange in market.exchanges for pool in exchange.pools)
        self._by_id = {venue.pool.id: venue for venue in self.venues}
        self._states: dict[PoolId, State] = dict(_load(rpc, self.venues))

    def state(self, pool: PoolId) -> State:
        """The state of a pool."""
        return self._states[pool]

    def apply(self, logs: Iterable[Log]) -> None:
        """Take in the logs of one block, in their order."""
        for log in logs:
            if log.topics[0] == _SYNC:
                first, second = decode_words(log.data)
                self._states[PoolId(log.address)] = PairState((float(first), float(second)))
            elif log.topics[0] == _V3_SWAP:
                words = decode_words(log.data)
                self._states[PoolId(log.address)] = RangeState(words[2] / _Q96, float(words[3]))
            elif log.topics[0] == _VAULT_SWAP:
                self._apply_vault_swap(log)

    def _apply_vault_swap(self, log: Log) -> None:
        venue = self._by_id.get(PoolId(log.topics[1]))
        if venue is None:
            return
        tokens = venue.pool.tokens
        state = self._states[venue.pool.id]
        assert isinstance(state, WeightedState)
        index_in, index_out = (tokens.index(Address("0x" + topic[-40:])) for topic in log.topics[2:])
        paid, received = decode_words(log.data)
        self._states[venue.pool.id] = state.swapped(index_in, index_out, (paid, received))


def _load(rpc: Rpc, venues: tuple[Venue, ...]) -> Iterator[tuple[PoolId, State]]:
    answers = rpc.batch(call for venue in venues for call in _reads(venue))
    words = iter([decode_words(text(answer)) for answer in answers])
    for venue in venues:
        first = next(words)
        if venue.exchange.protocol == "uniswap_v2":
            yield venue.pool.id, PairState((float(first[0]), float(first[1])))
        elif venue.exchange.protocol == "uniswap_v3":
            yield venue.pool.id, RangeState(first[0] / _Q96, float(next(words)[0]))
        else:
            yield venue.pool.id, _weighted(venue.pool, first)


def _weighted(pool: MarketPool, words: list[int]) -> WeightedState:
    count = len(pool.tokens)
    start = _WORD_BALANCES + 1 + count + 1
    balances = tuple(float(word) for word in words[start : start + count])
    return WeightedState(balances, tuple(weight / 10**18 for weight in pool.weights))


def _reads(venue: Venue) -> list[Call]:
    pool, protocol = venue.pool, venue.exchange.protocol
    if protocol == "uniswap_v2":
        return [_read(pool.address, "getReserves()")]
    if protocol == "uniswap_v3":
        return [_read(pool.address, "slot0()"), _read(pool.address, "liquidity()")]
    return [_read(venue.exchange.router, "getPoolTokens(bytes32)", bytes.fromhex(pool.id[2:]))]


def _read(to: Address, signature: str, *args: object) -> Call:
    return Call("eth_call", ({"to": to, "data": encode_call(signature, *args)}, "latest"))
