"""`headrace market replay`: a recording through the agents' own line: feed, market, screen, search, validation.

The same configuration and the same file give the same opportunities, in the same order: nothing here has a clock or a
random number, and `digest` says so in one word. What a recording cannot know is assumed, and said: every amount within
the limits can be had without a fee (`NO_FUNDING` never comes up), nothing is in flight, and nothing is rehearsed.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Mapping
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import msgspec

from headrace.adapters.chains.recorded import RecordedChain
from headrace.adapters.market_files.lines import ZERO_HASH
from headrace.adapters.market_files.market_file import MarketFile, Misplaced
from headrace.adapters.market_files.reader import read_market
from headrace.adapters.oracles.recorded import RecordedOracle
from headrace.adapters.protocols.recorded import recorded
from headrace.app import limits
from headrace.app.agents import load_strategies
from headrace.app.config.tree import Config
from headrace.app.dexes import every_dex
from headrace.app.line import Line, LineParts, Pass
from headrace.app.market.check_report import print_lines, remarks
from headrace.app.places import Report
from headrace.errors import MarketFileError, RpcError
from headrace.model.account import OWN_ACCOUNT, Account
from headrace.model.address import ZERO_ADDRESS, Address, Hash32
from headrace.model.block import BlockContext
from headrace.model.event import Stale
from headrace.model.pool import ProtocolId
from headrace.model.refusal import Reason
from headrace.model.snapshot import Snapshot
from headrace.model.token import decimal_text
from headrace.model.transaction import SimulationResult, UnsignedTransaction
from headrace.pipeline.feed.block_feed import BlockFeed
from headrace.pipeline.feed.follower import FollowLimits
from headrace.pipeline.market.market import Market
from headrace.pipeline.market.market_feed import MarketFeed
from headrace.pipeline.market.screen import Screen, ScreenedFeed
from headrace.pipeline.plan.intent import route_text
from headrace.pipeline.plan.planner import Planner
from headrace.pipeline.rehearse.rehearsal import Rehearsal
from headrace.pipeline.search.graph import SearchGraph
from headrace.pipeline.validate.funding import FundingDesk
from headrace.pipeline.validate.validator import Validator
from headrace.ports.pool import DEX, PoolState

if TYPE_CHECKING:
    from rich.console import Console

_SHOWN = 40
_MS_PER_SECOND = 1000
_EVERYTHING_UNITS = 2**255
_SIMULATED = frozenset({Reason.NODE_FAILED})  # what the rehearsal says of every plan: there is no node


class ReplayRow(msgspec.Struct, frozen=True):
    """An opportunity that stood up to validation; amounts are exact, and of `profit_token`."""

    block: int
    strategy: str
    route: str
    amount_in_wei: int
    profit_wei: int
    profit_token: str
    profit_token_decimals: int


class ReplayReport(msgspec.Struct, frozen=True):
    """A replayed recording.

    Attributes:
        digest: of every opportunity found, with what became of it: two runs that agree are equal in it.
        stale: why the market was doubted on the way.
        quarantined: pools that were not believed at the end.
        disorder: blocks that cannot follow the one before them; `gaps` those before which others are missing.
        has_end: whether the file says that it is whole.
    """

    file: str
    first_block: int
    last_block: int
    blocks: int
    found: int
    validated: int
    refusals: dict[str, int]
    quarantined: int
    stale: tuple[str, ...]
    left_out: tuple[str, ...]
    disorder: tuple[Misplaced, ...]
    gaps: tuple[Misplaced, ...]
    has_end: bool
    digest: str
    opportunities: tuple[ReplayRow, ...]


def replay(*, report: Report, config: Config, file: Path, blocks: int | None) -> ReplayReport:
    """Replay a file under a configuration's limits and strategies.

    Raises:
        MarketFileError: the file cannot be used, or is of another chain than the configuration.
        ConfigError: a limit cannot be converted, or a strategy is not installed.
    """
    report(f"reading {file}")
    dexes = every_dex()
    market = read_market(file, dexes, config.chain.chain_id)
    require_chain(market)
    report(f"replaying {len(market.blocks)} blocks")
    return asyncio.run(Replay(config, market, dexes).run(blocks))


def require_chain(market: MarketFile) -> None:
    """Refuse what only `market check` can follow.

    Raises:
        MarketFileError: a block without its hash or its parent's, or a block that comes in pieces.
    """
    before = market.header.hash
    for block in market.blocks:
        at = block.header
        if at.hash == ZERO_HASH or (at.parent_hash == ZERO_HASH and market.header.hash != ZERO_HASH):
            why = f"block {at.number} has no hash or no parent_hash, and without them nothing is replayed"
            raise MarketFileError(market.name, f"{why}; `market check` does without", block.line)
        if at.hash == before:
            why = f"block {at.number} comes in pieces, and a replay wants all its logs on one line"
            raise MarketFileError(market.name, f"{why}; `market check` takes pieces", block.line)
        before = at.hash


def render(result: object, console: "Console") -> None:
    """What stood up to validation, then counts."""
    from rich.table import Table  # noqa: PLC0415 - `--json` draws no table

    assert isinstance(result, ReplayReport)
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("block", "strategy", "route", "amount in", "profit", ""):
        table.add_column(name, overflow="fold")
    for row in result.opportunities[:_SHOWN]:
        amounts = (decimal_text(units, row.profit_token_decimals) for units in (row.amount_in_wei, row.profit_wei))
        cells = (row.block, row.strategy, row.route, *amounts, row.profit_token)
        table.add_row(*(str(cell) for cell in cells))
    if result.opportunities:
        console.print(table)
    refused = ", ".join(f"{count} {reason}" for reason, count in result.refusals.items()) or "none refused"
    console.print(
        f"{result.file}: blocks {result.first_block} to {result.last_block}: {result.found} found,"
        f" {result.validated} validated; {refused}; {result.quarantined} pools not believed;"
        f" digest {result.digest[:16]}",
        highlight=False,
    )
    print_lines(console, [*result.left_out, *map(str, result.disorder)])
    print_lines(console, remarks(result.gaps, has_end=result.has_end))
    print_lines(console, [f"stale: {why}" for why in result.stale])


class Everything:
    """A treasury that can pay anything: who would lend, and at what fee, no recording tells."""

    def available_units(self, token: Address) -> int:
        """More than any amount."""
        del token
        return _EVERYTHING_UNITS


class NoSimulator:
    """A simulator without a node."""

    async def simulate(self, transaction: UnsignedTransaction, parent: Hash32, at: BlockContext) -> SimulationResult:
        """Refused."""
        del transaction, at
        _refuse(parent)

    async def replay(self, block: Hash32, transaction: Hash32) -> SimulationResult | None:
        """Refused."""
        del transaction
        _refuse(block)


class BlockClock:
    """The time of the block that is worked on."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds

    def now(self) -> int:
        """Unix seconds."""
        return self.seconds

    def monotonic_ns(self) -> int:
        """The same in nanoseconds."""
        return self.seconds * 10**9


