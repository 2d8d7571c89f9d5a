"""Chain to state: a pool's constants and balances from vault and pool, many pools in one round trip.

Refused, because their price does not follow from weights that stay: pools that answer `getGradualWeightUpdateParams`
(liquidity bootstrapping, managed), and scaling factors that are no power of ten (rates).
"""

import re
from collections.abc import Sequence

from headrace.adapters.protocols.balancer_v2.state import (
    PROTOCOL,
    BalancerV2State,
    WeightedTerms,
    checked_pool,
    checked_state,
    pool_contract,
)
from headrace.adapters.protocols.words import address_of, array_at, call_data, id_of, words_of_bytes
from headrace.errors import MalformedPoolError
from headrace.kernels.fixed_point_power import ONE
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.pool import Pool
from headrace.ports.chain import Call, Chain

_ID = re.compile(r"0x[0-9a-f]{64}")
_VAULT = call_data("getVault()")
_POOL_ID = call_data("getPoolId()")
_WEIGHTS = call_data("getNormalizedWeights()")
_SCALINGS = call_data("getScalingFactors()")
_FEE = call_data("getSwapFeePercentage()")
_PAUSE = call_data("getPausedState()")
_GRADUAL = call_data("getGradualWeightUpdateParams()")
_PAUSE_WORDS = 3  # flag, end of the window, end of the buffer
_TOKEN_WORDS = 4  # cash, managed, last change, asset manager
_TOKENS_SIGNATURE = "getPoolTokens(bytes32)"
_TOKEN_INFO_SIGNATURE = "getPoolTokenInfo(bytes32,address)"  # noqa: S105 - a function, not a secret
_CALLS_PER_POOL = 5
_DECIMALS_MAX = 18
_POWERS_OF_TEN = frozenset(ONE * 10**digits for digits in range(_DECIMALS_MAX + 1))

Answer = bytes | None


async def describe(chain: Chain, venue: str, pool: PoolId, block: Hash32) -> Pool:
    """Read a pool's constants: its contract names the vault, the vault its tokens.

    Raises:
        MalformedPoolError: the id is none, the contract is no weighted pool, or the vault does not know it.
        ChainError: the node failed.
    """
    if not _ID.fullmatch(pool):
        raise MalformedPoolError(pool, "id", "a pool's id is 32 bytes of lowercase hex")
    contract = Address(pool[:42])
    vault, named, weights, gradual = await chain.call_many(
        [Call(contract, data) for data in (_VAULT, _POOL_ID, _WEIGHTS, _GRADUAL)], block
    )
    if id_of(_words(pool, "getPoolId", named, 1)[0]) != pool:
        raise MalformedPoolError(pool, "getPoolId", "the contract says that it is another pool")
    if gradual:
        raise MalformedPoolError(pool, "weights", "they move with time, which is not supported")
    _array(pool, "getNormalizedWeights", weights)
    held_by = _address(pool, "getVault", vault)
    (tokens,) = await chain.call_many([Call(held_by, call_data(_TOKENS_SIGNATURE, int(pool, 16)))], block)
    addresses = tuple(_checked_address(pool, word) for word in _array(pool, "getPoolTokens", tokens))
    return checked_pool(Pool(pool, held_by, PROTOCOL, venue, addresses))


async def read(chain: Chain, pools: Sequence[Pool], block: Hash32) -> tuple[BalancerV2State, ...]:
    """States after `block`, parallel to `pools`.

    Raises:
        MalformedPoolError: a pool's state cannot be a weighted pool's.
        ChainError: the node failed.
    """
    answers = iter(await chain.call_many([call for pool in pools for call in _calls(pool)], block))
    return tuple(_state(pool, [next(answers) for _ in range(_call_count(pool))]) for pool in pools)


def _calls(pool: Pool) -> list[Call]:
    contract = pool_contract(pool)
    calls = [Call(contract, data) for data in (_WEIGHTS, _SCALINGS, _FEE, _PAUSE)]
    calls.append(Call(pool.address, _PAUSE))
    words = [(int(pool.id, 16), int(token, 16)) for token in pool.tokens]
    return calls + [Call(pool.address, call_data(_TOKEN_INFO_SIGNATURE, *pair)) for pair in words]


def _call_count(pool: Pool) -> int:
    return _CALLS_PER_POOL + len(pool.tokens)


def _state(pool: Pool, answers: list[Answer]) -> BalancerV2State:
    weights, scalings, fee, pool_pause, vault_pause = answers[:_CALLS_PER_POOL]
    infos = [_words(pool.id, "getPoolTokenInfo", one, _TOKEN_WORDS) for one in answers[_CALLS_PER_POOL:]]
    is_paused, pause_ends_at = _pause(pool.id, pool_pause)
    is_vault_paused, vault_pause_ends_at = _pause(pool.id, vault_pause)
    terms = WeightedTerms(
        weights=_array(pool.id, "getNormalizedWeights", weights),
        has_shortcuts=_has_shortcuts(pool.id, scalings),
        pause_ends_at=pause_ends_at,
        vault_pause_ends_at=vault_pause_ends_at,
    )
    state = BalancerV2State(
        pool=pool,
        terms=terms,
        cash=tuple(info[0] for info in infos),
        managed=tuple(info[1] for info in infos),
        swap_fee=_words(pool.id, "getSwapFeePercentage", fee, 1)[0],
        is_paused=is_paused,
        is_vault_paused=is_vault_paused,
    )
    return checked_state(state)


def _has_shortcuts(pool: PoolId, scalings: Answer) -> bool:
    """Pools of 2021 keep their scaling factors to themselves; those that tell them have the power with shortcuts."""
    if scalings is None:
        return False
    if not _POWERS_OF_TEN.issuperset(_array(pool, "getScalingFactors", scalings)):
        raise MalformedPoolError(pool, "getScalingFactors", "they are no powers of ten, so the pool uses rates")
    return True


def _pause(pool: PoolId, answer: Answer) -> tuple[bool, int]:
    flag, _, buffer_ends_at = _words(pool, "getPausedState", answer, _PAUSE_WORDS)
    return flag != 0, buffer_ends_at


def _address(pool: PoolId, field: str, answer: Answer) -> Address:
    return _checked_address(pool, _words(pool, field, answer, 1)[0])


def _checked_address(pool: PoolId, word: int) -> Address:
    try:
        return address_of(word)
    except ValueError as error:
        raise MalformedPoolError(pool, "tokens", str(error)) from error


def _array(pool: PoolId, field: str, answer: Answer) -> tuple[int, ...]:
    try:
        return array_at(words_of_bytes(answer or b""), 0)
    except ValueError as error:
        raise MalformedPoolError(pool, field, f"{error}; is it a weighted pool?") from error


def _words(pool: PoolId, field: str, answer: Answer, count: int) -> tuple[int, ...]:
    if answer is None or len(answer) != 32 * count:
        raise MalformedPoolError(pool, field, "the contract does not answer as a weighted pool does; is the id right?")
    return words_of_bytes(answer)
