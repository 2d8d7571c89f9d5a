"""A folder of keystore files, one per address, readable by their owner alone."""

import os
import secrets
from pathlib import Path

import msgspec

from headrace.adapters.signers.keystore.envelope import COST_DEFAULT, Envelope, seal, unseal
from headrace.adapters.signers.keystore.hidden import Hidden
from headrace.adapters.signers.keystore.signer import KEY_BYTES, KeystoreSigner
from headrace.errors import KeystoreError
from headrace.model.address import Address, parse_address

_FILE_BYTES_MAX = 4096


class Keystore:
    """Passphrases are bytes, as they came from their source; each method forgets its own at once.

    Every method raises `KeystoreError` when the folder or a file cannot be read or written.
    """

    def __init__(self, folder: Path, cost: int = COST_DEFAULT) -> None:
        """Use `folder`, which is made when the first key is stored; `cost` is scrypt's n for new keys."""
        self._folder = folder
        self._cost = cost

    def create(self, passphrase: bytes) -> Address:
        """Store a new random key."""
        hidden = Hidden(passphrase)
        del passphrase
        return self._store(Hidden(secrets.token_bytes(KEY_BYTES)), hidden)

    def import_hex(self, key_hex: bytes, passphrase: bytes) -> Address:
        """Store a key given as 64 hex digits, with or without 0x and white space around it.

        Raises:
            KeystoreError: it is no private key, or is stored already.
        """
        hidden, key = Hidden(passphrase), Hidden(key_hex)
        del passphrase, key_hex
        return self._store(_from_hex(key), hidden)

    def addresses(self) -> tuple[Address, ...]:
        """Addresses of the stored keys, sorted."""
        if not self._folder.is_dir():
            return ()
        return tuple(sorted(self._read(path).address for path in self._folder.glob("0x*.json")))

    def open(self, address: Address, passphrase: bytes) -> KeystoreSigner:
        """Decrypt a key for signing.

        Raises:
            WrongPassphraseError: the passphrase does not open it.
            KeystoreError: no such key, or its file is damaged or was changed.
        """
        hidden = Hidden(passphrase)
        del passphrase
        return self._signer(address, hidden)[0]

    def export_hex(self, address: Address, passphrase: bytes) -> Hidden:
        """The key as 0x and 64 hex digits, for its owner; raises as `open` does."""
        hidden = Hidden(passphrase)
        del passphrase
        key = self._signer(address, hidden)[1]
        return Hidden(b"0x" + key.reveal().hex().encode())

    def _signer(self, address: Address, passphrase: Hidden) -> tuple[KeystoreSigner, Hidden]:
        path = self._path(address)
        if not path.exists():
            known = ", ".join(self.addresses()) or "none"
            raise KeystoreError(f"no key of {address} in {self._folder} (there: {known}): create or import it")
        key = unseal(self._read(path), passphrase)
        signer = KeystoreSigner(key)
        if signer.address != address:
            raise KeystoreError(f"{path} holds the key of {signer.address}: rename it, or restore it from a copy")
        return signer, key

    def _store(self, key: Hidden, passphrase: Hidden) -> Address:
        address = KeystoreSigner(key).address
        path = self._path(address)
        if path.exists():
            raise KeystoreError(f"the key of {address} is stored already: remove {path} first to change its passphrase")
        envelope = seal(key, address, passphrase, self._cost)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write_whole(path, msgspec.json.format(msgspec.json.encode(envelope)))
        except OSError as error:
            raise KeystoreError(f"{path}: cannot be written ({error.strerror}): check the folder") from error
        return address

    def _path(self, address: Address) -> Path:
        return self._folder / f"{parse_address(address)}.json"

    def _read(self, path: Path) -> Envelope:
        try:
            with path.open("rb") as file:
                return msgspec.json.decode(file.read(_FILE_BYTES_MAX), type=Envelope)
        except OSError as error:
            raise KeystoreError(f"{path}: cannot be read ({error.strerror}): check its permissions") from error
        except msgspec.DecodeError as error:
            raise KeystoreError(f"{path}: not a keystore file ({error}): restore it from a copy") from error


def _write_whole(path: Path, data: bytes) -> None:
    """Under another name first, so that a crash leaves no half of a key."""
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    part.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def _from_hex(text: Hidden) -> Hidden:
    key = _unhexed(text)
    if key is None:  # raised apart from the failed parse, whose error holds the text
        raise KeystoreError("the key is not hex: give 64 hex digits")
    return key


def _unhexed(text: Hidden) -> Hidden | None:
    try:
        return Hidden(bytes.fromhex(text.reveal().decode("ascii").strip().removeprefix("0x")))
    except ValueError:
        return None
