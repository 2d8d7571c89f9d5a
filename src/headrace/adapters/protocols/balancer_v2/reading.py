"""Chain to state: a pool's constants and balances from vault and pool, many pools in one round trip.

Refused, because their price does not follow from weights that stay: pools that answer `getGradualWeightUpdateParams`
(liquidity bootstrapping, managed), and scaling factors that are no power of ten (rates).
"""

from collections.abc import Sequence

from headrace.adapters.protocols.answers import Answer
from headrace.adapters.protocols.balancer_v2.state import PROTOCOL, BalancerV2State, WeightedTerms, checked_state
from headrace.adapters.protocols.balancer_v2_vault import reading as vault_reading
from headrace.adapters.protocols.balancer_v2_vault.state import checked_pool, pool_contract
from headrace.adapters.protocols.words import call_data
from headrace.errors import MalformedPoolError
from headrace.kernels.fixed_point_power import ONE
from headrace.model.address import Hash32, PoolId
from headrace.model.pool import Pool
from headrace.ports.chain import Call, Chain

_WEIGHTS = call_data("getNormalizedWeights()")
_GRADUAL = call_data("getGradualWeightUpdateParams()")
_CALLS_PER_POOL = 5
_DECIMALS_MAX = 18
_POWERS_OF_TEN = frozenset(ONE * 10**digits for digits in range(_DECIMALS_MAX + 1))


async def describe(chain: Chain, venue: str, pool: PoolId, block: Hash32) -> Pool:
    """Read a pool's constants: its contract names the vault, the vault its tokens.

    Raises:
        MalformedPoolError: the id is none, the contract is no weighted pool, or the vault does not know it.
        ChainError: the node failed.
    """
    contract = vault_reading.contract_of_id(pool)
    vault, named, weights, gradual = await chain.call_many(
        [Call(contract, data) for data in (vault_reading.VAULT, vault_reading.POOL_ID, _WEIGHTS, _GRADUAL)], block
    )
    vault_reading.check_id(pool, named)
    if gradual:
        raise MalformedPoolError(pool, "weights", "they move with time, which is not supported")
    vault_reading.array(pool, "getNormalizedWeights", weights)
    held_by = vault_reading.address(pool, "getVault", vault)
    tokens = await vault_reading.registered_tokens(chain, held_by, pool, block)
    return checked_pool(Pool(pool, held_by, PROTOCOL, venue, tokens))


async def read(chain: Chain, pools: Sequence[Pool], block: Hash32) -> tuple[BalancerV2State, ...]:
    """States after `block`, parallel to `pools`.

    Raises:
        MalformedPoolError: a pool's state cannot be a weighted pool's.
        ChainError: the node failed.
    """
    answers = iter(await chain.call_many([call for pool in pools for call in _calls(pool)], block))
    return tuple(_state(pool, [next(answers) for _ in range(_call_count(pool))]) for pool in pools)


def _calls(pool: Pool) -> list[Call]:
    own = [Call(pool_contract(pool), data) for data in (_WEIGHTS, vault_reading.SCALINGS, vault_reading.FEE)]
    return own + vault_reading.pause_calls(pool) + vault_reading.holdings_calls(pool)


def _call_count(pool: Pool) -> int:
    return _CALLS_PER_POOL + len(pool.tokens)


def _state(pool: Pool, answers: list[Answer]) -> BalancerV2State:
    weights, scalings, fee, pool_pause, vault_pause = answers[:_CALLS_PER_POOL]
    cash, managed = vault_reading.holdings(pool, answers[_CALLS_PER_POOL:])
    is_paused, pause_ends_at = vault_reading.pause(pool.id, pool_pause)
    is_vault_paused, vault_pause_ends_at = vault_reading.pause(pool.id, vault_pause)
    terms = WeightedTerms(
        weights=vault_reading.array(pool.id, "getNormalizedWeights", weights),
        has_shortcuts=_has_shortcuts(pool.id, scalings),
        pause_ends_at=pause_ends_at,
        vault_pause_ends_at=vault_pause_ends_at,
    )
    state = BalancerV2State(
        pool=pool,
        terms=terms,
        cash=cash,
        managed=managed,
        swap_fee=vault_reading.words(pool.id, "getSwapFeePercentage", fee, 1)[0],
        is_paused=is_paused,
        is_vault_paused=is_vault_paused,
    )
    return checked_state(state)


def _has_shortcuts(pool: PoolId, scalings: Answer) -> bool:
    """Pools of 2021 keep their scaling factors to themselves; those that tell them have the power with shortcuts."""
    if scalings is None:
        return False
    if not _POWERS_OF_TEN.issuperset(vault_reading.array(pool, "getScalingFactors", scalings)):
        raise MalformedPoolError(pool, "getScalingFactors", "they are no powers of ten, so the pool uses rates")
    return True
