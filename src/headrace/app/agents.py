"""`headrace run`: the agents of a configuration, on any EVM chain.

An agent is thin: it takes each snapshot through the line, watches what became of what it sent, and, off the hot path,
refreshes what the next block needs. Starting is recovering: whatever an earlier process left open is brought to its
end.
"""

import asyncio
import hashlib
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager, closing
from importlib.metadata import entry_points, version

import msgspec
import structlog

from headrace.adapters.signers.keystore.folder import Keystore
from headrace.adapters.simulators.node.simulator import NodeSimulator
from headrace.adapters.stores.sql.history import SqlHistory
from headrace.adapters.stores.sqlite.journal import SqliteJournal
from headrace.app import limits
from headrace.app.agent import ArbitrageAgent, Witnesses
from headrace.app.audit import open_audit
from headrace.app.clock import SystemClock
from headrace.app.config.tree import AgentConfig, Config
from headrace.app.config.without_effect import without_effect
from headrace.app.kernels import make_ready
from headrace.app.line import Line, LineParts
from headrace.app.places import Places, Report, open_places
from headrace.app.render import render_run
from headrace.app.rivals import Rivals, open_rivals
from headrace.errors import ConfigError, StoreError
from headrace.model.account import OWN_ACCOUNT, Account
from headrace.model.address import ZERO_ADDRESS, ChainId
from headrace.model.codec import to_json
from headrace.model.intent import Outcome
from headrace.pipeline.execute.transactions import Sockets, TransactionManager
from headrace.pipeline.feed.audit import ReceiptAudit
from headrace.pipeline.feed.block_feed import BlockFeed
from headrace.pipeline.feed.follower import FollowLimits
from headrace.pipeline.market.market import Market
from headrace.pipeline.market.market_feed import REREAD_SECONDS_MAX, MarketFeed
from headrace.pipeline.market.screen import Screen, ScreenedFeed
from headrace.pipeline.plan.planner import Planner
from headrace.pipeline.rehearse.rehearsal import Rehearsal
from headrace.pipeline.report.summary import RunReport
from headrace.pipeline.search.graph import SearchGraph
from headrace.pipeline.validate.funding import FundingDesk
from headrace.pipeline.validate.validator import Validator
from headrace.ports.signer import Signer
from headrace.ports.store import Store
from headrace.ports.strategy import Strategy, StrategyConfig
from headrace.treasury.capital import CapitalTreasury

log = structlog.get_logger("headrace")
STRATEGIES_GROUP = "headrace.strategies"
_MS_PER_SECOND = 1000
_REREAD_BLOCK_SHARE = 0.25  # of the time between blocks: what is later than that is tried at the next
_STOPPING = (signal.SIGINT, signal.SIGTERM)
_LEFT_OPEN = 1
_SIGNAL_BASE = 128  # exit codes of what a signal ended, as shells have them


def run(*, report: Report, config: Config, is_live: bool, passphrase: bytes | None, blocks: int | None) -> RunReport:
    """Trade for `blocks` blocks and watch until what is open has ended, or until interrupted.

    The report's exit code is 1 where something is open after all, and a signal's where one ended it.

    Raises:
        HeadraceError: it cannot start, or the journal failed.
    """
    signer = None
    if is_live:
        assert config.wallet is not None, "the command line asks for one"
        assert passphrase is not None, "the command line asks for it"
        report("opening the wallet")
        signer = Keystore(config.wallet.keystore).open(config.wallet.address, passphrase)
    return asyncio.run(_run(config, signer, report, blocks))


render = render_run


async def _run(config: Config, signer: Signer | None, report: Report, blocks: int | None) -> RunReport:
    async with open_places(config, config.chain_name, report) as places:
        for reason in places.left_out:
            log.warning("pool left out", why=reason)
        for sentence in without_effect(config):
            log.warning("setting without effect", why=sentence)
        async with (
            open_audit(config.chain) as audit,
            open_rivals(places, config.chain_name) as rivals,
            open_agent(places, signer, audit, rivals) as agent,
        ):
            report("trading" if signer else "dry run: nothing is sent")
            exit_code = await _run_until_signalled(agent, blocks, report)
            if blocks is not None and agent.open_count:
                exit_code = exit_code or _LEFT_OPEN
            return msgspec.structs.replace(await agent.report(), exit_code=exit_code)


async def _run_until_signalled(agent: ArbitrageAgent, blocks: int | None, report: Report) -> int:
    """Run; a signal to stop ends it where it stands, as a crash would, and what it has seen is still reported."""
    loop, running = asyncio.get_running_loop(), asyncio.create_task(agent.run(blocks, report))
    stopped_by: list[signal.Signals] = []

    def stop(number: signal.Signals) -> None:
        stopped_by.append(number)
        running.cancel()

    for number in _STOPPING:
        loop.add_signal_handler(number, stop, number)
    try:
        await running
    except asyncio.CancelledError:
        if not stopped_by:
            raise
    finally:
        for number in _STOPPING:
            loop.remove_signal_handler(number)
    return _SIGNAL_BASE + stopped_by[0] if stopped_by else 0


