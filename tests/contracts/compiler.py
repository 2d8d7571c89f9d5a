"""The Executor compiled from sources that a test may have changed: quickly, without the pipeline of a release."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import msgspec
from tests.support.places import PROJECT

CONTRACTS = PROJECT / "contracts"
_COMPILER = CONTRACTS / "tools" / "solc-0.8.37"
_EXECUTOR = "src/Executor.sol"
_TIMEOUT_SECONDS = 120
_NOT_ASKED_FOR = ("src/devnet/", "src/lenses/", "src/TokenProbe.sol")


class Compiled(msgspec.Struct, frozen=True):
    """`bytecode` is creation code as hex without 0x; `trees` the syntax trees of its sources, if asked for."""

    bytecode: str
    trees: dict[str, dict[str, object]]


def sources() -> dict[str, str]:
    """Every source of contracts/src, by its path from contracts/."""
    return {path.relative_to(CONTRACTS).as_posix(): path.read_text() for path in (CONTRACTS / "src").rglob("*.sol")}


def compile_executor(texts: Mapping[str, str], *, has_trees: bool = False) -> Compiled:
    """Compiles `src/Executor.sol` of these sources.

    Raises AssertionError with the compiler's words where it refuses them.
    """
    selection: dict[str, dict[str, list[str]]] = {_EXECUTOR: {"Executor": ["evm.bytecode.object"]}}
    if has_trees:
        selection["*"] = {"": ["ast"]}
    asked = {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in texts.items() if not name.startswith(_NOT_ASKED_FOR)},
        "settings": {
            "remappings": ["@openzeppelin/=../node_modules/@openzeppelin/"],
            "evmVersion": "cancun",
            "optimizer": {"enabled": False},
            "outputSelection": selection,
        },
    }
    done = subprocess.run(
        [_COMPILER, "--standard-json"],
        cwd=CONTRACTS,
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_SECONDS,
        check=True,
    )
    output = json.loads(done.stdout)
    refusals = [one["formattedMessage"] for one in output.get("errors", []) if one["severity"] == "error"]
    assert not refusals, refusals[0]
    bytecode = output["contracts"][_EXECUTOR]["Executor"]["evm"]["bytecode"]["object"]
    trees = {Path(name).as_posix(): one["ast"] for name, one in output["sources"].items() if "ast" in one}
    return Compiled(bytecode=bytecode, trees=_made_of(trees))


def _made_of(trees: dict[str, dict[str, object]]) -> dict[str, dict[str, object]]:
    """The Executor's own file and what it imports, directly or not."""
    reached: set[str] = set()
    waiting = [_EXECUTOR] if trees else []
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            nodes = trees[name]["nodes"]
            assert isinstance(nodes, list)
            waiting += [Path(node["absolutePath"]).as_posix() for node in nodes if "absolutePath" in node]
    return {name: tree for name, tree in trees.items() if name in reached}
