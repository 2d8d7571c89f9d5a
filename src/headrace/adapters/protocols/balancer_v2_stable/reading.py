"""Chain to state, many pools in two round trips: what pool and vault say, then the rates of the providers they name.

What kind of stable pool it is follows from what it answers: composable and phantom pools count their own token among
those they register and say at which place (`getBptIndex`); the later computation of the invariant came with the
recovery mode (`inRecoveryMode`).
"""

from collections.abc import Sequence

import msgspec

from headrace.adapters.protocols.answers import Answer, address_in
from headrace.adapters.protocols.balancer_v2_stable.state import (
    PROTOCOL,
    BalancerV2StableState,
    CachedRate,
    ReadAt,
    StableTerms,
    checked_state,
)
from headrace.adapters.protocols.balancer_v2_vault import reading as vault_reading
from headrace.adapters.protocols.balancer_v2_vault.state import checked_pool, pool_contract
from headrace.adapters.protocols.words import call_data, words_of_bytes
from headrace.errors import MalformedAnswerError, MalformedPoolError
from headrace.kernels.balancer_stable import AMP_PRECISION
from headrace.kernels.fixed_point_power import ONE, multiply_down
from headrace.kernels.ramp import Ramp
from headrace.model.address import ZERO_ADDRESS, Address, Hash32, PoolId
from headrace.model.executor_step import WORD_BYTES
from headrace.model.pool import Pool
from headrace.ports.chain import Call, Chain

_AMPLIFICATION = call_data("getAmplificationParameter()")
_PROVIDERS = call_data("getRateProviders()")
_RECOVERY = call_data("inRecoveryMode()")
_OWN_PLACE = call_data("getBptIndex()")
_DECIMALS = call_data("decimals()")
_RATE = call_data("getRate()")
_CACHES = ("getTokenRateCache(address)", "getPriceRateCache(address)")
_CACHE_LENGTHS = (3 * WORD_BYTES, 4 * WORD_BYTES)  # rate, in later pools the old rate, duration, expiry
_AMPLIFICATION_WORDS = 3  # value, whether it moves, precision
_CALLS_PER_POOL = 8
_CALLS_PER_RATE = 3
_DECIMALS_MAX = 18


class _Answers(msgspec.Struct):
    """The first round trip's, of one pool."""

    amplification: Answer
    scalings: Answer
    providers: Answer
    recovery: Answer
    own_place: Answer
    fee: Answer
    pool_pause: Answer
    vault_pause: Answer
    holdings: list[Answer]
    decimals: list[Answer]


async def describe(chain: Chain, venue: str, pool: PoolId, block: Hash32) -> Pool:
    """Read a pool's constants; its own token is not among its tokens here, since a swap for it joins or exits.

    Raises:
        MalformedPoolError: the id is none, the contract is no stable pool, or the vault does not know it.
        ChainError: the node failed.
    """
    contract = vault_reading.contract_of_id(pool)
    calls = (vault_reading.VAULT, vault_reading.POOL_ID, _AMPLIFICATION)
    vault, named, amplification = await chain.call_many([Call(contract, data) for data in calls], block)
    vault_reading.check_id(pool, named)
    vault_reading.words(pool, "getAmplificationParameter", amplification, _AMPLIFICATION_WORDS)
    held_by = vault_reading.address(pool, "getVault", vault)
    tokens = await vault_reading.registered_tokens(chain, held_by, pool, block)
    traded = tuple(token for token in tokens if token != contract)
    return checked_pool(Pool(pool, held_by, PROTOCOL, venue, traded))


async def read(chain: Chain, pools: Sequence[Pool], block: Hash32) -> tuple[BalancerV2StableState, ...]:
    """States after `block`, parallel to `pools`.

    Raises:
        MalformedPoolError: a pool's state cannot be a stable pool's.
        ChainError: the node failed.
    """
    header = await chain.header_by_hash(block)
    if header is None:
        raise MalformedAnswerError("eth_getBlockByHash", f"the node does not know block {block}")
    answers = iter(await chain.call_many([call for pool in pools for call in _calls(pool)], block))
    first = [_grouped(pool, [next(answers) for _ in _calls(pool)]) for pool in pools]
    providers = [_providers(pool, one) for pool, one in zip(pools, first, strict=True)]
    asked = [
        _rate_calls(pool, token, by)
        for pool, named in zip(pools, providers, strict=True)
        for token, by in named.items()
    ]
    rates = iter(await chain.call_many([call for calls in asked for call in calls], block))
    read_at = ReadAt(header.number, header.timestamp)
    states = []
    for pool, one, named in zip(pools, first, providers, strict=True):
        cached = {token: _cached(pool, [next(rates) for _ in range(_CALLS_PER_RATE)]) for token in named}
        states.append(_state(pool, one, cached, read_at))
    return tuple(states)


def _calls(pool: Pool) -> list[Call]:
    own = (_AMPLIFICATION, vault_reading.SCALINGS, _PROVIDERS, _RECOVERY, _OWN_PLACE, vault_reading.FEE)
    calls = [Call(pool_contract(pool), data) for data in own] + vault_reading.pause_calls(pool)
    return calls + vault_reading.holdings_calls(pool) + [Call(token, _DECIMALS) for token in pool.tokens]


