"""The malicious operator bites: it finds each bug that opens a door to it. Its long run is `make prove`."""

import pytest
from tests.contracts.operator_run import ACTIONS, MARKS, counted, run_operator
from tests.contracts.planted_bugs import PLANTED, Bug
from tests.contracts.test_planted_bugs import ARTIFACTS, with_bug, write_artifact

THEFTS = [bug for bug in PLANTED if bug.is_theft]
THEFTS_MIN = 12


@pytest.mark.slow
@pytest.mark.parametrize("bug", THEFTS, ids=lambda bug: bug.name)
def test_a_bug_that_opens_a_door_is_found_by_the_malicious_operator(bug: Bug) -> None:
    artifact = write_artifact(bug.name, with_bug(bug))
    done = run_operator(ARTIFACTS / f"{bug.name}_found", seed=1, sequences=1, calls=300, artifact=artifact)
    assert done.returncode != 0
    assert "MaliciousOperatorTest" in done.stdout, done.stderr
    assert "[FAIL" in done.stdout


@pytest.mark.slow
def test_the_malicious_operator_does_all_that_it_can_and_half_of_it_succeeds() -> None:
    assert len(THEFTS) >= THEFTS_MIN
    place = ARTIFACTS / "none_found"
    done = run_operator(place, seed=2, sequences=2, calls=250)
    assert done.returncode == 0, done.stdout
    counts = counted(place)
    print(counts.table())  # noqa: T201 - a test that passes says what it covered
    assert counts.actions() >= 4000
    assert 2 * counts.successes() >= counts.actions()
    assert [name for name in (*ACTIONS, *MARKS.values()) if not counts.tried[name]] == []
