"""Which generation a contract is: from what it answers, and, where that does not tell, from what it pays.

Probed: the coins (`coins(3)` must not answer), `gamma`, `MATH` and its version, the decimals of the coins. What that
leaves open - two groupings of a term in the first generation of pairs, two fees in the second - is settled by asking
`get_dy` for several sizes each way, those among them at which the candidates differ, and comparing to the unit. The
comparison is made for every pool, also where nothing is open: one that answers otherwise than all known is refused.
"""

from collections.abc import Iterator, Sequence
from itertools import islice

import msgspec

from headrace.adapters.protocols.answers import Answer, address_in
from headrace.adapters.protocols.curve_cryptoswap.state import PROTOCOL, CryptoSwapState, Terms, checked_pool
from headrace.adapters.protocols.words import call_data, words_of_bytes
from headrace.errors import MalformedPoolError
from headrace.kernels.cryptoswap import Generation, amount_out
from headrace.kernels.cryptoswap_newton import RevertError
from headrace.model.address import ZERO_ADDRESS, Address, Hash32, PoolId
from headrace.model.pool import Pool
from headrace.ports.chain import Call, Chain

_COINS_MAX = 3
_DECIMALS_MAX = 18
_SIZES = (10**7, 10**4, 100, 10, 2)  # an input of the balance divided by each
_WORD = 32
_PROBES = tuple(call_data(f"{name}()") for name in ("gamma", "MATH", "version", "A_precise", "POLICY", "token"))
_DECIMALS = call_data("decimals()")
_VERSION = call_data("version()")
_POOL_VERSIONS = frozenset({"v2.0.0", "v2.1.0"})
_MATHS = {
    (3, "v2.0.0"): Generation.TRIPLE_NG,
    (2, "v2.0.0"): Generation.PAIR_NG,
    (2, "v2.1.0"): Generation.PAIR_NG_WIDE,
}

_STEPS = 200  # sizes up to the balance that are looked through for one that tells candidates apart
_TELLING_MAX = 3

Question = tuple[int, int, int]  # index in, index out, amount


class Identity(msgspec.Struct, frozen=True):
    """A pool's constants, and the terms that its answers leave open, the likeliest first."""

    pool: Pool
    candidates: tuple[Terms, ...]


async def identify(chain: Chain, venue: str, pool_id: PoolId, block: Hash32) -> Identity:
    """Constants of a pool from its contract.

    Raises:
        MalformedPoolError: the contract is no CryptoSwap pool, or of no generation that is known.
        ChainError: the node failed.
    """
    address = _address(pool_id, "id", int(pool_id, 16) if len(pool_id) == 42 else 1 << 160)  # noqa: PLR2004 - 0x and 20 bytes
    coins = [call_data("coins(uint256)", index) for index in range(_COINS_MAX + 1)]
    answers = await chain.call_many([Call(address, data) for data in (*coins, *_PROBES)], block)
    tokens = _tokens(pool_id, answers[: len(coins)])
    gamma, math, version, precise, policy, shares = answers[len(coins) :]
    if _word(gamma) is None:
        raise MalformedPoolError(pool_id, "gamma", "the contract does not tell it; is it a CryptoSwap pool?")
    if _word(policy):
        raise MalformedPoolError(pool_id, "POLICY", "another contract says its fee")
    pool = checked_pool(Pool(pool_id, address, PROTOCOL, venue, tokens))
    math_address = _address(pool_id, "MATH", _word(math)) if _word(math) is not None else None
    asked = [*(Call(token, _DECIMALS) for token in tokens), *([Call(math_address, _VERSION)] if math_address else [])]
    found = await chain.call_many(asked, block)
    precisions = tuple(_precision(pool_id, answer) for answer in found[: len(tokens)])
    if math_address is None:
        if version is not None:
            raise MalformedPoolError(pool_id, "MATH", "it has a version and no arithmetic of its own to name")
        return Identity(pool, _first_generation(pool, precisions, precise, shares))
    return Identity(pool, _second_generation(pool, precisions, _text(version), _text(found[-1])))


