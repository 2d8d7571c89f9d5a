"""`headrace pending`: a short watch of what others are about to swap."""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from headrace.adapters.chains.evm.options import EvmOptions
from headrace.adapters.mempools.calldata.decoder import decode_call
from headrace.adapters.mempools.node.mempool import NodeMempool
from headrace.app.clock import SystemClock
from headrace.app.config.tree import Config
from headrace.app.places import Places, Report, open_places
from headrace.model.address import Address, ChainId, Hash32, PoolId
from headrace.model.event import Announcement
from headrace.model.pending import PendingTransaction, Visibility
from headrace.model.swap_call import DecodedCall, SwapCall
from headrace.model.token import decimal_text
from headrace.pipeline.pending.competition import PoolIndex
from headrace.pipeline.pending.pending_set import PendingSet
from headrace.pipeline.pending.watch import PendingWatch
from headrace.ports.mempool import FeedCounters, Hidden

if TYPE_CHECKING:
    from rich.console import Console

_SHOWN = 40
_NAMES_SHOWN = 8
_NAME_OF_POOL = 10
_KEPT = 1000
_DECIMALS_SHOWN = 8


class PendingRow(msgspec.Struct, frozen=True):
    """One swap of an announced transaction; amounts are those of the calldata: given where exact, else limits.

    `path` holds token symbols (or addresses, or "?" where the calldata names none) and `pools` the configured pools it
    goes through, certainly or, with `is_certain` false, possibly.
    """

    tx_hash: Hash32
    is_pending: bool
    sender: Address
    via: Address
    function: str
    path: tuple[str, ...]
    is_exact_in: bool
    amount_in_wei: int | None
    amount_out_wei: int | None
    amount_in_text: str
    amount_out_text: str
    deadline: int | None
    pools: tuple[PoolId, ...]
    is_certain: bool


class PendingReport(msgspec.Struct, frozen=True):
    """What was seen; where a chain hides it, `hidden_because` says so and every count is zero for that reason alone.

    `swaps` are those announced while it listened, still pending or not, at most the newest thousand; `removed` counts
    what left the set and `undecoded` what was not read, the most frequent first.
    """

    chain: str
    is_hidden: bool
    hidden_because: str
    caveats: tuple[str, ...]
    seconds: float
    pending: int
    swaps: tuple[PendingRow, ...]
    feed: FeedCounters
    taken: dict[str, int]
    removed: dict[str, int]
    flawed: int
    gaps: int
    undecoded: dict[str, int]


def watch(*, report: Report, config: Config, chain: str, seconds: float) -> PendingReport:
    """Listen for `seconds` to the chain's node, reading nothing but what it announces.

    Raises:
        HeadraceError: the node or the configuration failed.
    """
    section = config.chains[chain]
    visibility = section.visibility
    if not visibility.is_visible:
        return _hidden(chain, visibility, visibility.hidden_because)
    return asyncio.run(_watch(report, config, chain, seconds, visibility))


def render(result: object, console: "Console") -> None:
    """The swaps, what could not be read, and what cannot be seen."""
    assert isinstance(result, PendingReport)
    if result.is_hidden:
        console.print(f"pending transactions of {result.chain} are hidden: {result.hidden_because}", soft_wrap=True)
        return
    if result.swaps:
        _print_table(result, console)
    more = f"; {len(result.swaps) - _SHOWN} more with --json" if len(result.swaps) > _SHOWN else ""
    console.print(
        f"{result.chain}: {result.pending} pending now, {result.feed.announced} announced in {result.seconds:g} s,"
        f" {len(result.swaps)} swaps seen{more}",
        highlight=False,
    )
    removed = ", ".join(f"{count} {name}" for name, count in result.removed.items())
    console.print(f"gone since: {removed}; dropped unread: {result.feed.dropped}", highlight=False)
    unread = ", ".join(f"{name} {count}x" for name, count in list(result.undecoded.items())[:_NAMES_SHOWN])
    console.print(f"not decoded: {unread or 'nothing'}; malformed: {result.feed.malformed + result.flawed}")
    for caveat in result.caveats:
        console.print(f"not seen: {caveat}", soft_wrap=True, highlight=False)


def _print_table(result: PendingReport, console: "Console") -> None:
    from rich.table import Table  # noqa: PLC0415 - `--json` draws no table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("transaction", "", "path", "pays", "gets", "function", "pools"):
        table.add_column(name, overflow="fold")
    for row in result.swaps[:_SHOWN]:
        paid = row.amount_in_text if row.is_exact_in else f"<= {row.amount_in_text}"
        got = f">= {row.amount_out_text}" if row.is_exact_in else row.amount_out_text
        pools = ", ".join(pool[:_NAME_OF_POOL] for pool in row.pools)
        where = pools if row.is_certain or not pools else f"perhaps {pools}"
        name = row.function.partition("(")[0]
        state = "pending" if row.is_pending else "gone"
        table.add_row(
            row.tx_hash[:_NAME_OF_POOL], state, " > ".join(row.path), paid, got, name, where or "not configured"
        )
    console.print(table)


