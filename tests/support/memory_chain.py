"""A chain in memory that keeps every branch, answers as a node would, and fails on request.

Its contracts are counters: a log of a pool folds its data into the pool's value, so a lost, doubled or swapped log
gives another value. Two events more: one that says nothing of the value, and one of a version that nobody knows, which
changes it in a way of its own. `value_at` is the brute-force oracle: it folds from the first block on, and shares no
code with the market. Receipts roots are made by the code under test, whose own oracle is a real node
(tests/conformance/chain).
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from functools import cache
from types import MappingProxyType

import msgspec
from eth_hash.auto import keccak

from headrace.errors import MalformedLogError, MalformedPoolError, RpcError
from headrace.kernels.shape import ConstantProduct, Shape
from headrace.model.address import ZERO_ADDRESS, Address, ChainId, Hash32, PoolId, keccak_hex
from headrace.model.block import BlockContext, BlockHeader
from headrace.model.codec import JsonValue
from headrace.model.event import Event, Log
from headrace.model.executor_step import SwapStep
from headrace.model.pool import Pool, ProtocolId
from headrace.model.proof import Proof
from headrace.model.receipts import ReceiptOutline, receipts_root
from headrace.model.transaction import Receipt, SignedTransaction
from headrace.ports.chain import Call, Chain
from headrace.ports.pool import PoolState

COUNTED = keccak_hex(b"Counted(uint256)")
MENTIONED = keccak_hex(b"Mentioned(uint256)")
RECOUNTED = keccak_hex(b"Recounted(uint256)")
_FACTORS = {COUNTED: 31, RECOUNTED: 37}
PROTOCOL = ProtocolId("counter")
DRIFT_BLOCKS = 2
LOGS_PER_TRANSACTION = 3
RATE = b"rate"
_MODULUS = 2**61 - 1


def pool_address(index: int) -> Address:
    return Address(f"0x{0xC0FFEE + index:040x}")


def counter_pool(index: int, protocol: ProtocolId = PROTOCOL) -> Pool:
    address = pool_address(index)
    return Pool(PoolId(address), address, protocol, "counters", (pool_address(9_999), pool_address(10_000)))


def tx_hash(block: Hash32, log_index: int) -> Hash32:
    """Three logs that follow each other are of one transaction."""
    return Hash32(f"{block[:-4]}{log_index // LOGS_PER_TRANSACTION:04x}")


def brute_force_bloom(logs: Sequence[Log]) -> bytes:
    """By the yellow paper's words, bit by bit."""
    bloom = bytearray(256)
    for log in logs:
        for item in (log.address, *log.topics):
            digest = _digest(item)
            for pair in (0, 2, 4):
                bit = (digest[pair] << 8 | digest[pair + 1]) % 2048
                bloom[255 - bit // 8] |= 1 << bit % 8
    return bytes(bloom)


@cache
def _digest(item: str) -> bytes:
    return keccak(bytes.fromhex(item[2:]))


class MemoryBlock(msgspec.Struct, frozen=True):
    header: BlockHeader
    logs: tuple[Log, ...]
    outlines: tuple[ReceiptOutline, ...]


class MemoryChain:
    """Implements `headrace.ports.chain.Chain`, apart from what concerns accounts; `events` is the test's to give."""

    def __init__(self) -> None:
        self.blocks: dict[Hash32, MemoryBlock] = {}
        self._salt = 0
        self._values: dict[Hash32, dict[Address, int]] = {}
        self.tip = self.add(None, [])

    @property
    def chain_id(self) -> ChainId:
        return ChainId(1)

    def add(
        self,
        parent: MemoryBlock | None,
        counted: Sequence[tuple[Address, int]],
        events: Mapping[int, Hash32] = MappingProxyType({}),
    ) -> MemoryBlock:
        """Put a block on top of any other; its hash is unique. `events` are those logs that are no Counted."""
        self._salt += 1
        block_hash = keccak_hex(self._salt.to_bytes(8, "big"))
        number = 0 if parent is None else parent.header.number + 1
        logs = tuple(
            Log(
                address,
                (events.get(index, COUNTED),),
                f"0x{value:064x}",
                block_hash,
                number,
                tx_hash(block_hash, index),
                index,
            )
            for index, (address, value) in enumerate(counted)
        )
        outlines = tuple(
            ReceiptOutline(tx, 2, is_success=True, cumulative_gas_used=21_000 * (place + 1))
            for place, tx in enumerate(dict.fromkeys(log.tx_hash for log in logs))
        )
        header = BlockHeader(
            number=number,
            hash=block_hash,
            parent_hash=Hash32("0x" + "00" * 32) if parent is None else parent.header.hash,
            timestamp=number,
            base_fee_wei=1,
            gas_used=0,
            gas_limit=1,
            coinbase=ZERO_ADDRESS,
            logs_bloom=brute_force_bloom(logs),
            receipts_root=receipts_root(outlines, logs),
        )
        block = MemoryBlock(header, logs, outlines)
        self.blocks[block_hash] = block
        return block

    def ancestor(self, block: MemoryBlock, depth: int) -> MemoryBlock:
        for _ in range(depth):
            block = self.blocks[block.header.parent_hash]
        return block

    def value_at(self, block: Hash32, pool: Address) -> int:
        return self._fold(block).get(pool, 0)

    def recounted(self, block: Hash32, after: int) -> frozenset[Address]:
        """Who has emitted the unknown event since block number `after` and up to `block`, on its branch."""
        found: set[Address] = set()
        while (here := self.blocks[block]).header.number > after:
            found.update(log.address for log in here.logs if log.topics[0] == RECOUNTED)
            block = here.header.parent_hash
        return frozenset(found)

    def rate_at(self, block: Hash32) -> int:
        """What no log tells: it changes with every block whose number divides by DRIFT_BLOCKS, by that block's hash."""
        header = self.blocks[block].header
        while header.number % DRIFT_BLOCKS:
            header = self.blocks[header.parent_hash].header
        return int(header.hash[-8:], 16)

    def _fold(self, block: Hash32) -> Mapping[Address, int]:
        if block not in self._values:
            here = self.blocks[block]
            values = dict(self._fold(here.header.parent_hash)) if here.header.number else {}
            for log in here.logs:
                if log.topics[0] in _FACTORS:
                    factor = _FACTORS[log.topics[0]]
                    values[log.address] = (values.get(log.address, 0) * factor + int(log.data, 16)) % _MODULUS
            self._values[block] = values
        return self._values[block]

    async def head(self) -> BlockHeader:
        return self.tip.header

    async def header_by_hash(self, block: Hash32) -> BlockHeader | None:
        found = self.blocks.get(block)
        return None if found is None else found.header

    async def header_by_number(self, number: int) -> BlockHeader | None:
        below = self.tip.header.number - number
        return None if below < 0 else self.ancestor(self.tip, below).header

    async def logs(self, block: Hash32) -> tuple[Log, ...]:
        return self.blocks[block].logs

    async def receipt_outlines(self, block: Hash32) -> tuple[ReceiptOutline, ...]:
        if block not in self.blocks:
            raise RpcError("eth_getBlockReceipts", -32001, "Resource not found")
        return self.blocks[block].outlines

    async def call(self, call: Call, block: Hash32) -> bytes:
        if block not in self.blocks:
            raise RpcError("eth_call", -32001, "Resource not found")
        return (self.rate_at(block) if call.data == RATE else self.value_at(block, call.to)).to_bytes(32, "big")

    async def call_many(self, calls: Sequence[Call], block: Hash32) -> tuple[bytes | None, ...]:
        return tuple([await self.call(call, block) for call in calls])

    async def code(self, address: Address) -> bytes:
        raise AssertionError(address)

    async def balance_wei(self, address: Address) -> int:
        raise AssertionError(address)

    async def nonce(self, address: Address) -> int:
        raise AssertionError(address)

    async def send(self, transaction: SignedTransaction) -> None:
        raise AssertionError(transaction)

    async def receipt(self, transaction: Hash32) -> Receipt | None:
        raise AssertionError(transaction)

    def events(self) -> AsyncIterator[Event]:
        raise AssertionError("not asked for here")


class CounterState(msgspec.Struct, frozen=True):
    pool: Pool
    value: int


class CounterDex:
    """Implements `headrace.ports.pool.DEX`, apart from swaps."""

    supports_flash_swap = False
    protocol_id = PROTOCOL
    topics = frozenset({COUNTED})
    harmless_topics = frozenset({MENTIONED})

    def __init__(self) -> None:
        self.unreadable: set[PoolId] = set()

    def pool_of(self, log: Log) -> PoolId:
        if len(log.topics) != 1:
            raise MalformedLogError(log.address, "topics", "not one")
        return PoolId(log.address)

    def contracts_of(self, pool: Pool) -> tuple[Address, ...]:
        return (pool.address,)

    def pool_named(self, log: Log) -> PoolId | None:
        return PoolId(log.address)

    def apply(self, state: PoolState, log: Log) -> PoolState:
        assert isinstance(state, CounterState)
        if len(log.data) != 66:
            raise MalformedLogError(log.address, "data", "not one word")
        return CounterState(state.pool, (state.value * 31 + int(log.data, 16)) % _MODULUS)

    def state_to_document(self, state: PoolState) -> dict[str, JsonValue]:
        assert isinstance(state, CounterState)
        return {"value": str(state.value)}

    def state_from_document(
        self, pool: Pool, document: Mapping[str, JsonValue], at: BlockContext | None = None
    ) -> PoolState:
        del at
        return CounterState(pool, int(str(document["value"])))

    def is_outdated(self, state: PoolState, block_number: int) -> bool:
        del state, block_number
        return False

    def proof_of(self, state: PoolState) -> Proof:
        del state
        return Proof.BYTECODE

    async def describe(self, chain: Chain, venue: str, pool: PoolId, block: Hash32) -> Pool:
        raise AssertionError((chain, venue, pool, block))

    async def read(self, chain: Chain, pools: Sequence[Pool], block: Hash32) -> tuple[PoolState, ...]:
        for pool in pools:
            if pool.id in self.unreadable:
                raise MalformedPoolError(pool.id, "value", "unreadable")
        words = await chain.call_many([Call(pool.address, b"") for pool in pools], block)
        return tuple(CounterState(p, int.from_bytes(w or b"")) for p, w in zip(pools, words, strict=True))

    def quote_out(
        self, state: PoolState, token_in: Address, token_out: Address, amount_in: int, at: BlockContext
    ) -> int:
        raise AssertionError((state, token_in, token_out, amount_in, at))

    def quote_in(
        self, state: PoolState, token_in: Address, token_out: Address, amount_out: int, at: BlockContext
    ) -> int:
        raise AssertionError((state, token_in, token_out, amount_out, at))

    def shape(self, state: PoolState, token_in: Address, token_out: Address) -> Shape:
        assert isinstance(state, CounterState)
        assert token_in != token_out
        return ConstantProduct(float(state.value), float(state.value), 1.0)

    def step(self, state: PoolState, token_in: Address, token_out: Address) -> SwapStep:
        raise AssertionError((state, token_in, token_out))

    def gas(self, state: PoolState, token_in: Address, token_out: Address, amount_in: int) -> int:
        raise AssertionError((state, token_in, token_out, amount_in))
