"""Uniswap's Universal Router: a string of commands of one byte each, and the arguments of each.

The four swaps of v2 and v3 are read, sub-plans too. Commands that only move tokens or grant permits swap nothing and
are passed over. The others are named: V4_SWAP and everything that this list does not know. The highest bit of a
command lets it fail alone; the next is unused in some versions and part of the command in others, so here it is part.

Source: universal-router 2.1.0, Commands.sol, Dispatcher.sol and Constants.sol; v4-periphery, ActionConstants.sol.
"""

from functools import partial

import msgspec

from headrace.adapters.mempools.calldata.arguments import Arguments
from headrace.adapters.mempools.calldata.called import CALLS_MAX, DEPTH_MAX, Called, Reader, require_few
from headrace.adapters.mempools.calldata.uniswap_v2_router import named_recipient, v2_hops
from headrace.adapters.mempools.calldata.uniswap_v3_router import v3_hops
from headrace.model.swap_call import DecodedCall, SwapCall

_MAY_FAIL = 0x80
_CONTRACT_BALANCE = 1 << 255
_SUB_PLAN = 0x21
_SWAPS = {
    0x00: "V3_SWAP_EXACT_IN",
    0x01: "V3_SWAP_EXACT_OUT",
    0x08: "V2_SWAP_EXACT_IN",
    0x09: "V2_SWAP_EXACT_OUT",
}
_PAYMENTS = frozenset({*range(0x02, 0x07), *range(0x0A, 0x0F), 0x11})  # permits, transfers, sweeps, wrapping
_NAMES = {
    0x10: "V4_SWAP",
    0x12: "V3_POSITION_MANAGER_CALL",
    0x13: "V4_INITIALIZE_POOL",
    0x14: "V4_POSITION_MANAGER_CALL",
    _SUB_PLAN: "EXECUTE_SUB_PLAN",
    0x40: "ACROSS_V4_DEPOSIT_V3",
}


def _read(deadline_slot: int | None, called: Called, arguments: Arguments) -> DecodedCall:
    commands = arguments.bytes_(0)
    inputs = arguments.byte_strings(1, CALLS_MAX)
    if len(commands) != len(inputs):
        raise ValueError(f"{len(commands)} commands with {len(inputs)} inputs")
    deadline = None if deadline_slot is None else arguments.word(deadline_slot)
    swaps: list[SwapCall] = []
    undecoded: list[str] = []
    for byte, data in zip(commands, inputs, strict=True):
        command = byte & ~_MAY_FAIL
        if command in _SWAPS:
            swaps.append(_swap(called, command, Arguments(data), deadline))
        elif command == _SUB_PLAN and called.depth < DEPTH_MAX:
            inner = _read(None, msgspec.structs.replace(called, depth=called.depth + 1), Arguments(data))
            swaps += [msgspec.structs.replace(swap, deadline=deadline) for swap in inner.swaps]
            undecoded += inner.undecoded
        elif command not in _PAYMENTS:
            undecoded.append("universal_router:" + _NAMES.get(command, f"0x{command:02x}"))
        require_few(swaps)
    return DecodedCall(tuple(swaps), tuple(undecoded))


def _swap(called: Called, command: int, arguments: Arguments, deadline: int | None) -> SwapCall:
    """(recipient, given amount, limit, path, whether the caller pays)."""
    is_exact_in = command in {0x00, 0x08}
    is_v2 = command in {0x08, 0x09}
    given, limit = arguments.word(1), arguments.word(2)
    already_there = (0, _CONTRACT_BALANCE) if is_v2 else (_CONTRACT_BALANCE,)
    paid = None if given in already_there else given
    return SwapCall(
        via=called.to,
        function="universal_router:" + _SWAPS[command],
        hops=v2_hops(arguments.addresses(3)) if is_v2 else v3_hops(arguments.bytes_(3), is_exact_in=is_exact_in),
        is_exact_in=is_exact_in,
        amount_in_units=paid if is_exact_in else limit,
        amount_out_units=limit if is_exact_in else given,
        recipient=named_recipient(arguments.address(0), called.sender),
        deadline=deadline,
    )


READERS: dict[str, Reader] = {
    "execute(bytes,bytes[])": partial(_read, None),
    "execute(bytes,bytes[],uint256)": partial(_read, 2),
    "executeSigned(bytes,bytes[],bytes32,bytes32,bool,bytes32,bytes,uint256)": partial(_read, 7),
}
