"""`headrace market discover | follow | snapshot | import | record | replay | show | check | schema`."""

from pathlib import Path
from typing import Annotated

import typer

from headrace.app.cli.chosen_chain import chosen_chain
from headrace.app.cli.deferred import perform
from headrace.app.cli.discover import discover, follow
from headrace.app.cli.options import DEFAULT_CONFIG, AsJson, ChainName, ConfigFile
from headrace.app.config.load import load_config

File = Annotated[Path, typer.Argument(help="A market file: plain, gzip, xz or bzip2.")]
Out = Annotated[Path, typer.Option("--out", help="The file to write; its name's end (.gz, .xz, .bz2) compresses it.")]
application = typer.Typer(help="Keep the market in files, and work on them without a node.", no_args_is_help=False)

application.command()(discover)
application.command()(follow)


@application.command()
def snapshot(out: Out, config: ConfigFile = DEFAULT_CONFIG, chain: ChainName = "", as_json: AsJson = False) -> None:
    """Read every configured pool at the head and write it to a market file."""
    loaded = load_config(config)
    perform(
        "headrace.app.market.snapshotting:snapshot",
        as_json=as_json,
        config=loaded,
        chain=chosen_chain(loaded, chain),
        out=out,
    )


@application.command("import")
def import_(
    sources: Annotated[list[Path], typer.Argument(help="Files of one foreign format, deltas behind their snapshot.")],
    out: Out,
    block: Annotated[int, typer.Option(min=0, help="The block, where the format tells none.")] = 0,
    timestamp: Annotated[int, typer.Option(min=0, help="Its Unix second, where the format tells none.")] = 0,
    assume_current: Annotated[
        bool,
        typer.Option(
            "--assume-current", help="Whoever recorded it followed every event: all states are as of the newest."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Convert what others recorded: Tycho streams, tycho-simulation states, fastlane-bot's CSV."""
    perform(
        "headrace.app.market.importing:import_market",
        as_json=as_json,
        sources=sources,
        out=out,
        number=block,
        timestamp=timestamp,
        is_current=assume_current,
    )


@application.command()
def record(
    out: Out,
    config: ConfigFile = DEFAULT_CONFIG,
    blocks: Annotated[int | None, typer.Option(min=1, help="Stop after this many blocks.")] = None,
    as_json: AsJson = False,
) -> None:
    """Follow the node and write every block as it is applied, until --blocks or Ctrl-C; what is written stays."""
    perform("headrace.app.market.recording:record", as_json=as_json, config=load_config(config), out=out, blocks=blocks)


@application.command()
def replay(
    file: File,
    config: ConfigFile = DEFAULT_CONFIG,
    blocks: Annotated[int | None, typer.Option(min=1, help="Stop after this many blocks.")] = None,
    as_json: AsJson = False,
) -> None:
    """Drive the agents' own line from a file: market, search, validation; nothing is simulated or sent."""
    perform(
        "headrace.app.market.replaying:replay", as_json=as_json, config=load_config(config), file=file, blocks=blocks
    )


@application.command()
def show(file: File, as_json: AsJson = False) -> None:
    """Show what a file holds: pools, prices, ages, and which pools are not believed or left out, with the reasons."""
    perform("headrace.app.market.showing:show", as_json=as_json, file=file)


@application.command()
def check(
    cases: Annotated[Path, typer.Argument(help="A market file with swaps and expected states.")],
    snapshot: Annotated[
        Path | None, typer.Option("--snapshot", help="Take the pools' states from this market file instead.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare our exact arithmetic with recorded swaps and states; exit code 1 unless all is answered and agrees."""
    perform("headrace.app.market.checking:check", as_json=as_json, cases=cases, snapshot=snapshot)


@application.command()
def schema(as_json: AsJson = False) -> None:
    """Print the JSON schema of a market file's lines, with every protocol's states."""
    perform("headrace.app.market.schema:schema", as_json=as_json)
