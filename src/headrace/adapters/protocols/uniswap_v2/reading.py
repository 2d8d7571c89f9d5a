"""Chain to state: a pair's constants and reserves from the contract itself, many pairs in one round trip."""

from collections.abc import Mapping, Sequence

from headrace.adapters.protocols.answers import Answer, address_in, exact_words
from headrace.adapters.protocols.uniswap_v2.state import PROTOCOL, UniswapV2State, checked_pool, checked_state
from headrace.adapters.protocols.words import call_data
from headrace.errors import ConfigError, MalformedPoolError
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.pool import Pool
from headrace.ports.chain import Call, Chain

_TOKEN0 = call_data("token0()")
_TOKEN1 = call_data("token1()")
_RESERVES = call_data("getReserves()")
_RESERVES_WORDS = 3  # reserve0, reserve1, the time of the last change
_METADATA = call_data("metadata()")  # a Solidly pair has it beside all that a Uniswap pair has
_UNLIKE = "the contract does not answer as a pair does; is the address right?"


class PairReader:
    """Reads pairs of venues whose fee is known: it stands in a pair's code and no call tells it."""

    def __init__(self, fee_pips_by_venue: Mapping[str, int]) -> None:
        self._fees = dict(fee_pips_by_venue)

    async def describe(self, chain: Chain, venue: str, pool: PoolId, block: Hash32) -> Pool:
        """Read a pair's constants.

        Raises:
            ConfigError: no fee is configured for the venue.
            MalformedPoolError: the contract is no pair, or one of Solidly's family.
            ChainError: the node failed.
        """
        if venue not in self._fees:
            raise ConfigError(f"the fee of {venue!r} is not known: give its `fee_pips` (Uniswap v2 takes 3000)")
        asked = (_TOKEN0, _TOKEN1, _RESERVES, _METADATA)
        *answers, metadata = await chain.call_many([Call(Address(pool), data) for data in asked], block)
        if metadata:
            why = "it is a Solidly pair, which takes its fee otherwise: use `solidly`"
            raise MalformedPoolError(pool, "metadata", why)
        tokens = (_token(pool, "token0", answers[0]), _token(pool, "token1", answers[1]))
        _reserves(pool, answers[2])
        return checked_pool(Pool(pool, Address(pool), PROTOCOL, venue, tokens, self._fees[venue]))

    async def read(self, chain: Chain, pools: Sequence[Pool], block: Hash32) -> tuple[UniswapV2State, ...]:
        """States after `block`, parallel to `pools`.

        Raises:
            MalformedPoolError: a contract is no pair.
            ChainError: the node failed.
        """
        answers = await chain.call_many([Call(pool.address, _RESERVES) for pool in pools], block)
        return tuple(_state(pool, answer) for pool, answer in zip(pools, answers, strict=True))


def _state(pool: Pool, answer: Answer) -> UniswapV2State:
    return checked_state(checked_pool(pool), *_reserves(pool.id, answer))


def _token(pool: PoolId, field: str, answer: Answer) -> Address:
    return address_in(pool, field, exact_words(pool, field, answer, 1, _UNLIKE)[0])


def _reserves(pool: PoolId, answer: Answer) -> tuple[int, int]:
    reserve0, reserve1, _ = exact_words(pool, "getReserves", answer, _RESERVES_WORDS, _UNLIKE)
    return reserve0, reserve1