@asynccontextmanager
async def open_agent(
    places: Places, signer: Signer | None, audit: ReceiptAudit | None = None, rivals: Rivals | None = None
) -> AsyncIterator[ArbitrageAgent]:
    """Wire the configuration's arbitrage agent; with a signer it trades, without it rehearses only.

    Raises:
        ConfigError: a strategy is not installed, or a limit cannot be converted.
        JournalError: the journal cannot be opened, or belongs to another account.
        ChainError: the node failed.
    """
    await asyncio.to_thread(make_ready)  # pings of the node are answered meanwhile
    config, clock = places.config, SystemClock()
    simulator = NodeSimulator(places.chain.client)
    account = _account(config, signer)
    price_of = _price_of(places)
    manager: TransactionManager | None = None
    with ExitStack() as stack:
        treasury = CapitalTreasury(
            account,
            config.chain.start_token_addresses,
            limits.allocation_max(config),
            lambda: {} if manager is None else manager.state.reserved_units(),
        )
        history: Store | None = None
        recovered: tuple[Outcome, ...] = ()
        if signer is not None:
            journal = stack.enter_context(closing(SqliteJournal(config.journal_path)))
            history = _open_history(config, stack)
            sockets = Sockets(places.chain, simulator, signer, journal, treasury, clock)
            manager = TransactionManager(account, limits.rules(config, price_of), sockets)
            recovered = await _recover(manager, config)
        await treasury.refresh(places.chain, (await places.chain.head()).hash)
        screen = Screen(places.pools, places.dexes)
        screened = ScreenedFeed(_feed(places, audit), screen)
        line = Line(msgspec.structs.replace(_parts(places, account, treasury, simulator, manager), screen=screen))
        agent = ArbitrageAgent(
            places=places,
            feed=screened,
            line=line,
            treasury=treasury,
            transactions=manager,
            witnesses=Witnesses(history, rivals),
        )
        agent.take_up(recovered)
        try:
            yield agent
        finally:
            await agent.close()


def _feed(places: Places, audit: ReceiptAudit | None) -> MarketFeed:
    section = places.config.chain
    return MarketFeed(
        places.chain,
        Market(places.pools, places.dexes, places.tokens, section.reorg_depth_blocks),
        BlockFeed(places.chain, FollowLimits(depth_max=section.reorg_depth_blocks, bloom=section.rules.bloom), audit),
        min(REREAD_SECONDS_MAX, section.block_time_ms / _MS_PER_SECOND * _REREAD_BLOCK_SHARE),
    )


def _parts(
    places: Places,
    account: Account,
    treasury: CapitalTreasury,
    simulator: NodeSimulator,
    manager: TransactionManager | None,
) -> LineParts:
    config, graph = places.config, SearchGraph(places.pools, places.dexes)
    if graph.unexecutable:
        why = "they trade the native currency, which the Executor does not pay yet"
        log.warning("search leaves pools out", pools=graph.unexecutable, why=why)
    return LineParts(
        dexes=places.dexes,
        graph=graph,
        strategies=load_strategies(config.agents[0], config),
        oracle=places.oracle,
        validator=Validator(
            account=account,
            thresholds=limits.thresholds(config, _price_of(places)),
            wrapped_native=config.chain.wrapped_native_address,
            dexes=places.dexes,
            oracle=places.oracle,
            funding=FundingDesk(treasury, places.sources, places.dexes),
        ),
        planner=Planner(places.dexes, limits.fee_policy(config)),
        rehearsal=Rehearsal(simulator, limits.rehearsal_rules(config), places.dexes),
        transactions=manager,
        block_seconds=max(round(config.chain.block_time_ms / _MS_PER_SECOND), 1),
        announced_number=lambda: places.chain.announced_number,
        clock=SystemClock(),
        head_age_seconds_max=config.chain.max_head_age_seconds,
        base_fee=config.chain.rules.base_fee,
        l1_fee_wei=lambda: places.l1_fee.wei,
        why_unfit=places.token_desk.why_unfit,
    )


def load_strategies(agent: AgentConfig, config: Config) -> tuple[Strategy, ...]:
    """The agent's strategies, found by entry point in any installed package.

    Raises:
        ConfigError: none of that name is installed.
    """
    told = StrategyConfig(config.strategies.arbitrage.min_spread_bps, config.chain.start_token_addresses)
    installed = {point.name: point for point in entry_points(group=STRATEGIES_GROUP)}
    missing = [name for name in agent.strategies if name not in installed]
    if missing:
        raise ConfigError(f"no strategy {missing[0]!r} is installed; there are {', '.join(sorted(installed))}")
    makers: list[Callable[[StrategyConfig], Strategy]] = [installed[name].load() for name in agent.strategies]
    return tuple(make(told) for make in makers)


def _open_history(config: Config, stack: ExitStack) -> Store | None:
    try:
        return stack.enter_context(closing(SqlHistory.in_file(config.data_dir / "history.sqlite")))
    except StoreError as error:
        log.warning("no history is written", why=str(error))
        return None


async def _recover(manager: TransactionManager, config: Config) -> tuple[Outcome, ...]:
    digest = hashlib.sha256(to_json(msgspec.to_builtins(config, enc_hook=str))).hexdigest()
    recovery = await manager.recover(version=version("headrace"), config_digest=digest)
    log.info(
        "recovered",
        records=recovery.records_count,
        ended=len(recovery.outcomes),
        open_nonces=recovery.open_nonces,
        halted=recovery.halt_cause or None,
        tripped=sorted(manager.state.tripped) or None,
    )
    return (*recovery.unfinished, *recovery.outcomes)


def _account(config: Config, signer: Signer | None) -> Account:
    operator = signer.address if signer else (config.wallet.address if config.wallet else ZERO_ADDRESS)
    return Account(
        id=OWN_ACCOUNT,
        chain_id=ChainId(config.chain.chain_id),
        operator=operator,
        executor=config.execution.flash_loan.contract_address,
    )


def _price_of(places: Places) -> Callable[[str], int | None]:
    section, now = places.config.chain, SystemClock().now

    def price_of(symbol: str) -> int | None:
        price = places.oracle.price(section.tokens[symbol], now())
        return None if price is None else price.usd_pico

    return price_of
