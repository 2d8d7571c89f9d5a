"""What a transaction to an Executor asks for: every function that changes something, as a type with its calldata.

`decode_call` and `calldata` are each other's inverse; only the one encoding that the canonical ABI encoder makes is
read. Of a batch the packed plans stay as they are: the contract executes those that it can read, so one that is
malformed says nothing about the others. Source: contracts/src/interfaces/IExecutor.sol and IRoles.sol; a test compares
the selectors with the compiled contract's.
"""

from collections.abc import Callable
from types import MappingProxyType

import msgspec

from headrace.errors import PlanDecodeError
from headrace.model.address import Address
from headrace.model.calldata import (
    SELECTOR_BYTES,
    WORD_BYTES,
    CalldataReader,
    bytes_array,
    padded_bytes,
    selector,
    word,
)
from headrace.model.executor_plan import packed_plan, packed_plans

_SHARE_BITS = 16


class Execute(msgspec.Struct, frozen=True, tag="execute"):
    """An operator executes one packed plan."""

    plan: bytes


class ExecuteBatch(msgspec.Struct, frozen=True, tag="executeBatch"):
    """An operator executes those of several packed plans that can be executed."""

    plans: tuple[bytes, ...]


class Sweep(msgspec.Struct, frozen=True, tag="sweep"):
    """An operator sends an amount to the owner's treasury."""

    token: Address
    amount_units: int


class Withdraw(msgspec.Struct, frozen=True, tag="withdraw"):
    """The owner sends an amount to an address."""

    token: Address
    to: Address
    amount_units: int


class SetOperator(msgspec.Struct, frozen=True, tag="setOperator"):
    """The owner appoints or dismisses an operator."""

    operator: Address
    is_operator: bool


class SetGuardian(msgspec.Struct, frozen=True, tag="setGuardian"):
    """The owner names who may pause; the zero address: nobody else."""

    guardian: Address


class SetTreasury(msgspec.Struct, frozen=True, tag="setTreasury"):
    """The owner names where operators may sweep profits to; the zero address: nowhere."""

    treasury: Address


class SetListed(msgspec.Struct, frozen=True, tag="setListed"):
    """The owner puts tokens on the list of what profit may be counted in, or takes them off."""

    tokens: tuple[Address, ...]
    is_listed: bool


class SetTipShareMax(msgspec.Struct, frozen=True, tag="setTipShareMax"):
    """The owner caps the builders' share of profits, in basis points."""

    tip_share_max_bps: int


class Pause(msgspec.Struct, frozen=True, tag="pause"):
    """The guardian or the owner stops all operators."""


class Unpause(msgspec.Struct, frozen=True, tag="unpause"):
    """The owner lets operators execute again."""


class WrapNative(msgspec.Struct, frozen=True, tag="wrapNative"):
    """Anybody wraps the native coin that is there."""


ExecutorCall = (
    Execute
    | ExecuteBatch
    | Sweep
    | Withdraw
    | SetOperator
    | SetGuardian
    | SetTreasury
    | SetListed
    | SetTipShareMax
    | Pause
    | Unpause
    | WrapNative
)
SIGNATURES: MappingProxyType[type, str] = MappingProxyType(
    {
        Execute: "execute(bytes)",
        ExecuteBatch: "executeBatch(bytes[])",
        Sweep: "sweep(address,uint256)",
        Withdraw: "withdraw(address,address,uint256)",
        SetOperator: "setOperator(address,bool)",
        SetGuardian: "setGuardian(address)",
        SetTreasury: "setTreasury(address)",
        SetListed: "setListed(address[],bool)",
        SetTipShareMax: "setTipShareMax(uint16)",
        Pause: "pause()",
        Unpause: "unpause()",
        WrapNative: "wrapNative()",
    }
)


def calldata(call: ExecutorCall) -> bytes:
    """The ABI encoding of a call.

    Raises:
        OverflowError: an amount or a share does not fit its argument.
    """
    return selector(SIGNATURES[type(call)]) + _encoded(call)


def decode_call(data: bytes) -> ExecutorCall:
    """Read any call of the Executor back; the plans in it are left packed.

    Raises:
        PlanDecodeError: no such function, or not exactly what `calldata` makes; the message says at which byte.
    """
    if len(data) < SELECTOR_BYTES:
        raise PlanDecodeError(f"byte 0, selector: the calldata has {len(data)} bytes, a selector has {SELECTOR_BYTES}")
    kind = _KIND_OF.get(data[:SELECTOR_BYTES])
    if kind is None:
        known = ", ".join(SIGNATURES.values())
        raise PlanDecodeError(f"byte 0, selector: 0x{data[:SELECTOR_BYTES].hex()} is none of the Executor's: {known}")
    if kind is Execute:
        return Execute(packed_plan(data))
    if kind is ExecuteBatch:
        return ExecuteBatch(packed_plans(data))
    reader = CalldataReader(data)
    call = _READERS[kind](reader)
    reader.end()
    return call


_KIND_OF = {selector(signature): kind for kind, signature in SIGNATURES.items()}


def _encoded(call: ExecutorCall) -> bytes:
    words: tuple[bytes, ...] = ()
    match call:
        case Execute(plan):
            words = (word(WORD_BYTES), padded_bytes(plan))
        case ExecuteBatch(plans):
            words = (word(WORD_BYTES), bytes_array(plans))
        case Sweep(token, units):
            words = (word(token), word(units))
        case Withdraw(token, to, units):
            words = (word(token), word(to), word(units))
        case SetOperator(operator, is_operator):
            words = (word(operator), word(int(is_operator)))
        case SetGuardian(holder) | SetTreasury(holder):
            words = (word(holder),)
        case SetListed(tokens, is_listed):
            words = (word(2 * WORD_BYTES), word(int(is_listed)), word(len(tokens)), *map(word, tokens))
        case SetTipShareMax(share):
            words = (word(int.from_bytes(share.to_bytes(_SHARE_BITS // 8, "big"))),)
        case Pause() | Unpause() | WrapNative():
            pass
    return b"".join(words)


def _read_listed(reader: CalldataReader) -> SetListed:
    reader.offset("tokens", 2 * WORD_BYTES)
    is_listed = reader.flag("isListed")
    count = reader.size("tokens", WORD_BYTES)
    return SetListed(tuple(reader.address(f"tokens[{i}]") for i in range(count)), is_listed)


_READERS: dict[type, Callable[[CalldataReader], ExecutorCall]] = {
    Sweep: lambda r: Sweep(r.address("token"), r.integer("amount")),
    Withdraw: lambda r: Withdraw(r.address("token"), r.address("to"), r.integer("amount")),
    SetOperator: lambda r: SetOperator(r.address("operator"), r.flag("isOperator")),
    SetGuardian: lambda r: SetGuardian(r.address("guardian")),
    SetTreasury: lambda r: SetTreasury(r.address("treasury")),
    SetListed: _read_listed,
    SetTipShareMax: lambda r: SetTipShareMax(r.integer("tipShareMaxBps", _SHARE_BITS)),
    Pause: lambda _: Pause(),
    Unpause: lambda _: Unpause(),
    WrapNative: lambda _: WrapNative(),
}
