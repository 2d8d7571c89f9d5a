"""What was signed to deploy and set up contracts: one small JSON file for each chain, durable before anything is sent.

A deployment is no trade: it has no intent, no limits, no profit, so it is not in the journal. It keeps the journal's
one rule: bytes that can use a nonce are on the disk before they leave, so that whoever died between signing and sending
sends the same bytes again instead of signing others. The file is replaced whole: written under another name, synced,
renamed, and the folder synced.
"""

import os
from pathlib import Path

import msgspec

from headrace.errors import StoreError
from headrace.model.address import Address, ChainId, Hash32

_VERSION = 1
_BYTES_MAX = 1 << 26


class SignedOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One signed transaction.

    Attributes:
        order: hash of target and calldata: what it is for.
        contract: the Executor that it makes or sets up.
        to: what it calls.
        sender: who signed.
        nonce: of the sender.
        tx_hash: of `raw`.
        raw: the signed bytes.
        max_fee_wei: most that they pay per gas.
        priority_fee_wei: their tip per gas.
        block: where it was included, None until that was seen.
        is_success: whether it did what it was for there.
    """

    order: Hash32
    contract: Address
    to: Address
    sender: Address
    nonce: int
    tx_hash: Hash32
    raw: bytes
    max_fee_wei: int
    priority_fee_wei: int
    block: int | None = None
    is_success: bool = False


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    chain_id: int
    signed: tuple[SignedOrder, ...]


_decoder = msgspec.json.Decoder(_File, strict=True)


class DeploymentFile:
    """One chain's file; it need not exist yet. Whoever appends holds the journal's lock."""

    def __init__(self, path: Path, chain_id: ChainId) -> None:
        """Keep the path."""
        self.path = path
        self._chain_id = chain_id

    def read(self) -> tuple[SignedOrder, ...]:
        """Everything signed so far, in order; nothing where there is no file.

        Raises:
            StoreError: the file cannot be read, is another chain's, or of another version.
        """
        try:
            with self.path.open("rb") as stream:
                data = stream.read(_BYTES_MAX)
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise StoreError(f"{self.path}: cannot be read ({error.strerror}): check its permissions") from error
        try:
            kept = _decoder.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise StoreError(f"{self.path}: {error}: move it away only if nothing signed is on its way") from error
        if (kept.version, kept.chain_id) != (_VERSION, self._chain_id):
            told = f"version {kept.version} of chain {kept.chain_id}, not {_VERSION} of {self._chain_id}"
            raise StoreError(f"{self.path}: {told}: give each chain a data_dir of its own")
        return kept.signed

    def append(self, signed: SignedOrder) -> None:
        """Keep another one; durable on return.

        Raises:
            StoreError: it cannot be written; nothing may be sent.
        """
        self._write((*self.read(), signed))

    def settle(self, tx_hash: Hash32, block: int, *, is_success: bool) -> None:
        """Note where one was included.

        Raises:
            StoreError: it cannot be written.
        """
        self._write(tuple(_settled(one, block, is_success) if one.tx_hash == tx_hash else one for one in self.read()))

    def _write(self, signed: tuple[SignedOrder, ...]) -> None:
        body = msgspec.json.encode(_File(_VERSION, self._chain_id, signed))
        draft = self.path.with_name(f"{self.path.name}.draft")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(body)
                stream.flush()
                os.fsync(stream.fileno())
            draft.replace(self.path)
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise StoreError(f"{self.path}: cannot be written ({error.strerror}): nothing was sent") from error


def _settled(one: SignedOrder, block: int, is_success: bool) -> SignedOrder:  # noqa: FBT001 - as the struct has it
    return msgspec.structs.replace(one, block=block, is_success=is_success)
