"""`headrace quote --snapshot`: one swap on every pool of a market file, without any node."""

from pathlib import Path
from typing import TYPE_CHECKING

from headrace.adapters.market_files.market_file import MarketFile
from headrace.adapters.market_files.reader import read_market
from headrace.app.config.exact import scaled_integer
from headrace.app.config.suggest import did_you_mean
from headrace.app.depth import Sale
from headrace.app.dexes import every_dex
from headrace.app.places import Report
from headrace.app.quote import QuoteReport, exit_code_of, quoted
from headrace.app.quote import render as render_quotes
from headrace.app.quote_request import QuoteRequest, require_two_tokens
from headrace.errors import ConfigError, UsageError
from headrace.model.address import parse_address
from headrace.model.token import Token
from headrace.pipeline.market.screen import Screen

if TYPE_CHECKING:
    from rich.console import Console


def quote_snapshot(*, report: Report, snapshot: Path, request: QuoteRequest) -> QuoteReport:
    """Quote so many whole tokens (units, where the file does not tell the decimals) on every pool of both tokens.

    Raises:
        UsageError: the file has no such token, several of one symbol, or no pool of both; or both are one.
        MarketFileError: the file cannot be used as a whole.
    """
    dexes = every_dex()
    report(f"reading {snapshot}")
    market = read_market(snapshot, dexes)
    first, second = _token(market, request.token_in), _token(market, request.token_out)
    require_two_tokens(first.address, second.address)
    sale = Sale(first, second, scaled_integer(request.amount, first.decimals, "--amount"), market.context)
    wanted = {first.address, second.address}
    doubts = Screen(market.pools, dexes).screened(market.snapshot()).quarantined
    rows = [
        quoted(dexes[state.pool.protocol], state, sale, request.moves_pips, _doubted(doubts.get(at, "")))
        for at, state in enumerate(market.states)
        if wanted <= set(state.pool.tokens)
    ]
    if not rows:
        raise UsageError(f"no pool of {snapshot} trades {first.symbol} for {second.symbol}")
    return QuoteReport(
        chain=f"chain {market.chain_id}",
        block=market.header.number,
        token_in=first,
        token_out=second,
        amount_in_wei=sale.amount_in_wei,
        venues=tuple(sorted(rows, key=lambda row: (-(row.amount_out_wei or 0), row.pool))),
        exit_code=exit_code_of(rows),
        left_out=tuple(str(one) for one in market.left_out),
    )


def render(result: object, console: "Console") -> None:
    """As `headrace quote`."""
    render_quotes(result, console)


def _doubted(why: str) -> str:
    return f"not believed: {why}" if why else ""


def _token(market: MarketFile, text: str) -> Token:
    if text.startswith("0x"):
        try:
            found = market.tokens.get(parse_address(text))
        except ConfigError as error:
            raise UsageError(str(error)) from error
        if found is None:
            raise UsageError(f"no pool of the file has token {text}")
        return found
    named = [token for token in market.tokens.values() if token.symbol == text]
    if len(named) > 1:
        addresses = ", ".join(sorted(token.address for token in named))
        raise UsageError(f"{len(named)} tokens of the file call themselves {text}: name one by address: {addresses}")
    if not named:
        hint = did_you_mean(text, {token.symbol for token in market.tokens.values()})
        raise UsageError(f"the file has no token {text!r}{hint or '; name it by address'}")
    return named[0]
