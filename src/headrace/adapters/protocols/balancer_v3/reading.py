"""Chain to state, many pools in one round trip: the vault knows balances, rates, fees and hooks, the pool its curve.

Refused: pools with a hook before or after swaps or with a fee that a hook computes, because a hook may trade or add
liquidity first; pools that are neither weighted nor stable. Others tell weights too, which move with time: a weighted
pool is known by its own name for its constants, which those do not answer.
"""

import re
from collections.abc import Sequence

import msgspec

from headrace.adapters.protocols.answers import Answer, address_in
from headrace.adapters.protocols.balancer_v3.state import (
    PROTOCOL,
    BalancerV3State,
    StableTerms,
    VaultTerms,
    WeightedTerms,
    checked_state,
    pool_contract,
)
from headrace.adapters.protocols.words import array_at, call_data, words_of_bytes
from headrace.errors import MalformedAnswerError, MalformedPoolError
from headrace.kernels.balancer_stable import AMP_PRECISION
from headrace.kernels.ramp import Ramp
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.pool import Pool
from headrace.ports.chain import Call, Chain

_ADDRESS = re.compile(r"0x[0-9a-f]{40}")
_VAULT = call_data("getVault()")
_OF_POOL = (
    "getPoolTokens(address)",
    "getPoolTokenInfo(address)",
    "getPoolData(address)",
    "getPoolTokenRates(address)",
    "getPoolConfig(address)",
    "getHooksConfig(address)",
    "getPoolPausedState(address)",
)
_OF_VAULT = (call_data("getVaultPausedState()"), call_data("getMinimumTradeAmount()"))
_OF_CURVE = (
    call_data("getNormalizedWeights()"),
    call_data("getMinTokenBalances()"),
    call_data("getAmplificationState()"),
    call_data("getWeightedPoolImmutableData()"),
    call_data("getStablePoolImmutableData()"),
)
_CALLS_PER_POOL = len(_OF_POOL) + len(_OF_VAULT) + len(_OF_CURVE)
_DATA_FIELDS = 7  # of the struct that `getPoolData` answers
_DATA_BALANCES = 3
_CONFIG_WORDS, _HOOK_WORDS, _PAUSE_WORDS, _VAULT_PAUSE_WORDS, _RAMP_WORDS = 13, 11, 4, 3, 5
_SWAP_HOOKS = {3: "computes the fee", 4: "runs before a swap", 5: "runs after a swap"}
_WITH_RATE = 1
_INFO_WORDS = 3  # type, provider, whether it pays fees on yield


class _Answers(msgspec.Struct):
    """What vault and pool say of one pool."""

    tokens: Answer
    info: Answer
    data: Answer
    rates: Answer
    config: Answer
    hooks: Answer
    pause: Answer
    vault_pause: Answer
    trade_min: Answer
    weights: Answer
    minima: Answer
    ramp: Answer
    as_weighted: Answer
    as_stable: Answer


async def describe(chain: Chain, venue: str, pool: PoolId, block: Hash32) -> Pool:
    """Read a pool's constants: its contract names the vault, the vault its tokens.

    Raises:
        MalformedPoolError: the id is no address, the contract no pool that is quoted here, or unknown to its vault.
        ChainError: the node failed.
    """
    if not _ADDRESS.fullmatch(pool):
        raise MalformedPoolError(pool, "id", "a pool's id is its address, 20 bytes of lowercase hex")
    (vault,) = await chain.call_many([Call(Address(pool), _VAULT)], block)
    (word,) = _words(pool, "getVault", vault, 1)
    held_by = address_in(pool, "getVault", word)
    (tokens,) = await chain.call_many([Call(held_by, call_data(_OF_POOL[0], int(pool, 16)))], block)
    listed = tuple(address_in(pool, "tokens", word) for word in _array(pool, "getPoolTokens", tokens))
    described = Pool(pool, held_by, PROTOCOL, venue, listed)
    await read(chain, [described], block)
    return described


async def read(chain: Chain, pools: Sequence[Pool], block: Hash32) -> tuple[BalancerV3State, ...]:
    """States after `block`, parallel to `pools`.

    Raises:
        MalformedPoolError: a pool's state cannot be one that is quoted here.
        ChainError: the node failed.
    """
    header = await chain.header_by_hash(block)
    if header is None:
        raise MalformedAnswerError("eth_getBlockByHash", f"the node does not know block {block}")
    answers = iter(await chain.call_many([call for pool in pools for call in _calls(pool)], block))
    return tuple(
        _state(pool, _Answers(*(next(answers) for _ in range(_CALLS_PER_POOL))), header.number) for pool in pools
    )


def _calls(pool: Pool) -> list[Call]:
    contract = pool_contract(pool)
    own = int(contract, 16)
    calls = [Call(pool.address, call_data(signature, own)) for signature in _OF_POOL]
    calls += [Call(pool.address, data) for data in _OF_VAULT]
    return calls + [Call(contract, data) for data in _OF_CURVE]


