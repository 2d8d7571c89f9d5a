"""An event of a factory, taken apart: so many topics, so many words of data, nothing else."""

from collections.abc import Callable
from typing import TypeVar

from headrace.adapters.protocols.words import address_of, words_of_hex
from headrace.errors import MalformedLogError
from headrace.model.address import Address
from headrace.model.event import Log

T = TypeVar("T")


def event_words(log: Log, topics: int, data: int) -> tuple[int, ...]:
    """The words behind the first topic, those of the data after those of the topics.

    Raises:
        MalformedLogError: another number of either, which is another event or another version of it.
    """
    if len(log.topics) != topics:
        raise MalformedLogError(log.address, "topics", f"{len(log.topics)} instead of {topics}")
    indexed = tuple(int(topic, 16) for topic in log.topics[1:])
    return indexed + parsed(log, "data", lambda: words_of_hex(log.data, data))


def event_address(log: Log, field: str, word: int) -> Address:
    """A word that must be an address.

    Raises:
        MalformedLogError: it has more than 20 bytes.
    """
    return parsed(log, field, lambda: address_of(word))


def event_number(log: Log, field: str, word: int, end: int) -> int:
    """A word that must be below `end`.

    Raises:
        MalformedLogError: it is not.
    """
    if word >= end:
        raise MalformedLogError(log.address, field, f"{word} is not below {end}")
    return word


def parsed(log: Log, field: str, parse: Callable[[], T]) -> T:
    """What `parse` gives.

    Raises:
        MalformedLogError: in place of its ValueError.
    """
    try:
        return parse()
    except ValueError as error:
        raise MalformedLogError(log.address, field, str(error)) from error


def order_flaw(token0: Address, token1: Address) -> str:
    """What is wrong with a pair of tokens that a factory must have sorted."""
    return "" if token0 < token1 else f"its tokens {token0} and {token1} are not in ascending order"
