"""`headrace quote`."""

from pathlib import Path
from typing import Annotated

import typer

from headrace.app.cli.chosen_chain import chosen_chain, chosen_token
from headrace.app.cli.deferred import perform
from headrace.app.cli.options import DEFAULT_CONFIG, AsJson, ChainName, ConfigFile
from headrace.app.config.load import load_config
from headrace.app.quote_request import QuoteRequest, checked_amount, moves_of, require_two_tokens


def quote(
    *,
    token_in: Annotated[str, typer.Option(help="What is sold: a symbol, or an address.")],
    token_out: Annotated[str, typer.Option(help="What is bought.")],
    amount: Annotated[str, typer.Option(help="How many whole tokens are sold, as a decimal number: 1.5")],
    depth: Annotated[
        list[str] | None,
        typer.Option(
            help="Also show prices, what the swap does to them, and how much can be sold until each pool's price has"
            " fallen by this much: 50bps or 0.5%. May be given several times."
        ),
    ] = None,
    snapshot: Annotated[
        Path | None, typer.Option("--snapshot", help="Quote on this market file, without a configuration or a node.")
    ] = None,
    config: ConfigFile = DEFAULT_CONFIG,
    chain: ChainName = "",
    as_json: AsJson = False,
) -> None:
    """Quote one swap on every venue, exactly as its contract would pay now; exit code 1 if every venue refuses it."""
    request = QuoteRequest(token_in, token_out, checked_amount(amount), moves_of(depth or []))
    if snapshot is not None:
        work = "headrace.app.market.quoting:quote_snapshot"
        perform(work, as_json=as_json, snapshot=snapshot, request=request)
        return
    loaded = load_config(config)
    name = chosen_chain(loaded, chain)
    tokens = chosen_token(loaded.chains[name], token_in), chosen_token(loaded.chains[name], token_out)
    require_two_tokens(*tokens)
    perform("headrace.app.quote:quote", as_json=as_json, config=loaded, chain=name, tokens=tokens, request=request)
