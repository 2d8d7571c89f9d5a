"""Answers of contracts as words and addresses; what does not fit is an error that names the pool and the call."""

from headrace.adapters.protocols.words import address_of, words_of_bytes
from headrace.errors import MalformedPoolError
from headrace.model.address import Address, PoolId

Answer = bytes | None
_WORD = 32


def exact_words(pool: PoolId, field: str, answer: Answer, count: int, unlike: str) -> tuple[int, ...]:
    """An answer of exactly `count` words; `unlike` is the sentence for any other.

    Raises:
        MalformedPoolError: the call reverted, or the answer has another length.
    """
    if answer is None or len(answer) != _WORD * count:
        raise MalformedPoolError(pool, field, unlike)
    return words_of_bytes(answer)


def address_in(pool: PoolId, field: str, word: int) -> Address:
    """A word as an address.

    Raises:
        MalformedPoolError: it has more than 20 bytes.
    """
    try:
        return address_of(word)
    except ValueError as error:
        raise MalformedPoolError(pool, field, str(error)) from error
