"""`headrace release`, and what `status` says before and after; the journals are real files."""

import json
import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.config_sample import SAMPLE
from tests.support.intents import ACCOUNT, LIMITS, SIGNER, intent, transaction
from tests.support.machine import Machine, receipt

from headrace.adapters.stores.sqlite.journal import SqliteJournal, read_journal
from headrace.app.cli.invocation import invoke
from headrace.app.clock import SystemClock
from headrace.app.config.load import load_config
from headrace.model.intent import IntentStatus, Outcome, Payload, Purpose, SlotKey
from headrace.model.record import (
    AccountHalted,
    AccountReleased,
    IntentEnded,
    IntentOpened,
    PayloadSigned,
    Record,
    RunStarted,
)

STARTED = RunStarted("1", "", ACCOUNT, 5)
STRANGER = "nonce 3 was used by a transaction that is not in the journal: who else signs with this key?"
HALTED = AccountHalted(STRANGER, 6)
HOLDER = """
import os, sys
from pathlib import Path
from headrace.adapters.stores.sqlite.journal import SqliteJournal
journal = SqliteJournal(Path(sys.argv[1]))
os.write(1, b"held")
sys.stdin.read()
"""
