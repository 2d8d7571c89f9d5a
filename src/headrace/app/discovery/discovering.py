"""`headrace market discover`: the pools of factories, found by their events and kept for the next run."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from headrace.adapters.chains.evm.chain import EvmChain
from headrace.adapters.chains.evm.multicall import Multicall
from headrace.adapters.chains.evm.options import EvmOptions
from headrace.adapters.factories.curve import CurvePoolList
from headrace.adapters.metadata.erc20 import TokenReader
from headrace.app.clock import SystemClock
from headrace.app.config.places import ChainConfig, Venue
from headrace.app.config.tree import Config
from headrace.app.discovery.venues import factory_of, heading_of, open_catalogue, why_refused
from headrace.errors import UsageError
from headrace.model.address import ZERO_ADDRESS, Address, ChainId, PoolId
from headrace.model.creation import Creation
from headrace.model.pool import ProtocolId
from headrace.model.token import Token
from headrace.pipeline.discovery.discoverer import Discovered, Discoverer, Progress, Wanted
from headrace.pipeline.discovery.lister import Lister
from headrace.ports.clock import Clock

if TYPE_CHECKING:
    from rich.console import Console

_DEADLINE_SECONDS = 30.0
_NS_BETWEEN_REPORTS = 1_000_000_000
_PERCENT = 100
_REFUSALS_SHOWN = 20
Report = Callable[[str], None]


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """What of a chain is searched; `venue` is empty for all that say `discover`, the numbers None for their ends."""

    chain: str
    venue: str = ""
    from_block: int | None = None
    to_block: int | None = None
    max_pools: int | None = None


class PoolRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """One pool; `flaw` says why it is refused."""

    pool: PoolId
    tokens: tuple[Address, ...]
    block: int
    fee_pips: int | None = None
    hooks: Address | None = None
    flaw: str = ""


class VenueReport(msgspec.Struct, frozen=True):
    """One venue's pools.

    Attributes:
        venue: its name in the configuration.
        protocol: whose code it is.
        proof: by which rule pools were checked.
        to_block: the last block searched.
        kept_to_block: up to where the result is kept; newer blocks are searched anew.
        is_whole: false where the search ended early at `--max-pools`.
        first_ordinal: the factory's number of the first pool; earlier ones are older than the search.
        pools: in the chain's order, refused ones among them.
        malformed: events that could not be read.
    """

    venue: str
    protocol: ProtocolId
    proof: str
    to_block: int
    kept_to_block: int | None
    is_whole: bool
    first_ordinal: int | None
    pools: tuple[PoolRow, ...]
    malformed: tuple[str, ...]


class DiscoveryReport(msgspec.Struct, frozen=True):
    """All venues, the tokens of their pools, and why tokens cannot be used."""

    chain: str
    venues: tuple[VenueReport, ...]
    tokens: tuple[Token, ...]
    unusable_tokens: tuple[str, ...]


def discover(*, report: Report, config: Config, search: Search) -> DiscoveryReport:
    """Search the chain; what is found is kept as it is found.

    Raises:
        UsageError: there is no such venue, or none says `discover`.
        ConfigError: a venue's pools cannot be discovered.
        CatalogueError: what was kept is of something else, or cannot be written.
        ChainError: the node failed; what was kept stays, and the next run goes on from there.
    """
    return asyncio.run(_discover(report, config, search))


def render(result: object, console: "Console") -> None:
    """One line for each venue, then what is refused."""
    from rich.table import Table  # noqa: PLC0415 - `--json` draws no table

    assert isinstance(result, DiscoveryReport)
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("venue", "protocol", "pools", "refused", "to block", "kept to"):
        table.add_column(column, justify="right" if column not in ("venue", "protocol") else "left")
    for venue in result.venues:
        refused = sum(1 for row in venue.pools if row.flaw) + len(venue.malformed)
        usable = f"{len(venue.pools) - sum(1 for row in venue.pools if row.flaw)}{'' if venue.is_whole else '+'}"
        kept = "-" if venue.kept_to_block is None else str(venue.kept_to_block)
        table.add_row(venue.venue, venue.protocol, usable, str(refused), str(venue.to_block), kept)
    console.print(table)
    for line in _refusals(result)[:_REFUSALS_SHOWN]:
        console.print(line, highlight=False, markup=False)
    console.print(
        f"{len(result.tokens)} tokens, {len(result.unusable_tokens)} that cannot be used; `--json` lists everything",
        highlight=False,
    )
    untold = sum(1 for venue in result.venues for row in venue.pools if not row.flaw and not row.tokens)
    if untold:
        console.print(f"of {untold} pools the event names no tokens: they are read with the pool", highlight=False)


def _refusals(result: DiscoveryReport) -> list[str]:
    lines = [f"{v.venue}: pool {row.pool}: {row.flaw}" for v in result.venues for row in v.pools if row.flaw]
    lines += [f"{v.venue}: {text}" for v in result.venues for text in v.malformed]
    return lines + [f"token {text}" for text in result.unusable_tokens]


async def _discover(report: Report, config: Config, search: Search) -> DiscoveryReport:
    section = config.chains[search.chain]
    venues = _chosen(config, search)
    options = EvmOptions(
        url=section.rpc.reveal(), chain_id=ChainId(section.chain_id), deadline_seconds=_DEADLINE_SECONDS
    )
    report(f"connecting to {search.chain}")
    async with EvmChain(options, SystemClock()) as chain:
        reports = []
        for name, venue in venues.items():
            first = _first_block(name, venue, search)
            factory = factory_of(name, venue)
            with open_catalogue(config.data_dir, heading_of(section, factory, first), is_writer=True) as catalogue:
                wanted = Wanted(
                    last_block=search.to_block,
                    confirmations=section.reorg_depth_blocks,
                    pools_max=search.max_pools,
                )
                teller = _teller(report, f"{name} on {search.chain}", SystemClock())
                if isinstance(factory, CurvePoolList):
                    found = await Lister(chain, factory, catalogue).run(wanted, teller)
                else:
                    found = await Discoverer(chain, factory, catalogue, asyncio.sleep).run(wanted, teller)
            reports.append(_venue_report(name, venue, factory.proof, found))
        report("reading the tokens")
        tokens, unusable = await _tokens(chain, section, reports)
        return DiscoveryReport(search.chain, tuple(reports), tokens, unusable)


def _chosen(config: Config, search: Search) -> dict[str, Venue]:
    venues = config.protocols[search.chain]
    if search.venue:
        if search.venue not in venues:
            raise UsageError(f"{search.chain} has no venue {search.venue!r}; known are {', '.join(sorted(venues))}")
        return {search.venue: venues[search.venue]}
    chosen = {name: venue for name, venue in venues.items() if venue.discover is not None}
    if not chosen:
        raise UsageError(f"no venue of {search.chain} says `discover: {{from_block: N}}`: add it, or give --venue")
    return chosen


def _first_block(name: str, venue: Venue, search: Search) -> int:
    if search.from_block is not None:
        return search.from_block
    if venue.discover is None:
        raise UsageError(f"{name} does not say where its search begins: give --from-block, or `discover: from_block`")
    return venue.discover.from_block


def _teller(report: Report, what: str, clock: Clock) -> Callable[[Progress], None]:
    """Reports at most once in a second, so that a search of many small ranges stays readable."""
    told_ns = clock.monotonic_ns() - _NS_BETWEEN_REPORTS

    def tell(progress: Progress) -> None:
        nonlocal told_ns
        now = clock.monotonic_ns()
        if now - told_ns < _NS_BETWEEN_REPORTS:
            return
        told_ns = now
        done, whole = progress.next_block - progress.first, max(progress.last + 1 - progress.first, 1)
        share = min(_PERCENT * done // whole, _PERCENT)
        report(f"{what}: {progress.unit} {progress.next_block} of {progress.last} ({share} %), {progress.pools} pools")

    return tell


def _venue_report(name: str, venue: Venue, proof: str, found: Discovered) -> VenueReport:
    return VenueReport(
        venue=name,
        protocol=venue.protocol,
        proof=proof,
        to_block=found.last_block,
        kept_to_block=found.kept_to_block,
        is_whole=found.is_whole,
        first_ordinal=found.creations[0].ordinal if found.creations else None,
        pools=tuple(_row(creation) for creation in found.creations),
        malformed=found.malformed,
    )


def _row(creation: Creation) -> PoolRow:
    return PoolRow(
        pool=creation.pool,
        tokens=creation.tokens,
        block=creation.block_number,
        fee_pips=creation.fee_pips,
        hooks=None if creation.hooks == ZERO_ADDRESS else creation.hooks,
        flaw=why_refused(creation),
    )


async def _tokens(
    chain: EvmChain, section: ChainConfig, reports: list[VenueReport]
) -> tuple[tuple[Token, ...], tuple[str, ...]]:
    named = {address: symbol for symbol, address in section.tokens.items()}
    sound = (row for venue in reports for row in venue.pools if not row.flaw)
    addresses = list(dict.fromkeys(token for row in sound for token in row.tokens))
    head = await chain.head()
    reader = TokenReader(Multicall(chain, section.multicall), chain.chain_id, named)
    metadata = await reader.read(addresses, head.hash)
    return tuple(metadata.tokens.values()), tuple(metadata.unusable.values())
