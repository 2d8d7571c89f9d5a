"""A mined block with its transactions, as the calls of a simulation that runs them again."""

import msgspec

from headrace.adapters.chains.evm.hexadecimal import read_quantity
from headrace.model.address import Hash32
from headrace.model.codec import JsonValue


class MinedTransaction(msgspec.Struct, frozen=True, rename={"sender": "from", "gas_price": "gasPrice"}):
    """What a call needs of a mined transaction; `gas_price` is what it paid per gas, `to` is None for a creation."""

    hash: Hash32
    sender: str
    to: str | None
    gas: str
    value: str
    input: str
    gas_price: str

    def as_call(self) -> dict[str, JsonValue]:
        """The same once more, at the price that it paid."""
        call: dict[str, JsonValue] = {
            "from": self.sender,
            "gas": self.gas,
            "value": self.value,
            "data": self.input,
            "gasPrice": self.gas_price,
        }
        return call if self.to is None else {**call, "to": self.to}


class MinedBlock(msgspec.Struct, frozen=True, rename="camel"):
    """A block's header fields that transactions see, and its transactions in order."""

    number: str
    parent_hash: Hash32
    timestamp: str
    base_fee_per_gas: str
    miner: str
    transactions: tuple[MinedTransaction, ...]

    def calls_through(self, transaction: Hash32) -> list[JsonValue]:
        """The calls of all transactions up to and including one of them; none where it is not in the block."""
        hashes = [one.hash for one in self.transactions]
        count = hashes.index(transaction) + 1 if transaction in hashes else 0
        return [one.as_call() for one in self.transactions[:count]]

    def overrides(self) -> dict[str, JsonValue]:
        """The block's own context."""
        return {
            "number": self.number,
            "time": self.timestamp,
            "baseFeePerGas": self.base_fee_per_gas,
            "feeRecipient": self.miner,
        }


_decoder: msgspec.json.Decoder[MinedBlock | None] = msgspec.json.Decoder(MinedBlock | None)


def read_mined(result: msgspec.Raw) -> MinedBlock | None:
    """A block with full transactions, or None where the node does not know it.

    Raises:
        ValueError: a quantity is none.
        msgspec.ValidationError: the answer is not of the documented form.
    """
    block = _decoder.decode(result)
    if block is not None:
        for quantity in (block.number, block.timestamp, block.base_fee_per_gas):
            read_quantity(quantity)
    return block