def _state(pool: Pool, answers: _Answers, number: int) -> BalancerV3State:
    _refuse_hooks(pool, answers.hooks)
    config = _words(pool.id, "getPoolConfig", answers.config, _CONFIG_WORDS)
    is_paused, _, pause_ends_at, _ = _words(pool.id, "getPoolPausedState", answers.pause, _PAUSE_WORDS)
    is_vault_paused, _, vault_ends_at = _words(pool.id, "getVaultPausedState", answers.vault_pause, _VAULT_PAUSE_WORDS)
    scalings, rates = _rates(pool, answers.rates)
    has_rates = _has_rates(pool, answers.info)
    is_initialized = config[10] != 0
    state = BalancerV3State(
        pool=pool,
        terms=VaultTerms(
            scalings=scalings,
            has_rates=has_rates,
            trade_min=_words(pool.id, "getMinimumTradeAmount", answers.trade_min, 1)[0],
            pause_ends_at=pause_ends_at,
            vault_pause_ends_at=vault_ends_at,
        ),
        curve=_curve(pool, answers),
        balances=_balances(pool, answers.data) if is_initialized else (0,) * len(pool.tokens),
        rates=rates,
        swap_fee=config[4],
        aggregate_fee=config[5],
        is_initialized=is_initialized,
        is_paused=is_paused != 0,
        is_vault_paused=is_vault_paused != 0,
        is_recovering=config[12] != 0,
        read_number=number if has_rates else None,
    )
    return checked_state(state)


def _curve(pool: Pool, answers: _Answers) -> WeightedTerms | StableTerms:
    if answers.ramp and answers.as_stable:
        start, end, starts_at, ends_at, precision = _words(pool.id, "getAmplificationState", answers.ramp, _RAMP_WORDS)
        if precision != AMP_PRECISION:
            raise MalformedPoolError(pool.id, "getAmplificationState", f"its precision is {precision}")
        return StableTerms(Ramp(start, end) if start == end else Ramp(start, end, starts_at, ends_at))
    if not answers.as_weighted:
        raise MalformedPoolError(pool.id, "curve", "it is no stable pool, and no weighted one whose weights stay")
    minima = _array(pool.id, "getMinTokenBalances", answers.minima) if answers.minima else None
    return WeightedTerms(_array(pool.id, "getNormalizedWeights", answers.weights), minima)


def _refuse_hooks(pool: Pool, answer: Answer) -> None:
    flags = _words(pool.id, "getHooksConfig", answer, _HOOK_WORDS)
    for place, what in _SWAP_HOOKS.items():
        if flags[place]:
            raise MalformedPoolError(pool.id, "hooks", f"a hook {what}, which is not supported")


def _rates(pool: Pool, answer: Answer) -> tuple[tuple[int, ...], tuple[int, ...]]:
    words = _all_words(pool.id, "getPoolTokenRates", answer)
    return _array_of(pool.id, "getPoolTokenRates", words, 0), _array_of(pool.id, "getPoolTokenRates", words, 1)


def _has_rates(pool: Pool, answer: Answer) -> bool:
    words = _all_words(pool.id, "getPoolTokenInfo", answer)
    start = words[1] // 32 if len(words) > 1 else len(words)
    count = len(pool.tokens)
    items = words[start + 1 : start + 1 + _INFO_WORDS * count]
    if len(items) != _INFO_WORDS * count or words[start] != count:
        raise MalformedPoolError(pool.id, "getPoolTokenInfo", "it does not list the pool's tokens")
    return _WITH_RATE in items[::_INFO_WORDS]


def _balances(pool: Pool, answer: Answer) -> tuple[int, ...]:
    """Raw balances of the struct, whose offsets count from its own beginning."""
    words = _all_words(pool.id, "getPoolData", answer)
    if len(words) <= _DATA_FIELDS:
        raise MalformedPoolError(pool.id, "getPoolData", "the answer is too short")
    return _array_of(pool.id, "getPoolData", words[1:], _DATA_BALANCES)


def _array(pool: PoolId, field: str, answer: Answer) -> tuple[int, ...]:
    return _array_of(pool, field, _all_words(pool, field, answer), 0)


def _array_of(pool: PoolId, field: str, words: tuple[int, ...], slot: int) -> tuple[int, ...]:
    try:
        return array_at(words, slot)
    except ValueError as error:
        raise MalformedPoolError(pool, field, f"{error}; is it a weighted or a stable pool?") from error


def _all_words(pool: PoolId, field: str, answer: Answer) -> tuple[int, ...]:
    try:
        return words_of_bytes(answer or b"")
    except ValueError as error:
        raise MalformedPoolError(pool, field, str(error)) from error


def _words(pool: PoolId, field: str, answer: Answer, count: int) -> tuple[int, ...]:
    found = _all_words(pool, field, answer)
    if len(found) != count:
        raise MalformedPoolError(pool, field, "the contract does not answer as such a pool does; is the address right?")
    return found
