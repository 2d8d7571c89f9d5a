"""Receipts roots of real blocks. The oracle is the node: it computed the root in the header by code of its own."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator

import msgspec
import pytest
import rlp  # type: ignore[import-untyped]  # it ships no types
from eth_account import Account
from eth_account.types import TransactionDictType
from tests.conformance.chain.test_evm_chain import EMITTER, EMITTER_CODE, UNKNOWN, options
from tests.support.node_proxy import NodeProxy
from tests.support.wall_clock import WallClock

from headrace.adapters.chains.evm.chain import EvmChain
from headrace.adapters.chains.evm.receipts import BlockReceipts
from headrace.devnet.accounts import account_address, account_key
from headrace.devnet.anvil import Anvil
from headrace.devnet.rpc import Rpc, quantity, text
from headrace.devnet.world import Devnet
from headrace.errors import MalformedAnswerError, RpcError
from headrace.model.address import ZERO_ADDRESS, checksum
from headrace.model.block import BlockHeader
from headrace.model.event import Log
from headrace.model.receipts import ReceiptOutline, receipts_root

CHAIN_ID = 31337
WHOLE = "eth_getBlockReceipts"
EMPTY_BLOB = bytes(131_072)
AT_INFINITY = b"\xc0" + bytes(47)  # the zero polynomial's commitment and proof, by EIP-4844
Answer = tuple[BlockHeader, tuple[Log, ...], tuple[ReceiptOutline, ...]]


async def block_of(chain: EvmChain, number: int) -> Answer:
    header = await chain.header_by_number(number)
    assert header is not None
    return header, tuple(await chain.logs(header.hash)), await BlockReceipts(chain.client).receipt_outlines(header.hash)


def fields_of(kind: int, nonce: int) -> TransactionDictType:
    """A call of the emitter as a transaction of this type."""
    fields: dict[str, object] = {
        "chainId": CHAIN_ID,
        "nonce": nonce,
        "to": checksum(EMITTER),
        "value": 0,
        "gas": 200_000,
    }
    fields |= {"gasPrice": 10**10} if kind < 2 else {"maxFeePerGas": 10**10, "maxPriorityFeePerGas": 1}
    if kind == 1:
        fields |= {"type": 1, "accessList": [{"address": checksum(EMITTER), "storageKeys": ["0x" + "00" * 32]}]}
    if kind == 3:
        versioned = b"\x01" + hashlib.sha256(AT_INFINITY).digest()[1:]
        fields |= {"type": 3, "maxFeePerBlobGas": 10**10, "blobVersionedHashes": [versioned]}
    if kind == 4:
        authority = Account.from_key(account_key(4))
        signed = authority.sign_authorization({"chainId": CHAIN_ID, "address": ZERO_ADDRESS, "nonce": nonce})
        fields["authorizationList"] = [signed]
    return fields  # type: ignore[return-value]  # built by hand for each type


@pytest.fixture
def mixed(rpc: Rpc) -> int:
    """The number of a block with transactions of all types, of which one reverts."""
    rpc.request("anvil_setCode", EMITTER, EMITTER_CODE)
    sender = Account.from_key(account_key(5))
    nonce = quantity(rpc.request("eth_getTransactionCount", sender.address, "latest"))
    for place, kind in enumerate((0, 1, 2, 3, 4, 2)):
        fields = fields_of(kind, nonce + place)
        if place == 5:
            fields["gas"] = 21_500  # runs out
        raw = bytes(sender.sign_transaction(fields).raw_transaction)
        if kind == 3:
            raw = raw[:1] + rlp.encode([rlp.decode(raw[1:]), [EMPTY_BLOB], [AT_INFINITY], [AT_INFINITY]])
        rpc.request("eth_sendRawTransaction", "0x" + raw.hex())
    rpc.request("evm_mine")
    return quantity(rpc.request("eth_blockNumber"))


def ask(anvil: Anvil, number: int, refused: str = "") -> tuple[Answer, Counter[str]]:
    async def scenario() -> tuple[Answer, Counter[str]]:
        async with NodeProxy(anvil.port) as proxy:
            proxy.refused_methods = {refused} if refused else set()
            async with EvmChain(options(proxy.ws_url), WallClock()) as chain:
                return await block_of(chain, number), proxy.seen

    return asyncio.run(scenario())


@pytest.mark.parametrize("refused", ["", WHOLE])
def test_the_root_of_a_block_with_all_types_of_transactions_is_the_nodes(
    anvil: Anvil, mixed: int, refused: str
) -> None:
    (header, logs, outlines), seen = ask(anvil, mixed, refused)
    assert [outline.kind for outline in outlines] == [0, 1, 2, 3, 4, 2]
    assert [outline.is_success for outline in outlines] == [True] * 5 + [False]
    assert len(logs) == 10
    assert receipts_root(outlines, logs) == header.receipts_root
    assert bool(seen["eth_getTransactionReceipt"]) == bool(refused)


def spoils(logs: tuple[Log, ...]) -> Iterator[tuple[Log, ...]]:
    """Every single log hidden, changed in a byte, given to another transaction, or told twice."""
    for i, log in enumerate(logs):
        yield logs[:i] + logs[i + 1 :]
        yield (*logs[:i], msgspec.structs.replace(log, data=log.data + "00"), *logs[i + 1 :])
        yield (*logs[:i], log, *logs[i:])
        yield (*logs[:i], msgspec.structs.replace(log, tx_hash=UNKNOWN), *logs[i + 1 :])
    yield logs[2:4] + logs[:2] + logs[4:-1]


def test_any_log_hidden_changed_doubled_or_moved_gives_another_root(anvil: Anvil, mixed: int) -> None:
    (header, logs, outlines), _ = ask(anvil, mixed)
    count = 0
    for count, spoiled in enumerate(spoils(logs), 1):  # noqa: B007 - counted
        assert receipts_root(outlines, spoiled) != header.receipts_root
    assert count == 41
    for i, one in enumerate(outlines):
        other = msgspec.structs.replace(one, is_success=not one.is_success)
        assert receipts_root((*outlines[:i], other, *outlines[i + 1 :]), logs) != header.receipts_root


def test_roots_of_every_block_of_the_devnet_are_the_nodes() -> None:
    """Blocks of up to hundreds of deployments and swaps, and empty ones: tries of every depth."""

    async def scenario(devnet: Devnet) -> Counter[str]:
        taken: Counter[str] = Counter()
        async with EvmChain(options(devnet.anvil.ws_url), WallClock()) as chain:
            for number in range((await chain.head()).number + 1):
                header, logs, outlines = await block_of(chain, number)
                assert receipts_root(outlines, logs) == header.receipts_root, number
                taken.update(blocks=1, receipts=len(outlines), logs=len(logs), empty=not outlines)
                taken["largest"] = max(taken["largest"], len(outlines))
        return taken

    with Devnet.start(3) as devnet, devnet.anvil.connect() as rpc:
        emit_many(rpc, 300)
        taken = asyncio.run(scenario(devnet))
    print(dict(taken))  # noqa: T201 - how much was compared is part of the result
    assert taken["blocks"] >= 15
    assert taken["receipts"] >= 400
    assert taken["logs"] >= 600
    assert taken["largest"] >= 250
    assert taken["empty"] >= 1


def emit_many(rpc: Rpc, count: int) -> None:
    rpc.request("anvil_setCode", EMITTER, EMITTER_CODE)
    for _ in range(count):
        text(rpc.request("eth_sendTransaction", {"from": account_address(3), "to": EMITTER, "gas": "0x186a0"}))
    rpc.request("evm_mine")
    rpc.request("evm_mine")


def test_a_node_that_tells_no_receipts_at_all_is_an_error_each_time(anvil: Anvil, mixed: int) -> None:
    async def scenario() -> None:
        async with NodeProxy(anvil.port) as proxy:
            proxy.refused_methods = {WHOLE, "eth_getTransactionReceipt"}
            async with EvmChain(options(proxy.ws_url), WallClock()) as chain:
                header = await chain.header_by_number(mixed)
                assert header is not None
                receipts = BlockReceipts(chain.client)
                for _ in range(2):
                    with pytest.raises(RpcError, match="does not exist"):
                        await receipts.receipt_outlines(header.hash)
            assert proxy.refused[WHOLE] == 1  # it is not asked again on this connection

    asyncio.run(scenario())


def test_receipts_of_an_unknown_block_are_refused(anvil: Anvil) -> None:
    async def scenario() -> None:
        async with EvmChain(options(anvil.ws_url), WallClock()) as chain:
            with pytest.raises((RpcError, MalformedAnswerError)):
                await BlockReceipts(chain.client).receipt_outlines(UNKNOWN)

    asyncio.run(scenario())


OUTLINE: dict[str, object] = {
    "transactionHash": "0x" + "22" * 32,
    "blockHash": UNKNOWN,
    "transactionIndex": "0x0",
    "cumulativeGasUsed": "0x5208",
    "status": "0x1",
    "type": "0x2",
}


def canned(anvil: Anvil, work: Callable[[BlockReceipts], object], **answers: object) -> None:
    async def scenario() -> None:
        async with NodeProxy(anvil.port) as proxy:
            proxy.canned = {method: msgspec.json.encode(answer) for method, answer in answers.items()}
            async with EvmChain(options(proxy.ws_url), WallClock()) as chain:
                await work(BlockReceipts(chain.client))  # type: ignore[misc]  # a coroutine

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "change",
    [
        {"blockHash": "0x" + "33" * 32},
        {"transactionIndex": "0x1"},
        {"status": "0x2"},
        {"type": "0x80"},
        {"transactionHash": "0x" + "ZZ" * 32},
        {"cumulativeGasUsed": "much"},
        {"cumulativeGasUsed": None},
    ],
)
def test_receipts_that_are_not_of_the_block_or_not_of_their_form_are_refused(
    anvil: Anvil, change: dict[str, object]
) -> None:
    async def work(receipts: BlockReceipts) -> None:
        with pytest.raises(MalformedAnswerError):
            await receipts.receipt_outlines(UNKNOWN)

    canned(anvil, work, **{WHOLE: [OUTLINE | change]})


def test_a_block_that_the_node_does_not_know_any_more_has_no_receipts(anvil: Anvil) -> None:
    async def work(receipts: BlockReceipts) -> None:
        with pytest.raises(MalformedAnswerError, match="no such block"):
            await receipts.receipt_outlines(UNKNOWN)

    canned(anvil, work, **{WHOLE: None})
