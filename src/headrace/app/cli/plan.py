"""`headrace plan decode`."""

from pathlib import Path
from typing import Annotated

import typer

from headrace.app.calldata.reading import read_calldata
from headrace.app.cli.chosen_chain import known_chain
from headrace.app.cli.deferred import perform
from headrace.app.cli.options import AsJson, ChainName
from headrace.app.config.load import load_config
from headrace.errors import UsageError

application = typer.Typer(help="What the Executor is asked to do.", no_args_is_help=False)


@application.callback()
def _plan() -> None:
    """Keep `decode` a command of its own while it is the only one."""


@application.command()
def decode(
    calldata: Annotated[
        str, typer.Argument(metavar="CALLDATA", help="0x and hex, a file that holds it, or - for standard input.")
    ],
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="Name tokens, venues and decimals by this configuration.")
    ] = None,
    chain: ChainName = "",
    as_json: AsJson = False,
) -> None:
    """Show what a transaction to the Executor would do: its function, the plans in it, and every step of them.

    Nothing is sent. With --config the chain's node is asked for the decimals of tokens.
    """
    if chain and config is None:
        raise UsageError(f"--chain {chain} is a chain of a configuration: give --config too")
    loaded = None if config is None else load_config(config)
    name = "" if loaded is None else known_chain(loaded, chain)
    data = read_calldata(calldata)
    perform("headrace.app.calldata.showing:show", as_json=as_json, calldata=data, config=loaded, chain=name)
