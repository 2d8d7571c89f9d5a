"""Logs to state: a pair says its new reserves in `Sync` after every swap, mint, burn and sync."""

import msgspec

from headrace.adapters.protocols.uniswap_v2.state import RESERVE_END, UniswapV2State
from headrace.adapters.protocols.words import topic, words_of_hex
from headrace.errors import MalformedLogError
from headrace.model.event import Log

SYNC = topic("Sync(uint112,uint112)")
TOPICS = frozenset({SYNC})


def apply(state: UniswapV2State, log: Log) -> UniswapV2State:
    """The state after a log of this pair.

    Raises:
        MalformedLogError: the log is another pool's, no `Sync`, or not of its form.
    """
    if log.address != state.pool.address:
        raise MalformedLogError(state.pool.id, "address", f"the log is of {log.address}")
    if log.topics != (SYNC,):
        raise MalformedLogError(state.pool.id, "topics", "the log is no Sync(uint112,uint112)")
    try:
        reserve0, reserve1 = words_of_hex(log.data, 2)
    except ValueError as error:
        raise MalformedLogError(state.pool.id, "data", str(error)) from error
    if max(reserve0, reserve1) >= RESERVE_END:
        raise MalformedLogError(state.pool.id, "data", "a reserve does not fit 112 bits")
    return msgspec.structs.replace(state, reserve0=reserve0, reserve1=reserve1)