async def settle(chain: Chain, states: Sequence[CryptoSwapState], timestamp: int, block: Hash32) -> CryptoSwapState:
    """That of one pool's `states`, which differ in terms alone, whose arithmetic answers `get_dy` to the unit.

    Where two of them answer alike, also at some hundred sizes looked through for a difference, the first is taken.

    Raises:
        MalformedPoolError: none does, or the pool answers nothing.
        ChainError: the node failed.
    """
    pool = states[0].pool
    asked = list(dict.fromkeys((*_questions(states[0]), *_telling_questions(states, timestamp))))
    signature = "get_dy(uint256,uint256,uint256)"
    answers = await chain.call_many([Call(pool.address, call_data(signature, *one)) for one in asked], block)
    told = [_word(answer) for answer in answers]
    if not any(told):
        raise MalformedPoolError(
            pool.id, "get_dy", "it answers nothing, so its arithmetic cannot be told; is it empty?"
        )
    for state in states:
        if [_paid(state, one, timestamp) for one in asked] == told:
            return state
    raise MalformedPoolError(pool.id, "get_dy", "it answers otherwise than every arithmetic that is known")


def _questions(state: CryptoSwapState) -> list[Question]:
    return [(*way, max(1, state.balances[way[0]] // size)) for way in _ways(state) for size in _SIZES]


def _telling_questions(states: Sequence[CryptoSwapState], timestamp: int) -> list[Question]:
    """Sizes at which the candidates differ, a few each way."""
    if len(states) == 1:
        return []
    found: list[Question] = []
    for way in _ways(states[0]):
        sizes = (max(1, states[0].balances[way[0]] * step // _STEPS) for step in range(1, _STEPS + 1))
        questions: Iterator[Question] = ((*way, size) for size in sizes)
        differing = (one for one in questions if len({_paid(state, one, timestamp) for state in states}) > 1)
        found += islice(differing, _TELLING_MAX)
    return found


def _ways(state: CryptoSwapState) -> list[tuple[int, int]]:
    count = len(state.balances)
    return [(i, j) for i in range(count) for j in range(count) if i != j]


def _paid(state: CryptoSwapState, question: Question, timestamp: int) -> int | None:
    """What `get_dy` should say: it does not test for a loss."""
    try:
        return amount_out(msgspec.structs.replace(state.in_block(timestamp), backing=None), *question)
    except RevertError:
        return None


def _tokens(pool: PoolId, answers: Sequence[Answer]) -> tuple[Address, ...]:
    known = [_word(answer) for answer in answers]
    count = next((index for index, word in enumerate(known) if word is None), len(known))
    if not 1 < count <= _COINS_MAX or any(word is not None for word in known[count:]):
        raise MalformedPoolError(pool, "coins", f"{count} coins answer; a CryptoSwap pool has two or three")
    return tuple(_address(pool, "coins", word) for word in known[:count])


def _first_generation(pool: Pool, precisions: tuple[int, ...], precise: Answer, shares: Answer) -> tuple[Terms, ...]:
    token = _address(pool.id, "token", _word(shares))
    factor = 1 if _word(precise) is None else 100  # the pools of 2021 tell A apart from what they store
    kinds = (Generation.TRIPLE,) if len(precisions) == _COINS_MAX else (Generation.PAIR, Generation.PAIR_GROUPED)
    return tuple(Terms(kind, precisions, token, factor) for kind in kinds)


def _second_generation(pool: Pool, precisions: tuple[int, ...], version: str, math: str) -> tuple[Terms, ...]:
    kind = _MATHS.get((len(precisions), math))
    if kind is None or version not in _POOL_VERSIONS:
        raise MalformedPoolError(
            pool.id, "version", f"pool {version!r} with arithmetic {math!r} for {len(precisions)} coins is not known"
        )
    plain = Terms(kind, precisions, pool.address)
    if kind is Generation.TRIPLE_NG:
        return (plain,)
    return (plain, msgspec.structs.replace(plain, has_curved_fee=True))


def _precision(pool: PoolId, answer: Answer) -> int:
    decimals = _word(answer)
    if decimals is None or decimals > _DECIMALS_MAX:
        raise MalformedPoolError(pool, "decimals", f"a coin has {decimals}; a pool takes at most 18")
    return int(10 ** (_DECIMALS_MAX - decimals))


def _address(pool: PoolId, field: str, word: int | None) -> Address:
    found = address_in(pool, field, word or 0)
    if found == ZERO_ADDRESS:
        raise MalformedPoolError(pool, field, "the contract names no address; is it a CryptoSwap pool?")
    return found


def _word(answer: Answer) -> int | None:
    return int.from_bytes(answer, "big") if answer is not None and len(answer) == _WORD else None


def _text(answer: Answer) -> str:
    """A string as the ABI has it; empty for anything else."""
    try:
        head, size, *rest = words_of_bytes(answer or b"")
    except ValueError:
        return ""
    data = b"".join(word.to_bytes(_WORD, "big") for word in rest)
    return data[:size].decode("ascii", "replace") if head == _WORD and size <= len(data) else ""
