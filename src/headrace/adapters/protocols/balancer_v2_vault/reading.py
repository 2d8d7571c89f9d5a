"""Answers of vault and pools to numbers, each refused by the name of the function that gave it."""

import re

from headrace.adapters.protocols.answers import Answer, address_in, exact_words
from headrace.adapters.protocols.balancer_v2_vault.state import pool_contract
from headrace.adapters.protocols.words import array_at, call_data, id_of, words_of_bytes
from headrace.errors import MalformedPoolError
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.pool import Pool
from headrace.ports.chain import Call, Chain

VAULT = call_data("getVault()")
POOL_ID = call_data("getPoolId()")
SCALINGS = call_data("getScalingFactors()")
FEE = call_data("getSwapFeePercentage()")
PAUSE = call_data("getPausedState()")
_ID = re.compile(r"0x[0-9a-f]{64}")
_PAUSE_WORDS = 3  # flag, end of the window, end of the buffer
_TOKEN_WORDS = 4  # cash, managed, last change, asset manager
_TOKENS_SIGNATURE = "getPoolTokens(bytes32)"
_TOKEN_INFO_SIGNATURE = "getPoolTokenInfo(bytes32,address)"  # noqa: S105 - a function, not a secret


def contract_of_id(pool: PoolId) -> Address:
    """The contract that an id names.

    Raises:
        MalformedPoolError: it is no id of this vault's pools.
    """
    if not _ID.fullmatch(pool):
        raise MalformedPoolError(pool, "id", "a pool's id is 32 bytes of lowercase hex")
    return Address(pool[:42])


def check_id(pool: PoolId, answer: Answer) -> None:
    """Hold what the contract calls itself against the id.

    Raises:
        MalformedPoolError: they differ.
    """
    if id_of(words(pool, "getPoolId", answer, 1)[0]) != pool:
        raise MalformedPoolError(pool, "getPoolId", "the contract says that it is another pool")


async def registered_tokens(chain: Chain, vault: Address, pool: PoolId, block: Hash32) -> tuple[Address, ...]:
    """The tokens that the vault holds for a pool, in its order.

    Raises:
        MalformedPoolError: the vault does not know the pool.
        ChainError: the node failed.
    """
    (tokens,) = await chain.call_many([Call(vault, call_data(_TOKENS_SIGNATURE, int(pool, 16)))], block)
    return tuple(address_in(pool, "tokens", word) for word in array(pool, "getPoolTokens", tokens))


def holdings_calls(pool: Pool) -> list[Call]:
    """Reads of cash and managed balance, one for each of the pool's tokens."""
    pairs = [(int(pool.id, 16), int(token, 16)) for token in pool.tokens]
    return [Call(pool.address, call_data(_TOKEN_INFO_SIGNATURE, *pair)) for pair in pairs]


def holdings(pool: Pool, answers: list[Answer]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Cash and managed balances from the answers to `holdings_calls`.

    Raises:
        MalformedPoolError: one of them is none.
    """
    infos = [words(pool.id, "getPoolTokenInfo", one, _TOKEN_WORDS) for one in answers]
    return tuple(info[0] for info in infos), tuple(info[1] for info in infos)


def pause_calls(pool: Pool) -> list[Call]:
    """Reads of the pool's pause and of the vault's."""
    return [Call(pool_contract(pool), PAUSE), Call(pool.address, PAUSE)]


def pause(pool: PoolId, answer: Answer) -> tuple[bool, int]:
    """Whether it is paused, and the last second in which that can hold.

    Raises:
        MalformedPoolError: the answer is none.
    """
    flag, _, buffer_ends_at = words(pool, "getPausedState", answer, _PAUSE_WORDS)
    return flag != 0, buffer_ends_at


def address(pool: PoolId, field: str, answer: Answer) -> Address:
    """An answer of one address.

    Raises:
        MalformedPoolError: it is none.
    """
    return address_in(pool, field, words(pool, field, answer, 1)[0])


def array(pool: PoolId, field: str, answer: Answer) -> tuple[int, ...]:
    """An answer that is, or begins with, one array.

    Raises:
        MalformedPoolError: it is none.
    """
    try:
        return array_at(words_of_bytes(answer or b""), 0)
    except ValueError as error:
        raise MalformedPoolError(pool, field, f"{error}; is it a pool of this kind?") from error


def words(pool: PoolId, field: str, answer: Answer, count: int) -> tuple[int, ...]:
    """An answer of exactly `count` words.

    Raises:
        MalformedPoolError: it is none.
    """
    return exact_words(pool, field, answer, count, "the contract does not answer as such a pool does; is the id right?")
