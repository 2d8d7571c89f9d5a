"""What stands between the cases and behind them: order of blocks, gaps, branches that were left, broken logs, the end.

Reserves are those of the Sync logs; amounts are worked out by hand from the constant-product formula.
"""

import json
from pathlib import Path

import pytest
from tests.support.market_text import (
    ONE,
    V2,
    WEIGHTED,
    Line,
    documented_pools,
    header,
    pair,
    swap,
    text,
    ticked,
    weighted,
    written,
)

from headrace.app.cli.invocation import invoke
from headrace.app.market.check_report import CheckReport
from headrace.app.market.checking import check
from headrace.app.market.showing import ShowReport, show

SYNC = "0x1c411e9a96e071241c2f21f7726b17ae89e3cab4c78be50e062b03a9fffbbad1"
TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
SWAP_OF_V3 = "0xc42079f94a6350d7e6235f29174924f928cc2ac818eb64fed8004e115fbcca67"
IN = 10 * ONE
FIRST, SECOND = (1100 * ONE, 1900 * ONE), (500 * ONE, 4000 * ONE)


def data(reserves: tuple[int, int]) -> str:
    return "0x" + "".join(f"{one:064x}" for one in reserves)


def sync(reserves: tuple[int, int] | str) -> Line:
    return {"address": V2, "topics": [SYNC], "data": reserves if isinstance(reserves, str) else data(reserves)}


def block(number: int, *logs: Line, name: int | None = None, parent: int | None = None, **fields: object) -> Line:
    hashes = {"hash": f"0x{name or number:064x}", "parent_hash": f"0x{parent or number - 1:064x}"}
    stamp = str(1_700_000_000 + 12 * (number - 100))
    return {"kind": "block", "number": str(number), "timestamp": stamp, "logs": list(logs), **hashes, **fields}


def asked(reserves: tuple[int, int]) -> Line:
    return swap(amount_in=str(IN), expected_out=str(997 * IN * reserves[1] // (1000 * reserves[0] + 997 * IN)))


def both(folder: Path, *lines: Line, head: Line | None = None) -> tuple[CheckReport, ShowReport]:
    path = written(folder, head or header(hash=f"0x{100:064x}"), pair(), *lines)
    return check(report=lambda _: None, cases=path, snapshot=None), show(report=lambda _: None, file=path)


def test_blocks_in_order_are_nothing_to_speak_of(tmp_path: Path) -> None:
    found, shown = both(
        tmp_path, block(101, sync(FIRST)), asked(FIRST), block(102), block(102, sync(SECOND)), asked(SECOND)
    )
    assert (found.exit_code, found.disorder, found.gaps, shown.disorder, shown.gaps) == (0, (), (), (), ())


@pytest.mark.parametrize(
    ("second", "why"),
    [
        (block(101, name=7, parent=8), "it stands behind block 101"),
        (block(100, name=7, parent=8), "it stands behind block 101"),
        (block(102, parent=8), "its parent_hash is not the hash of block 101"),
        (block(102, timestamp="1700000011"), "its second 1700000011 is before that of block 101, 1700000012"),
        (block(101, timestamp="1700000013"), "a piece of it before this says second 1700000012"),
        (block(102, name=101), "it has the hash of block 101"),
    ],
)
def test_a_block_that_cannot_follow_is_told_and_is_no_agreement(tmp_path: Path, second: Line, why: str) -> None:
    found, shown = both(tmp_path, block(101, sync(FIRST)), second, asked(FIRST))
    assert (found.exit_code, found.mismatches, found.unanswered) == (1, (), ())
    (misplaced,) = found.disorder
    assert (misplaced.line, misplaced.why) == (4, why)
    assert shown.disorder == found.disorder


def test_a_block_that_the_states_hold_already_is_out_of_order(tmp_path: Path) -> None:
    found, _ = both(tmp_path, block(100, sync(FIRST)), asked(FIRST))
    assert [one.why for one in found.disorder] == ["the header is of block 100"]


def test_a_gap_is_told_and_costs_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found, shown = both(tmp_path, block(103, sync(FIRST)), asked(FIRST), block(104), block(107))
    assert (found.exit_code, [(one.line, one.number) for one in found.gaps]) == (0, [(3, 103), (6, 107)])
    assert shown.gaps == found.gaps
    for command in ("check", "show"):
        assert invoke(["market", command, str(tmp_path / "market.jsonl")]) == 0
        told = capsys.readouterr().out
        assert "gap: line 3: block 103: 101 to 102 are not in the file" in told
        assert "gap: line 6: block 107: 105 to 106 are not in the file" in told


def test_hashes_that_are_not_known_are_compared_with_nothing(tmp_path: Path) -> None:
    bare: list[Line] = [{"kind": "block", "number": n, "timestamp": "1700000012", "logs": []} for n in ("101", "102")]
    found, _ = both(tmp_path, *bare, block(103, sync(FIRST), parent=9), asked(FIRST))
    assert (found.exit_code, found.disorder) == (0, ())


def test_a_branch_that_was_left_is_taken_back(tmp_path: Path) -> None:
    start = asked((1000 * ONE, 2000 * ONE))
    left = (block(101, sync(FIRST)), asked(FIRST), block(102, sync("0x12")))
    other = (block(101, name=7, parent=100), start, block(102, sync(SECOND), name=8, parent=7), asked(SECOND))
    back = (block(101, sync(FIRST)), asked(FIRST), block(102), asked(FIRST), block(103, sync(SECOND)), asked(SECOND))
    found, shown = both(tmp_path, *left, *other, *back)
    assert (found.cases, [(one.line, one.log) for one in found.left_out]) == (6, [(5, 0)])
    assert (found.mismatches, found.unanswered, found.disorder, found.gaps) == ((), (), (), ())
    assert shown.left_out == found.left_out


@pytest.mark.parametrize("spoilt", ["0x12", data(SECOND) + "00", "0x" + f"{2**112:064x}" * 2])
def test_a_broken_log_behind_the_last_case_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], spoilt: str
) -> None:
    found, shown = both(tmp_path, asked((1000 * ONE, 2000 * ONE)), block(101, sync(FIRST), sync(spoilt)))
    (left,) = found.left_out
    assert (left.line, left.log, left.pool, found.exit_code) == (4, 1, V2, 1)
    assert (found.mismatches, found.unanswered) == ((), ())
    assert shown.left_out == found.left_out
    for command, code in (("check", 1), ("show", 0)):
        assert invoke(["market", command, str(tmp_path / "market.jsonl")]) == code
        assert f"line 4, log 1, is left out: pool {V2}" in capsys.readouterr().out


