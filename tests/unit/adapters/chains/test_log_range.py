"""What nodes say when they are asked for too many logs.

The sentences are those of nodes and providers, as their sources, changes and documentation give them or their users
report them: go-ethereum, erigontech/erigon#20424 and #20784, 0xPolygon/cdk-erigon#1706, scroll-tech/go-ethereum#529,
INFURA/infura#237, ponder-sh/ponder#724, Chainlink's client tests, surveys of public endpoints.
"""

import msgspec
import pytest

from headrace.adapters.chains.evm import log_range
from headrace.adapters.chains.evm.answer import read_logs
from headrace.errors import LogRangeRefusedError, NodeBusyError, RpcError
from headrace.model.address import Address, Hash32
from headrace.ports.log_archive import LogQuery

FACTORY = Address("0x" + "fa" * 20)
TOPIC = Hash32("0x" + "70" * 32)
QUERY = LogQuery(FACTORY, (TOPIC,), 0, 9_999_999)

TOO_MUCH = [  # who, code, message, how many blocks it would take
    ("infura and many", -32005, "query returned more than 10000 results", None),
    ("geth's timeout", -32002, "request timed out", None),
    ("geth behind a load balancer", -32000, "context deadline exceeded", None),
    ("geth's response size", -32003, "response too large", None),
    ("bsc", -32000, "exceed maximum block range: 50000", 50_000),
    ("erigon", -32602, "query block range exceeds server limit, narrow your filter: 1000", 1_000),
    ("erigon's results", -32602, "query returns too many logs, narrow your filter: 20000", None),
    ("cdk-erigon", -32005, "block range too large, max range: 1000", 1_000),
    ("scroll", -32000, "block range is bigger than maxBlockRange", None),
    ("frontier", -32603, "block range is too wide (maximum 10)", 10),
    ("reth", -32602, "query exceeds max block range 100000", 100_000),
    ("reth's results", -32602, "query exceeds max results 20000, retry with the range 0-12345", 12_346),
    ("nethermind", -32005, "Too many logs requested. Max logs per response is 20000.", None),
    ("besu", -32005, "Requested range exceeds maximum RPC range limit", None),
    ("avalanche", -32000, "requested too many blocks from 0 to 16777216, maximum is set to 2048", 2_048),
    (
        "alchemy",
        -32602,
        (
            "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range and no limit on"
            " the response size, or you can request any block range with a cap of 10K logs in the response. Based on"
            " your parameters and the response size limit, this block range should work: [0x0, 0x133e71]"
        ),
        0x133E72,
    ),
    (
        "alchemy, free",
        -32600,
        (
            "Under the Free tier plan, you can make eth_getLogs requests with up to a 10 block range. Based on your"
            " parameters, this block range should work: [0x0, 0x9]"
        ),
        10,
    ),
    ("alchemy without an example", -32602, "You can make eth_getLogs requests with up to a 2K block range", 2_000),
    ("infura", -32005, "query returned more than 10000 results. Try with this block range [0x0, 0x7B737].", 0x7B738),
    ("infura by blocks", -32602, "range 10000000 exceeds limit of 10000", 10_000),
    ("quicknode", -32614, "eth_getLogs is limited to a 10,000 range", 10_000),
    ("quicknode, free", -32615, "eth_getLogs is limited to a 5 range", 5),
    ("quicknode's size", -32616, "response size exceeded", None),
    ("ankr", -32600, "block range is too wide", None),
    ("llama", -32000, "block range greater than 1000 max", 1_000),
    ("drpc", 35, "ranges over 10000 blocks are not supported on freetier", 10_000),
    ("simplyvc", -32000, "too wide blocks range, the limit is 100", 100),
    ("tenderly", -32602, "invalid params", None),
    ("cloudflare", -32047, "Invalid eth_getLogs request. 'fromBlock'-'toBlock' range too large. Max range: 800", 800),
    ("blast", -32600, "block range exceeds configured limit", None),
    ("zksync", -32602, "Query returned more than 10000 results. Try with this block range [0x0, 0x1198].", 0x1199),
    ("linea", -32000, "backend response too large", None),
    ("aurora", -32000, "logs matched by query exceeds limit of 10000", None),
]
BUSY = [
    ("alchemy", 429, "Your app has exceeded its compute units per second capacity."),
    ("infura", -32005, "project ID request rate exceeded: rate limit"),
    ("infura's day", -32005, "daily request count exceeded, request rate limited"),
    ("quicknode by second", -32007, "50/second request limit reached - reduce calls per second"),
    ("many", -32005, "Too Many Requests"),
    ("a node that lags", -32000, "block range extends beyond current head block"),
    ("geth that lags", -32000, "unknown block"),
    (
        "avalanche that lags",
        -32000,
        "cannot query unfinalized data: requested from block 9 after last accepted block 8",
    ),
]
NEITHER = [
    ("no such method", -32601, "the method eth_getLogs does not exist/is not available"),
    ("no archive", -32000, "missing trie node"),
    ("publicnode", -32602, "Archive requests require a personal token"),
    ("pruned", 4444, "pruned history unavailable"),
    ("no right", -32000, "unauthorized"),
]


