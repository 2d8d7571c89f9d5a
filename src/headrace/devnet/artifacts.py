"""Compiled contracts: the protocols' own, from their npm packages, and ours, from the compiler's output.

Four layouts are read: Truffle-like (`bytecode` without 0x), Hardhat (`linkReferences` beside it), Balancer's
deployments (`creationCode` alone) and Foundry (`bytecode.object`).
"""

from functools import cache
from pathlib import Path

import msgspec

from headrace.devnet.places import CONTRACTS_OUT, NODE_MODULES
from headrace.errors import DevnetError
from headrace.model.address import Address

_BALANCER_TASKS = "@balancer-labs/v2-deployments/dist/tasks"


class LinkReference(msgspec.Struct, frozen=True):
    """Where a library's address belongs in the creation code; both in bytes."""

    start: int
    length: int


LinkReferences = dict[str, dict[str, list[LinkReference]]]


class Artifact(msgspec.Struct, frozen=True):
    """Creation code of one contract, hex without 0x, and the places where libraries are linked."""

    name: str
    creation_code: str
    link_references: LinkReferences = {}

    def linked(self, libraries: dict[str, Address]) -> "Artifact":
        """The same with the libraries' addresses put in."""
        code = self.creation_code
        for by_name in self.link_references.values():
            for name, places in by_name.items():
                for place in places:
                    start = 2 * place.start
                    code = code[:start] + libraries[name][2:] + code[start + 2 * place.length :]
        return Artifact(self.name, code)


class _Bytecode(msgspec.Struct, frozen=True, rename={"link_references": "linkReferences"}):
    object: str
    link_references: LinkReferences = {}


class _File(msgspec.Struct, frozen=True, rename={"link_references": "linkReferences", "creation_code": "creationCode"}):
    bytecode: str | _Bytecode = ""
    link_references: LinkReferences = {}
    creation_code: str = ""


class _RuntimeFile(msgspec.Struct, frozen=True, rename={"deployed_bytecode": "deployedBytecode"}):
    deployed_bytecode: _Bytecode


def npm_artifact(path: str) -> Artifact:
    """Read a contract of an npm package; `path` is relative to node_modules.

    Raises:
        DevnetError: the package is not installed.
    """
    return _read(NODE_MODULES / path, "the protocols' packages are not installed: run `make setup`")


def balancer_artifact(task: str, name: str) -> Artifact:
    """Read a contract of Balancer's deployments package.

    Raises:
        DevnetError: the package is not installed.
    """
    return npm_artifact(f"{_BALANCER_TASKS}/{task}/bytecode/{name}.json")


def own_artifact(name: str) -> Artifact:
    """Read a contract of this project.

    Raises:
        DevnetError: the contracts are not built.
    """
    return _read(CONTRACTS_OUT / f"{name}.sol" / f"{name}.json", "the contracts are not built: run `make setup`")


def own_runtime_code(name: str) -> bytes:
    """What lies at the address of a contract of this project without immutables.

    Raises:
        DevnetError: the contracts are not built.
    """
    path = CONTRACTS_OUT / f"{name}.sol" / f"{name}.json"
    if not path.is_file():
        raise DevnetError(f"{path.name} is missing: the contracts are not built: run `make setup`")
    file = msgspec.json.decode(path.read_bytes(), type=_RuntimeFile)
    return bytes.fromhex(file.deployed_bytecode.object.removeprefix("0x"))


def unpacked_artifact(path: Path) -> Artifact:
    """Read a contract of a package that was unpacked somewhere.

    Raises:
        DevnetError: the package does not hold it.
    """
    return _read(path, "its package does not hold it")


@cache
def _read(path: Path, cure: str) -> Artifact:
    if not path.is_file():
        raise DevnetError(f"{path.name} is missing: {cure}")
    file = msgspec.json.decode(path.read_bytes(), type=_File)
    if isinstance(file.bytecode, _Bytecode):
        code, links = file.bytecode.object, file.bytecode.link_references
    else:
        code, links = file.creation_code or file.bytecode, file.link_references
    return Artifact(path.stem, code.removeprefix("0x"), links)
