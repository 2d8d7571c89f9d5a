"""What makes a running devnet a chain like any other: a configuration, a keystore, its passphrase.

The key is one of anvil's public test keys; passphrase and files only make the devnet's road the same as a real chain's.
"""

import os
import time
from pathlib import Path

from headrace.adapters.signers.keystore.envelope import COST_MIN
from headrace.adapters.signers.keystore.folder import Keystore
from headrace.app.config.devnet import DevnetPlaces, devnet_config_text
from headrace.devnet.accounts import operator_key
from headrace.devnet.state_dir import RunningDevnet

CONFIG_FILE = "headrace.yaml"
_PASSPHRASE = b"this key is public"
_MS_PER_SECOND = 1000


def write_devnet_files(devnet: RunningDevnet, state_dir: Path) -> Path:
    """Write them all; answers the configuration's path. Each devnet gets a data folder of its own: its chain is new.

    Raises:
        KeystoreError: the keystore cannot be written.
    """
    folder = state_dir.absolute()
    keystore, passphrase = folder / "keystore", folder / "passphrase"
    is_new = devnet.market.operator not in Keystore(keystore).addresses()
    if is_new:
        Keystore(keystore, COST_MIN).import_hex(operator_key().hex().encode(), _PASSPHRASE)
    if is_new or not passphrase.exists():
        _write_private(passphrase, _PASSPHRASE)
    places = DevnetPlaces(
        rpc_url=devnet.ws_url,
        block_time_ms=max(1, round(devnet.block_time_seconds * _MS_PER_SECOND)),
        keystore=keystore,
        passphrase_file=passphrase,
        data_dir=folder / "data" / str(time.time_ns()),
    )
    config = folder / CONFIG_FILE
    _write_private(config, devnet_config_text(devnet.market, places).encode())
    return config


def _write_private(path: Path, data: bytes) -> None:
    draft = path.with_name(path.name + ".draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(data)
    draft.replace(path)
