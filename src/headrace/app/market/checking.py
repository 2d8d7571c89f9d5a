"""`headrace market check`: every swap case of a file against our exact quotes, both directions, to the unit.

An exact output compares the input with the twin of the contract's own exact-output swap, where it has one. Elsewhere
ours is the least input whose exact-input swap reaches the output, and a router may ask for more. Then it counts as
agreed only when the exact-input quotes prove it: it reaches the output, and one unit less does not. How many, is told.

A case that was recorded from a view, which may promise what no swap pays, is compared with the twin of that view.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from headrace.adapters.market_files.market_file import LeftOut, MarketFile, SwapCase
from headrace.adapters.market_files.reader import read_market
from headrace.app.dexes import every_dex
from headrace.app.market.folding import FoldedStates
from headrace.app.places import Report
from headrace.errors import MarketFileError, UnquotableError
from headrace.model.address import PoolId
from headrace.model.pool import ProtocolId
from headrace.ports.pool import DEX, ExactOutputDEX, PoolState, ViewDEX

if TYPE_CHECKING:
    from rich.console import Console

_SHOWN = 40
_UNKNOWN = ProtocolId("unknown")


class Mismatch(msgspec.Struct, frozen=True):
    """A case in which the chain says one thing and we another; an empty text is a refusal or a revert."""

    line: int
    protocol: str
    pool: str
    token_in: str
    token_out: str
    direction: str
    amount_units: int
    expected_units: int | None
    ours_units: int | None
    why: str


class ProtocolCheck(msgspec.Struct):
    """Counts of one protocol's cases.

    Attributes:
        out_deviation_units_max: largest difference between two outputs, in units, `in_` between two inputs; a refusal
            has none.
        below: exact outputs for which a smaller input than the contract asks for is proven to be enough.
        below_units_max: by how much at most.
    """

    exact_in: int = 0
    exact_out: int = 0
    refusals: int = 0
    mismatches: int = 0
    out_deviation_units_max: int = 0
    in_deviation_units_max: int = 0
    below: int = 0
    below_units_max: int = 0


class CheckReport(msgspec.Struct, frozen=True):
    """Every case of a file; the exit code is 1 unless all agree and every line was read."""

    file: str
    cases: int
    protocols: dict[str, ProtocolCheck]
    mismatches: tuple[Mismatch, ...]
    left_out: tuple[LeftOut, ...]
    exit_code: int


def check(*, report: Report, cases: Path, snapshot: Path | None) -> CheckReport:
    """Quote every swap case on the states of its own file, or of `snapshot`.

    Raises:
        MarketFileError: a file cannot be used as a whole, or there is nothing in it to compare.
    """
    dexes = every_dex()
    report(f"reading {cases}")
    asked = read_market(cases, dexes)
    market = asked if snapshot is None else read_market(snapshot, dexes, asked.chain_id)
    if not asked.swaps and not asked.left_out:
        raise MarketFileError(str(cases), "it holds no swap to compare: was it cut, or is it a snapshot alone?")
    report(f"checking {len(asked.swaps)} cases")
    return checked(asked, market, dexes)


def checked(asked: MarketFile, market: MarketFile, dexes: Mapping[ProtocolId, DEX]) -> CheckReport:
    """The cases of one file on the states of another (or the same), after the blocks that stand before each case."""
    folded, known_block = FoldedStates(market.states, dexes), 0
    counts: dict[str, ProtocolCheck] = {}
    mismatches = []
    for case in asked.swaps:
        while known_block < case.blocks_before:
            folded.apply(asked.blocks[known_block])
            known_block += 1
        state = folded.states.get(case.pool)
        protocol = state.pool.protocol if state is not None else _UNKNOWN
        one = counts.setdefault(protocol, ProtocolCheck())
        found = _missing(case, market, folded.lost) if state is None else _compare(case, state, dexes[protocol], one)
        one.exact_out += case.is_exact_output
        one.exact_in += not case.is_exact_output
        one.refusals += case.expected is None
        if found is not None:
            one.mismatches += 1
            mismatches.append(found)
    left_out = asked.left_out if asked is market else (*asked.left_out, *market.left_out)
    return CheckReport(
        file=asked.name,
        cases=len(asked.swaps),
        protocols=dict(sorted(counts.items())),
        mismatches=tuple(mismatches),
        left_out=left_out,
        exit_code=int(bool(mismatches or left_out)),
    )


def render(result: object, console: "Console") -> None:
    """A line per protocol, then what differs."""
    from rich.table import Table  # noqa: PLC0415 - `--json` draws no table

    assert isinstance(result, CheckReport)
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("protocol", "exact in", "exact out", "reverts", "below the contract's", "largest deviation", "wrong"):
        table.add_column(name, justify="left" if name == "protocol" else "right")
    for protocol, one in result.protocols.items():
        below = f"{one.below} by {one.below_units_max} at most" if one.below else "0"
        deviation = max(one.out_deviation_units_max, one.in_deviation_units_max)
        counts = (one.exact_in, one.exact_out, one.refusals, below, deviation, one.mismatches)
        table.add_row(protocol, *(str(count) for count in counts))
    console.print(table)
    for wrong in result.mismatches[:_SHOWN]:
        console.print(
            f"line {wrong.line}: pool {wrong.pool}: {wrong.direction} {wrong.amount_units}:"
            f" expected {_said(wrong.expected_units)}, ours {_said(wrong.ours_units)} {wrong.why}",
            highlight=False,
            markup=False,
        )
    for flaw in result.left_out[:_SHOWN]:
        console.print(str(flaw), highlight=False, markup=False)
    verdict = "all agree to the unit" if not result.exit_code else f"{len(result.mismatches)} differ"
    console.print(f"{result.cases} cases of {result.file}: {verdict}", highlight=False)


def _compare(case: SwapCase, state: PoolState, dex: DEX, count: ProtocolCheck) -> Mismatch | None:
    if case.call and (not isinstance(dex, ViewDEX) or dex.views.get(case.call) is not case.is_exact_output):
        way = "output" if case.is_exact_output else "input"
        return _mismatch(case, state.pool.protocol, None, f"(no view {case.call} for an exact {way} is known)")
    ours, why = None, ""
    try:
        ours = _answer(case, state, dex)
    except UnquotableError as error:
        why = f"({error.why})"
    if ours == case.expected:
        return None
    if ours is not None and case.expected is not None:
        is_ours_alone = case.is_exact_output and not case.call
        if is_ours_alone and ours < case.expected and _is_least(case, state, dex, ours):
            count.below += 1
            count.below_units_max = max(count.below_units_max, case.expected - ours)
            return None
        off = abs(ours - case.expected)
        if case.is_exact_output:
            count.in_deviation_units_max = max(count.in_deviation_units_max, off)
        else:
            count.out_deviation_units_max = max(count.out_deviation_units_max, off)
    return _mismatch(case, state.pool.protocol, ours, why)


def _answer(case: SwapCase, state: PoolState, dex: DEX) -> int:
    """What is compared: the twin of the view or of the exact-output swap; else our quote, or our least input."""
    if case.call and isinstance(dex, ViewDEX):
        return dex.view(state, case.call, (case.token_in, case.token_out), case.amount, case.at)
    if not case.is_exact_output:
        return dex.quote_out(state, case.token_in, case.token_out, case.amount, case.at)
    ask = dex.asked_in if isinstance(dex, ExactOutputDEX) else dex.quote_in
    return ask(state, case.token_in, case.token_out, case.amount, case.at)


def _is_least(case: SwapCase, state: PoolState, dex: DEX, amount_in: int) -> bool:
    """Whether this input reaches the output and one unit less does not, by exact-input quotes."""

    def reaches(amount: int) -> bool:
        try:
            return dex.quote_out(state, case.token_in, case.token_out, amount, case.at) >= case.amount
        except UnquotableError:
            return False

    return reaches(amount_in) and not reaches(amount_in - 1)


def _missing(case: SwapCase, market: MarketFile, lost: Mapping[PoolId, str]) -> Mismatch:
    reasons = [one.why for one in market.left_out if one.pool == case.pool]
    reasons += [lost[case.pool]] if case.pool in lost else []
    return _mismatch(case, _UNKNOWN, None, reasons[0] if reasons else f"(no such pool in {market.name})")


def _mismatch(case: SwapCase, protocol: str, ours: int | None, why: str) -> Mismatch:
    return Mismatch(
        line=case.line,
        protocol=protocol,
        pool=case.pool,
        token_in=case.token_in,
        token_out=case.token_out,
        direction="exact out" if case.is_exact_output else "exact in",
        amount_units=case.amount,
        expected_units=case.expected,
        ours_units=ours,
        why=why,
    )


def _said(units: int | None) -> str:
    return "a revert" if units is None else str(units)
