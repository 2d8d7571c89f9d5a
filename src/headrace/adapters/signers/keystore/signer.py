"""A signer whose key is in this process's memory, from a keystore file or given as bytes."""

from coincurve import PrivateKey
from eth_hash.auto import keccak

from headrace.adapters.signers.keystore.hidden import Hidden
from headrace.errors import KeystoreError
from headrace.model.address import Address, keccak_hex
from headrace.model.eip1559 import signed_bytes, signing_payload
from headrace.model.transaction import SignedTransaction, UnsignedTransaction

KEY_BYTES = 32
CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141  # SEC 2, secp256k1


class KeystoreSigner:
    """Signs with secp256k1 (libsecp256k1, RFC 6979 nonces, low s); its repr shows the address alone."""

    __slots__ = ("_address", "_key")

    def __init__(self, key: Hidden) -> None:
        """Take a private key.

        Raises:
            KeystoreError: not 32 bytes, zero, or not below the curve's order.
        """
        if len(key.reveal()) != KEY_BYTES:
            raise KeystoreError(f"a private key has {KEY_BYTES} bytes (64 hex digits): check what was pasted")
        if not 0 < int.from_bytes(key.reveal()) < CURVE_ORDER:
            raise KeystoreError("the private key is zero or above the curve's order: check what was pasted")
        self._key = PrivateKey(key.reveal())
        public = self._key.public_key.format(compressed=False)
        self._address = Address("0x" + keccak(public[1:])[-20:].hex())

    @property
    def address(self) -> Address:
        """The account that it signs for."""
        return self._address

    def sign(self, transaction: UnsignedTransaction, nonce: int) -> SignedTransaction:
        """Signed bytes and hash; the same input gives the same bytes.

        Raises:
            KeystoreError: the transaction is another account's.
        """
        if transaction.sender != self._address:
            raise KeystoreError(f"the key is {self._address}'s, the transaction is {transaction.sender}'s")
        digest = keccak(signing_payload(transaction, nonce))
        raw = signed_bytes(transaction, nonce, self._key.sign_recoverable(digest, hasher=None))
        return SignedTransaction(raw, keccak_hex(raw))

    def __repr__(self) -> str:
        return f"KeystoreSigner({getattr(self, '_address', 'no key')})"  # a refused key leaves it half made

    def __reduce__(self) -> str:
        raise KeystoreError("a signer cannot be copied out of its process: open the key there")
