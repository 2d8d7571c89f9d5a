"""`headrace release`."""

from typing import Annotated

import typer

from headrace.app.cli.deferred import perform
from headrace.app.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile
from headrace.app.config.load import load_config


def release(
    config: ConfigFile = DEFAULT_CONFIG,
    by: Annotated[str, typer.Option("--by", help="Who looked into it and releases; kept in the journal.")] = "",
    as_json: AsJson = False,
) -> None:
    """Release a halted account, after a person looked into why; without --by the causes are shown and nothing is done.

    The agent must not be running. The day's losses count from zero again.
    """
    perform("headrace.app.release:release", as_json=as_json, config=load_config(config), by=by)
