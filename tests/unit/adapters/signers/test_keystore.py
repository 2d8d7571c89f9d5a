"""The keystore: what it stores it gives back, to the right passphrase alone, and nothing of it is ever printed."""

import copy
import logging
import pickle
import re
import stat
import traceback
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from eth_account import Account as EthAccount
from tests.support.intents import ACCOUNT, transaction

from headrace.adapters.signers.keystore.envelope import COST_MIN, Envelope, seal, unseal
from headrace.adapters.signers.keystore.folder import Keystore
from headrace.adapters.signers.keystore.hidden import Hidden
from headrace.adapters.signers.keystore.signer import KeystoreSigner
from headrace.errors import ConfigError, KeystoreError, WrongPassphraseError
from headrace.model.address import Address

KEY = bytes(range(1, 33))
KEY_HEX = KEY.hex().encode()
PASSPHRASE = b"correct horse battery staple"
ADDRESS = Address(EthAccount.from_key(KEY).address.lower())


@pytest.fixture
def keystore(tmp_path: Path) -> Keystore:
    return Keystore(tmp_path / "keys", cost=COST_MIN)


@pytest.fixture(scope="module")
def sealed() -> Envelope:
    return seal(Hidden(KEY), ADDRESS, Hidden(PASSPHRASE), COST_MIN)


@pytest.mark.parametrize("text", [KEY_HEX, b"0x" + KEY_HEX, b"  0x" + KEY_HEX.upper() + b"\n"])
def test_an_imported_key_signs_for_its_address_and_comes_out_again(keystore: Keystore, text: bytes) -> None:
    text = text.replace(b"0X", b"0x")
    assert keystore.import_hex(text, PASSPHRASE) == ADDRESS
    assert keystore.open(ADDRESS, PASSPHRASE).address == ADDRESS
    assert keystore.export_hex(ADDRESS, PASSPHRASE).reveal() == b"0x" + KEY_HEX
    assert keystore.addresses() == (ADDRESS,)


def test_created_keys_differ_and_are_listed(keystore: Keystore) -> None:
    assert keystore.addresses() == ()
    created = {keystore.create(PASSPHRASE), keystore.create(PASSPHRASE)}
    assert len(created) == 2
    assert set(keystore.addresses()) == created


def test_file_and_folder_belong_to_their_owner_alone(keystore: Keystore, tmp_path: Path) -> None:
    keystore.import_hex(KEY_HEX, PASSPHRASE)
    (file,) = (tmp_path / "keys").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert KEY_HEX not in file.read_bytes()


def test_a_wrong_passphrase_is_told_as_such(keystore: Keystore) -> None:
    keystore.import_hex(KEY_HEX, PASSPHRASE)
    for wrong in (b"", b"correct horse battery stapl", PASSPHRASE + b"\n"):
        with pytest.raises(WrongPassphraseError, match="try again"):
            keystore.open(ADDRESS, wrong)


def test_an_empty_passphrase_is_refused(keystore: Keystore) -> None:
    with pytest.raises(KeystoreError, match="passphrase is empty"):
        keystore.create(b"")


def test_a_stored_key_is_not_overwritten(keystore: Keystore) -> None:
    keystore.import_hex(KEY_HEX, PASSPHRASE)
    with pytest.raises(KeystoreError, match="stored already"):
        keystore.import_hex(KEY_HEX, b"another")
    assert keystore.open(ADDRESS, PASSPHRASE)


def test_an_unknown_address_names_the_known_ones(keystore: Keystore) -> None:
    with pytest.raises(KeystoreError, match="there: none"):
        keystore.open(ADDRESS, PASSPHRASE)
    keystore.import_hex(KEY_HEX, PASSPHRASE)
    with pytest.raises(KeystoreError, match=ADDRESS):
        keystore.open(Address("0x" + "11" * 20), PASSPHRASE)
    with pytest.raises(ConfigError, match="not an address"):
        keystore.open(Address("../../etc/passwd"), PASSPHRASE)


