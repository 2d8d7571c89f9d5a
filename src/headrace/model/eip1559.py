"""EIP-1559 transactions as bytes: RLP by hand, because signing is on the hot path.

    payload = 0x02 || rlp([chain_id, nonce, priority_fee, max_fee, gas_limit, to, value, data, access_list])

is hashed with keccak256 and signed; the signed transaction is the same list with y_parity, r and s at its end. The
access list is always empty. Source: EIP-1559, EIP-2718.
"""

from headrace.model.rlp import rlp_integer, rlp_list, rlp_string
from headrace.model.transaction import UnsignedTransaction

TRANSACTION_TYPE = b"\x02"
SIGNATURE_BYTES = 65  # r, s, y parity
_EMPTY_LIST = b"\xc0"


def signing_payload(transaction: UnsignedTransaction, nonce: int) -> bytes:
    """The bytes whose keccak256 is signed; `nonce` and all amounts are at least 0."""
    return TRANSACTION_TYPE + rlp_list(_fields(transaction, nonce))


def signed_bytes(transaction: UnsignedTransaction, nonce: int, signature: bytes) -> bytes:
    """The raw transaction; `signature` is r, s (32 bytes each) and the y parity (1 byte)."""
    assert len(signature) == SIGNATURE_BYTES
    r, s, y_parity = signature[:32], signature[32:64], signature[64]
    tail = [rlp_integer(y_parity), rlp_integer(int.from_bytes(r)), rlp_integer(int.from_bytes(s))]
    return TRANSACTION_TYPE + rlp_list(_fields(transaction, nonce) + tail)


def _fields(transaction: UnsignedTransaction, nonce: int) -> list[bytes]:
    return [
        rlp_integer(transaction.chain_id),
        rlp_integer(nonce),
        rlp_integer(transaction.priority_fee_wei),
        rlp_integer(transaction.max_fee_wei),
        rlp_integer(transaction.gas_limit),
        rlp_string(bytes.fromhex(transaction.to[2:])),
        rlp_integer(transaction.value_wei),
        rlp_string(transaction.data),
        _EMPTY_LIST,
    ]
