"""Which of a pool's tokens a swap is between."""

from headrace.errors import UnansweredError
from headrace.model.address import Address
from headrace.model.pool import Pool


def indices(pool: Pool, token_in: Address, token_out: Address) -> tuple[int, int]:
    """Places of two different tokens of the pool.

    Raises:
        UnansweredError: the pool does not trade them.
    """
    tokens = pool.tokens
    if token_in == token_out or token_in not in tokens or token_out not in tokens:
        raise UnansweredError(pool.id, f"it does not trade {token_in} for {token_out}")
    return tokens.index(token_in), tokens.index(token_out)


def is_zero_for_one(pool: Pool, token_in: Address, token_out: Address) -> bool:
    """Whether a swap in a pool of two tokens takes the first and gives the second.

    Raises:
        UnansweredError: not the pool's two tokens.
    """
    token0, token1 = pool.tokens
    if token_in == token0 and token_out == token1:
        return True
    if token_in == token1 and token_out == token0:
        return False
    raise UnansweredError(pool.id, f"it does not trade {token_in} for {token_out}")
