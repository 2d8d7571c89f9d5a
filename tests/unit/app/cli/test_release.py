"""`headrace release`, and what `status` says before and after; the journals are real files, their lock is real."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from tests.support.config_sample import SAMPLE
from tests.support.intents import ACCOUNT, SIGNER, intent, transaction

from headrace.adapters.stores.sqlite.journal import SqliteJournal, read_journal
from headrace.app.cli.invocation import invoke
from headrace.app.clock import SystemClock
from headrace.app.config.load import load_config
from headrace.model.address import PoolId
from headrace.model.intent import IntentStatus, Outcome, Payload, Purpose, SlotKey
from headrace.model.record import (
    AccountHalted,
    AccountReleased,
    IntentEnded,
    IntentOpened,
    PayloadSigned,
    PoolsTripped,
    Record,
    RunStarted,
)

STARTED = RunStarted("1", "", ACCOUNT, 5)
STRANGER = "nonce 3 was used by a transaction [that] is not in the journal: who else signs with this key?"
HALTED = AccountHalted(STRANGER, 6)
TRIPPED = PoolsTripped("i0", (PoolId("0xpool1"), PoolId("0xpool2")), "0xabc gained [1] unit less", 6)
HOLDER = """
import os, sys
from pathlib import Path
from headrace.adapters.stores.sqlite.journal import SqliteJournal
journal = SqliteJournal(Path(sys.argv[1]))
os.write(1, b"held")
sys.stdin.read()
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "headrace.yaml"
    file.write_text(SAMPLE[: SAMPLE.index("  wallet:")] + "  data_dir: data\n")
    return file


def journal_of(config: Path, *records: Record) -> Path:
    path = load_config(config).journal_path
    with closing(SqliteJournal(path)) as journal:
        journal.append(records, is_synced=True)
    return path


def release(config: Path, *more: str) -> int:
    return invoke(["release", "--config", str(config), *more])


@contextmanager
def writer_of(path: Path) -> Iterator[int]:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.read(4) == b"held"
        yield holder.pid


