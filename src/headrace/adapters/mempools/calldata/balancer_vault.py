"""Balancer v2's vault: `swap` names a pool by its id, `batchSwap` many of them over a table of tokens.

In a batch a step of amount 0 takes over what the step before has calculated, so a run of such steps is one swap. Given
out, the batch is written backwards: its first step buys what is wanted, and a step of 0 pays for the one before. The
limits of a batch are net sums over all of it; with more than one swap they limit none of them alone.

The coin is written as token 0 and trades as its wrapper. Source: balancer-v2-monorepo, IVault.sol and Swaps.sol.
"""

from collections.abc import Sequence

from headrace.adapters.mempools.calldata.arguments import Arguments
from headrace.adapters.mempools.calldata.called import HOPS_MAX, Called, Reader, require_hops
from headrace.model.address import Address, PoolId
from headrace.model.pool import ProtocolId
from headrace.model.swap_call import CalledHop, DecodedCall, SwapCall

_PROTOCOL = ProtocolId("balancer_v2")
_KIND_BITS = 1  # 0 given in, 1 given out


def _read_swap(called: Called, arguments: Arguments) -> DecodedCall:
    """(single swap, (sender, from internal, recipient, to internal), limit, deadline)."""
    single = arguments.inner(0)
    is_exact_in = single.bounded(1, _KIND_BITS) == 0
    hop = CalledHop(_PROTOCOL, PoolId(single.raw_word(0)), single.address(2), single.address(3))
    given, limit = single.word(4), arguments.word(5)
    swap = SwapCall(
        via=called.to,
        function=called.function,
        hops=require_hops((hop,)),
        is_exact_in=is_exact_in,
        amount_in_units=given if is_exact_in else limit,
        amount_out_units=limit if is_exact_in else given,
        recipient=arguments.address(3),
        deadline=arguments.word(6),
    )
    return DecodedCall((swap,))


def _read_batch(called: Called, arguments: Arguments) -> DecodedCall:
    """(kind, steps, tokens, (sender, from internal, recipient, to internal), limits, deadline)."""
    is_exact_in = arguments.bounded(0, _KIND_BITS) == 0
    tokens = arguments.addresses(2)
    limits, limit_count = arguments.array(7)
    if limit_count != len(tokens):
        raise ValueError(f"{limit_count} limits for {len(tokens)} tokens")
    by_token = {token: limits.signed(i) for i, token in enumerate(tokens)}
    runs = _runs(arguments, tokens)
    swaps = []
    for given, run in runs:
        hops = require_hops(tuple(run if is_exact_in else run[::-1]))
        paid_max, bought_min = _limits(hops, by_token) if len(runs) == 1 else (None, None)
        swaps.append(
            SwapCall(
                via=called.to,
                function=called.function,
                hops=hops,
                is_exact_in=is_exact_in,
                amount_in_units=given if is_exact_in else paid_max,
                amount_out_units=bought_min if is_exact_in else given,
                recipient=arguments.address(5),
                deadline=arguments.word(8),
            )
        )
    return DecodedCall(tuple(swaps))


def _runs(arguments: Arguments, tokens: Sequence[Address]) -> list[tuple[int, list[CalledHop]]]:
    steps, count = arguments.array(1)
    if count > HOPS_MAX:
        raise ValueError(f"a batch of {count} steps")
    runs: list[tuple[int, list[CalledHop]]] = []
    for i in range(count):
        step = steps.inner(i)
        index_in, index_out, given = step.word(1), step.word(2), step.word(3)
        if max(index_in, index_out) >= len(tokens):
            raise ValueError(f"token {max(index_in, index_out)} of {len(tokens)}")
        hop = CalledHop(_PROTOCOL, PoolId(step.raw_word(0)), tokens[index_in], tokens[index_out])
        if given:
            runs.append((given, [hop]))
        elif runs:
            runs[-1][1].append(hop)
        else:
            raise ValueError("the first step has no amount")
    return runs


def _limits(hops: tuple[CalledHop, ...], by_token: dict[Address, int]) -> tuple[int | None, int | None]:
    """The most that is paid and the least that is bought, of a batch that is one swap of two tokens."""
    token_in, token_out = hops[0].token_in, hops[-1].token_out
    if token_in is None or token_out is None or token_in == token_out:
        return None, None
    return max(by_token[token_in], 0), max(-by_token[token_out], 0)


_SWAP = "swap((bytes32,uint8,address,address,uint256,bytes),(address,bool,address,bool),uint256,uint256)"
_BATCH_STEPS = "(bytes32,uint256,uint256,uint256,bytes)[]"
_BATCH = f"batchSwap(uint8,{_BATCH_STEPS},address[],(address,bool,address,bool),int256[],uint256)"
READERS: dict[str, Reader] = {_SWAP: _read_swap, _BATCH: _read_batch}
