"""`headrace.ports.simulator.Simulator` by `eth_simulateV1`, or by two older calls where the node lacks it.

`eth_simulateV1` runs with `validation` on: the sender must be able to pay, the fee cap must reach the block's base fee
(anvil lets that pass), and contracts see that base fee (with validation off anvil shows them zero). No nonce is given,
so the node takes the sender's next one and a plan can be rehearsed while others of the same account are in flight.

The older way asks `eth_call` for success and `eth_estimateGas` for gas, both with the block's fields overridden; an
estimate on `latest` alone would reuse the last block's timestamp. It tells no logs.

Source: execution-apis, eth_simulateV1; geth, "eth_call" with block overrides.
"""

import asyncio
from collections.abc import Awaitable
from functools import partial

import msgspec

from headrace.adapters.chains.evm.answer import WireLog, read_text_bytes, read_text_quantity, to_logs
from headrace.adapters.chains.evm.client import NodeClient
from headrace.adapters.chains.evm.frame import ErrorObject
from headrace.adapters.chains.evm.hexadecimal import read_bytes, read_quantity, write_bytes
from headrace.adapters.simulators.node.mined import read_mined
from headrace.errors import RpcError
from headrace.model.address import Hash32
from headrace.model.block import BlockContext
from headrace.model.codec import JsonValue
from headrace.model.transaction import SimulationResult, UnsignedTransaction

_LACKING_CODES = (-32601, -32602, -32004)  # no such method; anvil's and some proxies' words for it; not supported
_LACKING_WORDS = ("method", "variant", "not supported", "unsupported", "not available")


class _CallError(msgspec.Struct):
    message: str = ""


class _CallResult(msgspec.Struct, rename="camel"):
    status: str
    gas_used: str
    return_data: str = "0x"
    logs: list[WireLog] = []
    error: _CallError | None = None


class _BlockResult(msgspec.Struct):
    calls: list[_CallResult]


_blocks = msgspec.json.Decoder(list[_BlockResult])


class NodeSimulator:
    """Simulates over a chain's own connection; what the node lacks is remembered until the connection is a new one."""

    def __init__(self, client: NodeClient) -> None:
        self._client = client
        self._lacking_in_generation = -1

    def simulate(
        self, transaction: UnsignedTransaction, parent: Hash32, at: BlockContext
    ) -> Awaitable[SimulationResult]:
        """What the transaction would do on the state after `parent`, in block `at`; under way when this returns.

        Raises:
            NodeUnreachableError: no answer.
            RpcError: the node does not hold `parent`'s state, or the sender cannot pay.
            MalformedAnswerError: the answer is not of the documented form.
        """
        if self._lacking_in_generation == self._client.generation:
            return self._call_and_estimate(transaction, parent, at)
        under_way = self._simulated([_call(transaction)], _overrides(at), parent)
        return self._unless_lacking(under_way, transaction, parent, at)

    async def _unless_lacking(
        self,
        under_way: Awaitable[SimulationResult],
        transaction: UnsignedTransaction,
        parent: Hash32,
        at: BlockContext,
    ) -> SimulationResult:
        try:
            return await under_way
        except RpcError as error:
            if not _says_method_is_lacking(error):
                raise
            self._lacking_in_generation = self._client.generation
        return await self._call_and_estimate(transaction, parent, at)

    async def replay(self, block: Hash32, transaction: Hash32) -> SimulationResult | None:
        """A mined transaction again, behind the earlier ones of its block; None where the node refuses.

        Raises:
            NodeUnreachableError: no answer.
            MalformedAnswerError: the answer is not of the documented form.
        """
        mined = await self._client.request("eth_getBlockByHash", (block, True), read_mined)
        calls = [] if mined is None else mined.calls_through(transaction)
        if mined is None or not calls or self._lacking_in_generation == self._client.generation:
            return None
        try:
            return await self._simulated(calls, mined.overrides(), mined.parent_hash)
        except RpcError:  # anvil refuses creations, others long lists, some everything: a replay is a courtesy
            return None

    def _simulated(
        self, calls: list[JsonValue], overrides: dict[str, JsonValue], parent: Hash32
    ) -> Awaitable[SimulationResult]:
        """The last of `calls`, each run on what the ones before left."""
        block: dict[str, JsonValue] = {"blockOverrides": overrides, "calls": calls}
        payload: dict[str, JsonValue] = {"blockStateCalls": [block], "validation": True}
        return self._client.request(
            "eth_simulateV1", (payload, {"blockHash": parent}), partial(_read_simulation, len(calls))
        )

    async def _call_and_estimate(
        self, transaction: UnsignedTransaction, parent: Hash32, at: BlockContext
    ) -> SimulationResult:
        params: tuple[JsonValue, ...] = (_call(transaction), {"blockHash": parent}, {}, _overrides(at))
        called, estimated = await asyncio.gather(
            self._client.batch("eth_call", [params], read_text_bytes),
            self._client.batch("eth_estimateGas", [params], read_text_quantity),
        )
        if isinstance(called[0], ErrorObject):
            return _reverted("eth_call", called[0])
        if isinstance(estimated[0], ErrorObject):
            return _reverted("eth_estimateGas", estimated[0])
        return SimulationResult(is_success=True, gas_used=estimated[0], logs=(), has_logs=False)


def _read_simulation(count: int, result: msgspec.Raw) -> SimulationResult:
    blocks = _blocks.decode(result)
    if len(blocks) != 1 or len(blocks[0].calls) != count:
        raise ValueError(f"{count} calls in one block were asked for")
    call = blocks[0].calls[-1]
    is_success = read_quantity(call.status) == 1
    read_bytes(call.return_data)
    return SimulationResult(
        is_success=is_success,
        gas_used=read_quantity(call.gas_used),
        logs=to_logs(call.logs),
        revert_data="" if is_success else call.return_data,
        message="" if call.error is None else call.error.message,
    )


def _reverted(method: str, error: ErrorObject) -> SimulationResult:
    if not error.is_revert:
        raise RpcError(method, error.code, error.message)
    return SimulationResult(
        is_success=False,
        gas_used=0,
        logs=(),
        revert_data=error.revert_data,
        message=error.message,
        has_logs=False,
    )


def _says_method_is_lacking(error: RpcError) -> bool:
    words = error.message.lower()
    return error.code in _LACKING_CODES and any(w in words for w in _LACKING_WORDS)


def _call(transaction: UnsignedTransaction) -> dict[str, JsonValue]:
    return {
        "from": transaction.sender,
        "to": transaction.to,
        "gas": hex(transaction.gas_limit),
        "value": hex(transaction.value_wei),
        "data": write_bytes(transaction.data),
        "maxFeePerGas": hex(transaction.max_fee_wei),
        "maxPriorityFeePerGas": hex(transaction.priority_fee_wei),
    }


def _overrides(at: BlockContext) -> dict[str, JsonValue]:
    return {
        "number": hex(at.number),
        "time": hex(at.timestamp),
        "baseFeePerGas": hex(at.base_fee_wei),
        "feeRecipient": at.coinbase,
    }