def test_a_key_under_another_address_is_refused(keystore: Keystore, tmp_path: Path) -> None:
    keystore.import_hex(KEY_HEX, PASSPHRASE)
    other = Address("0x" + "11" * 20)
    (tmp_path / "keys" / f"{ADDRESS}.json").rename(tmp_path / "keys" / f"{other}.json")
    with pytest.raises(KeystoreError, match="holds the key of"):
        keystore.open(other, PASSPHRASE)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"version": 1}', b"\x00" * 10_000])
def test_what_is_no_keystore_file_is_refused(keystore: Keystore, tmp_path: Path, content: bytes) -> None:
    keystore.import_hex(KEY_HEX, PASSPHRASE)
    (tmp_path / "keys" / f"{ADDRESS}.json").write_bytes(content)
    with pytest.raises(KeystoreError, match="not a keystore file"):
        keystore.open(ADDRESS, PASSPHRASE)


def test_a_folder_that_cannot_be_used_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(KeystoreError, match="cannot be written"):
        Keystore(tmp_path / "file" / "keys", cost=COST_MIN).create(PASSPHRASE)
    (tmp_path / f"{ADDRESS}.json").mkdir()
    with pytest.raises(KeystoreError, match="cannot be read"):
        Keystore(tmp_path, cost=COST_MIN).open(ADDRESS, PASSPHRASE)


def _flipped(text: str) -> str:
    return f"{int(text[0], 16) ^ 1:x}{text[1:]}"


TAMPERED: dict[str, Callable[[Envelope], Envelope]] = {
    "address": lambda e: msgspec.structs.replace(e, address=Address("0x" + "11" * 20)),
    "ciphertext": lambda e: msgspec.structs.replace(
        e, cipher=msgspec.structs.replace(e.cipher, ciphertext=_flipped(e.cipher.ciphertext))
    ),
    "nonce": lambda e: msgspec.structs.replace(
        e, cipher=msgspec.structs.replace(e.cipher, nonce=_flipped(e.cipher.nonce))
    ),
    "salt": lambda e: msgspec.structs.replace(e, kdf=msgspec.structs.replace(e.kdf, salt=_flipped(e.kdf.salt))),
    "check": lambda e: msgspec.structs.replace(e, check=_flipped(e.check)),
    "cost": lambda e: msgspec.structs.replace(e, kdf=msgspec.structs.replace(e.kdf, n=2 * COST_MIN)),
    "short ciphertext": lambda e: msgspec.structs.replace(e, cipher=msgspec.structs.replace(e.cipher, ciphertext="00")),
    "not hex": lambda e: msgspec.structs.replace(e, check="zz"),
    "version": lambda e: msgspec.structs.replace(e, version=2),
    "cipher": lambda e: msgspec.structs.replace(e, cipher=msgspec.structs.replace(e.cipher, name="aes-128-ecb")),
}


@pytest.mark.parametrize("field", TAMPERED)
def test_a_changed_file_does_not_open(sealed: Envelope, field: str) -> None:
    with pytest.raises(KeystoreError) as caught:
        unseal(TAMPERED[field](sealed), Hidden(PASSPHRASE))
    is_passphrase_suspected = field in ("salt", "check", "cost")  # what the check itself stands on
    assert isinstance(caught.value, WrongPassphraseError) == is_passphrase_suspected


@pytest.mark.parametrize(
    "change",
    [{"n": 2**30}, {"n": 2**14 + 1}, {"n": 2}, {"n": 0}, {"n": -(2**14)}, {"r": 2**20}, {"p": 2**20}, {"name": "md5"}],
    ids=str,
)
def test_hostile_parameters_are_refused_before_they_cost_memory(sealed: Envelope, change: dict[str, int | str]) -> None:
    kdf = msgspec.structs.replace(sealed.kdf, **change)
    with pytest.raises(KeystoreError, match="is refused"):
        unseal(msgspec.structs.replace(sealed, kdf=kdf), Hidden(PASSPHRASE))


