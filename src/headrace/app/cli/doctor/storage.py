"""The folder that everything is written to."""

import errno
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from headrace.app.cli.doctor.finding import Finding, fail, ok, warn
from headrace.app.config.tree import Config
from headrace.errors import JournalError, JournalLockedError

_BYTES_NEEDED = 100 * 2**20
_BYTES_WANTED = 2**30


def storage_findings(config: Config) -> Iterator[Finding]:
    """Whether the data folder can be written, has room, and belongs to nobody else now."""
    folder = config.data_dir
    error = _why_unwritable(folder)
    if error is not None:
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        cure = "free some space there" if is_full else "create it and give this user the right to write"
        yield fail("data_dir", f"{folder}: {error.strerror or 'cannot be written'}", cure)
        return
    yield ok("data_dir", f"{folder} can be written")
    yield _space(folder)
    yield _journal(config)


def _why_unwritable(folder: Path) -> OSError | None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=folder) as file:
            file.write(b"x")
    except OSError as error:
        return error
    return None


def _space(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    seen = f"{free // 2**20} MB free"
    if free < _BYTES_NEEDED:
        return fail("disk", seen, "free some space: with a full disk nothing is journaled, so nothing is sent")
    if free < _BYTES_WANTED:
        return warn("disk", seen, "free some space: the journal grows")
    return ok("disk", seen)


def _journal(config: Config) -> Finding:
    from headrace.adapters.stores.sqlite.lock import WriterLock  # noqa: PLC0415 - other commands need no store

    path = config.journal_path
    if not path.exists():
        return ok("journal", "none yet; the first run makes it")
    try:
        WriterLock(path).release()
    except JournalLockedError as error:
        return warn("journal", str(error), "that is fine while `headrace run` is meant to run; else stop that process")
    except JournalError as error:
        return fail("journal", str(error), "give this user the right to write there")
    return ok("journal", f"{path} is free")
