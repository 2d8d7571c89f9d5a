"""`headrace devnet`: a real chain, and files that make it a chain like any other."""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from headrace.adapters.signers.keystore.folder import Keystore
from headrace.app.cli import devnet_files
from headrace.app.cli.exit_codes import INTERRUPTED
from headrace.app.cli.invocation import invoke
from headrace.app.config.load import load_config
from headrace.devnet.state_dir import StateDir
from headrace.errors import KeystoreError


def test_the_written_configuration_names_the_whole_market(devnet_dir: Path) -> None:
    running = StateDir(devnet_dir).read_manifest()
    assert running is not None
    market = running.market
    config = load_config(devnet_dir / "headrace.yaml")
    assert config.chain.chain_id == market.chain_id
    assert config.chain.rpc.reveal() == running.ws_url
    assert config.chain.block_time_ms == 1000
    assert set(config.chain.tokens.values()) == {token.address for token in market.tokens}
    assert config.chain.wrapped_native_address == market.wrapped_native
    pools = {pool for venue in config.venues.values() for pool in venue.pools}
    assert pools == {pool.id for exchange in market.exchanges for pool in exchange.pools}
    assert len(pools) >= 30
    assert config.execution.flash_loan.contract_address == market.executor
    protocols = [config.venues[name].protocol for name in config.execution.flash_loan.lenders]
    assert protocols == ["balancer_v2", "uniswap_v3", "aave_v3"]
    v2 = [venue for venue in config.venues.values() if venue.protocol == "uniswap_v2"]
    assert len(v2) == 2
    assert all(venue.fee_pips for venue in v2)


def test_the_written_wallet_opens(devnet_dir: Path) -> None:
    wallet = load_config(devnet_dir / "headrace.yaml").wallet
    assert wallet is not None
    assert wallet.passphrase is not None
    passphrase = wallet.passphrase.reveal().encode()
    assert Keystore(wallet.keystore).open(wallet.address, passphrase).address == wallet.address
    assert (devnet_dir / "headrace.yaml").stat().st_mode & 0o777 == 0o600


def test_status_tells_of_a_running_devnet(devnet_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["devnet", "status", "--state-dir", str(devnet_dir), "--json"]) == 0
    state = json.loads(capsys.readouterr().out)
    assert state["is_running"]
    assert state["block"] > 0
    assert invoke(["devnet", "status", "--state-dir", str(devnet_dir)]) == 0
    assert "trade on it: headrace run --config" in capsys.readouterr().out


def test_up_and_down_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--state-dir", str(tmp_path)]
    data_dirs = set()
    for _ in range(2):
        try:
            assert invoke(["devnet", "up", "--port", "0", *flags, "--json"]) == 0
            state = json.loads(capsys.readouterr().out)
            config = load_config(Path(state["config"]))
            data_dirs.add(config.data_dir)
            assert state["chain_id"] == config.chain.chain_id
            assert invoke(["devnet", "up", "--port", "0", *flags]) == 6
            assert "already runs" in capsys.readouterr().err
        finally:
            assert invoke(["devnet", "down", *flags]) == 0
        capsys.readouterr()
    assert len(data_dirs) == 2
    assert invoke(["devnet", "status", *flags]) == 1
    assert "start one with `headrace devnet up`" in capsys.readouterr().out


def test_a_port_in_use_is_code_6(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert invoke(["devnet", "up", "--port", str(port), "--state-dir", str(tmp_path)]) == 6
    assert f"port {port} is in use" in capsys.readouterr().err


def test_a_devnet_whose_files_cannot_be_written_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise KeystoreError("the disk is full: free some space")

    monkeypatch.setattr(devnet_files, "write_devnet_files", refuse)
    assert invoke(["devnet", "up", "--port", "0", "--state-dir", str(tmp_path)]) == 4
    assert "the disk is full" in capsys.readouterr().err
    assert StateDir(tmp_path).holder() is None


@pytest.mark.parametrize("seconds", [0.2, 0.6, 1.2])
def test_ctrl_c_while_it_starts_leaves_nothing_behind(tmp_path: Path, seconds: float) -> None:
    """The instants are where an interrupt falls, not something that is waited for."""
    command = [sys.executable, "-m", "headrace.app.cli", "devnet", "up", "--port", "0", "--state-dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
    # before our own code is there, and after it has ended, the signal kills Python itself
    is_python_up = process.returncode != -signal.SIGINT and b"init_import_site" not in err
    try:
        if is_python_up:
            assert b"Traceback" not in err
            assert process.returncode in (0, INTERRUPTED)
            assert (StateDir(tmp_path).holder() is None) == (process.returncode == INTERRUPTED), out
    finally:
        invoke(["devnet", "down", "--state-dir", str(tmp_path)])
