import itertools
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.errors import PlanDecodeError
from headrace.model.address import ZERO_ADDRESS, Address, PoolId
from headrace.model.executor_plan import ExecutorPlan, Funding, decode, decode_calldata
from headrace.model.executor_step import (
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

TOKENS = [Address("0x" + f"{n:02x}" * 20) for n in range(0xA0, 0xA6)]
addresses = st.binary(min_size=20, max_size=20).filter(any).map(lambda b: Address("0x" + b.hex()))


@st.composite
def steps_between(draw: st.DrawFn, token_in: Address, token_out: Address) -> SwapStep:
    pool, u24, u8 = draw(addresses), st.integers(0, 2**24 - 1), st.integers(0, 255)
    pool_ids = st.binary(min_size=32, max_size=32).map(lambda b: PoolId("0x" + b.hex()))
    makers: tuple[Callable[[], SwapStep], ...] = (
        lambda: UniswapV2Step(token_in, token_out, pool, draw(u24)),
        lambda: UniswapV3Step(token_in, token_out, pool),
        lambda: BalancerV2Step(token_in, token_out, pool, draw(pool_ids)),
        lambda: UniswapV4Step(token_in, token_out, pool, draw(u24), draw(u24), draw(addresses)),
        lambda: CurveStep(token_in, token_out, pool, draw(st.sampled_from(CurveCall)), draw(u8), draw(u8)),
        lambda: BalancerV3Step(token_in, token_out, pool, draw(addresses)),
        lambda: SolidlyStep(token_in, token_out, pool),
    )
    return draw(st.sampled_from(makers))()


@st.composite
def plans(draw: st.DrawFn) -> ExecutorPlan:
    middle = draw(st.lists(st.sampled_from(TOKENS[1:]), min_size=1, max_size=4, unique=True))
    way = [TOKENS[0], *middle, TOKENS[0]]
    steps: list[SwapStep] = []
    for token_in, token_out in itertools.pairwise(way):
        steps.append(draw(steps_between(token_in, token_out)))
    funding = draw(st.sampled_from(Funding))
    return ExecutorPlan(
        funding=funding,
        lender=draw(addresses) if funding.is_loan else ZERO_ADDRESS,
        amount_in_units=draw(st.integers(0, 2**128 - 1)),
        profit_min_units=draw(st.integers(0, 2**128 - 1)),
        deadline_block=draw(st.integers(0, 2**64 - 1)),
        steps=tuple(steps),
        tip_share_bps=draw(st.integers(0, 2**16 - 1)),
    )


PLAN = ExecutorPlan(
    Funding.AAVE_V3_FLASH_LOAN,
    Address("0x" + "ee" * 20),
    10**18,
    7,
    99,
    (UniswapV2Step(TOKENS[0], TOKENS[1], TOKENS[4], 3000), UniswapV3Step(TOKENS[1], TOKENS[0], TOKENS[5])),
)


@given(plans())
def test_decoding_undoes_encoding(plan: ExecutorPlan) -> None:
    assert decode(plan.encode()) == plan
    assert decode_calldata(plan.calldata()) == plan


@given(plans(), st.data())
def test_every_other_byte_string_is_another_plan_or_refused(plan: ExecutorPlan, data: st.DataObject) -> None:
    calldata = bytearray(plan.calldata())
    at = data.draw(st.integers(0, len(calldata) - 1))
    calldata[at] ^= data.draw(st.integers(1, 255))
    try:
        assert decode_calldata(bytes(calldata)) != plan
    except PlanDecodeError:
        return


@pytest.mark.parametrize(
    ("offset", "value", "words"),
    [
        (0, 9, "unknown funding 9"),
        (0, 0, "OWN_CAPITAL with lender"),
        (104, 8, "unknown step kind 8"),
        (105, 2, "token index 2 of 2"),
        (106, 0, "order of first use|does not lead"),
    ],
)
def test_a_foreign_byte_is_refused_by_name(offset: int, value: int, words: str) -> None:
    plan = bytearray(PLAN.encode())
    plan[offset] = value
    with pytest.raises(PlanDecodeError, match=words):
        decode(bytes(plan))


def test_a_cut_plan_an_empty_plan_and_bytes_beside_it_are_refused() -> None:
    encoded, calldata = PLAN.encode(), PLAN.calldata()
    for size in range(len(encoded)):
        with pytest.raises(PlanDecodeError):
            decode(encoded[:size])
    swap_for_itself = (UniswapV3Step(TOKENS[0], TOKENS[0], TOKENS[5]), *PLAN.steps)
    with pytest.raises(PlanDecodeError, match="for itself"):
        decode(msgspec.structs.replace(PLAN, steps=swap_for_itself).encode())
    with pytest.raises(PlanDecodeError, match="not with execute"):
        decode_calldata(b"\0" * 100)
    with pytest.raises(PlanDecodeError, match="not one bytes argument"):
        decode_calldata(calldata[:-64])
    with pytest.raises(PlanDecodeError, match="bytes beside the plan"):
        decode_calldata(calldata + bytes(32))


def test_steps_that_do_not_follow_each_other_are_refused() -> None:
    steps = (PLAN.steps[0], UniswapV3Step(TOKENS[0], TOKENS[1], TOKENS[5]))
    with pytest.raises(PlanDecodeError, match="does not lead to"):
        decode(msgspec.structs.replace(PLAN, steps=steps).encode())


def test_an_amount_that_does_not_fit_is_an_error_not_a_cut() -> None:
    with pytest.raises(OverflowError):
        msgspec.structs.replace(PLAN, amount_in_units=2**128).encode()


def test_engines_are_named_for_reports() -> None:
    assert [funding.engine for funding in Funding] == ["own_capital", "flash_swap", *["flash_loan"] * 7]


def test_an_unknown_call_of_a_curve_pool_is_refused() -> None:
    step = CurveStep(TOKENS[0], TOKENS[1], TOKENS[4], CurveCall.EXCHANGE_UNDERLYING, 0, 1)
    plan = msgspec.structs.replace(PLAN, steps=(step, UniswapV3Step(TOKENS[1], TOKENS[0], TOKENS[5])))
    encoded = bytearray(plan.encode())
    assert decode(bytes(encoded)) == plan
    encoded[104 + 3 + 20] = 3
    with pytest.raises(PlanDecodeError, match="unknown call 3"):
        decode(bytes(encoded))
