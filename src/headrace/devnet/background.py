"""The process that a devnet in the background is: chain, recipe and driver until a signal says to stop."""

import argparse
import asyncio
import os
import signal
import sys
import time
from pathlib import Path

from headrace.devnet.anvil import AnvilOptions
from headrace.devnet.driver import Driver
from headrace.devnet.state_dir import RunningDevnet, StateDir
from headrace.devnet.world import Devnet
from headrace.errors import DevnetError

READY = b"ready"
_HISTORY_SECONDS = 600  # the chain starts in the past, so that building the market ends before now
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def main() -> int:
    """Serve until a signal; says on `--ready-fd` that the devnet is ready, or in one sentence why it is not."""
    arguments = _parse()
    state = StateDir(arguments.state_dir)
    try:
        asyncio.run(_serve(state, arguments))
    except DevnetError as error:
        _say(arguments.ready_fd, str(error).encode())
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    finally:
        state.clear()
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state-dir", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--block-time", type=float, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--ready-fd", type=int, required=True)
    return parser.parse_args()


async def _serve(state: StateDir, arguments: argparse.Namespace) -> None:
    is_over = asyncio.Event()
    for number in _SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, is_over.set)
    start = int(time.time()) - _HISTORY_SECONDS
    options = AnvilOptions(port=arguments.port, genesis_timestamp=start, ipc_path=state.ipc_path)
    with Devnet.start(arguments.seed, options) as devnet:
        driver = Driver(devnet, arguments.seed)
        state.write_manifest(_describe(devnet, arguments.block_time))
        _say(arguments.ready_fd, READY)
        await driver.run_clock(arguments.block_time, is_over)


def _describe(devnet: Devnet, block_time_seconds: float) -> RunningDevnet:
    ipc_path = devnet.anvil.ipc_path
    return RunningDevnet(
        pid=os.getpid(),
        http_url=devnet.anvil.http_url,
        ws_url=devnet.anvil.ws_url,
        ipc_path=None if ipc_path is None else str(ipc_path),
        block_time_seconds=block_time_seconds,
        market=devnet.market,
    )


def _say(descriptor: int, message: bytes) -> None:
    try:
        os.write(descriptor, message)
        os.close(descriptor)
    except OSError:  # said before, or nobody listens any more
        return


if __name__ == "__main__":
    sys.exit(main())
