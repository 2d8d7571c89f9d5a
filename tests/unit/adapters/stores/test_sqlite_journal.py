"""The SQLite journal's own promises: durability, one writer, refusal of what is not its own, a disk that is full."""

import os
import re
import resource
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from headrace.adapters.stores.sqlite import journal as module
from headrace.adapters.stores.sqlite.journal import SqliteJournal, read_journal
from headrace.errors import JournalCorruptError, JournalError, JournalLockedError
from headrace.model.record import AccountHalted, AccountReleased

RECORD = AccountHalted("x" * 100, 1)
BIG = AccountHalted("y" * 100_000, 1)

WRITER = """
import os, sys
from pathlib import Path
from headrace.adapters.stores.sqlite.journal import SqliteJournal
from headrace.model.record import AccountHalted
journal = SqliteJournal(Path(sys.argv[1]))
os.write(1, b"MARK0")
journal.append([AccountHalted("unsynced", 1)], is_synced=False)
os.write(1, b"MARK1")
journal.append([AccountHalted("synced", 1)], is_synced=True)
os.write(1, b"MARK2")
journal.append([], is_synced=True)
os.write(1, b"MARK3")
sys.stdin.read() if sys.argv[2] == "wait" else os.kill(os.getpid(), 9)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[SqliteJournal]:
    opened = SqliteJournal(path)
    yield opened
    opened.close()


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_records_outlive_a_process_killed_after_the_append(path: Path) -> None:
    writer = subprocess.run([sys.executable, "-c", WRITER, str(path), "die"], check=False, capture_output=True)
    assert writer.returncode == -9, writer.stderr
    reopened = SqliteJournal(path)
    assert [r.cause for r in reopened.read() if isinstance(r, AccountHalted)] == ["unsynced", "synced"]
    reopened.append([RECORD], is_synced=True)
    assert sum(1 for _ in reopened.read()) == 3
    reopened.close()


@pytest.mark.skipif(not shutil.which("strace"), reason="strace shows the system calls; it is not installed")
def test_a_synced_append_syncs_the_log_once_and_an_unsynced_one_never(path: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    command = ["strace", "-f", "-y", "-e", "trace=fsync,fdatasync,write", "-o", str(trace)]
    run = subprocess.run([*command, sys.executable, "-c", WRITER, str(path), "die"], check=False, capture_output=True)
    if "MARK3" not in run.stdout.decode():
        pytest.skip(f"strace may not trace here: {run.stderr.decode()[-200:]}")
    _, unsynced, synced, empty, _ = re.split(r"MARK\d", trace.read_text())
    sync = re.compile(r"f(?:data)?sync\(\d+<[^>]*>\)")
    assert sync.findall(unsynced) == []
    assert [re.sub(r".*/(.*)>\)", r"\1", call) for call in sync.findall(synced)] == ["journal.db-wal"]
    assert len(sync.findall(empty)) == 1


def test_file_and_folder_belong_to_their_owner_alone(journal: SqliteJournal, path: Path) -> None:
    journal.append([RECORD], is_synced=True)
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_second_writer_is_refused_and_told_who_writes(journal: SqliteJournal, path: Path) -> None:
    assert journal
    with pytest.raises(JournalLockedError, match=f"process {os.getpid()} writes it"):
        SqliteJournal(path)


def test_a_writer_in_another_process_is_named(path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(path), "wait"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.read(20) == b"MARK0MARK1MARK2MARK3"
        with pytest.raises(JournalLockedError, match=f"process {writer.pid} "):
            SqliteJournal(path)
        assert sum(1 for _ in read_journal(path)) == 2
        writer.kill()
        writer.wait()
    SqliteJournal(path).close()


def test_the_lock_is_free_after_closing(path: Path) -> None:
    SqliteJournal(path).close()
    SqliteJournal(path).close()


def test_a_full_disk_is_an_error_with_a_cure_and_the_last_word(journal: SqliteJournal) -> None:
    journal.append([RECORD], is_synced=True)
    journal._connection.execute("PRAGMA max_page_count = 8")
    with pytest.raises(JournalError, match=r"full.*free space"):
        journal.append([RECORD, BIG], is_synced=True)
    journal._connection.execute("PRAGMA max_page_count = 1000000")
    with pytest.raises(JournalError, match="free space"):
        journal.append([RECORD], is_synced=True)
    with pytest.raises(JournalError, match="free space"):
        journal.read()


def test_nothing_of_an_append_that_failed_is_there_afterwards(journal: SqliteJournal, path: Path) -> None:
    journal.append([RECORD], is_synced=True)
    with file_size_limit(60_000), pytest.raises(JournalError, match="free space or repair the disk"):
        journal.append([RECORD, BIG], is_synced=True)
    journal.close()
    reopened = SqliteJournal(path)
    assert list(reopened.read()) == [RECORD]
    reopened.append([RECORD], is_synced=True)
    reopened.close()


def test_a_disk_that_is_full_from_the_start_is_an_error(path: Path) -> None:
    with file_size_limit(1_000), pytest.raises(JournalError, match="free space"):
        SqliteJournal(path)
    SqliteJournal(path).close()


def test_another_file_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    other = tmp_path / "notes.txt"
    other.write_bytes(b"not a database at all, " * 100)
    with pytest.raises(JournalCorruptError, match="choose another path"):
        SqliteJournal(other)
    with pytest.raises(JournalCorruptError, match="not a readable journal"):
        list(read_journal(other))
    assert other.read_bytes() == b"not a database at all, " * 100


def test_another_database_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE record (a)")
    connection.close()
    before = other.read_bytes()
    with pytest.raises(JournalCorruptError, match="another program's database"):
        SqliteJournal(other)
    with pytest.raises(JournalCorruptError, match="another program's database"):
        list(read_journal(other))
    assert other.read_bytes() == before


def _spoil(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute("DROP TRIGGER record_stays")
    connection.execute("DROP TRIGGER record_is_fixed")
    connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("DELETE FROM record WHERE seq = 2", "record 2 is missing"),
        ('UPDATE record SET body = \'{"type": "nonsense"}\' WHERE seq = 2', "record 2 cannot be read"),
        ("UPDATE record SET body = '{' WHERE seq = 3", "record 3 cannot be read"),
    ],
)
def test_a_spoiled_journal_is_corrupt(path: Path, statement: str, words: str) -> None:
    journal = SqliteJournal(path)
    journal.append([RECORD, RECORD, AccountReleased("me", 2)], is_synced=True)
    journal.close()
    _spoil(path, statement)
    reopened = SqliteJournal(path)
    with pytest.raises(JournalCorruptError, match=words):
        list(reopened.read())
    reopened.close()


def test_a_damaged_page_is_found_at_opening(path: Path) -> None:
    journal = SqliteJournal(path)
    journal.append([RECORD] * 300, is_synced=True)
    journal.close()
    raw = bytearray(path.read_bytes())
    raw[3 * 4096 : 4 * 4096] = b"\xff" * 4096
    path.write_bytes(raw)
    with pytest.raises(JournalCorruptError):
        SqliteJournal(path)
    with pytest.raises(JournalCorruptError):
        list(read_journal(path))


def test_rows_cannot_be_changed_or_deleted(journal: SqliteJournal) -> None:
    journal.append([RECORD], is_synced=True)
    for statement in ("UPDATE record SET body = ''", "DELETE FROM record"):
        with pytest.raises(sqlite3.IntegrityError, match="only grows"):
            journal._connection.execute(statement)


def test_a_newer_version_is_refused(path: Path) -> None:
    SqliteJournal(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 2")
    connection.close()
    with pytest.raises(JournalError, match=r"version 2.*upgrade"):
        SqliteJournal(path)


def test_a_path_that_cannot_be_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="cannot be created"):
        SqliteJournal(tmp_path / "file" / "journal.db")
    with pytest.raises(JournalError, match="cannot be created"):
        SqliteJournal(tmp_path)
    with pytest.raises(JournalError, match="cannot be opened"):
        list(read_journal(tmp_path))
    with pytest.raises(JournalError, match="there is no journal"):
        list(read_journal(tmp_path / "none.db"))


def test_a_lock_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "journal.db.lock").mkdir()
    with pytest.raises(JournalError, match=r"journal\.db\.lock: cannot be made"):
        SqliteJournal(tmp_path / "journal.db")


def test_the_log_is_folded_into_the_file_after_unsynced_appends_only(
    journal: SqliteJournal, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_CHECKPOINT_BYTES", 50_000)
    journal.append([BIG], is_synced=True)
    journal.append([BIG], is_synced=True)
    assert path.stat().st_size < 50_000
    journal.append([RECORD], is_synced=False)
    journal.flush()
    assert path.stat().st_size > 200_000
    assert list(journal.read()) == [BIG, BIG, RECORD]


def test_a_journal_can_be_read_beside_its_writer_and_after_it(path: Path) -> None:
    journal = SqliteJournal(path)
    journal.append([RECORD], is_synced=False)
    assert list(read_journal(path)) == []
    journal.flush()
    assert list(read_journal(path)) == [RECORD]
    journal.append([BIG], is_synced=False)
    journal.close()
    assert list(read_journal(path)) == [RECORD, BIG]


def test_what_waits_stands_before_the_synced_append_that_follows_it(journal: SqliteJournal, path: Path) -> None:
    journal.append([BIG], is_synced=False)
    journal.append([RECORD], is_synced=True)
    assert list(read_journal(path)) == [BIG, RECORD]


def test_what_waits_and_cannot_be_written_is_an_error_at_the_close_which_closes(path: Path) -> None:
    journal = SqliteJournal(path)
    journal.append([BIG], is_synced=False)
    with file_size_limit(60_000), pytest.raises(JournalError, match="free space or repair the disk"):
        journal.close()
    journal.close()
    SqliteJournal(path).close()


def test_a_journal_can_be_read_after_its_writer_was_killed(path: Path) -> None:
    subprocess.run([sys.executable, "-c", WRITER, str(path), "die"], check=False, capture_output=True)
    assert sum(1 for _ in read_journal(path)) == 2
