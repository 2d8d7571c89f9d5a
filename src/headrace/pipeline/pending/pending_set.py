"""The transactions that are believed to be pending: each once, the newest of its nonce, until mined or too old.

A pure fold: what is announced and what blocks hold goes in, nothing is asked. Memory is bounded: the oldest give way
when it is full, and calldata is not kept, only what was read of it.

Which pools a transaction may touch is asked once, when it comes, so that those of a few pools are found without a walk
over all of them.

A transaction leaves when a block holds it, when a block holds another of its sender with the same or a later nonce,
when it is replaced, or when it was first seen more than `age_blocks_max` blocks ago: nodes drop transactions without
saying so, and a set that forgets nothing would count competitors that are long gone. After a reorg nodes announce again
what came back; it is taken up as new.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from enum import StrEnum

import msgspec

from headrace.model.address import Address, Hash32, PoolId
from headrace.model.pending import MinedTransaction, PendingTransaction
from headrace.model.swap_call import DecodedCall

PoolsOf = Callable[[DecodedCall], Collection[PoolId]]
_FORGOTTEN = "other"


class PendingLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How much is remembered.

    Attributes:
        transactions_max: beyond it the oldest give way.
        age_blocks_max: blocks after which a transaction that was not mined is no longer believed in.
        senders_max: senders whose last mined nonce is remembered, so that late announcements are recognised.
        names_max: different undecoded selectors and commands that are counted apart; the rest is counted together.
    """

    transactions_max: int = 10_000
    age_blocks_max: int = 25
    senders_max: int = 20_000
    names_max: int = 500


class PendingEntry(msgspec.Struct, frozen=True):
    """One pending transaction, its calldata read; fees are per gas, `seen_block` was the head when it came."""

    hash: Hash32
    sender: Address
    nonce: int
    to: Address | None
    max_fee_wei: int
    priority_fee_wei: int
    seen_block: int
    call: DecodedCall


class Taken(StrEnum):
    """What became of an announced transaction."""

    NEW = "new"
    REPLACING = "replacing"  # another of the same sender and nonce, which offered less
    KNOWN = "known"  # announced before
    UNDERPRICED = "underpriced"  # the one of that nonce that is held offers more
    MINED = "mined"  # its nonce has been used already


class PendingCounters(msgspec.Struct):
    """What has happened to the set since the start.

    Attributes:
        taken: announced transactions by what became of them.
        mined: left because a block holds them.
        superseded: left because a block holds another of their sender's, of that nonce or a later one.
        expired: left because of their age.
        evicted: left because the set was full.
        flawed: of known functions, with calldata that cannot be theirs.
        undecoded: what was not read, by selector or command.
    """

    taken: Counter[Taken] = msgspec.field(default_factory=Counter)
    mined: int = 0
    superseded: int = 0
    expired: int = 0
    evicted: int = 0
    flawed: int = 0
    undecoded: Counter[str] = msgspec.field(default_factory=Counter)


