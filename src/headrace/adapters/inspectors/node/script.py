"""A script of labelled calls over two simulated blocks, run by one `eth_simulateV1` request.

`validation` is on, so that contracts see the base fee, gas price and coinbase that they are given. Nodes write empty
blocks into a gap of numbers (geth) or leave them out (anvil): results are found by their block's number. geth
simulates 256 blocks at most, gaps included.

Source: execution-apis, eth_simulateV1.
"""

from collections.abc import Mapping, Sequence
from functools import partial

import msgspec

from headrace.adapters.chains.evm.answer import WireLog, to_logs
from headrace.adapters.chains.evm.client import NodeClient
from headrace.adapters.chains.evm.hexadecimal import read_bytes, read_quantity, write_bytes
from headrace.model.address import ZERO_ADDRESS, Address, Hash32, keccak_hex
from headrace.model.block import BlockContext, BlockHeader, next_block
from headrace.model.codec import JsonValue
from headrace.model.event import Log

HOLD_BLOCKS = 100
HOLD_SECONDS = 90_061  # a day, an hour, a minute and a second: no multiple of what a token may count in
_BLOCK_SECONDS = 12
_CALL_GAS = 2_000_000
_TIP_WEI = 10**9
_PURSE_WEI = 1 << 100  # what callers have to pay gas with, and to wrap
_BASE_FEE_WEI_MIN = 10**9  # an idle chain's base fee may be all but zero, which is what a token looks for


class ScriptCall(msgspec.Struct, frozen=True):
    """One call of a script; answers are found by its label."""

    label: str
    sender: Address
    to: Address
    data: bytes
    value_wei: int = 0


class Outcome(msgspec.Struct, frozen=True):
    """What a call did."""

    is_success: bool
    data: bytes
    logs: tuple[Log, ...]
    message: str

    @property
    def word(self) -> int | None:
        """The integer that it answered, or None where it answered none."""
        return int.from_bytes(self.data, "big") if self.is_success and len(self.data) == 32 else None  # noqa: PLR2004 - a word


class Setting(msgspec.Struct, frozen=True):
    """The two blocks in which a script plays, what gas costs there, and who acts.

    `salt` makes the actors' addresses: nobody can know them before the block is there.
    """

    buying: BlockContext
    selling: BlockContext
    tip_wei: int
    salt: bytes

    def actor(self, role: str) -> Address:
        """An account that never was."""
        return Address("0x" + keccak_hex(self.salt + role.encode())[-40:])


def real_setting(head: BlockHeader) -> Setting:
    """As in a block that is mined."""
    expected = next_block(head, _BLOCK_SECONDS)
    fee_wei = max(expected.base_fee_wei, _BASE_FEE_WEI_MIN)
    coinbase = head.coinbase
    if coinbase == ZERO_ADDRESS:
        coinbase = Address("0x" + keccak_hex(head.hash.encode())[-40:])
    at = msgspec.structs.replace(expected, base_fee_wei=fee_wei, coinbase=coinbase)
    return Setting(at, _held(at), _TIP_WEI, b"real" + head.hash.encode())


def bare_setting(head: BlockHeader) -> Setting:
    """As in a careless simulation: gas costs nothing, nobody mines."""
    at = msgspec.structs.replace(next_block(head, _BLOCK_SECONDS), base_fee_wei=0, coinbase=ZERO_ADDRESS)
    return Setting(at, _held(at), 0, b"bare" + head.hash.encode())


def _held(at: BlockContext) -> BlockContext:
    return msgspec.structs.replace(at, number=at.number + HOLD_BLOCKS, timestamp=at.timestamp + HOLD_SECONDS)


class Script(msgspec.Struct, frozen=True):
    """What happens when buying and, after the hold, when selling; `code` lends code to accounts."""

    setting: Setting
    buying: tuple[ScriptCall, ...]
    selling: tuple[ScriptCall, ...]
    code: Mapping[Address, bytes] = {}

    async def run(self, client: NodeClient, parent: Hash32) -> dict[str, Outcome]:
        """Outcomes by label.

        Raises:
            NodeUnreachableError: no answer.
            RpcError: the node lacks the method, overrides, or the block's state.
            MalformedAnswerError: the answer is not of the documented form.
        """
        blocks: list[JsonValue] = [
            {**self._block(self.setting.buying, self.buying), "stateOverrides": self._accounts()},
            self._block(self.setting.selling, self.selling),
        ]
        payload: dict[str, JsonValue] = {"blockStateCalls": blocks, "validation": True}
        wanted = {self.setting.buying.number: self.buying, self.setting.selling.number: self.selling}
        return await client.request("eth_simulateV1", (payload, {"blockHash": parent}), partial(_read, wanted))

    def _accounts(self) -> dict[str, JsonValue]:
        purse: JsonValue = {"balance": hex(_PURSE_WEI)}
        accounts: dict[str, JsonValue] = {call.sender: purse for call in (*self.buying, *self.selling)}
        for address, code in self.code.items():
            accounts[address] = {"code": write_bytes(code)}
        return accounts

    def _block(self, at: BlockContext, calls: Sequence[ScriptCall]) -> dict[str, JsonValue]:
        overrides: dict[str, JsonValue] = {
            "number": hex(at.number),
            "time": hex(at.timestamp),
            "baseFeePerGas": hex(at.base_fee_wei),
            "feeRecipient": at.coinbase,
        }
        return {"blockOverrides": overrides, "calls": [self._call(call, at) for call in calls]}

    def _call(self, call: ScriptCall, at: BlockContext) -> JsonValue:
        return {
            "from": call.sender,
            "to": call.to,
            "gas": hex(_CALL_GAS),
            "value": hex(call.value_wei),
            "data": write_bytes(call.data),
            "maxFeePerGas": hex(at.base_fee_wei + self.setting.tip_wei),
            "maxPriorityFeePerGas": hex(self.setting.tip_wei),
        }


class _CallError(msgspec.Struct):
    message: str = ""


class _CallResult(msgspec.Struct, rename="camel"):
    status: str
    return_data: str = "0x"
    logs: list[WireLog] = []
    error: _CallError | None = None


class _BlockResult(msgspec.Struct):
    number: str
    calls: list[_CallResult]


_blocks = msgspec.json.Decoder(list[_BlockResult])


def _read(wanted: Mapping[int, Sequence[ScriptCall]], result: msgspec.Raw) -> dict[str, Outcome]:
    found = {read_quantity(block.number): block.calls for block in _blocks.decode(result)}
    outcomes: dict[str, Outcome] = {}
    for number, calls in wanted.items():
        results = found.get(number, [])
        if len(results) != len(calls):
            raise ValueError(f"{len(results)} results for {len(calls)} calls in block {number}")
        outcomes |= {call.label: _outcome(one) for call, one in zip(calls, results, strict=True)}
    return outcomes


def _outcome(result: _CallResult) -> Outcome:
    return Outcome(
        is_success=read_quantity(result.status) == 1,
        data=read_bytes(result.return_data),
        logs=to_logs(result.logs),
        message="" if result.error is None else result.error.message,
    )
