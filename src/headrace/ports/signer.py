"""Whoever holds a key."""

from typing import Protocol

from headrace.model.address import Address
from headrace.model.transaction import SignedTransaction, UnsignedTransaction


class Signer(Protocol):
    """Signs transactions of one address; the key never leaves it."""

    @property
    def address(self) -> Address:
        """The account that it signs for."""
        ...

    def sign(self, transaction: UnsignedTransaction, nonce: int) -> SignedTransaction:
        """Signed bytes; the same input gives the same bytes (RFC 6979).

        Raises:
            KeystoreError: the key is not of `transaction.sender`, or cannot be used.
        """
        ...
