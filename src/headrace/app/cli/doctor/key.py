"""The key that signs."""

from collections.abc import Iterator

from headrace.adapters.signers.keystore.folder import Keystore
from headrace.app.cli.doctor.finding import Finding, fail, ok, warn
from headrace.app.config.secret import Secret
from headrace.app.config.tree import Config
from headrace.errors import ConfigError, KeystoreError, WrongPassphraseError
from headrace.model.address import checksum


def key_findings(config: Config, passphrase: Secret | None) -> Iterator[Finding]:
    """Whether the key is there and, where a passphrase is at hand, whether it opens."""
    if config.wallet is None:
        return
    address, folder = config.wallet.address, config.wallet.keystore
    source = passphrase or config.wallet.passphrase
    try:
        if address not in Keystore(folder).addresses():
            yield fail("key", f"{folder} has no key of {checksum(address)}", "run `headrace wallet create` or `import`")
        elif source is None:
            yield warn("key", f"{checksum(address)} is there, not opened", "give --passphrase-file to try it")
        else:
            Keystore(folder).open(address, source.reveal().encode())
            yield ok("key", f"{checksum(address)} opens")
    except WrongPassphraseError as error:
        yield fail("key", str(error), "give the right passphrase; without it the key cannot be recovered")
    except (KeystoreError, ConfigError) as error:
        yield fail("key", str(error), "correct the wallet's files")