def test_a_broken_log_of_a_pool_that_is_not_in_the_file_is_nobodys(tmp_path: Path) -> None:
    foreign = sync("0x12") | {"address": "0x" + "99" * 20}
    found, _ = both(tmp_path, asked((1000 * ONE, 2000 * ONE)), block(101, foreign))
    assert (found.exit_code, found.left_out) == (0, ())
    assert found.passed_over == {}


def test_a_pool_with_an_event_that_nobody_knows_is_lost_until_it_is_read_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    newer = sync(FIRST) | {"topics": ["0x" + "12" * 32]}
    found, _ = both(tmp_path, asked((1000 * ONE, 2000 * ONE)), block(101, newer, newer, newer | {"topics": []}))
    assert (found.exit_code, found.passed_over, len(found.left_out)) == (1, {}, 1)
    assert invoke(["market", "check", str(tmp_path / "market.jsonl")]) == 1
    left_out = f"line 4, log 0, is left out: pool {V2}: topics: 0x{'12' * 32} is no event of uniswap_v2 that is known"
    assert left_out in capsys.readouterr().out
    found, shown = both(tmp_path, block(101, newer, sync(SECOND)), asked(SECOND), block(102, sync(FIRST)), asked(FIRST))
    assert [one.why.partition(": topics")[0] for one in found.unanswered] == [
        f"line 3, log 0, is left out: pool {V2}"
    ] * 2
    assert shown.left_out == found.left_out
    gone = (block(101, newer), block(101, sync(SECOND), name=7, parent=100), asked(SECOND))
    found, _ = both(tmp_path, *gone)
    assert (found.unanswered, found.mismatches, len(found.left_out)) == ((), (), 1)


