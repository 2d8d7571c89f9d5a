"""Contracts kept outside the project: published as sources only, or in packages that would bring much else along.

A lock in `contracts/third_party` names packages by version and SHA-512, and what to take of them: contracts that their
authors have compiled, or sources and, among the packages, the compiler that compiles them once.
Packages are fetched by npm's own client from whatever registry it is set up with, and nothing is unpacked that has
another hash. The result is kept under the user's cache by the hash of lock and tool: one build serves every checkout,
and another lock is another folder. One process builds, others wait for it.
"""

import base64
import fcntl
import hashlib
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import msgspec

from headrace.devnet.artifacts import Artifact, unpacked_artifact
from headrace.devnet.places import NODE_MODULES, PROJECT_ROOT
from headrace.errors import DevnetError

LOCKS = PROJECT_ROOT / "contracts" / "third_party"
_TOOL = PROJECT_ROOT / "contracts" / "tools" / "compile-sources"
_CACHE = Path.home() / ".cache" / "headrace" / "third_party"
_FETCH_SECONDS = 120
_COMPILE_SECONDS = 900
_CODES = "codes.json"

Report = Callable[[str], None]


class LockedPackage(msgspec.Struct, frozen=True):
    """A package of npm; `integrity` is "sha512-" and the hash of its tarball in base 64."""

    version: str
    integrity: str


class CompiledUnit(msgspec.Struct, frozen=True):
    """What one run of the compiler takes: files whose names are those of their contracts."""

    optimizer_runs: int
    sources: tuple[str, ...]


class SourceLock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of `contracts/third_party`.

    Attributes:
        packages: what is fetched, by name.
        artifacts: compiled contracts in them, as package and path.
        units: what is compiled, if anything, and then:
        compiler: the one of `packages` that compiles.
        installed: folders of node_modules by the prefix of the imports that they answer.
    """

    packages: dict[str, LockedPackage]
    artifacts: tuple[str, ...] = ()
    units: tuple[CompiledUnit, ...] = ()
    compiler: str = ""
    installed: dict[str, str] = {}
    evm_version: str = ""


def third_party_artifact(lock_name: str, contract: str, report: Report | None = None) -> Artifact:
    """A contract of a lock; the first call on a machine fetches and compiles all of the lock's, and says so.

    Raises:
        DevnetError: a package cannot be fetched, has another hash, or does not compile.
    """
    codes = compiled(LOCKS / f"{lock_name}.json", _CACHE, report or _to_stderr)
    return Artifact(contract, codes[contract])


def compiled(lock_file: Path, cache: Path, report: Report) -> dict[str, str]:
    """Creation codes by contract, hex without 0x, of everything that a lock names.

    Raises:
        DevnetError: a package cannot be fetched, has another hash, or does not compile.
    """
    raw = lock_file.read_bytes()
    key = hashlib.sha256(raw + _TOOL.read_bytes()).hexdigest()[:16]
    folder = cache / f"{lock_file.stem}-{key}"
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder / ".lock"):
        codes = folder / _CODES
        if not codes.is_file():
            lock = msgspec.json.decode(raw, type=SourceLock)
            how = "compiling from published sources: a minute or two" if lock.units else "fetching"
            report(f"{lock_file.stem}: {how}, once on this machine")
            with tempfile.TemporaryDirectory() as scratch:
                built = _build(lock, Path(scratch))
            part = folder / f"{_CODES}.part"
            part.write_bytes(msgspec.json.encode(built))
            part.rename(codes)
        return msgspec.json.decode(codes.read_bytes(), type=dict[str, str])


def unpacked(name: str, package: LockedPackage, into: Path) -> Path:
    """The folder of a package, fetched and checked.

    Raises:
        DevnetError: it cannot be fetched, or has another hash.
    """
    into.mkdir(parents=True)
    _run(["npm", "pack", "--silent", "--ignore-scripts", f"{name}@{package.version}"], into, b"", _FETCH_SECONDS)
    (tarball,) = into.glob("*.tgz")
    found = "sha512-" + base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
    if found != package.integrity:
        raise DevnetError(f"{name}@{package.version} has the hash {found}, not {package.integrity}: do not use it")
    with tarfile.open(tarball) as archive:
        archive.extractall(into, filter="data")
    return into / "package"


def _build(lock: SourceLock, scratch: Path) -> dict[str, str]:
    roots = {
        name: str(unpacked(name, package, scratch / str(place)))
        for place, (name, package) in enumerate(lock.packages.items())
    }
    return dict(_taken(path, roots) for path in lock.artifacts) | (_compile(lock, roots, scratch) if lock.units else {})


def _taken(path: str, roots: dict[str, str]) -> tuple[str, str]:
    """Name and creation code of a contract that a package holds compiled."""
    package = next((name for name in roots if path.startswith(f"{name}/")), None)
    if package is None:
        raise DevnetError(f"{path} is in none of the packages that the lock names")
    artifact = unpacked_artifact(Path(roots[package]) / path.removeprefix(f"{package}/"))
    if artifact.link_references or not artifact.creation_code:
        raise DevnetError(f"{path} has no code of its own, or wants libraries")
    return artifact.name, artifact.creation_code


def _compile(lock: SourceLock, roots: dict[str, str], scratch: Path) -> dict[str, str]:
    compiler = roots.pop(lock.compiler)
    roots |= {prefix: str(NODE_MODULES / folder) for prefix, folder in lock.installed.items()}
    asked = [
        {
            "wrapper": str(NODE_MODULES / "solc"),
            "compiler": compiler,
            "roots": roots,
            "sources": unit.sources,
            "evm_version": lock.evm_version,
            "optimizer_runs": unit.optimizer_runs,
        }
        for unit in lock.units
    ]
    with ThreadPoolExecutor(2) as two:
        outputs = list(
            two.map(lambda one: _run([str(_TOOL)], scratch, msgspec.json.encode(one), _COMPILE_SECONDS), asked)
        )
    return {name: code for one in outputs for name, code in msgspec.json.decode(one, type=dict[str, str]).items()}


def _run(command: list[str], folder: Path, text: bytes, seconds: int) -> bytes:
    try:
        done = subprocess.run(command, cwd=folder, input=text, capture_output=True, timeout=seconds, check=True)
    except FileNotFoundError as error:
        raise DevnetError(f"{command[0]} is not installed: Node and npm are needed to compile protocols") from error
    except subprocess.TimeoutExpired as error:
        raise DevnetError(f"{command[0]} did not end within {seconds} s; run it again") from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip()
        raise DevnetError(f"{' '.join(command)} failed: {said[-500:]}") from error
    return done.stdout


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold a file's lock; it ends with the process, whatever happens to it."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _to_stderr(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    for lock_file in sorted(LOCKS.glob("*.json")):
        compiled(lock_file, _CACHE, _to_stderr)
