"""One devnet for all tests of a worker, and its files."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.yard import Yard

from headrace.app.cli.devnet_files import write_devnet_files
from headrace.devnet import server
from headrace.devnet.anvil import Anvil

BLOCK_SECONDS = 1.0  # less would drive the chain's timestamps ahead of the clock


@pytest.fixture(scope="package")
def devnet_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("devnet")
    running = server.up(folder, seed=1, block_time_seconds=BLOCK_SECONDS, port=0)
    try:
        write_devnet_files(running, folder)
        yield folder
    finally:
        server.down(folder)


@pytest.fixture
def devnet_text(devnet_dir: Path) -> str:
    return (devnet_dir / "headrace.yaml").read_text()


@pytest.fixture
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)


@pytest.fixture
def yard(tmp_path: Path, devnet_text: str) -> Iterator[Yard]:
    with Anvil.start() as anvil, anvil.connect() as rpc:
        rpc.request("evm_setAutomine", True)
        yield Yard(rpc, anvil.ws_url, tmp_path, devnet_text)
