"""One case of a file against our arithmetic: a swap in either direction, a swap with a price limit, a state.

An exact output compares the input with the twin of the contract's own exact-output swap, where it has one. Elsewhere
ours is the least input whose exact-input swap reaches the output, and a router may ask for more. Then it counts as
agreed only when the exact-input quotes prove it: it reaches the output, and one unit less does not. How many, is told.

A case that was recorded from a view, which may promise what no swap pays, is compared with the twin of that view.

A revert is agreed on where our arithmetic finds that the contract reverts, or would not fill the amount as a whole.
What we only cannot tell is raised, and is nobody's agreement.
"""

from typing import NamedTuple

import msgspec

from headrace.adapters.market_files.market_file import StateCase, SwapCase
from headrace.app.market.check_report import Finding, ProtocolCheck
from headrace.errors import MalformedPoolError, UnansweredError, UnquotableError
from headrace.kernels.tick_walk import extreme_limit
from headrace.model.codec import JsonValue
from headrace.model.limited_swap import LimitedSwap
from headrace.model.pool import ProtocolId
from headrace.ports.pool import DEX, ExactOutputDEX, LimitedDEX, PoolState, ViewDEX

_VALUE_SHOWN = 60


class _Ours(NamedTuple):
    """What we say: the other amount, None for a revert; how much of the given one is filled, where that is known."""

    units: int | None
    filled: int | None = None
    why: str = ""


def compare_swap(case: SwapCase, state: PoolState, dex: DEX, count: ProtocolCheck) -> Finding | None:
    """What differs, or None; deviations and smaller inputs go into `count`.

    Raises:
        UnansweredError: we cannot tell what the contract does.
    """
    try:
        ours = _answer(case, state, dex)
    except UnansweredError:
        raise
    except UnquotableError as error:
        ours = _Ours(None, why=error.why)
    has_filled = case.filled is None or ours.units is None or ours.filled == case.filled
    if ours.units == case.expected and has_filled:
        return None
    why = ours.why
    if ours.units is not None and case.expected is not None:
        if has_filled and _is_proven_below(case, state, dex, ours.units):
            count.below += 1
            count.below_units_max = max(count.below_units_max, case.expected - ours.units)
            return None
        _note_deviation(case, abs(ours.units - case.expected), count)
        why = _hint(case, state, dex) if has_filled else f"{ours.filled} of the amount is filled, not {case.filled}"
    elif case.expected is not None:
        why = "; ".join(one for one in (why, _hint(case, state, dex)) if one)
    return finding(case, state.pool.protocol, why, ours.units)


def compare_state(case: StateCase, state: PoolState, dex: DEX) -> Finding | None:
    """The fields that differ, or None; a value in another notation is the same.

    Raises:
        UnansweredError: the state has no such field, or may have changed since it was read.
    """
    if dex.is_outdated(state, case.number - 1):
        raise UnansweredError(case.pool, "something may have changed that no log tells: write its `pool` line again")
    ours = dex.state_to_document(state)
    wrong = {name: value for name, value in case.document.items() if _plain(value) != _plain(ours.get(name))}
    if not wrong:
        return None
    why = "; ".join(f"{name}: expected {_shown(value)}, ours {_shown(ours.get(name))}" for name, value in wrong.items())
    try:
        if dex.state_from_document(state.pool, {**ours, **case.document}) == state:
            return None
    except MalformedPoolError as error:
        if error.field in wrong.keys() - ours.keys():
            raise UnansweredError(state.pool.id, f"{error.field}: {error.why}") from error
    return finding(case, state.pool.protocol, why)


def finding(case: SwapCase | StateCase, protocol: ProtocolId, why: str, ours: int | None = None) -> Finding:
    """A case on which we do not agree, and why."""
    if isinstance(case, StateCase):
        return Finding(case.line, protocol, case.pool, "state", why=why)
    return Finding(
        line=case.line,
        protocol=protocol,
        pool=case.pool,
        direction="exact out" if case.is_exact_output else "exact in",
        token_in=case.token_in,
        token_out=case.token_out,
        amount_units=case.amount,
        expected_units=case.expected,
        ours_units=ours,
        why=why,
    )


