"""The calldata read back from its bytes, field by field against what was validated.

Nothing here trusts the planner: every field of the transaction and of the decoded plan is derived again from the
validated opportunity, a step's contract and pool from the market and the whole step from the pool's state. A difference
is a bug or an attack; either way nothing is signed.
"""

from collections.abc import Mapping

from headrace.errors import PlanDecodeError
from headrace.model.executor_plan import ExecutorPlan, decode_calldata
from headrace.model.executor_step import (
    STEP_TAGS,
    BalancerV2Step,
    BalancerV3Step,
    SolidlyStep,
    SwapStep,
    UniswapV2Step,
    UniswapV4Step,
)
from headrace.model.opportunity import Validated
from headrace.model.pool import Pool, ProtocolId
from headrace.model.snapshot import Snapshot
from headrace.model.transaction import UnsignedTransaction
from headrace.ports.pool import DEX, PoolState


def difference(
    transaction: UnsignedTransaction,
    validated: Validated,
    snapshot: Snapshot[PoolState],
    dexes: Mapping[ProtocolId, DEX],
    gas_price_wei_max: int,
) -> str | None:
    """The first field that is not what was validated, as a sentence; None when all are."""
    try:
        plan = decode_calldata(transaction.data)
    except PlanDecodeError as error:
        return str(error)
    account = validated.account
    checks = [
        ("chain", transaction.chain_id, account.chain_id),
        ("sender", transaction.sender, account.operator),
        ("target", transaction.to, account.executor),
        ("value", transaction.value_wei, 0),
        ("fee cap within limit", transaction.max_fee_wei <= gas_price_wei_max, True),
        ("tip within fee cap", transaction.priority_fee_wei <= transaction.max_fee_wei, True),
        *_plan_checks(plan, validated),
        *_step_checks(plan, validated, snapshot, dexes),
    ]
    for name, actual, expected in checks:
        if actual != expected:
            return f"{name} is {actual}, validated was {expected}"
    return None


def _plan_checks(plan: ExecutorPlan, validated: Validated) -> list[tuple[str, object, object]]:
    return [
        ("funding", plan.funding, validated.funding.funding),
        ("lender", plan.lender, validated.funding.lender),
        ("amount", plan.amount_in_units, validated.amounts_units[0]),
        ("least profit", plan.profit_min_units, validated.profit_min_units),
        ("deadline", plan.deadline_block, validated.expires_block),
        ("share of the profit for the builder", plan.tip_share_bps, 0),
        ("number of steps", len(plan.steps), len(validated.opportunity.route.hops)),
    ]


def _step_checks(
    plan: ExecutorPlan, validated: Validated, snapshot: Snapshot[PoolState], dexes: Mapping[ProtocolId, DEX]
) -> list[tuple[str, object, object]]:
    checks: list[tuple[str, object, object]] = []
    for at, (step, hop) in enumerate(zip(plan.steps, validated.opportunity.route.hops, strict=False)):
        pool = snapshot.pool(hop.pool)
        checks += [
            (f"token in of step {at}", step.token_in, hop.token_in),
            (f"token out of step {at}", step.token_out, hop.token_out),
            (f"pool of step {at}", _target(step), _expected(step, pool)),
            (f"protocol of step {at}", pool.protocol.startswith(STEP_TAGS[type(step)]), True),
            (f"step {at}", step, dexes[pool.protocol].step(snapshot.state(hop.pool), hop.token_in, hop.token_out)),
        ]
    return checks


def _target(step: SwapStep) -> tuple[object, ...]:
    """Contract first, then what else names the pool or its terms."""
    match step:
        case UniswapV2Step():
            return step.pair, step.fee_pips
        case BalancerV2Step():
            return step.vault, step.pool_id
        case BalancerV3Step():
            return step.vault, step.pool
        case UniswapV4Step():
            return step.manager, step.pool_id
        case SolidlyStep():
            return (step.pair,)
        case _:
            return (step.pool,)


def _expected(step: SwapStep, pool: Pool) -> tuple[object, ...]:
    if isinstance(step, UniswapV2Step):
        return pool.address, pool.fee_pips
    is_held_by_vault = isinstance(step, BalancerV2Step | BalancerV3Step | UniswapV4Step)
    return (pool.address, pool.id) if is_held_by_vault else (pool.address,)