async def _watch(report: Report, config: Config, chain: str, seconds: float, visibility: Visibility) -> PendingReport:
    async with open_places(config, chain, report) as places:
        section = config.chains[chain]
        options = EvmOptions(url=section.rpc.reveal(), chain_id=ChainId(section.chain_id))
        mempool = NodeMempool(options, SystemClock(), visibility)
        seen = _Seen()
        index = pool_index(places, chain)
        watched = PendingWatch(mempool, seen.decode, index, (await places.chain.head()).number)
        report(f"listening for {seconds:g} s")
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await _listen(watched, places)
        finally:
            await mempool.close()
        if isinstance(watched.pending, Hidden):
            return _hidden(chain, visibility, watched.pending.why)
        rows = tuple(seen.rows(places, index, watched.pending))
        return msgspec.structs.replace(
            _counted(watched, watched.pending, mempool), chain=chain, seconds=seconds, swaps=rows
        )


class _Seen:
    """Reads calldata and keeps what it found, the newest."""

    def __init__(self) -> None:
        self._calls: deque[tuple[PendingTransaction, DecodedCall]] = deque(maxlen=_KEPT)

    def decode(self, transaction: PendingTransaction) -> DecodedCall:
        call = decode_call(transaction)
        if call.swaps:
            self._calls.append((msgspec.structs.replace(transaction, data=b""), call))
        return call

    def rows(self, places: Places, index: PoolIndex, pending: PendingSet) -> Iterator[PendingRow]:
        for transaction, call in self._calls:
            for swap in call.swaps:
                yield _row(places, index, swap, (transaction, transaction.hash in pending))


async def _listen(watched: PendingWatch, places: Places) -> None:
    """Both loops, until the transactions end."""
    blocks = asyncio.create_task(_follow_blocks(watched, places))
    try:
        await watched.follow_transactions()
    finally:
        blocks.cancel()
        with suppress(asyncio.CancelledError):
            await blocks


async def _follow_blocks(watched: PendingWatch, places: Places) -> None:
    async for event in places.chain.events():
        if isinstance(event, Announcement):
            await watched.on_head(event.number)


def _hidden(chain: str, visibility: Visibility, why: str) -> PendingReport:
    return PendingReport(
        chain=chain,
        is_hidden=True,
        hidden_because=why,
        caveats=visibility.caveats,
        seconds=0,
        pending=0,
        swaps=(),
        feed=FeedCounters(),
        taken={},
        removed={},
        flawed=0,
        gaps=0,
        undecoded={},
    )


def _counted(watched: PendingWatch, pending: PendingSet, mempool: NodeMempool) -> PendingReport:
    counters = pending.counters
    return PendingReport(
        chain="",
        is_hidden=False,
        hidden_because="",
        caveats=mempool.visibility.caveats,
        seconds=0,
        pending=len(pending),
        swaps=(),
        feed=mempool.counters,
        taken={str(name): count for name, count in counters.taken.items()},
        removed={
            "mined": counters.mined,
            "superseded": counters.superseded,
            "expired": counters.expired,
            "evicted": counters.evicted,
        },
        flawed=counters.flawed,
        gaps=watched.gaps,
        undecoded=dict(counters.undecoded.most_common()),
    )


def pool_index(places: Places, chain: str) -> PoolIndex:
    """The configured pools of a chain, found by what calldata says about them."""
    venues = places.config.protocols[chain]
    routers = {venue.router: name for name, venue in venues.items() if venue.router is not None}
    return PoolIndex(places.pools, routers, places.config.chains[chain].wrapped_native_address)


def _row(places: Places, index: PoolIndex, swap: SwapCall, announced: tuple[PendingTransaction, bool]) -> PendingRow:
    transaction, is_pending = announced
    touches = index.touches(swap)
    token_in, token_out = swap.hops[0].token_in, swap.hops[-1].token_out
    if touches and (token_in is None or token_out is None):
        token_in, token_out = touches[0].token_in, touches[-1].token_out
    middle = tuple(hop.token_out for hop in swap.hops[:-1])
    return PendingRow(
        tx_hash=transaction.hash,
        is_pending=is_pending,
        sender=transaction.sender,
        via=swap.via,
        function=swap.function,
        path=tuple(_symbol(places, token) for token in (token_in, *middle, token_out)),
        is_exact_in=swap.is_exact_in,
        amount_in_wei=swap.amount_in_units,
        amount_out_wei=swap.amount_out_units,
        amount_in_text=_amount(places, token_in, swap.amount_in_units),
        amount_out_text=_amount(places, token_out, swap.amount_out_units),
        deadline=swap.deadline,
        pools=tuple(dict.fromkeys(touch.pool for touch in touches)),
        is_certain=bool(touches) and all(touch.is_certain for touch in touches),
    )


def _symbol(places: Places, token: Address | None) -> str:
    known = None if token is None else places.tokens.get(token)
    return known.symbol if known is not None else token or "?"


def _amount(places: Places, token: Address | None, units: int | None) -> str:
    if units is None:
        return "?"
    known = None if token is None else places.tokens.get(token)
    if known is None:
        return f"{units} units"
    whole, _, fraction = decimal_text(units, known.decimals).partition(".")
    return f"{whole}.{fraction[:_DECIMALS_SHOWN]} {known.symbol}" if fraction else f"{whole} {known.symbol}"
