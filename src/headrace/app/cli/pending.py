"""`headrace pending`."""

from typing import Annotated

import typer

from headrace.app.cli.chosen_chain import chosen_chain
from headrace.app.cli.deferred import perform
from headrace.app.cli.options import DEFAULT_CONFIG, AsJson, ChainName, ConfigFile
from headrace.app.config.load import load_config

_DEFAULT_SECONDS = 15.0


def pending(
    config: ConfigFile = DEFAULT_CONFIG,
    chain: ChainName = "",
    seconds: Annotated[
        float, typer.Option(min=0.1, max=86_400, help="How long to listen to the node.")
    ] = _DEFAULT_SECONDS,
    as_json: AsJson = False,
) -> None:
    """Listen to pending transactions and show the swaps in them; says so where a chain hides them."""
    loaded = load_config(config)
    perform(
        "headrace.app.pending:watch",
        as_json=as_json,
        config=loaded,
        chain=chosen_chain(loaded, chain),
        seconds=seconds,
    )
