"""A chain of one test's own, which mines at once, and a configuration whose wallet deploys on it."""

import re
from pathlib import Path

import msgspec
import pytest
from eth_abi.abi import encode as abi_encode
from eth_hash.auto import keccak

from headrace.adapters.stores.deployments import DeploymentFile
from headrace.app.cli.contracts.deployment import PROXY
from headrace.app.cli.invocation import invoke
from headrace.app.config.load import load_config
from headrace.app.config.tree import Config
from headrace.devnet.abi import decode_result, encode_call
from headrace.devnet.accounts import OPERATOR, OWNER, account_address
from headrace.devnet.artifacts import own_artifact
from headrace.devnet.deployer import create2_address
from headrace.devnet.rpc import Rpc, quantity, text
from headrace.model.address import Address, ChainId

WALLET, SAFE = account_address(OPERATOR), account_address(OWNER)
REFUSED, LOCKED, FAILED, WRONG_CHAIN = 2, 5, 8, 3
NATIVE_UNITS = 10**18


def document(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    return msgspec.json.decode(capsys.readouterr().out, type=dict[str, object])


class Yard:
    """A chain that mines at once, and a configuration whose wallet pays on it."""

    def __init__(self, rpc: Rpc, url: str, folder: Path, devnet_text: str) -> None:
        self.rpc = rpc
        self.folder = folder
        self.text = re.sub(r"ws://127.0.0.1:\d+", url, devnet_text, count=1)
        self.spoil(r"data_dir: .*", f"data_dir: {folder / 'data'}")

    def spoil(self, pattern: str, new: str) -> None:
        self.text, count = re.subn(pattern, new, self.text, count=1)
        assert count == 1, pattern

    @property
    def file(self) -> Path:
        path = self.folder / "headrace.yaml"
        path.write_text(self.text)
        return path

    @property
    def config(self) -> Config:
        return load_config(self.file)

    @property
    def record(self) -> DeploymentFile:
        config = self.config
        return DeploymentFile(config.deployments_path("devnet"), ChainId(config.chain.chain_id))

    @property
    def native(self) -> Address:
        return self.config.chain.wrapped_native_address

    def run(self, *more: str, owner: Address = SAFE, salt: int = 0) -> int:
        command = ["contracts", "deploy", "--config", str(self.file), "--owner", owner, "--salt", str(salt), "--json"]
        return invoke([*command, *more])

    def nonce(self) -> int:
        return quantity(self.rpc.request("eth_getTransactionCount", WALLET, "latest"))

    def code(self, address: str) -> str:
        return text(self.rpc.request("eth_getCode", address, "latest"))

    def read(self, address: str, signature: str, *args: object) -> object:
        call = {"to": address, "data": encode_call(signature, *args)}
        return decode_result(signature, text(self.rpc.request("eth_call", call, "latest")))[0]


def expected_address(yard: Yard, owner: Address, salt: int) -> Address:
    salt_word = keccak(abi_encode(["address", "uint256"], [owner, salt]))
    arguments = abi_encode(["address", "address"], [owner, yard.native])
    code = bytes.fromhex(own_artifact("Executor").creation_code) + arguments
    return create2_address(PROXY, salt_word, keccak(code))
