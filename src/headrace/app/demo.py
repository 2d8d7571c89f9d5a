"""`headrace demo`: a local market, traders and rivals in it, and the agent on it, from nothing to settled trades.

The agent gets a configuration file, a keystore and a node's address, as on any chain, and no other road to the devnet.
The devnet's driver mines when the agent has finished with the last block, so that a seed repeats a run to the last
hash; with a block time it mines by the clock, and only honesty is promised.
"""

import asyncio
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from headrace.adapters.signers.keystore.folder import Keystore
from headrace.app.agent import ArbitrageAgent
from headrace.app.agents import open_agent
from headrace.app.cli.devnet_files import write_devnet_files
from headrace.app.config.load import load_config
from headrace.app.config.tree import Config
from headrace.app.places import Report, open_places
from headrace.app.render import render_run
from headrace.devnet.driver import Driver
from headrace.devnet.recipe.build import BLOCK_SECONDS
from headrace.devnet.state_dir import RunningDevnet
from headrace.devnet.world import Devnet
from headrace.errors import DevnetError
from headrace.pipeline.report.summary import RunReport, contradictions, shortcomings
from headrace.ports.signer import Signer

_CLOSING_BLOCKS_MAX = 12
_AGENT_SECONDS_MAX = 60.0
_FAILED = 1
_TOLD_EVERY = 25


def run_demo(*, report: Report, seed: int, blocks: int, block_time_seconds: float | None) -> RunReport:
    """Run it; the report's exit code is not 0 when the run has not shown what it promises.

    Raises:
        DevnetError: the devnet cannot start, or the agent got stuck.
        HeadraceError: the agent failed.
    """
    report("starting a chain and its market")
    with TemporaryDirectory(prefix="headrace-demo-") as folder, Devnet.start(seed) as devnet:
        config, signer = _agent_files(devnet, Path(folder), block_time_seconds or BLOCK_SECONDS)
        return asyncio.run(_run(devnet, config, signer, report, _Length(seed, blocks, block_time_seconds)))


class _Length(msgspec.Struct, frozen=True):
    seed: int
    blocks: int
    block_time_seconds: float | None


def render(result: object, console: object) -> None:
    """The table of the run, and what it failed to show."""
    from rich.console import Console  # noqa: PLC0415 - `--json` draws nothing

    assert isinstance(result, RunReport)
    assert isinstance(console, Console)
    render_run(result, console)
    for shortcoming in result.shortcomings:
        console.print(f"not shown: {shortcoming}", style="bold red", highlight=False)
    console.print(f"seed {result.seed}, last block {result.final_block_hash}", highlight=False)


def _agent_files(devnet: Devnet, folder: Path, block_seconds: float) -> tuple[Config, Signer]:
    running = RunningDevnet(
        pid=os.getpid(),
        http_url=devnet.anvil.http_url,
        ws_url=devnet.anvil.ws_url,
        ipc_path=None,
        block_time_seconds=block_seconds,
        market=devnet.market,
    )
    config = load_config(write_devnet_files(running, folder))
    wallet = config.wallet
    assert wallet is not None
    assert wallet.passphrase is not None
    assert wallet.passphrase.file is not None
    return config, Keystore(wallet.keystore).open(wallet.address, wallet.passphrase.file.read_bytes())


async def _run(devnet: Devnet, config: Config, signer: Signer, report: Report, length: _Length) -> RunReport:
    async with open_places(config, config.chain_name, report) as places, open_agent(places, signer) as agent:
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(agent.run())
            driver = Driver(devnet, length.seed)
            await _wait(agent, driver.block)
            if length.block_time_seconds is None:
                await _step(driver, agent, length.blocks, report)
            else:
                await _by_the_clock(driver, agent, length, report)
            running.cancel()
        await agent.settle()
        return await _judged(await agent.report(), agent, driver, length)


async def _step(driver: Driver, agent: ArbitrageAgent, blocks: int, report: Report) -> None:
    async def finished(block: int) -> None:
        await _wait(agent, block)

    report(f"trading for {blocks} blocks; a block is mined when the agent has finished with the last one")
    for block in range(1, blocks):  # the first was there before the driver began
        await driver.step(finished)
        if block % _TOLD_EVERY == 0:
            report(f"{block} of {blocks} blocks, {agent.tally.sent} transactions sent")
    agent.is_closing = True
    for _ in range(_CLOSING_BLOCKS_MAX):
        if not agent.open_count:
            return
        await driver.step(finished)


async def _by_the_clock(driver: Driver, agent: ArbitrageAgent, length: _Length, report: Report) -> None:
    assert length.block_time_seconds is not None
    report(f"trading for {length.blocks} blocks of {length.block_time_seconds} seconds")
    is_over = asyncio.Event()
    mining = asyncio.create_task(driver.run_clock(length.block_time_seconds, is_over))
    try:
        last = driver.block + length.blocks - 1
        await agent.finished(last)
        agent.is_closing = True
        for block in range(last + 1, last + 1 + _CLOSING_BLOCKS_MAX):
            if not agent.open_count:
                return
            await agent.finished(block)
    finally:
        is_over.set()
        await mining


async def _wait(agent: ArbitrageAgent, block: int) -> None:
    try:
        await asyncio.wait_for(agent.finished(block), _AGENT_SECONDS_MAX)
    except TimeoutError as error:
        raise DevnetError(f"the agent did not finish block {block}: see its log") from error


async def _judged(result: RunReport, agent: ArbitrageAgent, driver: Driver, length: _Length) -> RunReport:
    wrong = [*contradictions(result), *(await agent.balance_mismatches())]
    missing = shortcomings(result)
    is_failed = bool(wrong) or (bool(missing) and length.block_time_seconds is None)
    return msgspec.structs.replace(
        result,
        seed=length.seed,
        final_block_hash=driver.block_hash,
        shortcomings=(*missing, *wrong),
        exit_code=_FAILED if is_failed else 0,
    )
