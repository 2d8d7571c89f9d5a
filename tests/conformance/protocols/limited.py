"""Swaps with a price limit, as the bytecode fills them, against `filled` and against lines of a market file.

The lines are what somebody would write who recorded these answers: each is agreed on, and none once it is a unit off.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec

from headrace.adapters.market_files.lines import REVERTS, SwapLine
from headrace.adapters.market_files.writer import MarketWriter
from headrace.app.market.check_report import CheckReport
from headrace.app.market.checking import check
from headrace.errors import UnquotableError
from headrace.model.address import ZERO_ADDRESS, ChainId, Hash32
from headrace.model.block import BlockHeader
from headrace.model.bloom import BLOOM_BYTES
from headrace.model.limited_swap import FilledSwap, LimitedSwap
from headrace.ports.pool import DEX, LimitedDEX, PoolState

MINIMA = {"reverted": 200, "exact output": 400, "exact input": 400, "filled in part": 200, "filled with nothing": 5}
_NO_HASH = Hash32("0x" + "00" * 32)
_START = BlockHeader(100, _NO_HASH, _NO_HASH, 1_700_000_000, 0, 0, 0, ZERO_ADDRESS, bytes(BLOOM_BYTES))


class Answered(Protocol):
    """What the pool took and paid."""

    @property
    def amount_in(self) -> int: ...

    @property
    def amount_out(self) -> int: ...


class Asked(NamedTuple):
    """A swap, with the state that it starts from."""

    state: PoolState
    swap: LimitedSwap


def limited(state: PoolState, amount: int, limit_x96: int, *, zero_for_one: bool) -> Asked:
    """The swap of a signed amount: an output where it is negative."""
    token_in, token_out = state.pool.tokens if zero_for_one else state.pool.tokens[::-1]
    return Asked(state, LimitedSwap(token_in, token_out, abs(amount), limit_x96, amount < 0))


def compare(dex: DEX, asked: Sequence[Asked], answers: Sequence[Answered | None], folder: Path) -> None:
    """Every answer is met to the unit, both by the protocol and by `headrace market check`."""
    assert isinstance(dex, LimitedDEX)
    reached: Counter[str] = Counter()
    for (state, swap), answer in zip(asked, answers, strict=True):
        filled = _filled(dex, state, swap)
        assert (filled and (filled.amount_in, filled.amount_out)) == (
            answer and (answer.amount_in, answer.amount_out)
        ), swap
        reached[_kind(swap, filled)] += 1
        if filled is not None:
            given = filled.amount_out if swap.is_exact_output else filled.amount_in
            reached["filled in part"] += 0 < given < swap.amount
            reached["filled with nothing"] += given == 0
    print("reached", dict(reached))  # noqa: T201 - a test that passes says what it covered
    for kind, least in MINIMA.items():
        assert reached[kind] >= least, f"{kind}: {reached}"
    lines = [_line(*one) for one in zip(asked, answers, strict=True)]
    met = _checked(dex, asked, lines, folder)
    assert (met.exit_code, met.cases) == (0, len(lines)), (met.left_out, met.mismatches[:3], met.unanswered[:3])
    assert len(_checked(dex, asked, [_off(line) for line in lines], folder).mismatches) == len(lines)


def _filled(dex: LimitedDEX, state: PoolState, swap: LimitedSwap) -> FilledSwap | None:
    try:
        return dex.filled(state, swap)
    except UnquotableError:
        return None


def _kind(swap: LimitedSwap, filled: FilledSwap | None) -> str:
    if filled is None:
        return "reverted"
    return "exact output" if swap.is_exact_output else "exact input"


def _line(asked: Asked, answer: Answered | None) -> SwapLine:
    state, swap = asked
    line = SwapLine(
        pool=state.pool.id, token_in=swap.token_in, token_out=swap.token_out, price_limit_x96=swap.price_limit_x96
    )
    taken, paid = (None, None) if answer is None else (answer.amount_in, answer.amount_out)
    if swap.is_exact_output:
        line = msgspec.structs.replace(line, amount_out=swap.amount, expected_out=paid)
        return msgspec.structs.replace(line, expected_in=REVERTS if taken is None else taken)
    line = msgspec.structs.replace(line, amount_in=swap.amount, expected_in=taken)
    return msgspec.structs.replace(line, expected_out=REVERTS if paid is None else paid)


def _off(line: SwapLine) -> SwapLine:
    """A unit more of what is paid or taken; the amount filled a unit less, where there is some."""
    name = "expected_in" if line.amount_out is not None else "expected_out"
    other = "expected_out" if line.amount_out is not None else "expected_in"
    filled, value = getattr(line, other), getattr(line, name)
    if filled and value != REVERTS and value % 2:
        return msgspec.structs.replace(line, **{other: filled - 1})
    return msgspec.structs.replace(line, **{name: 0 if value == REVERTS else value + 1})


def _checked(dex: DEX, asked: Sequence[Asked], lines: Sequence[SwapLine], folder: Path) -> CheckReport:
    path = folder / "limited.jsonl.gz"
    states = {one.state.pool.id: one.state for one in asked}
    with MarketWriter(path, {dex.protocol_id: dex}) as writer:
        writer.header(ChainId(1), _START, "the protocol's bytecode")
        for state in states.values():
            writer.state(state)
        for line in lines:
            writer.line(line)
    return check(report=lambda _: None, cases=path, snapshot=None)
