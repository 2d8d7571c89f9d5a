"""Swaps that stand behind a block's line are asked on the states after its logs: a replay of what took place.

Amounts are worked out by hand from the constant-product formula.
"""

from pathlib import Path

from tests.support.market_text import ONE, V2, WEIGHTED, A, Line, header, pair, swap, weighted, written

from headrace.app.market.check_report import CheckReport
from headrace.app.market.checking import check

SYNC = "0x1c411e9a96e071241c2f21f7726b17ae89e3cab4c78be50e062b03a9fffbbad1"
IN = 10 * ONE
BEFORE, BETWEEN, AFTER = (1000 * ONE, 2000 * ONE), (1100 * ONE, 1900 * ONE), (500 * ONE, 4000 * ONE)


def out(reserves: tuple[int, int]) -> str:
    return str(997 * IN * reserves[1] // (1000 * reserves[0] + 997 * IN))


def block(number: int, *data: str) -> Line:
    logs = [{"address": V2, "topics": [SYNC], "data": one} for one in data]
    hashes = {"hash": f"0x{number:064x}", "parent_hash": f"0x{number - 1:064x}"}
    return {"kind": "block", "number": str(number), "timestamp": "1700000012", "logs": logs, **hashes}


def sync(reserves: tuple[int, int]) -> str:
    return "0x" + "".join(f"{one:064x}" for one in reserves)


def checked(folder: Path, *lines: Line) -> CheckReport:
    return check(report=lambda _: None, cases=written(folder, header(), *lines), snapshot=None)


def asked(reserves: tuple[int, int]) -> Line:
    return swap(amount_in=str(IN), expected_out=out(reserves))


def test_each_swap_is_asked_on_the_state_after_the_logs_before_it(tmp_path: Path) -> None:
    pieces = (block(101, sync(BETWEEN)), asked(BETWEEN), block(101, sync(BEFORE), sync(AFTER)), asked(AFTER))
    found = checked(tmp_path, pair(), asked(BEFORE), *pieces)
    assert (found.cases, found.mismatches, found.exit_code) == (3, (), 0)
    found = checked(tmp_path, pair(), asked(AFTER), *pieces)
    assert [wrong.ours_units for wrong in found.mismatches] == [int(out(BEFORE))]


def test_a_snapshots_states_are_followed_through_the_blocks_of_the_cases(tmp_path: Path) -> None:
    (tmp_path / "snapshot").mkdir()
    snapshot = written(tmp_path / "snapshot", header(), pair())
    cases = written(tmp_path, header(), block(101, sync(AFTER)), asked(AFTER))
    assert check(report=lambda _: None, cases=cases, snapshot=snapshot).exit_code == 0


def test_a_pool_that_a_log_cannot_follow_is_missed_until_it_is_read_again(tmp_path: Path) -> None:
    state: Line = {"reserve0": str(AFTER[0]), "reserve1": str(AFTER[1])}
    again = (block(102), pair(state=state), asked(AFTER))
    found = checked(tmp_path, pair(), weighted(), block(101, "0x12"), asked(AFTER), *again)
    (unanswered,) = found.unanswered
    assert unanswered.pool == V2
    assert "line 4, log 0, is left out" in unanswered.why
    assert "data" in unanswered.why
    assert (found.mismatches, found.exit_code) == ((), 1)
    assert (found.protocols["uniswap_v2"].mismatches, found.protocols["uniswap_v2"].unanswered) == (0, 0)
    still = swap(pool=WEIGHTED, token_in=A, amount_in="0", expected_out="reverts")
    found = checked(tmp_path, pair(), weighted(), block(101, "0x12"), still)
    assert (found.mismatches, found.unanswered) == ((), ())
