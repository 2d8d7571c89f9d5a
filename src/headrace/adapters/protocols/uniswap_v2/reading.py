"""Chain to state: a pair's constants and reserves from the contract itself, many pairs in one round trip."""

from collections.abc import Sequence

import msgspec

from headrace.adapters.protocols.uniswap_v2.state import PROTOCOL, UniswapV2State, checked_pool, checked_state
from headrace.adapters.protocols.words import address_of, call_data, words_of_bytes
from headrace.errors import MalformedPoolError
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.pool import Pool
from headrace.ports.chain import Call, Chain

_TOKEN0 = call_data("token0()")
_TOKEN1 = call_data("token1()")
_RESERVES = call_data("getReserves()")
_RESERVES_WORDS = 3  # reserve0, reserve1, the time of the last change
_METADATA = call_data("metadata()")  # a Solidly pair has it beside all that a Uniswap pair has


class Listing(msgspec.Struct, frozen=True):
    """Where a pair is listed and what its code takes as fee, which no call tells."""

    venue: str
    fee_pips: int


async def describe(chain: Chain, listing: Listing, pool: PoolId, block: Hash32) -> Pool:
    """Read a pair's constants.

    Raises:
        MalformedPoolError: the contract is no pair, or one of Solidly's family.
        ChainError: the node failed.
    """
    address = Address(pool)
    asked = (_TOKEN0, _TOKEN1, _RESERVES, _METADATA)
    *answers, metadata = await chain.call_many([Call(address, data) for data in asked], block)
    if metadata:
        raise MalformedPoolError(pool, "metadata", "it is a Solidly pair, which takes its fee otherwise: use `solidly`")
    tokens = tuple(_token(pool, field, answer) for field, answer in zip(("token0", "token1"), answers[:2], strict=True))
    _words(pool, "getReserves", answers[2], _RESERVES_WORDS)
    return checked_pool(Pool(pool, address, PROTOCOL, listing.venue, tokens, listing.fee_pips))


async def read(chain: Chain, pools: Sequence[Pool], block: Hash32) -> tuple[UniswapV2State, ...]:
    """States after `block`, parallel to `pools`.

    Raises:
        MalformedPoolError: a contract is no pair.
        ChainError: the node failed.
    """
    answers = await chain.call_many([Call(pool.address, _RESERVES) for pool in pools], block)
    return tuple(_state(pool, answer) for pool, answer in zip(pools, answers, strict=True))


def _state(pool: Pool, answer: bytes | None) -> UniswapV2State:
    reserve0, reserve1, _ = _words(pool.id, "getReserves", answer, _RESERVES_WORDS)
    return checked_state(checked_pool(pool), reserve0, reserve1)


def _token(pool: PoolId, field: str, answer: bytes | None) -> Address:
    (word,) = _words(pool, field, answer, 1)
    try:
        return address_of(word)
    except ValueError as error:
        raise MalformedPoolError(pool, field, str(error)) from error


def _words(pool: PoolId, field: str, answer: bytes | None, count: int) -> tuple[int, ...]:
    if answer is None or len(answer) != 32 * count:
        raise MalformedPoolError(pool, field, "the contract does not answer as a pair does; is the address right?")
    return words_of_bytes(answer)
