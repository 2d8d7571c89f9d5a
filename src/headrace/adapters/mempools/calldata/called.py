"""What a reader of one function is given, and what it gives."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TypeAlias

import msgspec

from headrace.adapters.mempools.calldata.arguments import Arguments
from headrace.model.address import Address, keccak_hex
from headrace.model.swap_call import CalledHop, DecodedCall, SwapCall

HOPS_MAX = 16  # in one swap
SWAPS_MAX = 64  # in one transaction: byte strings may overlap, so the calldata's size does not bound the work
CALLS_MAX = 32  # in one multicall or router plan
DEPTH_MAX = 1  # of calls within calls


class Called(msgspec.Struct, frozen=True):
    """A call of a known function: who calls what with which value; `depth` counts the calls around it."""

    function: str
    sender: Address
    to: Address
    value_wei: int
    depth: int = 0


Reader: TypeAlias = Callable[[Called, Arguments], DecodedCall]


def selector_of(signature: str) -> bytes:
    """First four bytes of keccak256 of `name(types)`."""
    return bytes.fromhex(keccak_hex(signature.encode())[2:10])


def require_hops(hops: tuple[CalledHop, ...]) -> tuple[CalledHop, ...]:
    """The same hops.

    Raises:
        ValueError: none, more than `HOPS_MAX`, a token swapped for itself, or hops that do not follow each other.
    """
    if not 1 <= len(hops) <= HOPS_MAX:
        raise ValueError(f"a path of {len(hops)} pools")
    if any(hop.token_in is not None and hop.token_in == hop.token_out for hop in hops):
        raise ValueError("a path swaps a token for itself")
    if any(a.token_out != b.token_in for a, b in pairwise(hops)):
        raise ValueError("a path is not connected")
    return hops


def require_few(swaps: Sequence[SwapCall]) -> None:
    """Nothing.

    Raises:
        ValueError: more than `SWAPS_MAX`.
    """
    if len(swaps) > SWAPS_MAX:
        raise ValueError(f"more than {SWAPS_MAX} swaps in one transaction")
