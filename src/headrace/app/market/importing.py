"""`headrace market import`: what others recorded, as a market file of ours, every state checked on the way."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import msgspec

from headrace.adapters.market_files.container import create, read_all, require_writable
from headrace.adapters.market_files.foreign import fastlane, tycho, tycho_simulation
from headrace.adapters.market_files.foreign.converted import Converted
from headrace.adapters.market_files.lines import Line, write_line
from headrace.adapters.market_files.market_file import MarketFile
from headrace.adapters.market_files.reader import read_market
from headrace.adapters.market_files.writer import MarketWriter
from headrace.app.dexes import every_dex
from headrace.app.places import Report
from headrace.errors import MarketFileError, UsageError
from headrace.pipeline.market.screen import Screen

if TYPE_CHECKING:
    from rich.console import Console

_SHOWN = 20


class ImportReport(msgspec.Struct, frozen=True):
    """What was written, and what was not, by reason; `doubted` pools are written, and not traded: see `market show`."""

    file: str
    format: str
    chain_id: int
    block: int
    pools: dict[str, int]
    tokens: int
    aged: int
    doubted: int
    skipped: dict[str, int]
    left_out: tuple[str, ...]
    notes: tuple[str, ...]


class Asked(msgspec.Struct, frozen=True):
    """What the command was told beside its files."""

    number: int
    timestamp: int
    is_current: bool


def import_market(
    *, report: Report, sources: Sequence[Path], out: Path, number: int, timestamp: int, is_current: bool
) -> ImportReport:
    """Convert files of one foreign format, in their order, into one market file.

    Raises:
        MarketFileError: a file is none of the known formats, or cannot be read; or `out` cannot be written.
    """
    require_writable(out)
    report(f"reading {len(sources)} files")
    contents = [read_all(source) for source in sources]
    name = _format(sources[0], contents[0])
    try:
        converted = _CONVERTERS[name](contents, Asked(number, timestamp, is_current))
    except (msgspec.DecodeError, ValueError, KeyError) as error:
        raise MarketFileError(str(sources[0]), f"it is not quite of the format {name}: {error}") from error
    market = _checked(converted)
    dexes = every_dex()
    report(f"writing {out}")
    with MarketWriter(out, dexes) as writer:
        writer.header(market.chain_id, market.header, market.source)
        writer.tokens(token for line in converted.tokens if (token := market.tokens.get(line.address)))
        for state in market.states:
            writer.state(state, market.as_of.get(state.pool.id))
    doubted = Screen(market.pools, dexes).screened(market.snapshot()).quarantined
    return ImportReport(
        file=str(out),
        format=name,
        chain_id=market.chain_id,
        block=market.header.number,
        pools=dict(Counter(pool.protocol for pool in market.pools)),
        tokens=len(converted.tokens),
        aged=len(market.as_of),
        doubted=len(doubted),
        skipped=dict(converted.skipped),
        left_out=tuple(one.why for one in market.left_out),
        notes=converted.notes,
    )


def render(result: object, console: "Console") -> None:
    """A few sentences."""
    assert isinstance(result, ImportReport)
    pools = ", ".join(f"{count} {protocol}" for protocol, count in result.pools.items()) or "no pools"
    console.print(f"{result.file}: {pools} at block {result.block} of chain {result.chain_id}", highlight=False)
    for reason, count in result.skipped.items():
        console.print(f"skipped {count}: {reason}", highlight=False, markup=False)
    for why in result.left_out[:_SHOWN]:
        console.print(f"left out: {why}", highlight=False, markup=False)
    if len(result.left_out) > _SHOWN:
        console.print(f"left out: {len(result.left_out) - _SHOWN} more with --json", highlight=False)
    if result.aged or result.doubted:
        console.print(
            f"{result.aged} states are older than the block, {result.doubted} pools are in doubt:"
            f" see `headrace market show {result.file}`",
            highlight=False,
        )
    for note in result.notes:
        console.print(f"note: {note}", highlight=False, markup=False)


def _checked(converted: Converted) -> MarketFile:
    """The lines read as any market file is: what no protocol could store is left out with its reason."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "converted.jsonl"
        with create(path) as stream:
            lines: tuple[Line, ...] = (converted.header, *converted.tokens, *converted.pools)
            stream.writelines(write_line(line) for line in lines)
        return read_market(path, every_dex())


def _format(source: Path, content: bytes) -> str:
    head = content.lstrip()[:4096]
    if head.startswith(b"{") and b'"state_msgs"' in head:
        return "tycho"
    if head.startswith(b"[") and b'"protocol"' in content[: 1 << 20]:
        return "tycho-simulation"
    if set(head.split(b"\n", 1)[0].decode(errors="replace").strip().split(",")) >= fastlane.COLUMNS:
        return "fastlane"
    known = ", ".join(_CONVERTERS)
    raise MarketFileError(str(source), f"it is none of the formats {known}: write our own, see `market schema`")


def _tycho(contents: Sequence[bytes], asked: Asked) -> Converted:
    if asked.is_current:
        raise UsageError("--assume-current is for fastlane files: a Tycho stream says what each block changed")
    return tycho.convert(contents)


def _tycho_simulation(contents: Sequence[bytes], asked: Asked) -> Converted:
    return tycho_simulation.convert(contents, asked.number, asked.timestamp)


def _fastlane(contents: Sequence[bytes], asked: Asked) -> Converted:
    return fastlane.convert(contents, is_current=asked.is_current)


_CONVERTERS: dict[str, Callable[[Sequence[bytes], Asked], Converted]] = {
    "tycho": _tycho,
    "tycho-simulation": _tycho_simulation,
    "fastlane": _fastlane,
}
