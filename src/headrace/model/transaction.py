"""Transactions, their simulation and their receipts."""

import msgspec

from headrace.model.address import Address, ChainId, Hash32
from headrace.model.event import Log


class UnsignedTransaction(msgspec.Struct, frozen=True):
    """An EIP-1559 transaction before it has a nonce; fees are per gas."""

    chain_id: ChainId
    sender: Address
    to: Address
    value_wei: int
    data: bytes
    gas_limit: int
    max_fee_wei: int
    priority_fee_wei: int


class SignedTransaction(msgspec.Struct, frozen=True):
    """Signed bytes and their hash; what may be sent once it is in the journal."""

    raw: bytes
    hash: Hash32


class SimulationResult(msgspec.Struct, frozen=True):
    """What a node says the transaction would do; `logs` are those it would emit, in order.

    `has_logs` is false where the node cannot say which: then `logs` is empty, and `gas_used` is the least gas limit
    with which the transaction succeeds (never below the gas it uses), or 0 for a revert.
    """

    is_success: bool
    gas_used: int
    logs: tuple[Log, ...]
    revert_data: str = ""
    message: str = ""
    has_logs: bool = True


class Receipt(msgspec.Struct, frozen=True):
    """A transaction's receipt in one block, which a reorg may still take back.

    `l1_fee_wei` was paid besides gas for its data on the first layer, on chains where there is such a fee.
    """

    tx_hash: Hash32
    block_number: int
    block_hash: Hash32
    tx_index: int
    is_success: bool
    gas_used: int
    gas_price_wei: int
    logs: tuple[Log, ...]
    l1_fee_wei: int = 0

    @property
    def cost_wei(self) -> int:
        """All that was paid for it."""
        return self.gas_used * self.gas_price_wei + self.l1_fee_wei
