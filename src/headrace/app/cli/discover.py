"""`headrace market discover | follow`."""

from typing import Annotated

import typer

from headrace.app.cli.chosen_chain import chosen_chain
from headrace.app.cli.deferred import perform
from headrace.app.cli.options import DEFAULT_CONFIG, AsJson, ChainName, ConfigFile
from headrace.app.config.load import load_config


def discover(
    *,
    config: ConfigFile = DEFAULT_CONFIG,
    chain: ChainName = "",
    venue: Annotated[str, typer.Option(help="One venue; all that say `discover`, if left out.")] = "",
    from_block: Annotated[int | None, typer.Option(min=0, help="Begin here instead of at `from_block`.")] = None,
    to_block: Annotated[int | None, typer.Option(min=0, help="End here instead of at the head.")] = None,
    max_pools: Annotated[int | None, typer.Option(min=1, help="End once so many pools of a venue are known.")] = None,
    as_json: AsJson = False,
) -> None:
    """Find the pools of venues by their factories' events and keep them; run again, it goes on where it ended."""
    from headrace.app.discovery.discovering import Search  # noqa: PLC0415 - `--help` connects to nothing

    loaded = load_config(config)
    search = Search(
        chain=chosen_chain(loaded, chain), venue=venue, from_block=from_block, to_block=to_block, max_pools=max_pools
    )
    perform("headrace.app.discovery.discovering:discover", as_json=as_json, config=loaded, search=search)


def follow(config: ConfigFile = DEFAULT_CONFIG, chain: ChainName = "", as_json: AsJson = False) -> None:
    """Show how many of the known pools a run would follow, and how many not, by cause."""
    loaded = load_config(config)
    perform("headrace.app.discovery.showing:follow", as_json=as_json, config=loaded, chain=chosen_chain(loaded, chain))
