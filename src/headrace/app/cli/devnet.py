"""`headrace devnet up | down | status`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from headrace.app.cli.options import AsJson
from headrace.app.cli.output import print_result
from headrace.app.cli.progress import progress

if TYPE_CHECKING:
    from rich.console import Console

StateDir = Annotated[Path, typer.Option("--state-dir", help="Folder of the devnet's files.")]
application = typer.Typer(help="A local chain with a whole market on it, in the background.", no_args_is_help=False)
_DEFAULT_DIR = Path("headrace-data/devnet")
_DEFAULT_PORT = 8545
_DEFAULT_BLOCK_SECONDS = 2.0
_NOT_RUNNING = 1


class DevnetState(msgspec.Struct, frozen=True):
    """Whether a devnet runs, and where."""

    is_running: bool
    state_dir: str
    http_url: str = ""
    ws_url: str = ""
    chain_id: int = 0
    block: int = 0
    config: str = ""
    was_running: bool = False
    exit_code: int = 0


@application.command()
def up(
    state_dir: StateDir = _DEFAULT_DIR,
    seed: Annotated[int, typer.Option(min=0, help="Seed of traders and rivals.")] = 1,
    block_time: Annotated[
        float, typer.Option(min=0.05, max=3600, help="Seconds between blocks.")
    ] = _DEFAULT_BLOCK_SECONDS,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the chain; 0 lets the system choose.")
    ] = _DEFAULT_PORT,
    as_json: AsJson = False,
) -> None:
    """Start it, and write a configuration and a keystore with which `headrace run` trades on it."""
    from headrace.app.cli.devnet_files import write_devnet_files  # noqa: PLC0415 - brings the keystore's cryptography
    from headrace.devnet import server  # noqa: PLC0415 - brings the contracts' codecs

    with progress() as report:
        report("starting a chain and its market")
        running = server.up(state_dir, seed=seed, block_time_seconds=block_time, port=port)
        try:
            config = write_devnet_files(running, state_dir)
        except BaseException:  # also a Ctrl-C: nothing half made stays
            server.down(state_dir)
            raise
    state = DevnetState(
        is_running=True,
        state_dir=str(state_dir),
        http_url=running.http_url,
        ws_url=running.ws_url,
        chain_id=running.market.chain_id,
        block=running.market.deploy_block,
        config=str(config),
    )
    print_result(state, render, as_json=as_json)


@application.command()
def down(state_dir: StateDir = _DEFAULT_DIR, as_json: AsJson = False) -> None:
    """Stop it; its files stay."""
    from headrace.devnet import server  # noqa: PLC0415 - brings the contracts' codecs

    with progress() as report:
        report("stopping the devnet")
        was_running = server.down(state_dir)
    state = DevnetState(is_running=False, state_dir=str(state_dir), was_running=was_running)
    print_result(state, render, as_json=as_json)


@application.command()
def status(state_dir: StateDir = _DEFAULT_DIR, as_json: AsJson = False) -> None:
    """Tell whether it runs; the exit code is 1 if it does not."""
    from headrace.app.cli.devnet_files import CONFIG_FILE  # noqa: PLC0415 - brings the keystore's cryptography
    from headrace.devnet import server  # noqa: PLC0415 - brings the contracts' codecs

    found = server.status(state_dir)
    state = DevnetState(is_running=False, state_dir=str(state_dir), exit_code=_NOT_RUNNING)
    if found is not None:
        state = DevnetState(
            is_running=True,
            state_dir=str(state_dir),
            http_url=found.devnet.http_url,
            ws_url=found.devnet.ws_url,
            chain_id=found.devnet.market.chain_id,
            block=found.block,
            config=str(state_dir / CONFIG_FILE),
        )
    print_result(state, render, as_json=as_json)


def render(result: object, console: "Console") -> None:
    """Where it is, or how to start it."""
    assert isinstance(result, DevnetState)
    if result.was_running:
        console.print(f"the devnet in {result.state_dir} is stopped; its files stay", soft_wrap=True, highlight=False)
        return
    if not result.is_running:
        console.print("no devnet runs here: start one with `headrace devnet up`", soft_wrap=True, highlight=False)
        return
    console.print(f"devnet: chain {result.chain_id} at {result.ws_url}, block {result.block}", soft_wrap=True)
    console.print(f"trade on it: headrace run --config {result.config} --live", soft_wrap=True, highlight=False)
