"""Counters with a rate that no log tells: it drifts with every even block, another way on each branch.

A log whose value divides by OPAQUE says only that something changed. The memory chain's brute force is the oracle of
values and rates alike.
"""

from collections.abc import Sequence

import msgspec

from headrace.errors import MalformedLogError
from headrace.kernels.shape import ConstantProduct, Shape
from headrace.model.address import Address, Hash32
from headrace.model.event import Log
from headrace.model.pool import Pool, ProtocolId
from headrace.ports.chain import Call, Chain
from headrace.ports.pool import PoolState
from tests.support.memory_chain import DRIFT_BLOCKS, RATE, CounterDex, CounterState, MemoryChain

DRIFTING = ProtocolId("drifting")
OPAQUE = 7
_NEVER_READ = -(10**9)


class DriftingState(msgspec.Struct, frozen=True):
    pool: Pool
    value: int
    rate: int
    read_at: int

    def is_true(self, chain: MemoryChain, block: Hash32) -> bool:
        return (self.value, self.rate) == (chain.value_at(block, self.pool.address), chain.rate_at(block))


class DriftingDex(CounterDex):
    protocol_id = DRIFTING

    def __init__(self) -> None:
        super().__init__()
        self.read_counts: list[int] = []

    def apply(self, state: PoolState, log: Log) -> PoolState:
        assert isinstance(state, DriftingState)
        counted = super().apply(CounterState(state.pool, state.value), log)
        assert isinstance(counted, CounterState)
        if state.read_at == _NEVER_READ:
            raise MalformedLogError(log.address, "data", "nothing can follow an unknown state")
        is_opaque = int(log.data, 16) % OPAQUE == 0
        return DriftingState(state.pool, counted.value, state.rate, _NEVER_READ if is_opaque else state.read_at)

    def is_outdated(self, state: PoolState, block_number: int) -> bool:
        assert isinstance(state, DriftingState)
        return block_number // DRIFT_BLOCKS > state.read_at // DRIFT_BLOCKS

    async def read(self, chain: Chain, pools: Sequence[Pool], block: Hash32) -> tuple[PoolState, ...]:
        self.read_counts.append(len(pools))
        counted = await super().read(chain, pools, block)
        rates = await chain.call_many([Call(pool.address, RATE) for pool in pools], block)
        assert isinstance(chain, MemoryChain)
        number = chain.blocks[block].header.number
        return tuple(
            DriftingState(c.pool, c.value, int.from_bytes(r or b""), number)
            for c, r in zip(counted, rates, strict=True)
            if isinstance(c, CounterState)
        )

    def shape(self, state: PoolState, token_in: Address, token_out: Address) -> Shape:
        assert isinstance(state, DriftingState)
        assert token_in != token_out
        return ConstantProduct(float(state.rate), float(state.rate), 1.0)
