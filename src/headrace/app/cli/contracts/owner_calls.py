"""What the owner has to send to an Executor until it is as wanted: each call with its calldata and what it does."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from headrace.app.cli.contracts.state import ExecutorState
from headrace.model.address import ZERO_ADDRESS, Address, checksum
from headrace.model.executor_call import (
    SIGNATURES,
    ExecutorCall,
    SetGuardian,
    SetListed,
    SetOperator,
    SetTipShareMax,
    SetTreasury,
    calldata,
)
from headrace.model.token import decimal_text

_BPS_DECIMALS = 2


class OwnerCall(msgspec.Struct, frozen=True):
    """One transaction for the owner to send; `tx_hash` where `--configure` sent it."""

    function: str
    to: str
    data: str
    why: str
    tx_hash: str = ""


class Wanted(msgspec.Struct, frozen=True):
    """How an Executor is to be set up; what is None stays as it is. `tokens` are start tokens by their symbols."""

    operator: Address
    guardian: Address | None
    treasury: Address | None
    tip_share_max_bps: int | None
    tokens: Mapping[str, Address]


class Found(msgspec.Struct, frozen=True):
    """How it is set up; a new one is set up in no way."""

    guardian: Address = ZERO_ADDRESS
    treasury: Address = ZERO_ADDRESS
    tip_share_max_bps: int = 0
    is_operator: bool = False
    listed: frozenset[Address] = frozenset()

    @classmethod
    def of(cls, state: ExecutorState, *, is_operator: bool, listed: Iterable[Address]) -> "Found":
        """What was read from a chain."""
        return cls(state.guardian, state.treasury, state.tip_share_max_bps, is_operator, frozenset(listed))


def calls_to(wanted: Wanted, found: Found, wrapped_native: Address) -> Iterator[tuple[ExecutorCall, str]]:
    """The calls that are left to send, each with a sentence; wrapped native coin needs no listing."""
    if not found.is_operator:
        why = f"lets {checksum(wanted.operator)}, the configured wallet, execute plans"
        yield SetOperator(wanted.operator, is_operator=True), why
    if wanted.guardian not in (None, found.guardian):
        assert wanted.guardian is not None
        yield SetGuardian(wanted.guardian), f"lets {checksum(wanted.guardian)} pause all operators, and nothing else"
    if wanted.treasury not in (None, found.treasury):
        assert wanted.treasury is not None
        yield (
            SetTreasury(wanted.treasury),
            f"lets operators sweep profits to {checksum(wanted.treasury)}, and only there",
        )
    missing = {s: t for s, t in wanted.tokens.items() if t not in found.listed and t != wrapped_native}
    if missing:
        why = f"lets profit be counted in {', '.join(missing)}, and guards what the Executor holds of them"
        yield SetListed(tuple(missing.values()), is_listed=True), why
    if wanted.tip_share_max_bps not in (None, found.tip_share_max_bps):
        assert wanted.tip_share_max_bps is not None
        share = decimal_text(wanted.tip_share_max_bps, _BPS_DECIMALS)
        yield SetTipShareMax(wanted.tip_share_max_bps), f"lets plans tip builders up to {share} % of their profit"


def owner_call(executor: Address, call: ExecutorCall, why: str, tx_hash: str = "") -> OwnerCall:
    """As it is shown."""
    return OwnerCall(SIGNATURES[type(call)], checksum(executor), "0x" + calldata(call).hex(), why, tx_hash)


def call_lines(calls: Iterable[OwnerCall]) -> Iterator[str]:
    """Three lines for each call, for people."""
    for call in calls:
        yield f"  {call.function}: {call.why}"
        if call.tx_hash:
            yield f"    sent as {call.tx_hash}"
        else:
            yield f"    to   {call.to}"
            yield f"    data {call.data}"
