"""Sources compiled once: a stand-in for npm hands over tarballs; the compiler is the real one."""

import base64
import hashlib
import os
import tarfile
from pathlib import Path

import msgspec
import pytest

from headrace.devnet.places import NODE_MODULES
from headrace.devnet.third_party import compiled
from headrace.errors import DevnetError

SOURCE = "pragma solidity ^0.8.0; import '@house/lib/Base.sol'; contract Small is Base {}"
BASE = "pragma solidity ^0.8.0; contract Base { function one() external pure returns (uint256) { return 1; } }"
NPM = '#!/bin/sh\nfor last; do :; done\necho x >> "{calls}"\ncp "{store}/$(echo "$last" | tr "/@" "__").tgz" .\n'


class Store:
    """Tarballs by name, and a count of how often any was asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.calls = folder, folder / "calls"
        self.packages: dict[str, dict[str, str]] = {}

    def add(self, name: str, files: dict[str, bytes]) -> None:
        tarball = self.folder / (f"{name}@1.0.0".replace("/", "_").replace("@", "_") + ".tgz")
        package = self.folder / "content" / name / "package"
        for path, content in files.items():
            (package / path).parent.mkdir(parents=True, exist_ok=True)
            (package / path).write_bytes(content)
        with tarfile.open(tarball, "w:gz", compresslevel=1) as archive:
            archive.add(package, "package")
        digest = base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
        self.packages[name] = {"version": "1.0.0", "integrity": f"sha512-{digest}"}

    def lock(self, **changes: object) -> Path:
        whole: dict[str, object] = {
            "packages": self.packages,
            "compiler": "solc",
            "installed": {"@openzeppelin/contracts": "@openzeppelin/contracts"},
            "evm_version": "cancun",
            "units": [{"optimizer_runs": 200, "sources": ["@house/small/Small.sol"]}],
        }
        file = self.folder / "house.json"
        file.write_bytes(msgspec.json.encode(whole | changes))
        return file

    def asked(self) -> int:
        return len(self.calls.read_text().splitlines()) if self.calls.is_file() else 0


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    made = Store(tmp_path)
    made.add("@house/small", {"Small.sol": SOURCE.encode()})
    made.add("@house/lib", {"Base.sol": BASE.encode()})
    made.add("solc", {"soljson.js": (NODE_MODULES / "solc" / "soljson.js").read_bytes()})
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "npm").write_text(NPM.format(calls=made.calls, store=tmp_path))
    (tools / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    return made


def test_a_lock_is_compiled_once_and_another_lock_anew(store: Store, tmp_path: Path) -> None:
    said: list[str] = []
    first = compiled(store.lock(), tmp_path / "cache", said.append)
    assert first["Small"].startswith("60")
    assert (len(said), store.asked()) == (1, 3)
    assert compiled(store.lock(), tmp_path / "cache", said.append) == first
    assert (len(said), store.asked()) == (1, 3)
    compiled(store.lock(evm_version="paris"), tmp_path / "cache", said.append)
    assert (len(said), store.asked()) == (2, 6)


def test_a_package_of_another_hash_is_not_unpacked(store: Store, tmp_path: Path) -> None:
    changed = store.packages | {"@house/lib": {"version": "1.0.0", "integrity": "sha512-AAAA"}}
    with pytest.raises(DevnetError, match=r"@house/lib@1\.0\.0 has the hash"):
        compiled(store.lock(packages=changed), tmp_path / "cache", print)
    assert not list((tmp_path / "cache").rglob("codes.json"))


def test_what_cannot_be_fetched_or_compiled_says_so(store: Store, tmp_path: Path) -> None:
    absent = store.packages | {"@house/none": {"version": "1.0.0", "integrity": "sha512-AAAA"}}
    with pytest.raises(DevnetError, match=r"npm pack .* @house/none@1\.0\.0 failed"):
        compiled(store.lock(packages=absent), tmp_path / "cache", print)
    without = {name: one for name, one in store.packages.items() if name != "@house/lib"}
    with pytest.raises(DevnetError, match="is in none of the packages"):
        compiled(store.lock(packages=without), tmp_path / "cache", print)


HARDHAT = b'{"contractName": "Ready", "bytecode": "0x6001"}'
LIBRARIES = b'{"bytecode": "0x6001", "linkReferences": {"a.sol": {"L": [{"start": 0, "length": 20}]}}}'


def taking(store: Store, path: str) -> Path:
    return store.lock(units=[], compiler="", artifacts=[path])


def test_what_a_package_holds_compiled_is_taken_as_it_is(store: Store, tmp_path: Path) -> None:
    store.packages.clear()
    store.add("@house/ready", {"out/Ready.json": HARDHAT})
    said: list[str] = []
    for _ in range(2):
        codes = compiled(taking(store, "@house/ready/out/Ready.json"), tmp_path / "cache", said.append)
        assert codes == {"Ready": "6001"}
    assert (said, store.asked()) == (["house: fetching, once on this machine"], 1)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("@house/ready/out/None.json", "None.json is missing: its package does not hold it"),
        ("@house/readyelse/out/Ready.json", "is in none of the packages"),
        ("@house/ready/out/Linked.json", "wants libraries"),
        ("@house/ready/out/Interface.json", "has no code of its own"),
    ],
)
def test_what_no_package_holds_whole_is_refused(store: Store, tmp_path: Path, path: str, why: str) -> None:
    store.packages.clear()
    files = {"out/Ready.json": HARDHAT, "out/Linked.json": LIBRARIES, "out/Interface.json": b'{"bytecode": "0x"}'}
    store.add("@house/ready", files)
    with pytest.raises(DevnetError, match=why):
        compiled(taking(store, path), tmp_path / "cache", print)


def test_without_npm_it_says_what_is_missing(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(DevnetError, match="npm is not installed"):
        compiled(store.lock(), tmp_path / "cache", print)
