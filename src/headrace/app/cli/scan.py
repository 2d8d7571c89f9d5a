"""`headrace scan`."""

from typing import Annotated

import typer

from headrace.app.cli.chosen_chain import chosen_chain
from headrace.app.cli.deferred import perform
from headrace.app.cli.options import DEFAULT_CONFIG, AsJson, ChainName, ConfigFile
from headrace.app.config.load import load_config
from headrace.errors import UsageError


def scan(
    config: ConfigFile = DEFAULT_CONFIG,
    chain: ChainName = "",
    listen: Annotated[
        float,
        typer.Option(min=0, max=86_400, help="Seconds to listen to pending transactions first (`follow_pending`)."),
    ] = 0.0,
    as_json: AsJson = False,
) -> None:
    """Show the opportunities in the market as it is now; nothing is traded."""
    loaded = load_config(config)
    name = chosen_chain(loaded, chain)
    if listen and not loaded.chains[name].follow_pending:
        raise UsageError(f"nothing is listened to: --listen wants `follow_pending: true` in defi.chains.{name}")
    perform("headrace.app.scan:scan", as_json=as_json, config=loaded, chain=name, listen_seconds=listen)