def refused(code: int, message: str, query: LogQuery = QUERY) -> RpcError:
    return log_range.refusal(RpcError("eth_getLogs", code, message), query)


@pytest.mark.parametrize(("code", "message", "blocks"), [row[1:] for row in TOO_MUCH], ids=[row[0] for row in TOO_MUCH])
def test_too_much_is_told_from_everything_else_with_what_the_node_would_take(
    code: int, message: str, blocks: int | None
) -> None:
    error = refused(code, message)
    assert isinstance(error, LogRangeRefusedError)
    assert error.blocks_max == blocks
    assert message in str(error)


@pytest.mark.parametrize(("code", "message"), [row[1:] for row in BUSY], ids=[row[0] for row in BUSY])
def test_a_busy_or_lagging_node_is_waited_for(code: int, message: str) -> None:
    assert isinstance(refused(code, message), NodeBusyError)


@pytest.mark.parametrize(("code", "message"), [row[1:] for row in NEITHER], ids=[row[0] for row in NEITHER])
def test_what_neither_fewer_blocks_nor_waiting_cures_stays_what_it_is(code: int, message: str) -> None:
    assert type(refused(code, message)) is RpcError


def test_a_hint_that_is_no_narrower_than_what_was_asked_is_none() -> None:
    narrow = msgspec.structs.replace(QUERY, last=99)
    for message in (
        "eth_getLogs is limited to a 10,000 range",
        "block range: try [0x0, 0xffff]",
        "block range [0x9, 0x0]",
    ):
        error = refused(-32614, message, narrow)
        assert isinstance(error, LogRangeRefusedError)
        assert error.blocks_max is None


def wire(number: int, index: int, **fields: object) -> dict[str, object]:
    return {
        "address": FACTORY,
        "topics": [TOPIC],
        "data": "0x",
        "blockHash": f"0x{number:064x}",
        "blockNumber": hex(number),
        "transactionHash": "0x" + "00" * 32,
        "logIndex": hex(index),
        **fields,
    }


def read(*wires: dict[str, object]) -> list[tuple[int, int]]:
    query = LogQuery(FACTORY, (TOPIC,), 5, 8)
    logs = log_range.checked(read_logs(msgspec.Raw(msgspec.json.encode(wires))), query)
    return [(log.block_number, log.log_index) for log in logs]


def test_logs_come_in_the_chains_order_whatever_the_nodes() -> None:
    assert read(wire(8, 0), wire(5, 3), wire(5, 1)) == [(5, 1), (5, 3), (8, 0)]


@pytest.mark.parametrize(
    ("wires", "why"),
    [
        ([wire(5, 0, address="0x" + "fb" * 20)], "was not asked for"),
        ([wire(5, 0, topics=[])], "was not asked for"),
        ([wire(5, 0, topics=["0x" + "71" * 32])], "was not asked for"),
        ([wire(4, 0)], "outside 5 to 8"),
        ([wire(9, 0)], "outside 5 to 8"),
        ([wire(6, 2), wire(6, 2)], "same log twice"),
        ([wire(6, 1), wire(6, 2, blockHash="0x" + "0c" * 32)], "two blocks of one height"),
        ([wire(6, 1, removed=True)], "removed"),
        ([wire(6, 1, data="0xzz")], "hex"),
    ],
)
def test_an_answer_that_is_not_to_the_question_is_refused(wires: list[dict[str, object]], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read(*wires)
