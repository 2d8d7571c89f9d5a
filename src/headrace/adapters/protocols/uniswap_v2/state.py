"""What a pair stores: two reserves."""

import msgspec

from headrace.errors import MalformedPoolError
from headrace.model.pool import Pool, ProtocolId

PROTOCOL = ProtocolId("uniswap_v2")
RESERVE_END = 1 << 112  # reserves are uint112, and a balance above them makes the pair revert
_TOKENS = 2


class UniswapV2State(msgspec.Struct, frozen=True, gc=False):
    """The reserves in raw units, in the order of the pool's tokens; both are 0 in an empty pair."""

    pool: Pool
    reserve0: int
    reserve1: int


def checked_pool(pool: Pool) -> Pool:
    """The pool itself, if its constants can be a pair's.

    Raises:
        MalformedPoolError: not two tokens in ascending order, or a fee outside [0, 10^6).
    """
    if len(pool.tokens) != _TOKENS:
        raise MalformedPoolError(pool.id, "tokens", f"a pair has two tokens, not {len(pool.tokens)}")
    if pool.tokens[0] >= pool.tokens[1]:
        raise MalformedPoolError(pool.id, "tokens", "a pair's tokens are two, in ascending order")
    if int(pool.tokens[0], 16) == 0:
        raise MalformedPoolError(pool.id, "tokens", "the pair was never initialised")
    if not 0 <= pool.fee_pips < 1_000_000:  # noqa: PLR2004 - pips are millionths
        raise MalformedPoolError(pool.id, "fee_pips", f"{pool.fee_pips} is not in [0, 1000000)")
    return pool


def checked_state(pool: Pool, reserve0: int, reserve1: int) -> UniswapV2State:
    """A state that the pair could store.

    Raises:
        MalformedPoolError: a reserve has more than 112 bits.
    """
    if not (0 <= reserve0 < RESERVE_END and 0 <= reserve1 < RESERVE_END):
        is_second = 0 <= reserve0 < RESERVE_END
        field, reserve = ("reserve1", reserve1) if is_second else ("reserve0", reserve0)
        raise MalformedPoolError(pool.id, field, f"{reserve} does not fit 112 bits")
    return UniswapV2State(pool, reserve0, reserve1)
