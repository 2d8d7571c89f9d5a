"""The keystore's file: a private key under AES-256-GCM, its key from a passphrase by scrypt.

    {"version": 1, "address": "0x...",
     "kdf": {"name": "scrypt", "n": 131072, "r": 8, "p": 1, "salt": "<32 bytes hex>"},
     "cipher": {"name": "aes-256-gcm", "nonce": "<12 bytes hex>", "ciphertext": "<32 + 16 bytes hex>"},
     "check": "<32 bytes hex>"}

scrypt (RFC 7914) gives 64 bytes: the first half encrypts, the second half is the key of `check`, an HMAC-SHA256 that
tells a wrong passphrase from a changed file without weakening the first half. Version, address and the scrypt
parameters are GCM's associated data, so none of them can be changed. Parameters are bounded before scrypt sees them, so
that a hostile file cannot eat memory: 128 n r bytes, at most 256 MiB. Source: NIST SP 800-38D, RFC 7914 section 2.
"""

import hmac
import os

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from headrace.adapters.signers.keystore.hidden import Hidden
from headrace.errors import KeystoreError, WrongPassphraseError
from headrace.model.address import Address

VERSION = 1
COST_MIN, COST_DEFAULT, COST_MAX = 1 << 14, 1 << 17, 1 << 18
_BLOCK = 8
_PARALLEL = 1
_SALT_BYTES = 32
_NONCE_BYTES = 12
_SEALED_BYTES = 48
_CHECK_TEXT = b"headrace keystore passphrase"


class Kdf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """scrypt's parameters; `salt` is hex."""

    name: str
    n: int
    r: int
    p: int
    salt: str


class Cipher(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """AES-GCM's nonce and output (ciphertext and tag), in hex."""

    name: str
    nonce: str
    ciphertext: str


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sealed key, as it stands in its file."""

    version: int
    address: Address
    kdf: Kdf
    cipher: Cipher
    check: str


def seal(key: Hidden, address: Address, passphrase: Hidden, cost: int = COST_DEFAULT) -> Envelope:
    """Encrypt a key with fresh salt and nonce; `cost` is scrypt's n, a power of 2 from 2^14 to 2^18.

    Raises:
        KeystoreError: the passphrase is empty.
    """
    if not passphrase.reveal():
        raise KeystoreError("the passphrase is empty: choose one")
    kdf = Kdf("scrypt", cost, _BLOCK, _PARALLEL, os.urandom(_SALT_BYTES).hex())
    _require_bounds(kdf)
    derived = _derive(kdf, passphrase)
    nonce = os.urandom(_NONCE_BYTES)
    aad = _associated_data(VERSION, address, kdf)
    sealed = AESGCM(derived.reveal()[:32]).encrypt(nonce, key.reveal(), aad)
    return Envelope(VERSION, address, kdf, Cipher("aes-256-gcm", nonce.hex(), sealed.hex()), _check(derived).hex())


def unseal(envelope: Envelope, passphrase: Hidden) -> Hidden:
    """The private key.

    Raises:
        WrongPassphraseError: the passphrase does not open it.
        KeystoreError: an unknown version or cipher, parameters out of bounds, or the file was changed.
    """
    if envelope.version != VERSION:
        raise KeystoreError(f"version {envelope.version} of the keystore, this program knows {VERSION}: upgrade it")
    if envelope.cipher.name != "aes-256-gcm":
        raise KeystoreError(f"cipher {envelope.cipher.name!r} is unknown: only aes-256-gcm is")
    _require_bounds(envelope.kdf)
    nonce = _unhex(envelope.cipher.nonce, _NONCE_BYTES, "nonce")
    sealed = _unhex(envelope.cipher.ciphertext, _SEALED_BYTES, "ciphertext")
    check = _unhex(envelope.check, 32, "check")
    derived = _derive(envelope.kdf, passphrase)
    if not hmac.compare_digest(check, _check(derived)):
        raise WrongPassphraseError("the passphrase does not open the key: try again")
    aad = _associated_data(envelope.version, envelope.address, envelope.kdf)
    try:
        return Hidden(AESGCM(derived.reveal()[:32]).decrypt(nonce, sealed, aad))
    except InvalidTag:
        raise KeystoreError("the keystore file was changed after it was written: restore it from a copy") from None


def _derive(kdf: Kdf, passphrase: Hidden) -> Hidden:
    salt = _unhex(kdf.salt, _SALT_BYTES, "salt")
    return Hidden(Scrypt(salt=salt, length=64, n=kdf.n, r=kdf.r, p=kdf.p).derive(passphrase.reveal()))


def _check(derived: Hidden) -> bytes:
    return hmac.digest(derived.reveal()[32:], _CHECK_TEXT, "sha256")


def _associated_data(version: int, address: Address, kdf: Kdf) -> bytes:
    return f"{version}|{address}|{kdf.name}|{kdf.n}|{kdf.r}|{kdf.p}|{kdf.salt}".encode()


def _require_bounds(kdf: Kdf) -> None:
    is_power = kdf.n > 0 and kdf.n & (kdf.n - 1) == 0
    is_bounded = COST_MIN <= kdf.n <= COST_MAX and (kdf.r, kdf.p) == (_BLOCK, _PARALLEL)
    if kdf.name != "scrypt" or not is_power or not is_bounded:
        raise KeystoreError(
            f"key derivation {kdf.name} n={kdf.n} r={kdf.r} p={kdf.p} is refused: scrypt with n a power of 2 from "
            f"{COST_MIN} to {COST_MAX}, r={_BLOCK}, p={_PARALLEL} is what this program writes"
        )


def _unhex(text: str, size: int, field: str) -> bytes:
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raw = b""
    if len(raw) != size:
        raise KeystoreError(f"the keystore's {field} is not {size} bytes of hex: restore the file from a copy")
    return raw
