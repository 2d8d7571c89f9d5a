"""`headrace quote`."""

from pathlib import Path
from typing import Annotated

import typer

from headrace.app.cli.chosen_chain import chosen_chain, chosen_token
from headrace.app.cli.deferred import perform
from headrace.app.cli.options import DEFAULT_CONFIG, AsJson, ChainName, ConfigFile
from headrace.app.config.exact import scaled_integer
from headrace.app.config.load import load_config
from headrace.errors import ConfigError, UsageError

_DECIMALS_MAX = 36


def quote(
    *,
    token_in: Annotated[str, typer.Option(help="What is sold: a symbol, or an address.")],
    token_out: Annotated[str, typer.Option(help="What is bought.")],
    amount: Annotated[str, typer.Option(help="How many whole tokens are sold, as a decimal number: 1.5")],
    snapshot: Annotated[
        Path | None, typer.Option("--snapshot", help="Quote on this market file, without a configuration or a node.")
    ] = None,
    config: ConfigFile = DEFAULT_CONFIG,
    chain: ChainName = "",
    as_json: AsJson = False,
) -> None:
    """Quote one swap on every venue, exactly as its contract would pay now."""
    _require_amount(amount)
    if snapshot is not None:
        perform(
            "headrace.app.market.quoting:quote_snapshot",
            as_json=as_json,
            snapshot=snapshot,
            token_in=token_in,
            token_out=token_out,
            amount=amount,
        )
        return
    loaded = load_config(config)
    name = chosen_chain(loaded, chain)
    tokens = loaded.chains[name]
    perform(
        "headrace.app.quote:quote",
        as_json=as_json,
        config=loaded,
        chain=name,
        token_in=chosen_token(tokens, token_in),
        token_out=chosen_token(tokens, token_out),
        amount=amount,
    )


def _require_amount(text: str) -> None:
    try:
        scaled = scaled_integer(text, _DECIMALS_MAX, "--amount")
    except ConfigError as error:
        raise UsageError(str(error)) from error
    if scaled == 0:
        raise UsageError("--amount: nothing is sold: give an amount above 0")
