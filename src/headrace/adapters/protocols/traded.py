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
