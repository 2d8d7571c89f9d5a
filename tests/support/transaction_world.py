"""A model of what transactions live in: a chain with reorgs, a node that loses answers, a disk that forgets.

It is written from the rules of the protocol (one payload per nonce, nonces in order, a base fee), not from our code. A
`Crash` may be raised at every call into it, before or after the call took effect; from then on the process is dead and
every further call raises again.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import msgspec

from headrace.errors import JournalError, NodeTimeoutError, NodeUnreachableError, RpcError
from headrace.model.address import Address, ChainId, Hash32
from headrace.model.block import BlockContext, BlockHeader
from headrace.model.event import Log
from headrace.model.record import PayloadSigned, Record
from headrace.model.transaction import Receipt, SignedTransaction, SimulationResult, UnsignedTransaction
from tests.support.intents import CHAIN_ID, SIGNER, header


class Crash(BaseException):
    """The process dies here."""


class ViolationError(AssertionError):
    """What must never happen, happened."""


class Signed(msgspec.Struct, frozen=True):
    transaction: UnsignedTransaction
    nonce: int
    hash: Hash32

    @property
    def is_cancel(self) -> bool:
        return self.transaction.to == self.transaction.sender

    @property
    def intent_id(self) -> str:
        return self.transaction.data.decode()


class Mined(msgspec.Struct, frozen=True):
    header: BlockHeader
    transactions: tuple[Signed, ...]
    stranger_nonces: int = 0


class Faults(msgspec.Struct, frozen=True):
    """Chances per call or block, in percent."""

    crash: int = 0
    lost_request: int = 0
    lost_answer: int = 0
    late_arrival: int = 0
    refused: int = 0
    read_failed: int = 0
    rerun_failed: int = 0
    doomed: int = 0
    evicted: int = 0
    passed_over: int = 0
    reverted: int = 10
    full_disk: int = 0


CALM = Faults()


class World:
    """Everything outside the process; one object for the whole of a run, over crashes."""

    def __init__(self, seed: int, counts: Counter[str]) -> None:
        self.random = random.Random(seed)
        self.counts = counts
        self.faults = CALM
        self.is_dead = False
        self.blocks = [Mined(header(10), ())]
        self.mempool: dict[Hash32, Signed] = {}
        self.late: list[Signed] = []
        self.signed: dict[Hash32, Signed] = {}
        self.executions_out: dict[str, set[Hash32]] = {}
        self.branch = 0
        self.now = 1_000_000
        self.journal: list[Record] = []
        self.commits = [0]
        self.held: list[Record] = []  # in the memory of the process that lives
        self.durable_count = 0
        self.may_send: Callable[[Hash32], bool] = self.is_durable

    def taken(self, percent: int, name: str) -> bool:
        is_taken = self.random.randrange(100) < percent
        self.counts[name] += is_taken
        return is_taken

    def maybe_crash(self, where: str) -> None:
        if not self.is_dead and self.random.randrange(1000) < self.faults.crash * 10:
            self.counts[f"crash {where}"] += 1
            self.is_dead = True
        if self.is_dead:
            raise Crash(where)

    async def read(self) -> None:
        """The node is asked something."""
        await asyncio.sleep(0)  # others may run while it answers
        self.maybe_crash("reading")
        if self.taken(self.faults.read_failed, "read failed"):
            raise NodeUnreachableError("connection lost")

    def restart(self) -> None:
        """The kernel kept any number of the commits that were never synced, the first ones."""
        self.is_dead = False
        kept = self.random.choice([end for end in self.commits if end >= self.durable_count])
        self.commits = [end for end in self.commits if end <= kept]
        self.counts["tail lost"] += kept < len(self.told)
        self.held = []
        del self.journal[kept:]
        self.durable_count = kept

    @property
    def told(self) -> list[Record]:
        """What the process that lives has appended, written or not."""
        return self.journal + self.held

    def is_durable(self, tx_hash: Hash32) -> bool:
        return any(
            isinstance(record, PayloadSigned) and record.payload.tx_hash == tx_hash
            for record in reversed(self.journal[: self.durable_count])
        )

    @property
    def head(self) -> BlockHeader:
        return self.blocks[-1].header

    def mined(self) -> Iterator[tuple[Mined, int, Signed]]:
        for block in self.blocks:
            for index, transaction in enumerate(block.transactions):
                yield block, index, transaction

    def nonce(self) -> int:
        return sum(len(block.transactions) + block.stranger_nonces for block in self.blocks)

    def arrive(self, transaction: Signed) -> None:
        """Into the mempool, where it replaces another of its nonce only for a tenth more in both fees."""
        rival = next((other for other in self.mempool.values() if other.nonce == transaction.nonce), None)
        if rival is not None and rival.hash != transaction.hash:
            new, old = transaction.transaction, rival.transaction
            is_higher = 10 * new.max_fee_wei >= 11 * old.max_fee_wei
            if not is_higher or 10 * new.priority_fee_wei < 11 * old.priority_fee_wei:
                self.counts["underpriced"] += 1
                raise RpcError("eth_sendRawTransaction", -32000, "replacement transaction underpriced")
            del self.mempool[rival.hash]
            self.counts["replaced"] += 1
        self.mempool[transaction.hash] = transaction

    def mine(self, *, is_stranger: bool = False) -> None:
        late, self.late = self.late, []
        for transaction in late:
            if transaction.nonce >= self.nonce():
                try:
                    self.arrive(transaction)
                    self.counts["arrived late"] += 1
                except RpcError:
                    continue
        for tx_hash in [h for h in self.mempool if self.taken(self.faults.evicted, "evicted")]:
            del self.mempool[tx_hash]
        parent = self.head
        base_fee = self.random.choice([5, 10, 90, 130]) if self.faults is not CALM else 10
        following = header(parent.number + 1, self.branch, base_fee_wei=base_fee)
        following = msgspec.structs.replace(following, parent_hash=parent.hash)
        nonce, chosen = self.nonce() + is_stranger, []
        while (found := self._next(nonce, base_fee)) and not self.taken(self.faults.passed_over, "passed over"):
            chosen.append(found)
            nonce += 1
        self.mempool = {h: t for h, t in self.mempool.items() if t.nonce >= nonce}
        self.blocks.append(Mined(following, tuple(chosen), int(is_stranger)))
        self.now += 2

    def _next(self, nonce: int, base_fee: int) -> Signed | None:
        fitting = (t for t in self.mempool.values() if t.nonce == nonce and t.transaction.max_fee_wei >= base_fee)
        return next(fitting, None)

    def reorg(self, depth: int) -> None:
        """Other blocks take the place of the last `depth`; some of their transactions come back, others do not."""
        self.counts["reorg"] += 1
        self.branch += 1
        kept = len(self.blocks) - depth
        dropped = self.blocks[kept:]
        del self.blocks[kept:]
        for block in dropped:
            for transaction in block.transactions:
                self.counts["taken back"] += 1
                if self.random.random() < 0.5:  # otherwise nobody has it any more but us
                    self.mempool[transaction.hash] = transaction
        for _ in range(depth + 1):
            self.mine()

    def is_success(self, block: Mined, transaction: Signed) -> bool:
        seed = f"{block.header.hash}{transaction.hash}"
        return transaction.is_cancel or random.Random(seed).randrange(100) >= self.faults.reverted


class WorldJournal:
    """The disk, and before it the process's memory: what was appended without a sync may be lost from either."""

    def __init__(self, world: World) -> None:
        self._world = world
        world.held = []  # a new process

    def append(self, records: Sequence[Record], *, is_synced: bool) -> None:
        self._world.maybe_crash("before append")
        if self._world.taken(self._world.faults.full_disk, "disk full"):
            raise JournalError("disk full")
        self._world.held += records
        if is_synced:
            self.flush()
            self._world.maybe_crash("before sync")
            self._world.durable_count = len(self._world.journal)
        self._world.maybe_crash("after append")

    def flush(self) -> None:
        self._world.journal.extend(self._world.held)
        self._world.held = []
        self._world.commits.append(len(self._world.journal))

    def read(self) -> Iterator[Record]:
        self.flush()
        return iter(tuple(self._world.journal))

    def close(self) -> None:
        return