class PendingSet:
    """For one writer. Iterating gives the entries, the oldest first; `pools_of` says which pools a call may touch."""

    def __init__(
        self, head_number: int, limits: PendingLimits | None = None, pools_of: PoolsOf = lambda _call: ()
    ) -> None:
        self._limits = limits or PendingLimits()
        self._pools_of = pools_of
        self._by_pool: dict[PoolId, dict[Hash32, PendingEntry]] = {}
        self._head = head_number
        self._entries: OrderedDict[Hash32, PendingEntry] = OrderedDict()
        self._by_sender: dict[Address, dict[int, Hash32]] = {}
        self._next_nonce: OrderedDict[Address, int] = OrderedDict()
        self.counters = PendingCounters()

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[PendingEntry]:
        return iter(tuple(self._entries.values()))

    def __contains__(self, transaction: Hash32) -> bool:
        return transaction in self._entries

    def touching(self, pools: Iterable[PoolId]) -> tuple[PendingEntry, ...]:
        """The entries that may touch any of the pools, each once, in no order; others cost it nothing."""
        found: dict[Hash32, PendingEntry] = {}
        for pool in pools:
            found |= self._by_pool.get(pool, {})
        return tuple(found.values())

    def has_seen(self, transaction: PendingTransaction) -> bool:
        """Whether adding it would say KNOWN or MINED, so that nobody reads its calldata for nothing."""
        return transaction.hash in self._entries or self._is_used(transaction)

    def add(self, transaction: PendingTransaction, call: DecodedCall) -> Taken:
        """Take up an announced transaction, with what was read of its calldata."""
        taken = self._judge(transaction)
        self.counters.taken[taken] += 1
        if taken in {Taken.NEW, Taken.REPLACING}:
            self._insert(transaction, call)
        return taken

    def apply_block(self, number: int, mined: Sequence[MinedTransaction]) -> None:
        """A block of the canonical chain; one that is not above the last is a reorg, and used nonces are forgotten."""
        if number <= self._head:
            self._next_nonce.clear()
        self._head = number
        for transaction in mined:
            self._use(transaction)
        oldest_block = number - self._limits.age_blocks_max
        while self._entries and (first := next(iter(self._entries.values()))).seen_block < oldest_block:
            self._remove(first.hash)
            self.counters.expired += 1

    def _judge(self, transaction: PendingTransaction) -> Taken:
        if transaction.hash in self._entries:
            return Taken.KNOWN
        if self._is_used(transaction):
            return Taken.MINED
        held = self._by_sender.get(transaction.sender, {}).get(transaction.nonce)
        if held is None:
            return Taken.NEW
        return Taken.REPLACING if _outbids(transaction, self._entries[held]) else Taken.UNDERPRICED

    def _is_used(self, transaction: PendingTransaction) -> bool:
        return transaction.nonce < self._next_nonce.get(transaction.sender, 0)

    def _insert(self, transaction: PendingTransaction, call: DecodedCall) -> None:
        held = self._by_sender.get(transaction.sender, {}).get(transaction.nonce)
        if held is not None:
            self._remove(held)
        entry = self._entries[transaction.hash] = PendingEntry(
            hash=transaction.hash,
            sender=transaction.sender,
            nonce=transaction.nonce,
            to=transaction.to,
            max_fee_wei=transaction.max_fee_wei,
            priority_fee_wei=transaction.priority_fee_wei,
            seen_block=self._head,
            call=call,
        )
        self._by_sender.setdefault(transaction.sender, {})[transaction.nonce] = transaction.hash
        for pool in self._pools_of(call):
            self._by_pool.setdefault(pool, {})[transaction.hash] = entry
        self._count(call)
        if len(self._entries) > self._limits.transactions_max:
            self._remove(next(iter(self._entries)))
            self.counters.evicted += 1

    def _use(self, mined: MinedTransaction) -> None:
        known = self._next_nonce.pop(mined.sender, 0)
        self._next_nonce[mined.sender] = max(known, mined.nonce + 1)
        if len(self._next_nonce) > self._limits.senders_max:
            self._next_nonce.popitem(last=False)
        for nonce, held in sorted(self._by_sender.get(mined.sender, {}).items()):
            if nonce <= mined.nonce:
                self._remove(held)
                self.counters.mined += held == mined.hash
                self.counters.superseded += held != mined.hash

    def _remove(self, transaction: Hash32) -> None:
        entry = self._entries.pop(transaction)
        of_sender = self._by_sender[entry.sender]
        del of_sender[entry.nonce]
        if not of_sender:
            del self._by_sender[entry.sender]
        for pool in self._pools_of(entry.call):
            of_pool = self._by_pool[pool]
            del of_pool[transaction]
            if not of_pool:
                del self._by_pool[pool]

    def _count(self, call: DecodedCall) -> None:
        self.counters.flawed += bool(call.flaw)
        counts = self.counters.undecoded
        for name in call.undecoded:
            counts[name if name in counts or len(counts) < self._limits.names_max else _FORGOTTEN] += 1


def _outbids(newcomer: PendingTransaction, held: PendingEntry) -> bool:
    """Whether a node would have let it replace the other: nodes want a share more of both fees, how much is theirs."""
    return newcomer.max_fee_wei > held.max_fee_wei and newcomer.priority_fee_wei >= held.priority_fee_wei
