"""`headrace quote`: one swap on every venue, exactly as its contract would pay in the next block."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from headrace.app.config.exact import scaled_integer
from headrace.app.config.tree import Config
from headrace.app.depth import Prices, Sale, prices_of
from headrace.app.depth_table import depth_table
from headrace.app.places import Places, Report, open_places
from headrace.app.quote_request import QuoteRequest
from headrace.errors import UnquotableError, UsageError
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.block import next_block
from headrace.model.pool import Pool
from headrace.model.proof import Proof
from headrace.model.token import Amount, Token
from headrace.ports.pool import DEX, PoolState

if TYPE_CHECKING:
    from rich.console import Console

_MS_PER_SECOND = 1000
_BPS = 10_000
_NOBODY_PAYS = 1


class QuoteRow(msgspec.Struct, frozen=True):
    """What one pool pays, to the unit; `refusal` says why one gives no quote.

    `proof` says how it is known to be right, `note` why the pool is not to be believed all the same; `prices` stand
    where depths were asked for and the pool has a price.
    """

    venue: str
    pool: PoolId
    amount_out_wei: int | None
    refusal: str
    proof: Proof
    note: str = ""
    prices: Prices | None = None


class QuoteReport(msgspec.Struct, frozen=True):
    """All venues, the best first; `left_out` says which lines of a market file are not used, and why.

    The exit code is 1 where no venue takes the swap.
    """

    chain: str
    block: int
    token_in: Token
    token_out: Token
    amount_in_wei: int
    venues: tuple[QuoteRow, ...]
    left_out: tuple[str, ...] = ()
    exit_code: int = 0


def quote(
    *, report: Report, config: Config, chain: str, tokens: tuple[Address, Address], request: QuoteRequest
) -> QuoteReport:
    """Quote the requested amount of the first of `tokens` for the second on every configured pool of both.

    Raises:
        UsageError: no configured pool has both tokens, or the amount has more decimals than the token.
        HeadraceError: the node or the configuration failed.
    """
    return asyncio.run(_quote(report, config, chain, tokens, request))


def exit_code_of(rows: Sequence[QuoteRow]) -> int:
    """0 where a venue pays, 1 where every one refuses."""
    return 0 if any(row.amount_out_wei is not None for row in rows) else _NOBODY_PAYS


def quoted(dex: DEX, state: PoolState, sale: Sale, moves_pips: tuple[int, ...], note: str = "") -> QuoteRow:
    """One pool's row; `note` is kept where it pays."""
    out, refusal = None, ""
    try:
        out = dex.quote_out(state, sale.token_in.address, sale.token_out.address, sale.amount_in_wei, sale.at)
    except UnquotableError as error:
        refusal, note = error.why, ""
    prices = prices_of(dex, state, sale, out, moves_pips) if moves_pips else None
    return QuoteRow(state.pool.venue, state.pool.id, out, refusal, dex.proof_of(state), note, prices)


def render(result: object, console: "Console") -> None:
    """The table, the best venue first, and how far each is from it."""
    from rich.table import Table  # noqa: PLC0415 - `--json` draws no table

    assert isinstance(result, QuoteReport)
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("venue")
    table.add_column("pool", overflow="fold")
    table.add_column(f"for {Amount(result.token_in, result.amount_in_wei)}", justify="right")
    table.add_column("below the best", justify="right")
    table.add_column("proof")
    table.add_column("")
    best = max((row.amount_out_wei or 0 for row in result.venues), default=0)
    for row in result.venues:
        out = row.amount_out_wei
        amount = "" if out is None else str(Amount(result.token_out, out))
        behind = "" if out is None or not best else f"{(best - out) * _BPS // best} bps"
        table.add_row(row.venue, row.pool, amount, behind, row.proof.value, row.refusal or row.note)
    console.print(table)
    priced = [(row.venue, row.pool, row.prices) for row in result.venues if row.prices is not None]
    if priced:
        console.print()
        console.print(depth_table(result.token_in, result.token_out, priced))
    for line in result.left_out:
        console.print(line, highlight=False, markup=False)
    if result.exit_code:
        console.print("no venue takes this swap: each one says why", highlight=False)
    console.print(f"exact at block {result.block} of {result.chain}", highlight=False)


async def _quote(
    report: Report, config: Config, chain: str, tokens: tuple[Address, Address], request: QuoteRequest
) -> QuoteReport:
    async with open_places(config, chain, report) as places:
        token_in, token_out = (_token(places, address) for address in tokens)
        units = scaled_integer(request.amount, token_in.decimals, "--amount")
        pools = [pool for pool in places.pools if set(tokens) <= set(pool.tokens)]
        if not pools:
            raise UsageError(f"no configured pool trades {token_in.symbol} for {token_out.symbol}")
        report(f"quoting {len(pools)} pools")
        head = await places.chain.head()
        section = config.chains[chain]
        at = next_block(head, max(section.block_time_ms // _MS_PER_SECOND, 1), section.rules.base_fee)
        states = await _read(places, pools, head.hash)
        sale = Sale(token_in, token_out, units, at)
        rows = [quoted(places.dexes[state.pool.protocol], state, sale, request.moves_pips) for state in states]
        return QuoteReport(
            chain=chain,
            block=head.number,
            token_in=token_in,
            token_out=token_out,
            amount_in_wei=units,
            venues=tuple(sorted(rows, key=lambda row: (-(row.amount_out_wei or 0), row.pool))),
            exit_code=exit_code_of(rows),
        )


async def _read(places: Places, pools: list[Pool], block: Hash32) -> list[PoolState]:
    states: list[PoolState] = []
    for protocol, dex in places.dexes.items():
        mine = [pool for pool in pools if pool.protocol == protocol]
        if mine:
            states += await dex.read(places.chain, mine, block)
    return states


def _token(places: Places, address: Address) -> Token:
    token = places.tokens.get(address)
    if token is None:
        raise UsageError(f"token {address} is in no configured pool of this chain")
    return token
