"""Who else is about to trade where we do: the pending swaps of others, beside the trading and never in its way.

Nothing here decides anything, and trading waits for none of it. A loop of its own takes up what the node announces, on
a connection of its own; another takes out what a block holds, which is asked for when the sends of that block have been
answered, and only then are rivals counted: what the block has just mined competes with nobody any more.

A node that fails is asked again for as long as the run lasts, and until it has answered nothing is known, which is not
the same as nobody. What ends for good (the node hides them, serves another chain, or a bug) is logged once.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import structlog

from headrace.adapters.chains.evm.options import EvmOptions
from headrace.adapters.mempools.calldata.decoder import decode_call
from headrace.adapters.mempools.node.mempool import NodeMempool
from headrace.app.clock import SystemClock
from headrace.app.pending import pool_index
from headrace.app.places import Places
from headrace.model.address import Address, ChainId
from headrace.model.pending import PendingTransaction, RivalCounts
from headrace.model.route import Route
from headrace.model.swap_call import NOTHING_CALLED, DecodedCall
from headrace.pipeline.pending.watch import PendingWatch
from headrace.ports.mempool import CallDecoder, Hidden

log = structlog.get_logger("headrace")
_LAST_BLOCK_SECONDS_MAX = 1.0  # what the last block of a run may be waited for


class Rivals:
    """What is known of others; `follow` and `follow_blocks` are for tasks of their own."""

    def __init__(self, watch: PendingWatch) -> None:
        """Know nothing yet."""
        self._watch = watch
        self._asked: tuple[int, Callable[[], None]] | None = None
        self._wanted, self._idle = asyncio.Event(), asyncio.Event()
        self._idle.set()
        self._is_settled = self._is_over = False
        self._is_heard = True

    @property
    def listened_seconds(self) -> float:
        """How long the node has announced without a gap; 0 while it does not."""
        return self._watch.listened_seconds

    def counts(self, route: Route) -> RivalCounts | None:
        """Those that touch a route's pools; None, and never a zero instead, while that is not known."""
        found = self._watch.competition(route)
        is_known = self._is_settled and not self._is_over and self._watch.listening.is_set()
        if isinstance(found, Hidden) or not is_known:
            return None
        return RivalCounts(found.certain, found.transactions - found.certain, round(self.listened_seconds, 3))

    async def settle(self, number: int) -> None:
        """Take out what the blocks up to this one hold; where the node fails, nothing is known until the next."""
        self._is_settled = await self._watch.on_head(number)

    def after_block(self, number: int, then: Callable[[], None]) -> None:
        """Settle a block and call `then`, later: this returns at once. A newer block takes the place of one not begun.

        Once nothing will be known any more, nothing is called.
        """
        if self._is_over:
            return
        self._asked = (number, then)
        self._idle.clear()
        self._wanted.set()

    async def last_block(self) -> None:
        """Wait until the newest block has been settled, for a second at most."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), _LAST_BLOCK_SECONDS_MAX)

    async def follow(self) -> None:
        """Take up what is announced."""
        await self._watch.follow_transactions()

    async def follow_blocks(self) -> None:
        """Do what `after_block` is asked for."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            assert self._asked is not None, "a block comes with the wish"
            number, then = self._asked
            await self.settle(number)
            self._tell_of_silence()
            then()
            if not self._wanted.is_set():
                self._idle.set()

    def ended(self, task: asyncio.Task[None]) -> None:
        """Say once why nothing will be known any more; trading goes on."""
        if task.cancelled():
            return
        pending, error = self._watch.pending, task.exception()
        why = pending.why if isinstance(pending, Hidden) else repr(error)
        log.warning("rivals not followed any more", why=why)
        self._is_over = True
        self._idle.set()

    def _tell_of_silence(self) -> None:
        is_heard = self._watch.listening.is_set()
        if is_heard != self._is_heard:
            log.warning("rivals known again" if is_heard else "rivals not known: the node announces nothing")
        self._is_heard = is_heard


@asynccontextmanager
async def open_rivals(places: Places, chain_name: str) -> AsyncIterator[Rivals | None]:
    """Follow a chain's pending transactions while the context lasts; None where the configuration does not say so.

    Raises:
        ChainError: the node does not tell its head.
    """
    section = places.config.chains[chain_name]
    if not section.follow_pending:
        yield None
        return
    options = EvmOptions(url=section.rpc.reveal(), chain_id=ChainId(section.chain_id))
    mempool = NodeMempool(options, SystemClock(), section.visibility)
    ours = None if places.config.wallet is None else places.config.wallet.address
    head = await places.chain.head()
    watch = PendingWatch(mempool, _of_others(ours), pool_index(places, chain_name), head.number)
    rivals = Rivals(watch)
    tasks = [asyncio.create_task(loop()) for loop in (rivals.follow, rivals.follow_blocks)]
    for task in tasks:
        task.add_done_callback(rivals.ended)
    try:
        yield rivals
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)  # what one of them raised has been told
        await mempool.close()
        seen = mempool.counters
        log.info("rivals followed", announced=seen.announced, dropped=seen.dropped, gaps=watch.gaps)


def _of_others(ours: Address | None) -> CallDecoder:
    """A decoder to which our own transactions, which are announced like all others, call nothing."""

    def decode(transaction: PendingTransaction) -> DecodedCall:
        return NOTHING_CALLED if transaction.sender == ours else decode_call(transaction)

    return decode