def _hint(case: SwapCase, state: PoolState, dex: DEX) -> str:
    """What the line may have left out, if the amount expected is what a view answers or what is filled in part."""
    if case.call or case.price_limit_x96 is not None:
        return ""
    if isinstance(dex, ViewDEX):
        for call, is_exact_output in dex.views.items():
            asked = msgspec.structs.replace(case, call=call)
            if is_exact_output is case.is_exact_output and _met(asked, state, dex):
                return f"it is what {call} answers: was that asked? then write `call`"
    if isinstance(dex, LimitedDEX):
        limits = (extreme_limit(zero_for_one=down) for down in (True, False))
        if any(_met(msgspec.structs.replace(case, price_limit_x96=limit), state, dex) for limit in limits):
            return "it is what the pool gives for a part of the amount: then write `price_limit_x96`"
    return ""


def _met(case: SwapCase, state: PoolState, dex: DEX) -> bool:
    try:
        return _answer(case, state, dex).units == case.expected
    except UnquotableError:
        return False


def _answer(case: SwapCase, state: PoolState, dex: DEX) -> _Ours:
    if case.price_limit_x96 is not None:
        return _limited(case, state, dex, case.price_limit_x96)
    if case.call:
        return _Ours(_viewed(case, state, dex))
    way = (case.token_in, case.token_out)
    if not case.is_exact_output:
        return _Ours(dex.quote_out(state, *way, case.amount, case.at))
    ask = dex.asked_in if isinstance(dex, ExactOutputDEX) else dex.quote_in
    return _Ours(ask(state, *way, case.amount, case.at))


def _limited(case: SwapCase, state: PoolState, dex: DEX, limit_x96: int) -> _Ours:
    if not isinstance(dex, LimitedDEX):
        raise UnansweredError(case.pool, f"no swap of {dex.protocol_id} has a price_limit_x96")
    way = (case.token_in, case.token_out)
    done = dex.filled(state, LimitedSwap(*way, case.amount, limit_x96, case.is_exact_output))
    return _Ours(done.amount_in, done.amount_out) if case.is_exact_output else _Ours(done.amount_out, done.amount_in)


def _viewed(case: SwapCase, state: PoolState, dex: DEX) -> int:
    if not isinstance(dex, ViewDEX) or dex.views.get(case.call) is not case.is_exact_output:
        way = "output" if case.is_exact_output else "input"
        raise UnansweredError(case.pool, f"no view {case.call} of {dex.protocol_id} for an exact {way} is known")
    return dex.view(state, case.call, (case.token_in, case.token_out), case.amount, case.at)


def _is_proven_below(case: SwapCase, state: PoolState, dex: DEX, amount_in: int) -> bool:
    """Whether an input below the one expected reaches the output and one unit less does not, by exact inputs."""
    is_ours_alone = case.is_exact_output and not case.call and case.price_limit_x96 is None
    if not is_ours_alone or case.expected is None or amount_in >= case.expected:
        return False

    def reaches(amount: int) -> bool:
        try:
            return dex.quote_out(state, case.token_in, case.token_out, amount, case.at) >= case.amount
        except UnquotableError:
            return False

    return reaches(amount_in) and not reaches(amount_in - 1)


def _note_deviation(case: SwapCase, off: int, count: ProtocolCheck) -> None:
    if case.is_exact_output:
        count.in_deviation_units_max = max(count.in_deviation_units_max, off)
    else:
        count.out_deviation_units_max = max(count.out_deviation_units_max, off)


def _plain(value: JsonValue) -> JsonValue:
    """One notation: integers as text, hex in small letters."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.lower() if isinstance(value, str) and value.startswith("0x") else value


def _shown(value: JsonValue) -> str:
    text = str(_plain(value))
    return text if len(text) <= _VALUE_SHOWN else f"{text[:_VALUE_SHOWN]}..."
