"""The local chain itself: one anvil process, on the loopback interface, that dies with its parent.

anvil mines only when it is told to, orders a block by `maxFeePerGas` and starts from a fixed timestamp, so that the
same transactions with distinct fees give the same block hashes. HTTP and WebSocket share one port.
"""

import ctypes
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from headrace.devnet.places import ANVIL_BINARY
from headrace.devnet.rpc import Rpc
from headrace.errors import DevnetError

GENESIS_TIMESTAMP = 1_767_225_600  # 2026-01-01 00:00 UTC
BLOCK_GAS_LIMIT = 36_000_000
_HOST = "127.0.0.1"
_BLOCKS_OF_STATE = 256  # older state is forgotten, not written to disk
_BLOCKS_OF_TRANSACTIONS = 2_000
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)
_READY = "Listening on "
_START_SECONDS_MAX = 30.0
_STOP_SECONDS_MAX = 10.0


class AnvilOptions(msgspec.Struct, frozen=True):
    """How to start the chain; port 0 lets the system choose one, `genesis_timestamp` is in Unix seconds.

    `network` is whose rules it follows: ethereum or optimism.
    """

    port: int = 0
    chain_id: int = 31337
    genesis_timestamp: int = GENESIS_TIMESTAMP
    gas_limit: int = BLOCK_GAS_LIMIT
    accounts: int = 12
    ipc_path: Path | None = None
    binary: Path | None = None
    network: str = "ethereum"


class Anvil:
    """A running chain; `start` returns once it listens. Use it as a context manager.

    The process gets SIGKILL when the thread that started it ends: start it from one that lives as long as the chain.
    """

    def __init__(self, process: subprocess.Popen[bytes], port: int, ipc_path: Path | None) -> None:
        self._process = process
        self.port = port
        self.ipc_path = ipc_path

    @classmethod
    def start(cls, options: AnvilOptions | None = None) -> Self:
        """Start the process and wait until it listens.

        Raises:
            DevnetError: the binary is missing, the port is in use, or anvil does not come up.
        """
        chosen = options or AnvilOptions()
        process = _spawn(chosen)
        try:
            port = _await_port(process, chosen.port)
            with Rpc(port) as rpc:  # from here on nobody reads its output
                rpc.request("anvil_setLoggingEnabled", False)
        except BaseException:
            _end(process)
            raise
        return cls(process, port, chosen.ipc_path)

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process.poll() is None

    @property
    def http_url(self) -> str:
        """JSON-RPC over HTTP."""
        return f"http://{_HOST}:{self.port}"

    @property
    def ws_url(self) -> str:
        """JSON-RPC over WebSocket, on the same port."""
        return f"ws://{_HOST}:{self.port}"

    def connect(self) -> Rpc:
        """Open a connection; the caller closes it."""
        return Rpc(self.port)

    def stop(self) -> None:
        """End the process; harmless when it has ended."""
        _end(self._process)
        if self.ipc_path is not None:
            self.ipc_path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _command(options: AnvilOptions) -> list[str]:
    binary = options.binary or ANVIL_BINARY
    if not binary.is_file():
        raise DevnetError("anvil is not installed: run `make setup`")
    command = [str(binary), "--host", _HOST, "--port", str(options.port), "--chain-id", str(options.chain_id)]
    command += ["--timestamp", str(options.genesis_timestamp), "--gas-limit", str(options.gas_limit)]
    command += ["--accounts", str(options.accounts), "--order", "fees", "--no-mining", "--enable-tx-gas-limit"]
    command += ["--no-request-size-limit", "--prune-history", str(_BLOCKS_OF_STATE)]
    command += ["--transaction-block-keeper", str(_BLOCKS_OF_TRANSACTIONS)]
    command += ["--network", options.network]
    if options.ipc_path is not None:
        command += ["--ipc", str(options.ipc_path)]
    return command


def _spawn(options: AnvilOptions) -> subprocess.Popen[bytes]:
    parent = os.getpid()

    def die_with_parent() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # the parent ended before the signal was armed
            os.kill(os.getpid(), signal.SIGKILL)

    with _interrupts_held():
        return subprocess.Popen(
            _command(options),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - only calls prctl and sigmask, takes no lock
            start_new_session=True,  # a Ctrl-C in the terminal is the parent's to handle
        )


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold a Ctrl-C back while Python forks: raised in a callback of the fork, it would be reported and forgotten."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _await_port(process: subprocess.Popen[bytes], port: int) -> int:
    deadline = time.monotonic() + _START_SECONDS_MAX
    said = ""
    stream = process.stdout
    assert stream is not None
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while selector.select(deadline - time.monotonic()):
            chunk = os.read(stream.fileno(), 65536)
            said += chunk.decode()
            if _READY in said and said.endswith("\n"):
                return int(said.split(_READY)[1].split()[0].rsplit(":", 1)[1])
            if not chunk:
                break
    raise DevnetError(_why_it_failed(said, port))


def _why_it_failed(said: str, port: int) -> str:
    if "in use" in said:
        return f"port {port} is in use: choose another (`--port`; 0 takes a free one), or stop what listens there"
    return f"anvil did not start: {said.strip()[-300:] or 'it said nothing'}; try again, or run `make setup`"


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout is not None:
        process.stdout.close()
