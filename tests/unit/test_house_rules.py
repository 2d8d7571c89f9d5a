"""The rules of the house that no linter knows, read from the sources."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.places import PROJECT

SOURCE = PROJECT / "src" / "headrace"
FILES = sorted(SOURCE.rglob("*.py"))
LINES_MAX = 400
FUNCTION_LINES_MAX = 50
SYNONYMS = {"utils", "util", "helpers", "helper", "common", "core", "base", "misc", "manager"}
IO_LIBRARIES = {"websockets", "sqlalchemy", "sqlite3", "socket", "http", "urllib", "ccxt", "fastapi", "subprocess"}
IO_ROOMS = {"adapters", "treasury", "devnet", "app"}
TESTS = PROJECT / "tests"
SLEEPS = {  # the only places where a test may let time pass: a deadline's poll, a fault that is a delay, a drawn moment
    "support/waiting.py": ["await asyncio.sleep(_LOOK_AGAIN_SECONDS)", "time.sleep(_LOOK_AGAIN_SECONDS)"],
    "support/node_proxy.py": ["await asyncio.sleep(seconds)"],
    "end_to_end/test_bad_input.py": ["time.sleep(seconds)"],
}
BUILT_IN_ONE_PLACE = {"Validated": "pipeline/validate", "Rehearsed": "pipeline/rehearse"}


def name_of(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imported_roots(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("the project is not in a git checkout")
    return [PROJECT / name for name in listed.stdout.split("\n") if name and (PROJECT / name).is_file()]


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_files_and_functions_stay_short_and_nothing_is_caught_blindly(path: Path) -> None:
    assert path.read_text().count("\n") <= LINES_MAX
    assert path.stem not in SYNONYMS
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno <= FUNCTION_LINES_MAX, node.name
        if isinstance(node, ast.ExceptHandler):
            caught = "" if node.type is None else ast.unparse(node.type)
            assert caught != "", f"a bare except at line {node.lineno}"
            assert not re.search(r"\bException\b", caught), f"line {node.lineno} catches everything"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_only_rooms_that_may_do_io_import_what_does_it(path: Path) -> None:
    room = name_of(path).partition("/")[0]
    if room not in IO_ROOMS:
        assert not IO_LIBRARIES.intersection(imported_roots(tree_of(path)))


@pytest.mark.parametrize("kind", BUILT_IN_ONE_PLACE)
def test_proofs_are_built_in_one_place_and_never_read_from_outside(kind: str) -> None:
    for path in FILES:
        text, name = path.read_text(), name_of(path)
        is_built = re.search(rf"(?<!class )\b{kind}\(", text)
        assert not is_built or name.startswith(BUILT_IN_ONE_PLACE[kind]), f"{name} builds a {kind}"
        assert not re.search(rf"(decode|convert|from_json)\([^)]*\b{kind}\b", text), f"{name} reads a {kind}"


def test_nothing_but_the_application_reads_the_environment() -> None:
    readers = {name_of(p) for p in FILES if re.search(r"os\.(environ|getenv)\b", p.read_text())}
    assert {name for name in readers if not name.startswith(("app/", "devnet/"))} == set()


def sleeps(source: str) -> Iterator[str]:
    """Every call that lets time pass, `sleep(0)` too where its line does not say what it gives way to."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and re.search(r"(^|\.)sleep$", ast.unparse(node.func)):
            is_yield = [ast.unparse(one) for one in node.args] == ["0"] and not node.keywords
            if not is_yield or "  # " not in lines[node.lineno - 1]:
                yield lines[node.lineno - 1].partition("#")[0].strip()


def test_tests_wait_for_what_happens_and_never_for_time_to_pass() -> None:
    found = {path.relative_to(TESTS).as_posix(): list(sleeps(path.read_text())) for path in TESTS.rglob("*.py")}
    assert {name: sorted(lines) for name, lines in found.items() if lines} == SLEEPS


@pytest.mark.parametrize(
    ("line", "is_refused"),
    [
        ("time.sleep(0.1)", True),
        ("await asyncio.sleep(seconds)", True),
        ("sleep(1)  # why", True),
        ("await asyncio.sleep(delay=1)", True),
        ("await asyncio.sleep(0)", True),
        ("await asyncio.sleep(0)  # others may run", False),
        ("Mempool(sleep=asyncio.sleep)", False),
        ("def sleep(): pass", False),
    ],
)
def test_a_new_sleep_in_a_test_is_refused(line: str, *, is_refused: bool) -> None:
    assert bool(list(sleeps(line))) == is_refused


def test_no_registry_no_machine_path_and_no_open_end_is_committed() -> None:
    names = ("pypi" + r"\.org", "python" + r"hosted\.org", "npm" + r"js\.(org|com)", "deb" + r"\.debian\.org")
    hosts = re.compile("|".join(names))
    paths = re.compile(r"(?<![\w.])/(?:work|root)/\w")
    ends = re.compile(r"\b(TO" + r"DO|FIX" + r"ME)\b")
    for path in tracked():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        for found in (hosts, paths, ends):
            match = found.search(text)
            assert match is None, f"{path.relative_to(PROJECT)} holds {match and match.group()}"
