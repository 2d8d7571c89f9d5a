"""Each kind of step with each of its fields changed: the bytes to be signed must not pass for what was validated."""

import itertools
from collections.abc import Mapping
from typing import cast

import msgspec
import pytest
from tests.support.market import CHAIN, DEXES, GWEI, TOKENS, USDC, WETH, found, mispriced, validator

from headrace.model.address import Address, PoolId
from headrace.model.block import next_block
from headrace.model.executor_step import (
    STEP_TAGS,
    BalancerV2Step,
    BalancerV3Step,
    CurveCall,
    CurveStep,
    SolidlyStep,
    SwapStep,
    UniswapV2Step,
    UniswapV3Step,
    UniswapV4Step,
)
from headrace.model.fees import FeePolicy
from headrace.model.opportunity import Plan, Validated
from headrace.model.pool import Pool, ProtocolId
from headrace.model.snapshot import Snapshot
from headrace.pipeline.plan.planner import Planner
from headrace.pipeline.rehearse.comparison import difference
from headrace.ports.pool import DEX, PoolState

MARKET = mispriced()
CAP = 100 * GWEI
HOST, INNER, OTHER = (Address("0x" + digits * 20) for digits in ("41", "42", "99"))
ID = PoolId("0x" + "43" * 32)
WAY = (WETH.address, USDC.address)
V4_STEP = UniswapV4Step(*WAY, HOST, 3000, 60, INNER)
STEPS: tuple[tuple[SwapStep, PoolId], ...] = (
    (UniswapV2Step(*WAY, HOST, 3000), PoolId(HOST)),
    (UniswapV3Step(*WAY, HOST), PoolId(HOST)),
    (BalancerV2Step(*WAY, HOST, ID), ID),
    (V4_STEP, V4_STEP.pool_id),
    (CurveStep(*WAY, HOST, CurveCall.EXCHANGE_INT128, 1, 2), PoolId(HOST)),
    (BalancerV3Step(*WAY, HOST, INNER), PoolId(INNER)),
    (SolidlyStep(*WAY, HOST), PoolId(HOST)),
)


class State(msgspec.Struct, frozen=True):
    """A state that its protocol need not look into."""

    pool: Pool


class OneStep:
    """A protocol as far as the planner and the comparison ask it: it has a single pool and knows its step."""

    def __init__(self, step: SwapStep) -> None:
        self._step = step

    def step(self, state: PoolState, token_in: Address, token_out: Address) -> SwapStep:
        assert isinstance(state, State)
        assert (token_in, token_out) == (self._step.token_in, self._step.token_out)
        return self._step


class Sample(msgspec.Struct, frozen=True):
    """A plan whose first step is of the kind under test."""

    plan: Plan
    market: Snapshot[PoolState]
    dexes: Mapping[ProtocolId, DEX]

    def told(self, steps: tuple[SwapStep, ...]) -> str | None:
        """What the comparison says when these steps stand in the calldata."""
        data = msgspec.structs.replace(self.plan.steps, steps=steps).calldata()
        transaction = msgspec.structs.replace(self.plan.transaction, data=data)
        return difference(transaction, self.plan.validated, self.market, self.dexes, CAP)


def sample(step: SwapStep, pool_id: PoolId) -> Sample:
    """The spatial arbitrage of the small market, its first pool exchanged for one of the step's kind."""
    (best,) = found(MARKET)[:1]
    valid = validator().validate(best, MARKET, next_block(MARKET.header, 12))
    assert isinstance(valid, Validated)
    first, second = valid.opportunity.route.hops
    assert (first.token_in, first.token_out) == WAY
    protocol = ProtocolId(STEP_TAGS[type(step)] + "_of_a_test")
    pool = Pool(pool_id, HOST, protocol, "here", WAY, 3000)
    route = msgspec.structs.replace(
        valid.opportunity.route, hops=(msgspec.structs.replace(first, pool=pool_id), second)
    )
    opportunity = msgspec.structs.replace(valid.opportunity, route=route)
    kept = MARKET.state(second.pool)
    market = Snapshot[PoolState](
        header=MARKET.header,
        announced_ns=5,
        pools=(pool, kept.pool),
        states=(State(pool), kept),
        index_of={pool_id: 0, second.pool: 1},
        tokens=TOKENS,
        changed=(0,),
    )
    dexes = {**DEXES, protocol: cast("DEX", OneStep(step))}
    validated = msgspec.structs.replace(valid, opportunity=opportunity)
    plan = Planner(dexes, FeePolicy(GWEI, CAP)).plan(validated, market)
    assert plan.transaction.chain_id == CHAIN
    return Sample(plan, market, dexes)


def changed(value: object) -> object:
    """Another value that the field can carry."""
    if isinstance(value, CurveCall):
        return CurveCall((value + 1) % len(CurveCall))
    if isinstance(value, int):
        return value ^ 1
    return OTHER if value != ID else PoolId("0x" + "44" * 32)


TAMPERED = [(step, pool_id, field) for step, pool_id in STEPS for field in step.__struct_fields__]


@pytest.mark.parametrize(
    ("step", "pool_id", "field"), TAMPERED, ids=lambda one: one if isinstance(one, str) else type(one).__name__
)
def test_a_changed_field_of_a_step_is_noticed(step: SwapStep, pool_id: PoolId, field: str) -> None:
    one = sample(step, pool_id)
    (_, second) = one.plan.steps.steps
    assert one.told(one.plan.steps.steps) is None
    forged = msgspec.structs.replace(step, **{field: changed(getattr(step, field))})
    assert forged != step
    assert one.told((forged, second))


@pytest.mark.parametrize(
    "pair", list(itertools.permutations(STEPS, 2)), ids=lambda two: "-".join(type(s).__name__ for s, _ in two)
)
def test_a_step_of_another_kind_is_noticed(pair: tuple[tuple[SwapStep, PoolId], tuple[SwapStep, PoolId]]) -> None:
    (step, pool_id), (other, _) = pair
    one = sample(step, pool_id)
    assert one.told((other, one.plan.steps.steps[1]))
