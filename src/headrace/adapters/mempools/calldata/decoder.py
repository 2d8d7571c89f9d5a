"""From a transaction to the swaps it asks for, by the first four bytes of its calldata.

The function is taken for what its selector says, whoever is called: routers have forks without number. Whether a named
pool or router is one that is known decides who counts competitors, not this. A selector that is not in the table is
unknown, and said to be; nothing is guessed.

The Executor's plan is not ABI and has a reader of its own; `execute(bytes)` of a stranger is unknown, not malformed.
"""

from collections.abc import Sequence

import msgspec

from headrace.adapters.mempools.calldata import (
    balancer_vault,
    pools,
    uniswap_v2_router,
    uniswap_v3_router,
    universal_router,
)
from headrace.adapters.mempools.calldata.arguments import Arguments
from headrace.adapters.mempools.calldata.called import CALLS_MAX, DEPTH_MAX, Called, Reader, require_few, selector_of
from headrace.errors import PlanDecodeError
from headrace.model.address import Address, PoolId
from headrace.model.executor_plan import EXECUTE_SELECTOR, decode_calldata
from headrace.model.executor_step import (
    STEP_TAGS,
    BalancerV2Step,
    BalancerV3Step,
    CurveStep,
    SolidlyStep,
    SwapStep,
    UniswapV2Step,
    UniswapV3Step,
    UniswapV4Step,
)
from headrace.model.pending import PendingTransaction
from headrace.model.pool import ProtocolId
from headrace.model.swap_call import NOTHING_CALLED, CalledHop, DecodedCall, SwapCall

_SELECTOR_BYTES = 4
_MULTICALLS = {
    selector_of("multicall(bytes[])"): 0,
    selector_of("multicall(uint256,bytes[])"): 1,
    selector_of("multicall(bytes32,bytes[])"): 1,
}
_WITH_DEADLINE = selector_of("multicall(uint256,bytes[])")
_PAYMENTS = frozenset(  # of the v3 routers: they move tokens and swap nothing
    selector_of(signature)
    for signature in (
        "refundETH()",
        "wrapETH(uint256)",
        "pull(address,uint256)",
        "unwrapWETH9(uint256)",
        "unwrapWETH9(uint256,address)",
        "unwrapWETH9WithFee(uint256,uint256,address)",
        "unwrapWETH9WithFee(uint256,address,uint256,address)",
        "sweepToken(address,uint256)",
        "sweepToken(address,uint256,address)",
        "sweepTokenWithFee(address,uint256,uint256,address)",
        "sweepTokenWithFee(address,uint256,address,uint256,address)",
        "selfPermit(address,uint256,uint256,uint8,bytes32,bytes32)",
        "selfPermitIfNecessary(address,uint256,uint256,uint8,bytes32,bytes32)",
        "selfPermitAllowed(address,uint256,uint256,uint8,bytes32,bytes32)",
        "selfPermitAllowedIfNecessary(address,uint256,uint256,uint8,bytes32,bytes32)",
    )
)


class _Function(msgspec.Struct, frozen=True):
    signature: str
    read: Reader


_FUNCTIONS = {
    selector_of(signature): _Function(signature, read)
    for readers in (
        uniswap_v2_router.READERS,
        uniswap_v3_router.READERS,
        universal_router.READERS,
        balancer_vault.READERS,
        pools.READERS,
    )
    for signature, read in readers.items()
}


def decode_call(transaction: PendingTransaction) -> DecodedCall:
    """What a transaction asks for; a flaw instead of an error, whatever its calldata holds."""
    if transaction.to is None or not transaction.data:
        return NOTHING_CALLED
    called = Called("", transaction.sender, transaction.to, transaction.value_wei)
    try:
        return _decode(called, transaction.data)
    except ValueError as error:
        return DecodedCall(flaw=f"0x{transaction.data[:_SELECTOR_BYTES].hex()}: {error}")


def _decode(called: Called, data: bytes) -> DecodedCall:
    selector, arguments = data[:_SELECTOR_BYTES], Arguments(data[_SELECTOR_BYTES:])
    if selector in _PAYMENTS:
        return NOTHING_CALLED
    if selector in _MULTICALLS and called.depth < DEPTH_MAX:
        return _multicall(called, selector, arguments)
    if selector == EXECUTE_SELECTOR:
        return _plan(called, data)
    function = _FUNCTIONS.get(selector)
    if function is None:
        return DecodedCall(undecoded=("0x" + selector.hex(),))
    return function.read(msgspec.structs.replace(called, function=function.signature), arguments)


def _multicall(called: Called, selector: bytes, arguments: Arguments) -> DecodedCall:
    deadline = arguments.word(0) if selector == _WITH_DEADLINE else None
    inner = msgspec.structs.replace(called, depth=called.depth + 1)
    swaps: list[SwapCall] = []
    undecoded: list[str] = []
    for data in arguments.byte_strings(_MULTICALLS[selector], CALLS_MAX):
        part = _decode(inner, data)
        swaps += [_with_deadline(swap, deadline) for swap in part.swaps]
        undecoded += part.undecoded
        require_few(swaps)
    return DecodedCall(tuple(swaps), tuple(undecoded))


def _with_deadline(swap: SwapCall, deadline: int | None) -> SwapCall:
    return swap if swap.deadline is not None else msgspec.structs.replace(swap, deadline=deadline)


def _plan(called: Called, data: bytes) -> DecodedCall:
    try:
        plan = decode_calldata(data)
    except PlanDecodeError:
        return DecodedCall(undecoded=("0x" + EXECUTE_SELECTOR.hex(),))
    swap = SwapCall(
        via=called.to,
        function="executor:" + plan.funding.name.lower(),
        hops=_plan_hops(plan.steps),
        is_exact_in=True,
        amount_in_units=plan.amount_in_units,
        amount_out_units=plan.amount_in_units + plan.profit_min_units,
    )
    return DecodedCall((swap,))


def _plan_hops(steps: Sequence[SwapStep]) -> tuple[CalledHop, ...]:
    return tuple(
        CalledHop(ProtocolId(STEP_TAGS[type(step)]), _pool_of(step), step.token_in, step.token_out) for step in steps
    )


def _pool_of(step: SwapStep) -> PoolId:
    address: Address
    match step:
        case BalancerV2Step() | UniswapV4Step():
            return step.pool_id
        case UniswapV2Step() | SolidlyStep():
            address = step.pair
        case UniswapV3Step() | CurveStep() | BalancerV3Step():
            address = step.pool
    return PoolId(address)
