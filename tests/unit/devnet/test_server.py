import os
import select
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from tests.support.waiting import found
from tests.unit.devnet.conftest import SEED

from headrace.devnet.anvil import Anvil
from headrace.devnet.rpc import Rpc
from headrace.devnet.server import down, status, up
from headrace.devnet.state_dir import RunningDevnet, StateDir
from headrace.errors import DevnetError


@pytest.fixture
def state_dir(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "devnet"
    yield path
    down(path)


@pytest.fixture
def running(state_dir: Path) -> RunningDevnet:
    return up(state_dir, seed=SEED, block_time_seconds=0.05, port=0)


def test_a_devnet_comes_up_with_its_market_and_mines_by_itself(state_dir: Path, running: RunningDevnet) -> None:
    found = status(state_dir)
    assert found is not None
    assert found.devnet == running
    assert found.block >= running.market.deploy_block
    while found.block < running.market.deploy_block + 2:
        found = status(state_dir)
        assert found is not None


def test_its_files_are_its_owners_alone(state_dir: Path, running: RunningDevnet) -> None:
    assert running.pid > 0
    assert stat.S_IMODE(state_dir.stat().st_mode) == 0o700
    for name in ("devnet.json", "devnet.pid", "devnet.log"):
        assert stat.S_IMODE((state_dir / name).stat().st_mode) == 0o600


def test_a_second_devnet_in_the_same_directory_is_refused(state_dir: Path, running: RunningDevnet) -> None:
    with pytest.raises(DevnetError, match="already runs"):
        up(state_dir, seed=SEED, block_time_seconds=1, port=0)
    found = status(state_dir)
    assert found is not None
    assert found.devnet.pid == running.pid


def test_a_devnet_goes_down_and_leaves_nothing_running(state_dir: Path, running: RunningDevnet) -> None:
    port = int(running.http_url.rsplit(":", 1)[1])
    assert down(state_dir)
    assert status(state_dir) is None
    assert not down(state_dir)
    with Rpc(port) as rpc, pytest.raises(DevnetError):
        rpc.request("eth_blockNumber")


def test_a_devnet_ends_on_ctrl_c(state_dir: Path, running: RunningDevnet) -> None:
    process = os.pidfd_open(running.pid)
    os.kill(running.pid, signal.SIGINT)
    os.waitpid(running.pid, 0)
    os.close(process)
    assert status(state_dir) is None
    assert not (state_dir / "devnet.pid").exists()


def test_files_of_a_killed_devnet_are_not_taken_for_a_live_one(state_dir: Path, running: RunningDevnet) -> None:
    os.kill(running.pid, signal.SIGKILL)
    os.waitpid(running.pid, 0)
    assert (state_dir / "devnet.pid").exists()
    assert status(state_dir) is None
    again = up(state_dir, seed=SEED, block_time_seconds=1, port=0)
    assert again.pid != running.pid


def test_a_pid_that_belongs_to_somebody_else_by_now_is_never_signalled(state_dir: Path) -> None:
    state_dir.mkdir()
    (state_dir / "devnet.pid").write_text(str(os.getpid()))
    assert not down(state_dir)
    assert not (state_dir / "devnet.pid").exists()


def test_a_port_in_use_is_named(state_dir: Path, chain: Anvil) -> None:
    with pytest.raises(DevnetError, match=f"port {chain.port} is in use"):
        up(state_dir, seed=SEED, block_time_seconds=1, port=chain.port)
    assert status(state_dir) is None


def holder_started_by(starter: subprocess.Popen[bytes], state_dir: Path) -> int | None:
    assert starter.poll() is None
    return StateDir(state_dir).holder()


def test_a_ctrl_c_during_the_start_leaves_nothing_running(state_dir: Path) -> None:
    program = f"import pathlib; from headrace.devnet.server import up; up(pathlib.Path({str(state_dir)!r}), "
    program += f"seed={SEED}, block_time_seconds=1, port=0)"
    with subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.DEVNULL) as starter:
        pid = found(partial(holder_started_by, starter, state_dir), "a devnet in the background")
        background = os.pidfd_open(pid)
        starter.send_signal(signal.SIGINT)
        assert starter.wait(20) != 0
    assert select.select([background], [], [], 20)[0]
    os.close(background)
    assert status(state_dir) is None


def test_a_block_time_of_nothing_is_refused(state_dir: Path) -> None:
    with pytest.raises(DevnetError, match="block time"):
        up(state_dir, seed=SEED, block_time_seconds=0, port=0)
