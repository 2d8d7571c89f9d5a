"""`headrace market show`: what a market file holds, how old it is, and what is not believed."""

import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from headrace.adapters.market_files.market_file import LeftOut, MarketFile, Misplaced
from headrace.adapters.market_files.reader import read_market
from headrace.app.dexes import every_dex
from headrace.app.market.check_report import print_lines, remarks
from headrace.app.market.folding import FoldedStates
from headrace.app.places import Report
from headrace.kernels.curve import Curves, hop
from headrace.model.pool import ProtocolId
from headrace.pipeline.market.screen import Screen
from headrace.ports.pool import DEX, PoolState

if TYPE_CHECKING:
    from rich.console import Console

_SHOWN = 40


class PoolRow(msgspec.Struct, frozen=True):
    """One pool.

    Attributes:
        price: whole units of the second token for one of the first, without the fee, to six digits; empty without any.
        as_of: the last block after which its state is known to hold.
        doubt: why it is quarantined, or empty.
    """

    pool: str
    protocol: str
    venue: str
    tokens: tuple[str, ...]
    fee_pips: int
    price: str
    as_of: int
    doubt: str


class ShowReport(msgspec.Struct, frozen=True):
    """A file; pools in doubt first.

    Attributes:
        cases: swaps and expected states, of which `swaps` are swaps.
        left_out: lines and logs that cannot be used.
        disorder: blocks that cannot follow the one before them; `gaps` those before which others are missing.
        has_end: whether the file says that it is whole.
    """

    file: str
    source: str
    chain_id: int
    block: int
    timestamp: int
    last_block: int
    pools: dict[str, int]
    tokens: int
    swaps: int
    cases: int
    blocks: int
    logs: int
    quarantined: int
    rows: tuple[PoolRow, ...]
    left_out: tuple[LeftOut, ...]
    disorder: tuple[Misplaced, ...]
    gaps: tuple[Misplaced, ...]
    has_end: bool


def show(*, report: Report, file: Path) -> ShowReport:
    """Read a file and screen its pools.

    Raises:
        MarketFileError: it cannot be used as a whole.
    """
    dexes = every_dex()
    report(f"reading {file}")
    market = read_market(file, dexes)
    screened = Screen(market.pools, dexes).screened(market.snapshot())
    rows = [
        _row(market, state, dexes[state.pool.protocol], screened.quarantined.get(at, ""))
        for at, state in enumerate(market.states)
    ]
    return ShowReport(
        file=str(file),
        source=market.source,
        chain_id=market.chain_id,
        block=market.header.number,
        timestamp=market.header.timestamp,
        last_block=max([market.header.number, *(block.header.number for block in market.blocks)]),
        pools=dict(Counter(str(pool.protocol) for pool in market.pools)),
        tokens=len(market.tokens),
        swaps=len(market.swaps),
        cases=len(market.swaps) + len(market.state_cases),
        blocks=len(market.blocks),
        logs=sum(len(block.logs) for block in market.blocks),
        quarantined=len(screened.quarantined),
        rows=tuple(sorted(rows, key=lambda row: not row.doubt)),
        left_out=(*market.left_out, *_unusable_logs(market, dexes)),
        disorder=market.disorder,
        gaps=market.gaps,
        has_end=market.has_end,
    )


def render(result: object, console: "Console") -> None:
    """Counts, then pools, those in doubt first."""
    from rich.table import Table  # noqa: PLC0415 - `--json` draws no table

    assert isinstance(result, ShowReport)
    pools = ", ".join(f"{count} {protocol}" for protocol, count in result.pools.items()) or "no pools"
    behind = f" and {result.blocks} blocks with {result.logs} logs up to {result.last_block}" if result.blocks else ""
    console.print(
        f"{result.file}: chain {result.chain_id}, block {result.block}{behind}: {pools},"
        f" {result.tokens} tokens, {result.cases} cases; {result.quarantined} pools are not believed",
        highlight=False,
    )
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("pool", "venue", "tokens", "price", "as of", "not believed, because"):
        table.add_column(name, overflow="fold")
    for row in result.rows[:_SHOWN]:
        table.add_row(row.pool, row.venue, "/".join(row.tokens), row.price, str(row.as_of), row.doubt)
    if result.rows:
        console.print(table)
    if len(result.rows) > _SHOWN:
        console.print(f"{len(result.rows) - _SHOWN} more pools with --json", highlight=False)
    print_lines(console, [str(one) for one in (*result.left_out, *result.disorder)])
    print_lines(console, remarks(result.gaps, has_end=result.has_end))


def _unusable_logs(market: MarketFile, dexes: Mapping[ProtocolId, DEX]) -> list[LeftOut]:
    folded = FoldedStates(market.header, market.states, dexes)
    for block in market.blocks:
        folded.apply(block)
    return folded.left_out


def _row(market: MarketFile, state: PoolState, dex: DEX, doubt: str) -> PoolRow:
    pool = state.pool
    return PoolRow(
        pool=pool.id,
        protocol=ProtocolId(pool.protocol),
        venue=pool.venue,
        tokens=tuple(market.tokens[token].symbol for token in pool.tokens),
        fee_pips=pool.fee_pips,
        price=_price(market, state, dex),
        as_of=market.as_of.get(pool.id, market.header.number),
        doubt=doubt,
    )


def _price(market: MarketFile, state: PoolState, dex: DEX) -> str:
    first, second = state.pool.tokens[:2]
    curves = Curves(2)
    curves.put(0, dex.shape(state, first, second))
    curves.put(1, dex.shape(state, second, first))
    there, back = (hop(curves.arrays, edge, 0.0)[1] for edge in (0, 1))
    if not (there > 0.0 and back > 0.0):
        return ""
    scale = 10.0 ** (market.tokens[first].decimals - market.tokens[second].decimals)
    price = math.sqrt(there / back) * scale
    return f"{price:.6g}" if math.isfinite(price) else ""
