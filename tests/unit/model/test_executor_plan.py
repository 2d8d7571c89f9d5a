import itertools
from collections.abc import Callable

import msgspec
import pytest
from eth_abi.abi import encode as abi_encode
from hypothesis import given
from hypothesis import strategies as st

from headrace.errors import PlanDecodeError
from headrace.model.address import ZERO_ADDRESS, Address, PoolId
from headrace.model.calldata import selector
from headrace.model.executor_plan import (
    ExecutorPlan,
    Funding,
    batch_calldata,
    decode,
    decode_batch_calldata,
    decode_calldata,
    packed_plans,
)
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


@given(st.lists(plans(), max_size=4))
def test_decoding_a_batch_undoes_encoding_it_and_another_library_encodes_the_same(batch: list[ExecutorPlan]) -> None:
    calldata = batch_calldata(batch)
    assert decode_batch_calldata(calldata) == tuple(batch)
    encoded = [plan.encode() for plan in batch]
    assert calldata == selector("executeBatch(bytes[])") + abi_encode(["bytes[]"], [encoded])
    for plan in batch:
        assert plan.calldata() == selector("execute(bytes)") + abi_encode(["bytes"], [plan.encode()])


@given(st.lists(plans(), min_size=1, max_size=3), st.data())
def test_every_other_byte_string_is_another_batch_or_refused(batch: list[ExecutorPlan], data: st.DataObject) -> None:
    calldata = bytearray(batch_calldata(batch))
    at = data.draw(st.integers(0, len(calldata) - 1))
    calldata[at] ^= data.draw(st.integers(1, 255))
    try:
        assert decode_batch_calldata(bytes(calldata)) != tuple(batch)
    except PlanDecodeError:
        return


@pytest.mark.parametrize("size", [0, 1, 3, 4, 35, 36, 67, 68, 99, 100])
def test_a_batch_that_is_cut_is_refused_wherever_it_ends(size: int) -> None:
    with pytest.raises(PlanDecodeError, match=r"byte|begins with"):
        decode_batch_calldata(batch_calldata([PLAN, PLAN])[:size])


def test_in_a_batch_offsets_lead_nowhere_else_and_nothing_lies_behind_it() -> None:
    calldata = batch_calldata([PLAN, PLAN])
    swapped = calldata[:68] + calldata[100:132] + calldata[68:100] + calldata[132:]
    with pytest.raises(PlanDecodeError, match=r"byte 68, plans\[0\]: the offset is 0x100 where 0x40"):
        packed_plans(swapped)
    with pytest.raises(PlanDecodeError, match="32 bytes beside the arguments"):
        packed_plans(calldata + bytes(32))
    huge = calldata[:36] + b"\xff" * 32 + calldata[68:]
    with pytest.raises(PlanDecodeError, match="byte 36, plans: a length of 0xff"):
        packed_plans(huge)


@pytest.mark.parametrize(
    ("offset", "value", "words"),
    [
        (0, 9, "byte 0 of the plan, funding: unknown funding 9"),
        (0, 0, "OWN_CAPITAL with lender"),
        (104, 8, "byte 104 of the plan: unknown step kind 8"),
        (105, 2, "byte 105 of the plan: token index 2 of 2"),
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
        with pytest.raises(PlanDecodeError, match=r"byte \d+ of the plan|the plan has \d steps|the walk ends|lead"):
            decode(encoded[:size])
    with pytest.raises(PlanDecodeError, match="byte 53 of the plan, deadline block: the plan ends after 60 bytes"):
        decode(encoded[:60])
    swap_for_itself = (UniswapV3Step(TOKENS[0], TOKENS[0], TOKENS[5]), *PLAN.steps)
    with pytest.raises(PlanDecodeError, match="for itself"):
        decode(msgspec.structs.replace(PLAN, steps=swap_for_itself).encode())
    with pytest.raises(PlanDecodeError, match="not with execute"):
        decode_calldata(b"\0" * 100)
    with pytest.raises(PlanDecodeError, match="byte 36, plan: a length of 0x99 where 96 bytes are left"):
        decode_calldata(calldata[:-64])
    with pytest.raises(PlanDecodeError, match="byte 228: 32 bytes beside the arguments"):
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
    with pytest.raises(PlanDecodeError, match="byte 127 of the plan: unknown call 3"):
        decode(bytes(encoded))
