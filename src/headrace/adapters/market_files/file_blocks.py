"""The blocks of a market file, from their lines: whole, in pieces, or a log by itself."""

from headrace.adapters.market_files.lines import ZERO_HASH, BlockLine, HeaderLine, LogLine, LoneLogLine
from headrace.adapters.market_files.market_file import RecordedBlock
from headrace.adapters.protocols.document_values import Unfit
from headrace.model.block import BlockHeader
from headrace.model.bloom import BLOOM_BYTES, logs_bloom
from headrace.model.event import Log


def block_of(number: int, line: BlockLine) -> RecordedBlock:
    """The block of the file's line `number`; its bloom follows from its logs where it is not told.

    Raises:
        Unfit: a negative number or second, a bloom of another length.
    """
    _require_count(line.number, line.timestamp)
    logs = tuple(_log(one, line, at) for at, one in enumerate(line.logs))
    if line.logs_bloom is None:
        return RecordedBlock(header_of(line, logs_bloom(logs)), logs, line=number)
    bloom = bytes.fromhex(line.logs_bloom[2:])
    if len(bloom) != BLOOM_BYTES:
        raise Unfit("logs_bloom", f"{len(bloom)} bytes instead of {BLOOM_BYTES}")
    return RecordedBlock(header_of(line, bloom), logs, line=number)


def lone_log(number: int, line: LoneLogLine, last: HeaderLine | BlockHeader, *, is_first: bool) -> RecordedBlock:
    """A log as a piece of its block: of the block before it, of the one behind the header, or of the one it tells.

    Raises:
        Unfit: a negative number or second.
    """
    at = last.number + is_first if line.number is None else line.number
    block = BlockLine(
        number=at,
        timestamp=last.timestamp if line.timestamp is None else line.timestamp,
        logs=(line,),
        hash=last.hash if at == last.number else ZERO_HASH,
        parent_hash=last.parent_hash if at == last.number else ZERO_HASH,
        base_fee_wei=last.base_fee_wei,
        coinbase=last.coinbase,
    )
    return block_of(number, block)


def header_of(line: HeaderLine | BlockLine, bloom: bytes) -> BlockHeader:
    """The header that a line tells."""
    return BlockHeader(
        number=line.number,
        hash=line.hash,
        parent_hash=line.parent_hash,
        timestamp=line.timestamp,
        base_fee_wei=line.base_fee_wei,
        gas_used=line.gas_used,
        gas_limit=line.gas_limit,
        coinbase=line.coinbase,
        logs_bloom=bloom,
    )


def _log(line: LogLine, block: BlockLine, at: int) -> Log:
    return Log(line.address, line.topics, line.data, block.hash, block.number, line.tx_hash, at)


def _require_count(number: int, timestamp: int) -> None:
    for field, value in (("number", number), ("timestamp", timestamp)):
        if value < 0:
            raise Unfit(field, f"{value} is negative")