def test_events_that_change_no_state_are_counted_by_their_topic(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    share = sync(FIRST) | {"topics": [TRANSFER, *["0x" + "00" * 32] * 2]}
    found, _ = both(tmp_path, asked((1000 * ONE, 2000 * ONE)), block(101, share, share))
    assert (found.exit_code, found.passed_over) == (0, {TRANSFER: 2})
    assert invoke(["market", "check", str(tmp_path / "market.jsonl")]) == 0
    assert "passed over: 2 logs of events that change no state: 0xddf252ad" in capsys.readouterr().out


def test_a_log_by_itself_is_a_piece_of_its_block(tmp_path: Path) -> None:
    lone = {"kind": "log", **sync(FIRST)}
    found, _ = both(tmp_path, lone, asked(FIRST), {"kind": "log", **sync(SECOND)}, asked(SECOND))
    assert (found.exit_code, found.gaps) == (0, ())
    later = {"kind": "log", "number": "105", "timestamp": "1700000060", **sync(SECOND)}
    found, _ = both(
        tmp_path, lone, asked(FIRST), later, asked(SECOND), block(106, parent=9), {"kind": "log", **sync(FIRST)}
    )
    assert (found.exit_code, [one.number for one in found.gaps]) == (0, [105])
    found, _ = both(tmp_path, later, lone | {"number": "104"}, asked(FIRST))
    assert [one.why for one in found.disorder] == ["it stands behind block 105"]


def test_an_expected_state_is_compared_field_by_field(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    right: Line = {"kind": "expected_state", "pool": V2, "state": {"reserve0": str(FIRST[0])}}
    whole: Line = {"kind": "expected_state", "pool": V2, "state": {"reserve0": "5", "reserve1": str(FIRST[1])}}
    stray: Line = {"kind": "expected_state", "pool": V2, "state": {"reserve2": "5"}}
    none: Line = {"kind": "expected_state", "pool": WEIGHTED, "state": {"cash": ["5"]}}
    found, shown = both(tmp_path, block(101, sync(FIRST)), right, whole, stray, none)
    assert (found.cases, shown.cases, shown.swaps, found.protocols["uniswap_v2"].states) == (4, 4, 0, 3)
    (wrong,) = found.mismatches
    assert (wrong.line, wrong.direction, wrong.why) == (5, "state", f"reserve0: expected 5, ours {FIRST[0]}")
    assert [(one.line, one.why.split(":")[0]) for one in found.unanswered] == [
        (6, "reserve2"),
        (7, f"no such pool in {tmp_path / 'market.jsonl'}"),
    ]
    assert invoke(["market", "check", str(tmp_path / "market.jsonl")]) == 1
    assert "1 agree, 1 differ, 2 not answered" in capsys.readouterr().out


def test_a_state_in_another_notation_is_the_same_state(tmp_path: Path) -> None:
    position = {"-600": [str(ONE), str(ONE)], "600": [str(ONE), str(-ONE)]}
    pool, other = ticked(), weighted()
    states: list[Line] = [
        {"kind": "expected_state", "pool": pool["id"], "state": {"ticks": position, "tick": 0, "liquidity": str(ONE)}},
        {"kind": "expected_state", "pool": pool["id"], "state": {"sqrt_price_x96": str(2**96), "tick_spacing": 60}},
        {"kind": "expected_state", "pool": other["id"], "state": {"managed": [0, "0"], "is_paused": False}},
        {"kind": "expected_state", "pool": pool["id"], "state": {"ticks": {"-600": [str(ONE), str(ONE)]}}},
        {"kind": "expected_state", "pool": other["id"], "state": {"is_paused": True, "swap_fee": "x"}},
    ]
    found, _ = both(tmp_path, pool, other, *states)
    assert [(one.line, one.why.split(":")[0]) for one in found.mismatches] == [(8, "ticks"), (9, "is_paused")]
    assert not found.unanswered


def test_a_file_says_whether_it_is_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [header(has_end=True), pair(), asked((1000 * ONE, 2000 * ONE))]
    path = tmp_path / "market.jsonl"
    for rows, told in ((lines, False), ([*lines[1:]], True)):
        ended = [*rows, {"kind": "end", "lines": "3"}] if not told else [header(), *rows]
        path.write_bytes(text(*ended))
        for command in ("check", "show"):
            assert invoke(["market", command, str(path), "--json"]) == 0
            assert json.loads(capsys.readouterr().out)["has_end"] is not told
            assert invoke(["market", command, str(path)]) == 0
            assert ("it has no end line" in capsys.readouterr().out) is told


def test_a_swap_before_the_state_it_would_need_has_no_answer(tmp_path: Path) -> None:
    start = asked((1000 * ONE, 2000 * ONE))
    late = {"kind": "log", **sync(FIRST), "number": "105"}
    found, _ = both(tmp_path, start | {"number": "99"}, start, late, asked(FIRST) | {"number": "104"}, asked(FIRST))
    assert [(one.line, one.why) for one in found.unanswered] == [
        (3, "it is asked in block 99, the state is of block 100"),
        (6, "it is asked in block 104, the state is of block 105"),
    ]
    aged = written(tmp_path, header(), pair(as_of="90"), start | {"number": "91"}, start | {"number": "89"})
    assert [one.line for one in check(report=lambda _: None, cases=aged, snapshot=None).unanswered] == [4]
    (tmp_path / "later").mkdir()
    later = written(tmp_path / "later", header(number="200"), pair())
    cases = written(tmp_path, header(), start, late, asked(FIRST))
    found = check(report=lambda _: None, cases=cases, snapshot=later)
    assert [one.why.rsplit(" ", 1)[1] for one in found.unanswered] == ["200", "200"]


def test_what_is_left_out_inside_a_state_is_what_the_page_says_and_an_outdated_state_has_no_answer(
    tmp_path: Path,
) -> None:
    pools = {str(line["id"])[-2:]: line for line in documented_pools()}
    stable, solid, late = pools["02"], pools["d1"], {"kind": "log", **sync(FIRST), "number": "103"}
    ramp = {
        "kind": "expected_state",
        "pool": stable["id"],
        "state": {"amplification": {"start": "50000", "end": 50000}},
    }
    fee = {"kind": "expected_state", "pool": solid["id"], "state": {"fee": "30"}}
    found, _ = both(tmp_path, stable, solid, ramp, fee, late, fee)
    assert (found.mismatches, [one.line for one in found.unanswered]) == ((), [8])
    assert "write its `pool` line again" in found.unanswered[0].why