class WorldSigner:
    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def address(self) -> Address:
        return SIGNER.address

    def sign(self, transaction: UnsignedTransaction, nonce: int) -> SignedTransaction:
        self._world.maybe_crash("before sign")
        signed = SIGNER.sign(transaction, nonce)
        self._world.signed[signed.hash] = Signed(transaction, nonce, signed.hash)
        return signed


class WorldChain:
    """The node. Reads are of the moment; sends may be lost, refused, delayed or accepted without an answer."""

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def chain_id(self) -> ChainId:
        return CHAIN_ID

    async def head(self) -> BlockHeader:
        self._world.maybe_crash("reading")
        return self._world.head

    async def header_by_hash(self, block: Hash32) -> BlockHeader | None:
        return next((b.header for b in self._world.blocks if b.header.hash == block), None)

    async def logs(self, block: Hash32) -> tuple[Log, ...]:
        assert block
        return ()

    async def nonce(self, address: Address) -> int:
        assert address == SIGNER.address
        await self._world.read()
        return self._world.nonce()

    async def receipt(self, transaction: Hash32) -> Receipt | None:
        await self._world.read()
        for block, index, mined in self._world.mined():
            if mined.hash == transaction:
                return Receipt(
                    tx_hash=transaction,
                    block_number=block.header.number,
                    block_hash=block.header.hash,
                    tx_index=index,
                    is_success=self._world.is_success(block, mined),
                    gas_used=21_000 if mined.is_cancel else 200_000,
                    gas_price_wei=min(mined.transaction.max_fee_wei, block.header.base_fee_wei + 1),
                    logs=(),
                )
        return None

    async def send(self, transaction: SignedTransaction) -> None:
        world = self._world
        await asyncio.sleep(0)  # others may run while it is on its way
        world.maybe_crash("before send")
        known = world.signed[transaction.hash]
        if not world.may_send(transaction.hash):
            raise ViolationError(f"{transaction.hash} was sent before it was durable")
        if not known.is_cancel:
            out = world.executions_out.setdefault(known.intent_id, set())
            out.add(transaction.hash)
            if len(out) > 1:
                raise ViolationError(f"{known.intent_id}: two executions are out")
        self._deliver(known)
        world.maybe_crash("after send")

    def _deliver(self, transaction: Signed) -> None:
        world = self._world
        if world.taken(world.faults.lost_request, "request lost"):
            raise NodeUnreachableError("connection lost")
        if world.taken(world.faults.late_arrival, "request delayed"):
            world.late.append(transaction)
            raise NodeTimeoutError("no answer")
        if world.taken(world.faults.refused, "refused"):
            raise RpcError("eth_sendRawTransaction", -32000, "txpool is full")
        if transaction.nonce < world.nonce():
            world.counts["nonce too low"] += 1
            raise RpcError("eth_sendRawTransaction", -32000, "nonce too low")
        world.arrive(transaction)
        if world.taken(world.faults.lost_answer, "answer lost"):
            raise NodeTimeoutError("no answer")


class WorldSimulator:
    """Reruns revert. A look at the next block says that others were quicker, as often as `Faults.doomed`."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def replay(self, block: Hash32, transaction: Hash32) -> SimulationResult | None:
        """Single transactions only."""
        del block, transaction
        return None

    async def simulate(self, transaction: UnsignedTransaction, parent: Hash32, at: BlockContext) -> SimulationResult:
        assert transaction.sender
        await self._world.read()
        is_look_ahead = parent == self._world.head.hash
        if not is_look_ahead and self._world.taken(self._world.faults.rerun_failed, "rerun failed"):
            raise NodeTimeoutError("no answer")
        is_doomed = is_look_ahead and self._world.taken(self._world.faults.doomed, "doomed")
        message = "others were quicker" if is_doomed else "reverted in the model"
        return SimulationResult(is_look_ahead and not is_doomed, gas_used=at.number, logs=(), message=message)


class WorldHoldings:
    def held_units(self, token: Address) -> int:
        assert token
        return 1_000


class WorldClock:
    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> int:
        return self._world.now

    def monotonic_ns(self) -> int:
        return self._world.now * 10**9
