"""Logs to state: a pair says its new reserves in `Sync` after every swap, mint, burn and sync.

The other events of Uniswap v2 core 1.0.1 (IUniswapV2Pair.sol, IUniswapV2ERC20.sol) say why, and who holds the shares. A
fork with an event more (a fee per pair, a stable curve) is no pair of this kind.
"""

from collections.abc import Sequence

import numpy as np

from headrace.adapters.protocols.share_logs import SHARE_TOPICS
from headrace.adapters.protocols.uniswap_v2.state import RESERVE_END, UniswapV2State
from headrace.adapters.protocols.words import topic, topics_of
from headrace.errors import MalformedLogError
from headrace.kernels.log_table import IntArray, LogTable
from headrace.model.address import PoolId
from headrace.model.event import Log
from headrace.model.pool import Pool
from headrace.ports.pool import PoolState

SYNC = topic("Sync(uint112,uint112)")
TOPICS = frozenset({SYNC})
HARMLESS = SHARE_TOPICS | topics_of(
    "Mint(address,uint256,uint256)",
    "Burn(address,uint256,uint256,address)",
    "Swap(address,uint256,uint256,uint256,uint256,address)",
)
_DATA_BYTES = 64
_DATA_LENGTH = 130
_WORD_BITS = 256
_WORD_MASK = (1 << _WORD_BITS) - 1


def apply(state: UniswapV2State, log: Log) -> UniswapV2State:
    """The state after a log of this pair.

    Raises:
        MalformedLogError: the log is another pool's, no `Sync`, or not of its form.
    """
    if log.address != state.pool.address:
        raise MalformedLogError(state.pool.id, "address", f"the log is of {log.address}")
    if log.topics != (SYNC,):
        raise MalformedLogError(state.pool.id, "topics", "the log is no Sync(uint112,uint112)")
    reserve0, reserve1 = _two_words(state.pool.id, log.data)
    if reserve0 >= RESERVE_END or reserve1 >= RESERVE_END:
        raise MalformedLogError(state.pool.id, "data", "a reserve does not fit 112 bits")
    return UniswapV2State(state.pool, reserve0, reserve1)


def states_told(pools: Sequence[Pool], table: LogTable, rows: IntArray) -> list[PoolState | None]:
    """The same for many logs, each a `Sync` by its first topic and of the pool beside it; None for a malformed one."""
    packed, is_pair = table.uint112_pairs_at(rows)
    reserves0, reserves1 = (map(int.from_bytes, column.tolist()) for column in packed.T)
    states: list[PoolState | None] = list(map(UniswapV2State, pools, reserves0, reserves1))
    for at in np.flatnonzero(~is_pair).tolist():
        states[at] = None
    return states


def _two_words(pool: PoolId, data: str) -> tuple[int, int]:
    """As `words_of_hex`, which takes half as long again: this is the log of which a block has most."""
    try:
        raw = bytes.fromhex(data[2:])
    except ValueError as error:
        raise MalformedLogError(pool, "data", str(error)) from error
    if len(raw) != _DATA_BYTES or len(data) != _DATA_LENGTH or data[:2] != "0x":
        raise MalformedLogError(pool, "data", f"{len(raw)} bytes of 0x hex instead of two words")
    both = int.from_bytes(raw)
    return both >> _WORD_BITS, both & _WORD_MASK