class Replay:
    """One file through one configuration's line."""

    def __init__(self, config: Config, market: MarketFile, dexes: Mapping[ProtocolId, DEX]) -> None:
        self._market = market
        states = {block.header.hash: {state.pool.id: state for state in block.states} for block in market.blocks}
        current = {state.pool.id: state for state in market.states if state.pool.id not in market.as_of}
        states[market.header.hash] = current
        known = {protocol: recorded(dex, states, market.as_of) for protocol, dex in dexes.items()}
        self._prices = {block.header.hash: block.prices for block in market.blocks}
        self._chain = RecordedChain(market.chain_id, market.header, [(b.header, b.logs) for b in market.blocks])
        self._clock = BlockClock(market.header.timestamp)
        self._oracle = RecordedOracle()
        self._oracle.tell((one.token, one.price) for one in market.prices)
        depth = config.chain.reorg_depth_blocks
        feed = BlockFeed(self._chain, FollowLimits(depth_max=depth, pause_seconds=0.0))
        live = MarketFeed(self._chain, Market(market.pools, known, market.tokens, depth), feed)
        screen = Screen(market.pools, known)
        self._feed = ScreenedFeed(live, screen)
        self._line = Line(msgspec.structs.replace(self._parts(config, known), screen=screen))
        self._rows: list[ReplayRow] = []
        self._refusals: Counter[Reason] = Counter()
        self._digest = hashlib.sha256()
        self._found = 0

    async def run(self, blocks: int | None) -> ReplayReport:
        """Take every snapshot through the line."""
        at, stale, count = self._market.header, [], 0
        quarantined = 0
        async with aclosing(self._feed.snapshots()) as outputs:
            async for output in outputs:
                if isinstance(output, Stale):
                    stale.append(output.why)
                    continue
                self._clock.seconds, at = output.header.timestamp, output.header
                self._note(output, await self._line.run(output))
                self._oracle.tell(
                    (one.token, one.price) for one in self._prices.get(at.hash, ())
                )  # as live: afterwards
                quarantined, count = len(output.quarantined), count + 1
                if blocks is not None and count > blocks:
                    break
        return ReplayReport(
            file=self._market.name,
            first_block=self._market.header.number,
            last_block=at.number,
            blocks=max(count - 1, 0),
            found=self._found,
            validated=len(self._rows),
            refusals={reason.value: n for reason, n in sorted(self._refusals.items())},
            quarantined=quarantined,
            stale=tuple(stale),
            left_out=tuple(str(one) for one in self._market.left_out),
            disorder=self._market.disorder,
            gaps=self._market.gaps,
            has_end=self._market.has_end,
            digest=self._digest.hexdigest(),
            opportunities=tuple(self._rows),
        )

    def _note(self, snapshot: Snapshot[PoolState], passed: Pass) -> None:
        self._found += len(passed.found)
        for one in passed.found:
            self._digest.update(f"{one.id} {one.amount_in_units} {one.profit_estimate_units}\n".encode())
        for opportunity, refusal in passed.refused:
            if refusal.reason not in _SIMULATED:
                self._refusals[refusal.reason] += 1
                self._digest.update(f"{opportunity.id} {refusal.reason} {refusal.detail}\n".encode())
        for validated in passed.validated:
            self._digest.update(f"{validated.opportunity.id} {validated.amounts_units}\n".encode())
            route = validated.opportunity.route
            token = snapshot.tokens[route.token_in]
            self._rows.append(
                ReplayRow(
                    block=snapshot.header.number,
                    strategy=validated.opportunity.strategy,
                    route=route_text(route, snapshot),
                    amount_in_wei=validated.amounts_units[0],
                    profit_wei=validated.profit_units,
                    profit_token=token.symbol,
                    profit_token_decimals=token.decimals,
                )
            )

    def _parts(self, config: Config, dexes: Mapping[ProtocolId, DEX]) -> LineParts:
        def price_of(symbol: str) -> int | None:
            price = self._oracle.price(config.chain.tokens[symbol], self._clock.now())
            return None if price is None else price.usd_pico

        account = Account(
            OWN_ACCOUNT, self._market.chain_id, ZERO_ADDRESS, config.execution.flash_loan.contract_address
        )
        return LineParts(
            dexes=dexes,
            graph=SearchGraph(self._market.pools, dexes),
            strategies=load_strategies(config.agents[0], config),
            oracle=self._oracle,
            validator=Validator(
                account=account,
                thresholds=limits.thresholds(config, price_of),
                wrapped_native=config.chain.wrapped_native_address,
                dexes=dexes,
                oracle=self._oracle,
                funding=FundingDesk(Everything(), (), dexes),
            ),
            planner=Planner(dexes, limits.fee_policy(config)),
            rehearsal=Rehearsal(NoSimulator(), limits.rehearsal_rules(config), dexes),
            transactions=None,
            block_seconds=max(round(config.chain.block_time_ms / _MS_PER_SECOND), 1),
            base_fee=config.chain.rules.base_fee,
            announced_number=lambda: self._chain.announced_number,
            clock=self._clock,
            head_age_seconds_max=None,
        )


def _refuse(block: Hash32) -> NoReturn:
    raise RpcError("eth_simulateV1", 0, f"a recording simulates nothing on block {block}")
