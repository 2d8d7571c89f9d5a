"""Each bug planted in the Executor is caught by the test that is named for it; the same tests pass on the sound one."""

import json
import os
import re
import subprocess

import pytest
from tests.contracts.compiler import CONTRACTS, compile_executor, sources
from tests.contracts.planted_bugs import PLANTED, Bug

FORGE = CONTRACTS.parent / "node_modules" / "@foundry-rs" / "forge-linux-amd64" / "bin" / "forge"
ARTIFACTS = CONTRACTS / "cache" / "planted"
BUGS_MIN = 12
_SECONDS_MAX = 200
_CODE_SIZE_MAX = "100000"  # nothing is optimised in what is compiled here


def with_bug(bug: Bug) -> dict[str, str]:
    texts = sources()
    for change in bug.changes:
        assert texts[change.file].count(change.old) == 1, f"{bug.name}: {change.file} does not have once: {change.old}"
        texts[change.file] = texts[change.file].replace(change.old, change.new)
    return texts


def write_artifact(name: str, texts: dict[str, str]) -> str:
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    path = ARTIFACTS / f"{name}.json"
    path.write_text(json.dumps({"abi": [], "bytecode": {"object": "0x" + compile_executor(texts).bytecode}}))
    return path.relative_to(CONTRACTS).as_posix()


def failures(artifact: str, tests: str) -> tuple[set[str], int]:
    """The names of the tests that fail with the Executor of this artifact, of those matching, and how many were run."""
    done = subprocess.run(
        [FORGE, "test", "--match-test", rf"^({tests})\(.*\)$", "--json"],
        cwd=CONTRACTS,
        env={**os.environ, "EXECUTOR_ARTIFACT": artifact, "FOUNDRY_CODE_SIZE_LIMIT": _CODE_SIZE_MAX},
        capture_output=True,
        text=True,
        timeout=_SECONDS_MAX,
        check=False,
    )
    assert done.stdout, done.stderr
    suites = json.loads(done.stdout.strip().split("\n")[-1])
    results = {name: one["status"] for suite in suites.values() for name, one in suite["test_results"].items()}
    return {name.partition("(")[0] for name, status in results.items() if status == "Failure"}, len(results)


@pytest.mark.parametrize("bug", PLANTED, ids=lambda bug: bug.name)
def test_a_planted_bug_is_caught_by_the_test_named_for_it(bug: Bug) -> None:
    failed, _ = failures(write_artifact(bug.name, with_bug(bug)), bug.test)
    assert failed == {bug.test}


def test_without_a_bug_the_same_tests_pass() -> None:
    assert len(PLANTED) >= BUGS_MIN
    names = {bug.test for bug in PLANTED}
    failed, ran = failures(write_artifact("sound", sources()), "|".join(names))
    assert failed == set()
    assert ran >= len(names)


def test_a_bug_that_can_no_longer_be_planted_is_told() -> None:
    moved = Bug("moved", (PLANTED[0].changes[0].__class__("src/Executor.sol", "what is not there", ""),), "test")
    with pytest.raises(AssertionError, match=re.escape("does not have once: what is not there")):
        with_bug(moved)
