"""Logs to state: a pair says its new reserves in `Sync` after every swap, mint, burn and sync.

Contracts of this family write the reserves as 256 bits, some forks as Uniswap's 112; the words are the same. Fees
(`Fees`, `Claim`) leave the pair before `Sync` is emitted. What the factory changes (fee, pause) is no log of the pair.

Sources of the harmless events: Solidly's BaseV1-core.sol of 2022, and Aerodrome's IPool.sol, which reorders two.
"""

import msgspec

from headrace.adapters.protocols.share_logs import SHARE_TOPICS
from headrace.adapters.protocols.solidly.state import SolidlyState
from headrace.adapters.protocols.words import topic, topics_of, words_of_hex
from headrace.errors import MalformedLogError
from headrace.model.event import Log

SYNC = topic("Sync(uint256,uint256)")
SYNC_112 = topic("Sync(uint112,uint112)")
TOPICS = frozenset({SYNC, SYNC_112})
HARMLESS = SHARE_TOPICS | topics_of(
    "Mint(address,uint256,uint256)",
    "Burn(address,uint256,uint256,address)",
    "Burn(address,address,uint256,uint256)",
    "Swap(address,uint256,uint256,uint256,uint256,address)",
    "Swap(address,address,uint256,uint256,uint256,uint256)",
    "Fees(address,uint256,uint256)",
    "Claim(address,address,uint256,uint256)",
)
_BITS = {SYNC: 256, SYNC_112: 112}


def apply(state: SolidlyState, log: Log) -> SolidlyState:
    """The state after a log of this pair; fee and pause stay as of the block in which they were read.

    Raises:
        MalformedLogError: the log is another pool's, no `Sync`, or not of its form.
    """
    if log.address != state.pool.address:
        raise MalformedLogError(state.pool.id, "address", f"the log is of {log.address}")
    if len(log.topics) != 1 or log.topics[0] not in TOPICS:
        raise MalformedLogError(state.pool.id, "topics", "the log is no Sync of a Solidly pair")
    try:
        reserve0, reserve1 = words_of_hex(log.data, 2)
    except ValueError as error:
        raise MalformedLogError(state.pool.id, "data", str(error)) from error
    bits = _BITS[log.topics[0]]
    if max(reserve0, reserve1) >> bits:
        raise MalformedLogError(state.pool.id, "data", f"a reserve does not fit {bits} bits")
    return msgspec.structs.replace(state, reserve0=reserve0, reserve1=reserve1)