def _grouped(pool: Pool, answers: list[Answer]) -> _Answers:
    decimals_from = _CALLS_PER_POOL + len(pool.tokens)
    amplification, scalings, providers, recovery, own_place, fee, pool_pause, vault_pause = answers[:_CALLS_PER_POOL]
    return _Answers(
        amplification=amplification,
        scalings=scalings,
        providers=providers,
        recovery=recovery,
        own_place=own_place,
        fee=fee,
        pool_pause=pool_pause,
        vault_pause=vault_pause,
        holdings=answers[_CALLS_PER_POOL:decimals_from],
        decimals=answers[decimals_from:],
    )


def _providers(pool: Pool, answers: _Answers) -> dict[Address, Address]:
    """Rate provider of each token that has one; registered tokens are in address order, the pool's own among them."""
    if answers.providers is None:
        return {}
    named = vault_reading.array(pool.id, "getRateProviders", answers.providers)
    own = pool_contract(pool)
    registered = pool.tokens if len(named) == len(pool.tokens) else tuple(sorted((*pool.tokens, own)))
    if len(named) != len(registered):
        raise MalformedPoolError(pool.id, "getRateProviders", f"{len(named)} for {len(pool.tokens)} tokens")
    found = {}
    for token, word in zip(registered, named, strict=True):
        provider = address_in(pool.id, "getRateProviders", word)
        if provider != ZERO_ADDRESS and token != own:
            found[token] = provider
    return found


def _rate_calls(pool: Pool, token: Address, provider: Address) -> list[Call]:
    contract = pool_contract(pool)
    return [Call(provider, _RATE), *(Call(contract, call_data(name, int(token, 16))) for name in _CACHES)]


def _cached(pool: Pool, answers: list[Answer]) -> CachedRate:
    provided, token_cache, price_cache = answers
    answer = token_cache or price_cache or b""
    if len(answer) not in _CACHE_LENGTHS:
        raise MalformedPoolError(pool.id, "getTokenRateCache", "the contract does not answer as a stable pool does")
    cache = words_of_bytes(answer)
    is_number = provided is not None and len(provided) == WORD_BYTES
    rate = int.from_bytes(provided, "big") if provided and is_number else None
    return CachedRate(cache[0], cache[-1], rate)


def _state(pool: Pool, answers: _Answers, cached: dict[Address, CachedRate], read_at: ReadAt) -> BalancerV2StableState:
    is_paused, pause_ends_at = vault_reading.pause(pool.id, answers.pool_pause)
    is_vault_paused, vault_pause_ends_at = vault_reading.pause(pool.id, answers.vault_pause)
    cash, managed = vault_reading.holdings(pool, answers.holdings)
    amplification = _amplification(pool, answers.amplification)
    terms = StableTerms(
        scalings=tuple(_scaling(pool, one) for one in answers.decimals),
        rounds_up=answers.recovery is None,
        renews_late=answers.recovery is None and answers.own_place is not None,
        pause_ends_at=pause_ends_at,
        vault_pause_ends_at=vault_pause_ends_at,
    )
    state = BalancerV2StableState(
        pool=pool,
        terms=terms,
        amplification=amplification,
        rates=tuple(cached.get(token) for token in pool.tokens),
        read_at=read_at if cached or amplification is None else None,
        cash=cash,
        managed=managed,
        swap_fee=vault_reading.words(pool.id, "getSwapFeePercentage", answers.fee, 1)[0],
        is_paused=is_paused,
        is_vault_paused=is_vault_paused,
    )
    _check_scalings(state, answers.scalings)
    return checked_state(state)


def _amplification(pool: Pool, answer: Answer) -> Ramp | None:
    value, moves, precision = vault_reading.words(pool.id, "getAmplificationParameter", answer, _AMPLIFICATION_WORDS)
    if precision != AMP_PRECISION:
        raise MalformedPoolError(pool.id, "getAmplificationParameter", f"its precision is {precision}")
    return None if moves else Ramp(value, value)


def _scaling(pool: Pool, answer: Answer) -> int:
    (decimals,) = vault_reading.words(pool.id, "decimals", answer, 1)
    if decimals > _DECIMALS_MAX:
        raise MalformedPoolError(pool.id, "decimals", f"a token has {decimals}, over 18")
    return ONE * int(10 ** (_DECIMALS_MAX - decimals))


def _check_scalings(state: BalancerV2StableState, answer: Answer) -> None:
    """Hold decimals and cached rates against the factors that the pool says it uses, where it says so."""
    if answer is None:
        return
    said = vault_reading.array(state.pool.id, "getScalingFactors", answer)
    ours = [
        multiply_down(by, rate.cached if rate else ONE)
        for by, rate in zip(state.terms.scalings, state.rates, strict=True)
    ]
    own = [ONE] if len(said) > len(ours) else []
    if sorted(said) != sorted(ours + own):
        raise MalformedPoolError(state.pool.id, "getScalingFactors", "they do not follow from decimals and rates")
