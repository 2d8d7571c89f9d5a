"""A devnet in the background: start it, end it, ask after it."""

import os
import select
import signal
import sys
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from headrace.devnet.background import READY
from headrace.devnet.rpc import Rpc, quantity
from headrace.devnet.state_dir import RunningDevnet, StateDir
from headrace.errors import DevnetError

DEFAULT_PORT = 8545
_START_SECONDS_MAX = 60.0
_STOP_SECONDS_MAX = 20.0
_MESSAGE_BYTES_MAX = 4096


class DevnetStatus(msgspec.Struct, frozen=True):
    """A running devnet and the number of its latest block."""

    devnet: RunningDevnet
    block: int


def up(state_dir: Path, *, seed: int, block_time_seconds: float, port: int = DEFAULT_PORT) -> RunningDevnet:
    """Start a devnet in the background and wait until its market stands; port 0 lets the system choose one.

    Raises:
        DevnetError: one already runs from `state_dir`, the port is in use, or anvil or the contracts are missing.
    """
    if block_time_seconds <= 0:
        raise DevnetError("the block time must be above 0 seconds")
    state = StateDir(state_dir)
    lock = state.lock()
    try:
        state.manifest_file.unlink(missing_ok=True)
        _start(state, lock, ["--seed", str(seed), "--block-time", str(block_time_seconds), "--port", str(port)])
    finally:
        os.close(lock)  # the started process holds its own copy
    running = state.read_manifest()
    if running is None:
        raise DevnetError("the devnet was stopped while it started: start it again")
    return running


def down(state_dir: Path) -> bool:
    """End the devnet and wait until it is gone; false if none ran. Files of a crashed one are cleared away.

    Raises:
        DevnetError: it belongs to another user.
    """
    state = StateDir(state_dir)
    pid = state.holder()
    if pid is not None:
        try:
            _end(pid)
        except PermissionError as error:
            raise DevnetError(f"process {pid} belongs to another user: stop the devnet as that user") from error
    state.clear()
    return pid is not None


def status(state_dir: Path) -> DevnetStatus | None:
    """The devnet that runs from `state_dir`, none if there is none or it is still starting.

    Raises:
        DevnetError: it runs and does not answer.
    """
    state = StateDir(state_dir)
    running = state.read_manifest()
    if state.holder() is None or running is None:
        return None
    with Rpc(urlsplit(running.http_url).port or DEFAULT_PORT) as rpc:
        return DevnetStatus(running, quantity(rpc.request("eth_blockNumber")))


def _start(state: StateDir, lock: int, arguments: list[str]) -> None:
    reader, writer = os.pipe()
    try:
        pid = _spawn(state, (lock, writer), [*arguments, "--ready-fd", str(writer)])
        state.write_pid(lock, pid)
        os.close(writer)
        writer = -1
        _await_ready(reader, pid)
    finally:
        os.close(reader)
        if writer >= 0:
            os.close(writer)


def _spawn(state: StateDir, kept: tuple[int, ...], arguments: list[str]) -> int:
    for descriptor in kept:
        os.set_inheritable(descriptor, True)
    command = [sys.executable, "-m", "headrace.devnet.background", "--state-dir", str(state.path), *arguments]
    log_flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(state.log_file), log_flags, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    return os.posix_spawn(sys.executable, command, os.environ, file_actions=actions, setsid=True)


def _await_ready(reader: int, pid: int) -> None:
    try:
        is_readable, _, _ = select.select([reader], [], [], _START_SECONDS_MAX)
        message = os.read(reader, _MESSAGE_BYTES_MAX) if is_readable else b"the devnet did not start in time"
    except BaseException:  # also a Ctrl-C of whoever waits
        _end(pid)
        raise
    if message != READY:
        _end(pid)
        raise DevnetError(message.decode() or "the devnet ended while it started: see devnet.log in its directory")


def _end(pid: int) -> None:
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        signal.pidfd_send_signal(process, signal.SIGTERM)
        if not select.select([process], [], [], _STOP_SECONDS_MAX)[0]:
            signal.pidfd_send_signal(process, signal.SIGKILL)
            select.select([process], [], [])
    except ProcessLookupError:
        return
    finally:
        os.close(process)
        with suppress(ChildProcessError):  # not started by this process
            os.waitpid(pid, 0)
