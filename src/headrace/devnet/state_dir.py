"""The files of a devnet in the background: who runs it, what it is, what it said.

The pid file is locked by the running process for as long as it lives, so a pid left over from a crash is never taken
for a live one, and a pid used again by another program is never signalled.
"""

import fcntl
import os
from pathlib import Path

import msgspec

from headrace.devnet.market import Market
from headrace.errors import DevnetError

_SOCKET_PATH_MAX = 100  # of the 108 bytes that a socket's address has


class RunningDevnet(msgspec.Struct, frozen=True):
    """A devnet in the background: where to reach it and what its market is."""

    pid: int
    http_url: str
    ws_url: str
    ipc_path: str | None
    block_time_seconds: float
    market: Market


class StateDir:
    """A directory for one devnet, readable by its owner only."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.pid_file = self.path / "devnet.pid"
        self.manifest_file = self.path / "devnet.json"
        self.log_file = self.path / "devnet.log"

    @property
    def ipc_path(self) -> Path | None:
        """Where the chain's socket goes; none if the path is too long for a socket."""
        path = self.path / "anvil.ipc"
        return path if len(os.fsencode(path)) <= _SOCKET_PATH_MAX else None

    def lock(self) -> int:
        """Create the directory and lock the pid file; answers the descriptor that holds the lock.

        Raises:
            DevnetError: another devnet runs from this directory.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.chmod(0o700)
        descriptor = os.open(self.pid_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not _try_lock(descriptor):
            os.close(descriptor)
            raise DevnetError(f"a devnet already runs from {self.path}: stop it with `headrace devnet down`")
        return descriptor

    def holder(self) -> int | None:
        """Pid of the process that runs this devnet, none if there is none."""
        try:
            descriptor = os.open(self.pid_file, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            text = os.read(descriptor, 32)
            return None if _try_lock(descriptor) or not text.isdigit() else int(text)
        finally:
            os.close(descriptor)

    def write_pid(self, descriptor: int, pid: int) -> None:
        """Note the holder in the locked file."""
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(pid).encode(), 0)

    def write_manifest(self, devnet: RunningDevnet) -> None:
        """Replace the manifest at once."""
        draft = self.manifest_file.with_suffix(".draft")
        draft.touch(mode=0o600)
        draft.write_bytes(msgspec.json.format(msgspec.json.encode(devnet)))
        draft.replace(self.manifest_file)

    def read_manifest(self) -> RunningDevnet | None:
        """The manifest, none before the devnet is ready."""
        try:
            return msgspec.json.decode(self.manifest_file.read_bytes(), type=RunningDevnet)
        except FileNotFoundError:
            return None

    def clear(self) -> None:
        """Remove what says that a devnet runs; the log stays."""
        self.manifest_file.unlink(missing_ok=True)
        self.pid_file.unlink(missing_ok=True)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
