"""One writer per file: an advisory lock that the kernel drops when its holder dies, however it dies."""

import fcntl
import os
from pathlib import Path

from headrace.errors import JournalError, JournalLockedError

_PID_BYTES = 32


class WriterLock:
    """Held from construction to `release`; the lock lies in a file beside the journal and holds the writer's pid."""

    def __init__(self, path: Path) -> None:
        """Take the lock.

        Raises:
            JournalLockedError: another process holds it.
            JournalError: the lock's file cannot be made.
        """
        lock_path = path.with_name(path.name + ".lock")
        try:
            self._descriptor = os.open(lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise JournalError(f"{lock_path}: cannot be made ({error.strerror}); check the folder") from error
        self._is_held = True
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(self._descriptor, _PID_BYTES).decode(errors="replace").strip()
            self.release()
            raise JournalLockedError(f"{path}: process {holder} writes it; stop that one first") from error
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Drop the lock; harmless when done twice."""
        if self._is_held:
            self._is_held = False
            os.close(self._descriptor)