def test_the_envelope_is_scrypt_and_aes_gcm_as_hashlib_knows_them(sealed: Envelope) -> None:
    """Oracle: hashlib.scrypt (OpenSSL) and the associated data as documented."""
    import hashlib  # noqa: PLC0415 - the oracle of this test alone

    kdf = sealed.kdf
    derived = hashlib.scrypt(PASSPHRASE, salt=bytes.fromhex(kdf.salt), n=kdf.n, r=kdf.r, p=kdf.p, dklen=64)
    aad = f"1|{ADDRESS}|scrypt|{kdf.n}|8|1|{kdf.salt}".encode()
    nonce, ciphertext = bytes.fromhex(sealed.cipher.nonce), bytes.fromhex(sealed.cipher.ciphertext)
    assert AESGCM(derived[:32]).decrypt(nonce, ciphertext, aad) == KEY


def _fail_everywhere(keystore: Keystore) -> list[BaseException]:
    calls: list[Callable[[], object]] = [
        lambda: keystore.import_hex(b"zz" + KEY_HEX[2:], PASSPHRASE),
        lambda: keystore.import_hex(KEY_HEX + b"\xff", PASSPHRASE),
        lambda: keystore.import_hex(KEY_HEX + b"00", PASSPHRASE),
        lambda: keystore.import_hex(b"ff" * 16 + KEY_HEX[:32], PASSPHRASE),
        lambda: keystore.import_hex(KEY_HEX, b""),
        lambda: keystore.open(ADDRESS, PASSPHRASE + b"?"),
        lambda: keystore.export_hex(ADDRESS, PASSPHRASE + b"?"),
        lambda: keystore.import_hex(KEY_HEX, PASSPHRASE),
        lambda: KeystoreSigner(Hidden(KEY)).sign(transaction(), 1),
        lambda: pickle.dumps(KeystoreSigner(Hidden(KEY))),
        lambda: copy.deepcopy(KeystoreSigner(Hidden(KEY))),
        lambda: pickle.dumps(Hidden(KEY)),
    ]
    errors: list[BaseException] = []
    for call in calls:
        with pytest.raises((KeystoreError, TypeError)) as caught:
            call()
        errors.append(caught.value)
    return errors


def test_no_error_shows_a_key_or_a_passphrase_even_with_locals(
    keystore: Keystore, caplog: pytest.LogCaptureFixture
) -> None:
    keystore.import_hex(KEY_HEX, PASSPHRASE)
    errors = _fail_everywhere(keystore)
    frames_of_ours = re.compile(r'File "[^"]*/headrace/.*?(?=  File "|\Z)', re.DOTALL)
    for error in errors:
        logging.getLogger("test").error("failed", exc_info=error)
        chain: BaseException | None = error
        while chain is not None:
            shown = "".join(traceback.TracebackException.from_exception(chain, capture_locals=True).format())
            ours = "".join(frames_of_ours.findall(shown)) + str(chain) + repr(chain)
            for secret in (KEY_HEX.decode()[4:32], repr(KEY)[2:20], PASSPHRASE.decode()):
                assert secret not in ours, type(error)
            chain = chain.__cause__ or chain.__context__
    assert KEY_HEX.decode()[4:32] not in caplog.text


def test_no_text_form_shows_a_key() -> None:
    signer = KeystoreSigner(Hidden(KEY))
    for shown in (repr(signer), str(signer), f"{signer}", repr(Hidden(KEY)), str(Hidden(KEY)), f"{Hidden(KEY)!r}"):
        assert KEY.hex() not in shown
        assert "\\x01\\x02" not in shown
    assert repr(signer) == f"KeystoreSigner({ADDRESS})"
    assert ACCOUNT.operator != signer.address