def test_a_person_releases_and_the_journal_keeps_who(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = journal_of(config, STARTED, HALTED)
    before = SystemClock().now()
    assert release(config, "--by", "  Ada Lovelace ") == 0
    *_, last = read_journal(path)
    assert isinstance(last, AccountReleased)
    assert last.by == "Ada Lovelace"
    assert before <= last.at <= SystemClock().now()
    shown = capsys.readouterr().out
    assert f"released by Ada Lovelace: {ACCOUNT.operator} on chain 31337 ({path})" in shown
    assert f"it was halted: {STRANGER}" in shown


def test_status_names_the_command_until_it_was_given(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal_of(config, STARTED, AccountHalted("by hand", 6))
    status = ["status", "--config", str(config)]
    assert invoke(status) == 0
    assert "HALTED: by hand (look into it, then: headrace release)" in capsys.readouterr().out
    assert release(config, "--by", "Ada") == 0
    assert invoke(status) == 0
    assert "HALTED" not in capsys.readouterr().out


def test_tripped_pools_are_named_with_their_cause_until_a_person_releases(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = journal_of(config, STARTED, TRIPPED)
    status = ["status", "--config", str(config)]
    assert invoke(status) == 0
    shown = capsys.readouterr().out
    for pool in TRIPPED.pools:
        assert f"TRIPPED: pool {pool}: {TRIPPED.cause} (look into it, then: headrace release)" in shown
    assert invoke([*status, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["tripped"] == dict.fromkeys(TRIPPED.pools, TRIPPED.cause)
    assert release(config) == 2
    assert f"pool 0xpool1 tripped because {TRIPPED.cause}" in capsys.readouterr().err
    assert list(read_journal(path)) == [STARTED, TRIPPED]
    assert release(config, "--by", "Ada") == 0
    assert f"pool 0xpool2 was tripped: {TRIPPED.cause}" in capsys.readouterr().out
    assert invoke(status) == 0
    assert "TRIPPED" not in capsys.readouterr().out


def test_all_causes_since_the_last_release_are_told_with_what_is_lost_and_open(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    signed = SIGNER.sign(transaction(), 3)
    payload = Payload(signed.hash, signed.raw, Purpose.EXECUTE, transaction())
    journal_of(
        config,
        STARTED,
        AccountHalted("long ago", 5),
        AccountReleased("Bob", 5),
        IntentOpened(intent("lost"), 6),
        IntentEnded(Outcome("lost", IntentStatus.REVERTED), SystemClock().now(), 1_250_000),
        IntentOpened(intent("open"), 7),
        PayloadSigned(SlotKey(ACCOUNT.chain_id, ACCOUNT.operator, 3), "open", payload, 10),
        HALTED,
        AccountHalted("a second cause", 8),
        HALTED,
    )
    assert release(config, "--by", "Ada", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "journal": str(load_config(config).journal_path),
        "account": f"{ACCOUNT.operator} on chain 31337",
        "by": "Ada",
        "causes": [STRANGER, "a second cause"],
        "tripped": {},
        "lost_today_usd": "1.25",
        "open_nonces": [3],
    }


def test_what_is_lost_and_open_is_shown_to_people_too(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    signed = SIGNER.sign(transaction(), 3)
    payload = Payload(signed.hash, signed.raw, Purpose.EXECUTE, transaction())
    slot = SlotKey(ACCOUNT.chain_id, ACCOUNT.operator, 3)
    journal_of(config, STARTED, IntentOpened(intent("open"), 7), PayloadSigned(slot, "open", payload, 10), HALTED)
    assert release(config, "--by", "Ada") == 0
    shown = capsys.readouterr().out
    assert "$0 lost today count no longer: the whole of max_daily_loss_usd may be lost anew" in shown
    assert "open: nonce 3, which the next run brings to its end" in shown


@pytest.mark.parametrize("more", [(), ("--by", "  "), ("--by", "two\nlines"), ("--by", "x" * 101)])
def test_who_names_nobody_is_told_why_it_is_halted_and_nothing_is_written(
    config: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...]
) -> None:
    path = journal_of(config, STARTED, HALTED)
    assert release(config, *more) == 2
    words = capsys.readouterr().err
    assert f"halted because {STRANGER}: look into it, then repeat with --by" in words
    assert list(read_journal(path)) == [STARTED, HALTED]


@pytest.mark.parametrize("records", [(), (STARTED,), (STARTED, HALTED, TRIPPED, AccountReleased("Bob", 7))])
def test_an_account_that_is_not_halted_is_not_released(
    config: Path, capsys: pytest.CaptureFixture[str], records: tuple[Record, ...]
) -> None:
    path = journal_of(config, *records)
    assert release(config, "--by", "Ada") == 2
    assert "the account is not halted and no pool tripped, there is nothing to release" in capsys.readouterr().err
    assert list(read_journal(path)) == list(records)


def test_under_a_running_agent_nothing_is_released(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = journal_of(config, STARTED, HALTED)
    with writer_of(path) as pid:
        assert release(config, "--by", "Ada", "--json") == 5
        error = json.loads(capsys.readouterr().out)["error"]
        assert error["kind"] == "JournalLockedError"
        assert f"process {pid} writes it; stop that one first" in error["message"]
    assert release(config, "--by", "Ada") == 0  # the lock went with its holder


def test_where_there_is_no_journal_none_is_made(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert release(config, "--by", "Ada") == 5
    assert "there is no journal at" in capsys.readouterr().err
    assert not load_config(config).journal_path.parent.exists()


def test_what_is_no_journal_is_refused(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = load_config(config).journal_path
    path.parent.mkdir()
    path.write_bytes(b"something else" * 100)
    assert release(config, "--by", "Ada") == 5
    assert "not a journal" in capsys.readouterr().err
    assert path.read_bytes() == b"something else" * 100
