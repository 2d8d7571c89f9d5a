"""Why an execution reverted, from what a node can still show: a receipt carries no reason.

The transaction is run again behind the earlier ones of its own block; where the node cannot do that, alone on the
parent of its block. Its revert data is the reason. The block's logs tell who came before: the first log of a pool on
the route by a transaction with a lower index. What neither explains is called unexplained.

A node that fails has not answered: it is asked again with a later block, for as long as a node keeps what it would
have to look at.
"""

from headrace.errors import ChainError
from headrace.model.block import BlockContext, BlockHeader
from headrace.model.event import Log
from headrace.model.execution import NOT_FOUND, UNEXPLAINED
from headrace.model.executor_revert import describe_revert
from headrace.model.intent import Intent, Payload
from headrace.model.transaction import Receipt
from headrace.ports.chain import Chain
from headrace.ports.simulator import Simulator

KEPT_BLOCKS = 128  # whose state geth and its kin hold unless they are told to keep more
_SIXTEENTHS = 16  # what runs dry in a call leaves its callers a 64th each (EIP-150); a plan nests three deep at most


async def find_cause(chain: Chain, simulator: Simulator, intent: Intent, payload: Payload, receipt: Receipt) -> str:
    """Short text such as "ProfitBelowMinimum(-5, 3) (pool X traded earlier in block N by tx Y)"; never empty."""
    if receipt.gas_used >= payload.transaction.gas_limit:
        return f"out of gas ({receipt.gas_used} used)"
    try:
        header = await chain.header_by_hash(receipt.block_hash)
        if header is None:
            return f"{NOT_FOUND}: the node no longer knows the block"
        reason = await _replayed(simulator, payload, header, receipt)
        rival = await _rival(chain, intent, receipt)
    except ChainError as error:
        return f"{NOT_FOUND}: {error}"
    return _worded(reason, rival, receipt)


def is_settled(cause: str, blocks_since: int) -> bool:
    """Whether nobody need be asked again: a cause was found, or the block is one that nodes have forgotten."""
    return bool(cause) and (not cause.startswith(NOT_FOUND) or blocks_since > KEPT_BLOCKS)


async def _replayed(simulator: Simulator, payload: Payload, header: BlockHeader, receipt: Receipt) -> str:
    result = await simulator.replay(header.hash, payload.tx_hash)
    if result is None:
        at = BlockContext(header.number, header.timestamp, header.base_fee_wei, header.coinbase)
        result = await simulator.simulate(payload.transaction, header.parent_hash, at)
    if result.is_success:
        return ""
    said = describe_revert(result.revert_data)
    if not said and receipt.gas_used * _SIXTEENTHS >= payload.transaction.gas_limit * (_SIXTEENTHS - 1):
        return f"out of gas in a call ({receipt.gas_used} of {payload.transaction.gas_limit} used)"
    return said or result.message or "reverted without a reason"


async def _rival(chain: Chain, intent: Intent, receipt: Receipt) -> tuple[Log, str] | None:
    pools = set(intent.pools)
    for log in await chain.logs(receipt.block_hash):
        pool = next((key for key in (log.address, *log.topics) if key in pools), None)
        if pool is not None:  # the first one decides: logs stand in the order of their transactions
            other = await chain.receipt(log.tx_hash)
            is_before = other is not None and other.tx_index < receipt.tx_index
            return (log, pool) if is_before else None
    return None


def _worded(reason: str, rival: tuple[Log, str] | None, receipt: Receipt) -> str:
    if rival is None:
        return reason or f"{UNEXPLAINED}: it succeeds when run again, and no pool on its route traded before it"
    log, pool = rival
    race = f"pool {pool} traded earlier in block {receipt.block_number} by tx {log.tx_hash}"
    return f"{reason} ({race})" if reason else f"lost race: {race}"
