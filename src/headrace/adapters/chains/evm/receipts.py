"""Outlines of a block's receipts: in one request where the node offers it, else receipt by receipt.

Their logs are skipped: whoever asks has logs already, and wants to know whether they are all.
"""

from typing import Annotated

import msgspec

from headrace.adapters.chains.evm.client import NodeClient
from headrace.adapters.chains.evm.frame import ErrorObject
from headrace.adapters.chains.evm.hexadecimal import read_quantity, require_lowercase_hex
from headrace.errors import MalformedAnswerError, RpcError
from headrace.model.address import Hash32
from headrace.model.receipts import ReceiptOutline

_WHOLE, _SINGLE, _BLOCK = "eth_getBlockReceipts", "eth_getTransactionReceipt", "eth_getBlockByHash"
_METHOD_UNKNOWN = (-32601, -32004, -32602)  # JSON-RPC 2.0; EIP-1474; nodes that take no hash here
_TYPE_END = 0x80  # EIP-2718

_HashText = Annotated[Hash32, msgspec.Meta(min_length=66, max_length=66)]


class _WireOutline(msgspec.Struct, rename="camel"):
    transaction_hash: _HashText
    block_hash: _HashText
    transaction_index: str
    cumulative_gas_used: str
    status: str
    type: str = "0x0"


class _WireBlock(msgspec.Struct):
    hash: _HashText
    transactions: list[_HashText]


_outlines: msgspec.json.Decoder[list[_WireOutline] | None] = msgspec.json.Decoder(list[_WireOutline] | None)
_outline = msgspec.json.Decoder(_WireOutline)
_block = msgspec.json.Decoder(_WireBlock)


class BlockReceipts:
    """Implements `headrace.ports.receipts.ReceiptSource` over one node's connection."""

    def __init__(self, client: NodeClient) -> None:
        self._client = client
        self._refused_by = -1  # the connection on which the node said that it cannot tell a block's receipts at once

    async def receipt_outlines(self, block: Hash32) -> tuple[ReceiptOutline, ...]:
        """Outlines of all receipts of a block, in order.

        Raises:
            NodeUnreachableError: no answer in time.
            RpcError: the node refuses, or does not know the block any more.
            MalformedAnswerError: the answer has not the documented form, or is of another block.
        """
        if self._refused_by != self._client.generation:
            try:
                return _checked(_WHOLE, block, await self._client.request(_WHOLE, (block,), _read_outlines))
            except RpcError as error:
                if error.code not in _METHOD_UNKNOWN:
                    raise
                self._refused_by = self._client.generation
        return _checked(_SINGLE, block, await self._one_by_one(block))

    async def _one_by_one(self, block: Hash32) -> list[_WireOutline]:
        found = await self._client.request(_BLOCK, (block, False), _read_block)
        answers = await self._client.batch(_SINGLE, [(tx,) for tx in found.transactions], _read_outline)
        wires: list[_WireOutline] = []
        for answer in answers:
            if isinstance(answer, ErrorObject):
                raise RpcError(_SINGLE, answer.code, answer.message)
            wires.append(answer)
        return wires


def _checked(method: str, block: Hash32, wires: list[_WireOutline]) -> tuple[ReceiptOutline, ...]:
    try:
        return tuple([_to_outline(block, place, wire) for place, wire in enumerate(wires)])
    except ValueError as error:
        raise MalformedAnswerError(method, str(error)) from error


def _to_outline(block: Hash32, place: int, wire: _WireOutline) -> ReceiptOutline:
    if wire.block_hash != block or read_quantity(wire.transaction_index) != place:
        raise ValueError(f"receipt {wire.transaction_index} of block {wire.block_hash} for {place} of {block}")
    status, kind = read_quantity(wire.status), read_quantity(wire.type)
    if status > 1 or kind >= _TYPE_END:
        raise ValueError(f"status {status}, type {kind}")
    require_lowercase_hex((wire.transaction_hash,))
    return ReceiptOutline(wire.transaction_hash, kind, status == 1, read_quantity(wire.cumulative_gas_used))


def _read_outlines(result: msgspec.Raw) -> list[_WireOutline]:
    wires = _outlines.decode(result)
    if wires is None:
        raise ValueError("there is no such block")
    return wires


def _read_outline(result: msgspec.Raw) -> _WireOutline:
    return _outline.decode(result)


def _read_block(result: msgspec.Raw) -> _WireBlock:
    return _block.decode(result)
