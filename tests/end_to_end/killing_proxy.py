"""A proxy before the node that kills the agent at moments which only somebody who sees the frames can hit.

It also compares every transaction's bytes with the journal on disk at the moment their frame arrives.
"""

import asyncio
import contextlib
import os
import signal
import sqlite3
import threading
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

import msgspec
from tests.support.node_proxy import Fault, NodeProxy, Rule

from headrace.model.address import keccak_hex
from headrace.model.record import PayloadSigned, record_from_json

SEND = "eth_sendRawTransaction"
_SIMULATE = "eth_simulateV1"
_NONCE = "eth_getTransactionCount"  # the first question of start-up recovery


class Moment(StrEnum):
    """When a life ends."""

    AT_RANDOM = "at random"
    AFTER_SIMULATION = "between rehearsal, signature and journal"
    AT_JOURNAL = "the signed bytes are in the journal, none has left"  # seen from inside alone: see `ForkServer`
    BEFORE_FORWARD = "the bytes have left, the node has not got them"
    BEFORE_ANSWER = "the node has got the bytes, the agent has no answer"
    IN_RECOVERY = "during start-up recovery"
    NEVER = "never"


class _Request(msgspec.Struct):
    method: str
    params: list[msgspec.Raw] = []


_requests = msgspec.json.Decoder(_Request | list[_Request])


class KillingProxy(NodeProxy):
    """`aim` it at a process; `fell` is set when that has been killed."""

    def __init__(self, node_port: int) -> None:
        super().__init__(node_port)
        self.fell = threading.Event()
        self.sent_hashes: list[str] = []
        self.sent_before_journaled: list[str] = []
        self._journal: Path | None = None
        self._journaled: set[str] = set()
        self._seq = 0
        self._moment = Moment.NEVER
        self._pid = 0
        self._delay_seconds = 0.0

    def watch(self, journal: Path) -> None:
        """Compare what is sent with this journal."""
        self._journal = journal

    def aim(self, pid: int, moment: Moment, delay_seconds: float) -> None:
        """Kill a process, which was just started, so long after its moment has come."""
        self.fell.clear()
        self._pid, self._moment, self._delay_seconds = pid, moment, delay_seconds

    def disarm(self) -> None:
        """Kill nobody."""
        self._moment, self._pid = Moment.NEVER, 0

    def refusals(self, frame: bytes) -> bytes | None:
        decoded = _requests.decode(frame)
        requests = decoded if isinstance(decoded, list) else [decoded]
        for request in requests:
            if request.method == SEND:
                self._note_send(msgspec.json.decode(request.params[0], type=str))
        methods = [request.method for request in requests]
        if self._moment is Moment.IN_RECOVERY and _NONCE in methods:
            self._kill_later()
        if self._moment is Moment.BEFORE_FORWARD and SEND in methods:
            self._kill()
            return b"null"  # nobody reads it; the node never gets the frame
        return super().refusals(frame)

    def fault_for(self, methods: Sequence[str]) -> Rule | None:
        if self._moment is Moment.BEFORE_ANSWER and SEND in methods:
            self._kill()
            return Rule(Fault.DROP)
        if self._moment is Moment.AFTER_SIMULATION and _SIMULATE in methods:
            if not self._delay_seconds:
                self._kill()
                return Rule(Fault.DROP)
            self._kill_later()
        return super().fault_for(methods)

    def _note_send(self, raw: str) -> None:
        tx_hash = keccak_hex(bytes.fromhex(raw[2:]))
        self.sent_hashes.append(tx_hash)
        if tx_hash not in self._journaled:
            self._read_journal()
        if tx_hash not in self._journaled:
            self.sent_before_journaled.append(tx_hash)

    def _read_journal(self) -> None:
        assert self._journal is not None
        query = "SELECT seq, body FROM record WHERE seq > ? ORDER BY seq"
        with contextlib.closing(sqlite3.connect(f"{self._journal.as_uri()}?mode=ro", uri=True)) as reader:
            for seq, body in reader.execute(query, (self._seq,)):
                self._seq = seq
                record = record_from_json(body)
                if isinstance(record, PayloadSigned):
                    self._journaled.add(record.payload.tx_hash)

    def _kill_later(self) -> None:
        self._moment = Moment.NEVER
        asyncio.get_running_loop().call_later(self._delay_seconds, self._kill)

    def _kill(self) -> None:
        pid, self._pid = self._pid, 0
        self._moment = Moment.NEVER
        if pid:
            os.kill(pid, signal.SIGKILL)
            self.fell.set()
