"""Whether the logs a node gave for a block are all of them, as far as the block's header can tell.

Three things are checked: every log names this block; the log indexes count up from zero without a gap; the bloom
filter of the logs is the header's, or, on chains whose headers leave logs of the system out, holds all of it. A hidden
log shows as a gap, or, if it is one of the last, as a bit that is missing; what stays unseen is a tail of logs whose
addresses and topics all occur earlier in the block, and, where logs may be left out, a tail that is not in the header.
What stays unseen here is found by `audit`, after the fact, where the chain's receipts can be proven.
"""

from collections.abc import Sequence

from headrace.errors import IncompleteBlockError
from headrace.kernels.log_table import LogTable
from headrace.model.block import BlockHeader
from headrace.model.bloom import bloom_of, logs_bloom
from headrace.model.chain_rules import BloomRule
from headrace.model.event import Log


def require_complete(header: BlockHeader, logs: Sequence[Log], rule: BloomRule = BloomRule.EXACT) -> None:
    """Refuse logs that cannot be all logs of this block.

    Raises:
        IncompleteBlockError: one is missing, foreign or out of order.
    """
    bloom = _bloom_of_table(header, logs) if isinstance(logs, LogTable) else _bloom_of_logs(header, logs)
    if bloom != header.logs_bloom and not (rule == BloomRule.COVERED and _covers(bloom, header.logs_bloom)):
        raise IncompleteBlockError(f"block {header.number}: its logs do not add up to its bloom")


def _bloom_of_table(header: BlockHeader, logs: LogTable) -> bytes:
    """A table's logs are all of one block and numbered from 0."""
    if logs.block != header.ref:
        raise IncompleteBlockError(f"block {header.number}: a log belongs to block {logs.block.number}")
    return bloom_of(logs.addresses_and_topics())


def _bloom_of_logs(header: BlockHeader, logs: Sequence[Log]) -> bytes:
    for index, log in enumerate(logs):
        if log.block_hash != header.hash or log.block_number != header.number:
            raise IncompleteBlockError(f"block {header.number}: a log belongs to block {log.block_number}")
        if log.log_index != index:
            raise IncompleteBlockError(f"block {header.number}: log {index} is missing")
    return logs_bloom(logs)


def _covers(bloom: bytes, part: bytes) -> bool:
    return not int.from_bytes(part) & ~int.from_bytes(bloom)
