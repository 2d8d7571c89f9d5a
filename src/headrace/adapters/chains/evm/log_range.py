"""`eth_getLogs` over many blocks: what is asked, what may be answered, and what a refusal means.

JSON-RPC has no word for "too much": every node and every provider has a code and a sentence of its own. They fall into
three kinds. Fewer blocks help (too many blocks, logs, bytes or seconds); some say how many would do, as a bound
("up to a 2K block range") or as an example ("this block range should work: [0x0, 0x133e71]"). Waiting helps (too many
requests; a node behind a load balancer that has not seen the block yet). Or nothing helps (no archive, no permission).
What is not recognised is of the third kind. A sentence that speaks of requests is of the second even when it also says
"limit exceeded".

Source: the sentences in tests/unit/adapters/chains/test_log_range.py, each with the node that says it.
"""

import re

from headrace.errors import LogRangeRefusedError, NodeBusyError, RpcError
from headrace.model.codec import JsonValue
from headrace.model.event import Log
from headrace.ports.log_archive import LogQuery

METHOD = "eth_getLogs"
_BUSY = re.compile(
    r"too many requests|rate.?limit|requests? limit|request count exceeded|compute units|throughput|try again later"
    r"|temporarily unavailable|429|beyond current head|unknown block|header not found|block not found"
    r"|after last accepted block|not yet available"
)
_BUSY_CODES = frozenset({429, -32007, -32008})  # HTTP's own; QuickNode's by second and by minute
_TOO_MUCH = re.compile(
    r"block range|blocks? range|range (is )?too (large|wide|big)|range limit|ranges over|range \d+ exceeds"
    r"|limited to (a )?[\d,]+|max(imum)?( allowed)? (block )?range|too many blocks|too many (results|logs)|more than"
    r"|response (size|is too|too)|response exceeds|result set|logs? matched|exceeds? (the )?limit|exceeds? max"
    r"|query timeout|timed? ?out|deadline exceeded|execution time|invalid params|limit exceeded"
)
_TOO_MUCH_CODES = frozenset({35, -32005, -32614, -32616})  # dRPC; Infura and many; QuickNode
_EXAMPLE = re.compile(r"\[(0x[0-9a-f]+), ?(0x[0-9a-f]+)\]|retry with the range (\d+)-(\d+)")
_BOUND = re.compile(
    r"(?:up to a|limited to a|limit is|range \d+ exceeds limit of|range limit|ranges over|maximum is set to|maximum"
    r"|max(?:imum)? (?:block )?range:?|greater than|range exceeds server limit, narrow your filter:)"
    r" (\d[\d,]*)(k?)\b"
)
_THOUSAND = 1_000


def parameters(query: LogQuery) -> tuple[JsonValue, ...]:
    """The request's parameters."""
    wanted: dict[str, JsonValue] = {
        "fromBlock": hex(query.first),
        "toBlock": hex(query.last),
        "topics": [list(query.topics)],
    }
    return (wanted if query.address is None else wanted | {"address": query.address},)


def checked(logs: tuple[Log, ...], query: LogQuery) -> tuple[Log, ...]:
    """The logs in the chain's order, if each was asked for and none is there twice.

    Raises:
        ValueError: one was not, or is.
    """
    for log in logs:
        if query.address not in (None, log.address) or not log.topics or log.topics[0] not in query.topics:
            raise ValueError(f"a log of {log.address} that was not asked for")
        if not query.first <= log.block_number <= query.last:
            raise ValueError(f"a log of block {log.block_number}, outside {query.first} to {query.last}")
    ordered = sorted(logs, key=_place)
    if len({_place(log) for log in ordered}) < len(ordered):
        raise ValueError("the same log twice")
    if len({(log.block_number, log.block_hash) for log in logs}) > len({log.block_number for log in logs}):
        raise ValueError("two blocks of one height")
    return tuple(ordered)


def refusal(error: RpcError, query: LogQuery) -> RpcError:
    """The error that says what helps; the error itself where nothing does."""
    words = error.message.lower()
    bound = _blocks_max(words, query)
    is_busy = error.code in _BUSY_CODES or _BUSY.search(words) is not None
    if is_busy and bound is None:
        return NodeBusyError(error)
    if bound is not None or error.code in _TOO_MUCH_CODES or _TOO_MUCH.search(words):
        return LogRangeRefusedError(error, bound)
    return error


def _blocks_max(words: str, query: LogQuery) -> int | None:
    """How many blocks the node says it would take, if that is fewer than were asked for."""
    example = _EXAMPLE.search(words)
    if example is not None:
        first, last = (int(text, 0) for text in example.groups() if text is not None)
        blocks = last - first + 1
        return blocks if 0 < blocks < query.blocks else None
    found = (_blocks(number, k) for number, k in _BOUND.findall(words))
    return max((blocks for blocks in found if 0 < blocks < query.blocks), default=None)


def _blocks(number: str, thousands: str) -> int:
    return int(number.replace(",", "")) * (_THOUSAND if thousands else 1)


def _place(log: Log) -> tuple[int, int]:
    return log.block_number, log.log_index
