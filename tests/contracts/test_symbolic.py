"""The symbolic proofs of contracts/symbolic, where halmos is installed: all hold, and none of a planted bug's does.

Halmos is no part of the development environment: it brings a solver of its own. `HALMOS` names it, else the path does.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.contracts.compiler import CONTRACTS, sources
from tests.contracts.planted_bugs import PLANTED
from tests.contracts.test_planted_bugs import with_bug

NODE_MODULES = CONTRACTS.parent / "node_modules"
PROOFS_MIN = 16
SECONDS_MAX = 280
DISPROVEN = {  # the planted bugs that a proof within its bounds must fall on, and which proof
    "a_loss_of_the_first_token_is_no_loss": "check_own_capital_curve",
    "an_allowance_may_be_left": "check_own_capital_curve",
    "an_operator_may_keep_its_second_place": "check_an_operator_is_who_was_appointed",
    "anybody_executes_plans_of_batches": "check_nobody_but_itself_executes_of_a_batch",
    "anybody_sweeps": "check_nobody_but_an_operator_executes",
}


def halmos(place: Path, texts: dict[str, str], proofs: str) -> dict[str, bool]:
    """Which of the proofs hold for these sources, by name."""
    executable = os.environ.get("HALMOS") or shutil.which("halmos")
    if not executable:
        pytest.skip("halmos is not installed")
    project = place / "contracts"
    for name, text in texts.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    for name in ("symbolic", "tools"):
        shutil.copytree(CONTRACTS / name, project / name)
    shutil.copy(CONTRACTS / "foundry.toml", project)
    (place / "node_modules").symlink_to(NODE_MODULES.resolve())
    forge = NODE_MODULES / "@foundry-rs" / "forge-linux-amd64" / "bin"
    done = subprocess.run(
        [executable, "--forge-build-out", "cache/symbolic/out", "--function", proofs, "--loop", "20", "--no-status"],
        cwd=project,
        env={**os.environ, "FOUNDRY_PROFILE": "symbolic", "PATH": f"{forge.resolve()}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    verdicts = re.findall(r"\[(PASS|FAIL|TIMEOUT|ERROR)\].*? (check_\w+)\(", done.stdout)
    assert verdicts, done.stdout + done.stderr
    return {name: verdict == "PASS" for verdict, name in verdicts}


@pytest.mark.slow
def test_whatever_venues_do_a_plan_reverts_or_loses_nothing(tmp_path: Path) -> None:
    verdicts = halmos(tmp_path, sources(), "check_")
    assert [name for name, holds in verdicts.items() if not holds] == []
    assert len(verdicts) >= PROOFS_MIN


@pytest.mark.slow
@pytest.mark.parametrize("name", DISPROVEN)
def test_a_proof_does_not_hold_of_a_planted_bug(name: str, tmp_path: Path) -> None:
    bug = next(bug for bug in PLANTED if bug.name == name)
    assert halmos(tmp_path, with_bug(bug), DISPROVEN[name]) == {DISPROVEN[name]: False}
