import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from websockets.sync.client import connect

from headrace.devnet.anvil import GENESIS_TIMESTAMP, Anvil, AnvilOptions
from headrace.devnet.rpc import Rpc, quantity
from headrace.errors import DevnetError


def test_a_chain_listens_on_the_loopback_interface_under_its_chain_id(chain: Anvil, rpc: Rpc) -> None:
    assert chain.is_running
    assert quantity(rpc.request("eth_chainId")) == 31337
    assert chain.http_url == f"http://127.0.0.1:{chain.port}"
    assert chain.ws_url == f"ws://127.0.0.1:{chain.port}"


def test_a_chain_starts_at_a_fixed_time_and_mines_only_on_demand(rpc: Rpc) -> None:
    genesis = rpc.request("eth_getBlockByNumber", "0x0", False)
    assert isinstance(genesis, dict)
    assert quantity(genesis["timestamp"]) == GENESIS_TIMESTAMP
    assert quantity(rpc.request("eth_blockNumber")) == 0


def test_a_transaction_above_the_gas_limit_of_eip_7825_is_refused(rpc: Rpc) -> None:
    sender = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
    with pytest.raises(DevnetError, match="gas"):
        rpc.request("eth_sendTransaction", {"from": sender, "to": sender, "gas": hex((1 << 24) + 1)})


def test_a_port_in_use_is_named(chain: Anvil) -> None:
    with pytest.raises(DevnetError, match=f"port {chain.port} is in use"):
        Anvil.start(AnvilOptions(port=chain.port))


def test_a_requested_port_is_taken() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    with Anvil.start(AnvilOptions(port=port)) as anvil:
        assert anvil.port == port


def test_a_missing_binary_names_the_cure(tmp_path: Path) -> None:
    with pytest.raises(DevnetError, match="make setup"):
        Anvil.start(AnvilOptions(binary=tmp_path / "anvil"))


def test_a_binary_that_is_not_anvil_is_reported_with_what_it_said() -> None:
    with pytest.raises(DevnetError, match="anvil did not start"):
        Anvil.start(AnvilOptions(binary=Path("/bin/false")))


def test_a_chain_serves_a_socket_in_the_file_system(tmp_path: Path) -> None:
    path = tmp_path / "chain.ipc"
    with Anvil.start(AnvilOptions(ipc_path=path)), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        client.sendall(b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}')
        assert b"0x7a69" in client.recv(4096)
    assert not path.exists()


def test_websockets_are_served_on_the_same_port(chain: Anvil) -> None:
    with connect(chain.ws_url) as client:
        client.send('{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}')
        assert "0x7a69" in str(client.recv(10))


def test_stopping_twice_is_harmless() -> None:
    anvil = Anvil.start()
    anvil.stop()
    anvil.stop()
    assert not anvil.is_running


def test_a_chain_dies_with_a_killed_parent() -> None:
    program = (
        "import sys; from headrace.devnet.anvil import Anvil; print(Anvil.start().pid, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        chain = os.pidfd_open(int(parent.stdout.readline()))
        parent.send_signal(signal.SIGKILL)
        is_over, _, _ = select.select([chain], [], [], 10)
        os.close(chain)
    assert is_over
