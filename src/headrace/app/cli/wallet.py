"""`headrace wallet create|list|address|import|export`. Keys and passphrases are neither arguments nor printed."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from headrace.app.cli.options import AsJson, PassphraseFd, PassphraseFile
from headrace.app.cli.output import print_result
from headrace.app.cli.passphrase import new_passphrase, passphrase_source, read_passphrase
from headrace.errors import KeystoreError
from headrace.model.address import Address, checksum, parse_address

if TYPE_CHECKING:
    from rich.console import Console

    from headrace.adapters.signers.keystore.folder import Keystore

KeystoreDir = Annotated[Path, typer.Option("--keystore", help="Folder of the encrypted keys.")]
_DEFAULT_DIR = Path("headrace-data/keystore")
application = typer.Typer(help="Keys that sign, encrypted on disk.", no_args_is_help=False)


class Addresses(msgspec.Struct, frozen=True):
    """Addresses of keys, with checksums."""

    keystore: str
    addresses: tuple[str, ...]


class Exported(msgspec.Struct, frozen=True):
    """Where a key was written to."""

    address: str
    file: str


@application.command()
def create(
    keystore: KeystoreDir = _DEFAULT_DIR,
    passphrase_fd: PassphraseFd = None,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a new key."""
    passphrase = new_passphrase(passphrase_source(passphrase_fd, passphrase_file))
    _print_addresses(keystore, (_open(keystore).create(passphrase.encode()),), as_json=as_json)


@application.command("list")
def list_keys(keystore: KeystoreDir = _DEFAULT_DIR, as_json: AsJson = False) -> None:
    """List the addresses of all keys."""
    _print_addresses(keystore, _open(keystore).addresses(), as_json=as_json)


@application.command()
def address(keystore: KeystoreDir = _DEFAULT_DIR, as_json: AsJson = False) -> None:
    """Print the address of the only key."""
    addresses = _open(keystore).addresses()
    if len(addresses) != 1:
        cure = "see `headrace wallet list`" if addresses else "run `headrace wallet create`, or give --keystore"
        raise KeystoreError(f"{keystore} holds {len(addresses)} keys, not one: {cure}")
    _print_addresses(keystore, addresses, as_json=as_json)


@application.command("import")
def import_key(
    keystore: KeystoreDir = _DEFAULT_DIR,
    key_fd: Annotated[int | None, typer.Option(min=0, help="Read the key from this open file descriptor.")] = None,
    key_file: Annotated[Path | None, typer.Option(help="Read the key from this file of mode 600.")] = None,
    passphrase_fd: PassphraseFd = None,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Store a private key of 64 hex digits, typed or read from a file."""
    key = read_passphrase(passphrase_source(key_fd, key_file), "Private key: ")
    passphrase = new_passphrase(passphrase_source(passphrase_fd, passphrase_file))
    stored = _open(keystore).import_hex(key.encode(), passphrase.encode())
    _print_addresses(keystore, (stored,), as_json=as_json)


@application.command("export")
def export_key(
    owner: Annotated[str, typer.Argument(metavar="ADDRESS", help="Whose key.")],
    to: Annotated[Path, typer.Option("--to", help="A new file, which only you will be able to read.")],
    keystore: KeystoreDir = _DEFAULT_DIR,
    passphrase_fd: PassphraseFd = None,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Write a private key, unencrypted, to a new file."""
    wanted = parse_address(owner, "ADDRESS")
    passphrase = read_passphrase(passphrase_source(passphrase_fd, passphrase_file))
    key = _open(keystore).export_hex(wanted, passphrase.encode())
    try:
        descriptor = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise KeystoreError(f"{to} exists already: name a new file") from error
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(key.reveal() + b"\n")
    print_result(Exported(checksum(wanted), str(to)), render, as_json=as_json)


def render(result: object, console: "Console") -> None:
    """One address a line."""
    if isinstance(result, Exported):
        text = f"the key of {result.address} is in {result.file}, unencrypted: move it to a safe place and delete it"
        console.print(text, soft_wrap=True, highlight=False)
        return
    assert isinstance(result, Addresses)
    for one in result.addresses:
        console.print(one, soft_wrap=True, highlight=False)
    if not result.addresses:
        cure = "run `headrace wallet create`, or give --keystore"
        console.print(f"no keys in {result.keystore}: {cure}", soft_wrap=True, highlight=False)


def _open(folder: Path) -> "Keystore":
    from headrace.adapters.signers.keystore.folder import Keystore  # noqa: PLC0415 - brings the cryptography

    return Keystore(folder)


def _print_addresses(keystore: Path, addresses: tuple[Address, ...], *, as_json: bool) -> None:
    print_result(Addresses(str(keystore), tuple(map(checksum, addresses))), render, as_json=as_json)
