"""EIP-1559 transactions as bytes: RLP by hand, because signing is on the hot path.

    payload = 0x02 || rlp([chain_id, nonce, priority_fee, max_fee, gas_limit, to, value, data, access_list])

is hashed with keccak256 and signed; the signed transaction is the same list with y_parity, r and s at its end. RLP
(Ethereum yellow paper, appendix B): an integer is its big-endian bytes without leading zeros; one byte below 0x80
stands for itself; a string of up to 55 bytes is prefixed by 0x80 + length, a list by 0xc0 + length; longer ones by 0xb7
or 0xf7 plus the length of the length, then the length. The access list is always empty. Source: EIP-1559, EIP-2718.
"""

from headrace.model.transaction import UnsignedTransaction

TRANSACTION_TYPE = b"\x02"
SIGNATURE_BYTES = 65  # r, s, y parity
_EMPTY_LIST = b"\xc0"
_STRING, _LIST = 0x80, 0xC0
_SHORT_MAX = 55


def signing_payload(transaction: UnsignedTransaction, nonce: int) -> bytes:
    """The bytes whose keccak256 is signed; `nonce` and all amounts are at least 0."""
    return TRANSACTION_TYPE + _list(_fields(transaction, nonce))


def signed_bytes(transaction: UnsignedTransaction, nonce: int, signature: bytes) -> bytes:
    """The raw transaction; `signature` is r, s (32 bytes each) and the y parity (1 byte)."""
    assert len(signature) == SIGNATURE_BYTES
    r, s, y_parity = signature[:32], signature[32:64], signature[64]
    tail = _integer(y_parity) + _integer(int.from_bytes(r)) + _integer(int.from_bytes(s))
    return TRANSACTION_TYPE + _list(_fields(transaction, nonce) + tail)


def _fields(transaction: UnsignedTransaction, nonce: int) -> bytes:
    return b"".join(
        [
            _integer(transaction.chain_id),
            _integer(nonce),
            _integer(transaction.priority_fee_wei),
            _integer(transaction.max_fee_wei),
            _integer(transaction.gas_limit),
            _string(bytes.fromhex(transaction.to[2:])),
            _integer(transaction.value_wei),
            _string(transaction.data),
            _EMPTY_LIST,
        ]
    )


def _integer(value: int) -> bytes:
    return _string(value.to_bytes((value.bit_length() + 7) // 8))


def _string(data: bytes) -> bytes:
    if len(data) == 1 and data[0] < _STRING:
        return data
    return _prefix(len(data), _STRING) + data


def _list(items: bytes) -> bytes:
    return _prefix(len(items), _LIST) + items


def _prefix(size: int, kind: int) -> bytes:
    if size <= _SHORT_MAX:
        return bytes([kind + size])
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([kind + _SHORT_MAX + len(length)]) + length
