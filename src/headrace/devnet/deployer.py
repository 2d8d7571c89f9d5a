"""Deploys and configures contracts: transactions are queued, sent together and mined in as few blocks as they fit in.

Addresses of new contracts follow from sender and nonce, so a whole market can be written down before its first block.
"""

import msgspec

from headrace.devnet.abi import decode_result, encode_arguments, encode_call
from headrace.devnet.accounts import MAKER, account_address
from headrace.devnet.artifacts import Artifact
from headrace.devnet.rpc import Call, Rpc, RpcFailure, quantity
from headrace.errors import DevnetError
from headrace.model.address import Address, keccak_hex

TRANSACTION_GAS_LIMIT = 1 << 24  # EIP-7825
_MAX_FEE_WEI = 100 * 10**9
_TIP_WEI = 10**9
_BLOCKS_PER_FLUSH_MAX = 100
_SHORT_RLP = 0x7F
_EMPTY_RLP = 0x80


class Log(msgspec.Struct, frozen=True):
    """One event; `data` and `topics` are 0x hex."""

    address: Address
    topics: tuple[str, ...]
    data: str


class _Receipt(msgspec.Struct, frozen=True, rename={"gas_used": "gasUsed"}):
    status: str
    gas_used: str
    logs: tuple[Log, ...]


class Deployer:
    """Sends from one account of the chain; not for use by two at once."""

    def __init__(self, rpc: Rpc, sender: Address | None = None) -> None:
        self.rpc = rpc
        self.sender = sender or account_address(MAKER)
        self._nonce = quantity(rpc.request("eth_getTransactionCount", self.sender, "latest"))
        self._queue: list[dict[str, str]] = []
        self._logs: dict[int, tuple[Log, ...]] = {}
        self.gas_used = 0

    def deploy(self, artifact: Artifact, types: tuple[str, ...] = (), *args: object) -> Address:
        """Queue a creation with constructor arguments of `types`; answers the address it will have."""
        address = create_address(self.sender, self._nonce)
        self._enqueue({"data": "0x" + artifact.creation_code + encode_arguments(types, *args).hex()})
        return address

    def transact(self, to: Address, signature: str, *args: object, value_wei: int = 0) -> int:
        """Queue a call such as `approve(address,uint256)`; answers its nonce, the key to its logs."""
        return self._enqueue({"to": to, "data": encode_call(signature, *args), "value": hex(value_wei)})

    def call(self, to: Address, signature: str, *args: object) -> tuple[object, ...]:
        """Read `name(inputs)(outputs)` on the latest block, after everything queued has been mined.

        Raises:
            DevnetError: the call or a queued transaction reverts.
        """
        self.flush()
        answer = self.rpc.request("eth_call", {"to": to, "data": encode_call(signature, *args)}, "latest")
        return decode_result(signature, str(answer))

    def call_integer(self, to: Address, signature: str, *args: object) -> int:
        """The first result of a call, an integer.

        Raises:
            DevnetError: the call or a queued transaction reverts.
        """
        value = self.call(to, signature, *args)[0]
        assert isinstance(value, int)
        return value

    def call_address(self, to: Address, signature: str, *args: object) -> Address:
        """The first result of a call, an address.

        Raises:
            DevnetError: the call or a queued transaction reverts.
        """
        return Address(str(self.call(to, signature, *args)[0]).lower())

    def logs(self, nonce: int) -> tuple[Log, ...]:
        """Events of a transaction of this deployer; mines it first if it is still queued.

        Raises:
            DevnetError: a queued transaction reverts.
        """
        self.flush()
        return self._logs[nonce]

    def flush(self) -> None:
        """Send everything queued and mine until all of it is in blocks.

        Raises:
            DevnetError: one of them reverts; the message names it and the contract's reason.
        """
        if not self._queue:
            return
        sent, self._queue = self._queue, []
        hashes = self.rpc.batch(Call("eth_sendTransaction", (transaction,)) for transaction in sent)
        for transaction, receipt in zip(sent, self._mined(hashes), strict=True):
            if int(receipt.status, 16) != 1:
                raise DevnetError(f"a devnet setup transaction reverted: {self._reason(transaction)}; see `make setup`")
            self._logs[int(transaction["nonce"], 16)] = receipt.logs
            self.gas_used += int(receipt.gas_used, 16)

    def _enqueue(self, fields: dict[str, str]) -> int:
        nonce = self._nonce
        self._nonce += 1
        fees = {"maxFeePerGas": hex(_MAX_FEE_WEI), "maxPriorityFeePerGas": hex(_TIP_WEI)}
        frame = {"from": self.sender, "nonce": hex(nonce), "gas": hex(TRANSACTION_GAS_LIMIT)}
        self._queue.append({**frame, **fees, **fields})
        return nonce

    def _mined(self, hashes: list[object]) -> list[_Receipt]:
        for _ in range(_BLOCKS_PER_FLUSH_MAX):
            self.rpc.request("evm_mine")
            receipts = self.rpc.batch(Call("eth_getTransactionReceipt", (one,)) for one in hashes)
            if None not in receipts:
                return msgspec.convert(receipts, list[_Receipt])
        raise DevnetError("the devnet's setup does not fit into its blocks: raise the block gas limit")

    def _reason(self, transaction: dict[str, str]) -> str:
        asked = {key: value for key, value in transaction.items() if key != "nonce"}
        answer = self.rpc.attempt([Call("eth_call", (asked, "latest"))])[0]
        what = f"nonce {int(transaction['nonce'], 16)} to {transaction.get('to', 'a new contract')}"
        return f"{what}: {answer.message}" if isinstance(answer, RpcFailure) else what


def create_address(sender: Address, nonce: int) -> Address:
    """Address of a contract made by CREATE: the last 20 bytes of keccak(rlp([sender, nonce]))."""
    if nonce == 0:
        encoded = bytes([_EMPTY_RLP])
    elif nonce <= _SHORT_RLP:
        encoded = bytes([nonce])
    else:
        digits = nonce.to_bytes((nonce.bit_length() + 7) // 8)
        encoded = bytes([_EMPTY_RLP + len(digits)]) + digits
    payload = b"\x94" + bytes.fromhex(sender[2:]) + encoded
    return Address("0x" + keccak_hex(bytes([0xC0 + len(payload)]) + payload)[-40:])


def create2_address(factory: Address, salt: bytes, code_hash: bytes) -> Address:
    """Address of a contract made by CREATE2 (EIP-1014)."""
    return Address("0x" + keccak_hex(b"\xff" + bytes.fromhex(factory[2:]) + salt + code_hash)[-40:])
