"""Each benchmark's harness runs, with counts too small to mean anything; the contenders check each other's answers."""

import json
import os
from collections.abc import Iterator
from typing import NoReturn

import benchmarks.__main__ as command
import pytest
import structlog
from benchmarks import (
    devnet_latency,
    log_to_signed,
    market_scale,
    pool_sync,
    search_cycles,
    sync_decode,
    uniswap_v2_quote,
    uniswap_v3_quote,
)
from benchmarks.measure import Answer, Effort, Figure, Goal, duration, interleaved, percentile, timed
from benchmarks.rivals.degenbot_process import PYTHON, VERSION_NOTE, RivalMissingError

from headrace.devnet.places import ANVIL_BINARY

TINY = Effort(rounds=2, executions=1)
needs_degenbot = pytest.mark.skipif(not PYTHON.exists(), reason="the rivals' environment is set up by `make bench`")


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def test_contenders_take_turns_and_the_median_of_their_rounds_counts() -> None:
    turns: list[str] = []
    times = {"ours": iter([9.0, 9.0, 1.0, 50.0, 2.0]), "rival": iter([9.0, 9.0, 4.0, 3.0, 90.0])}

    def take(name: str) -> float:
        turns.append(name)
        return next(times[name])

    assert interleaved(lambda: take("ours"), lambda: take("rival"), 3) == (2.0, 4.0)
    assert turns == ["ours", "rival"] * 5


def test_a_round_counts_one_operation() -> None:
    calls: list[int] = []
    assert timed(lambda: calls.append(1), 10)() > 0
    assert len(calls) == 10


def test_a_goal_that_is_missed_is_printed_as_missed() -> None:
    faster = Figure("quote", 100.0, "rival", 750.0, 3, Goal("faster", 8.0))
    assert faster.ratio == 7.5
    assert "7.50x faster (goal >= 8: MISSED)" in faster.text()
    cost = Figure("line", 1500.0, "bare", 1000.0, 3, Goal("cost", 2.0))
    assert cost.ratio == 1.5
    assert "1.50x its cost (goal <= 2: met)" in cost.text()


def test_percentiles_are_of_the_nearest_rank_and_durations_have_a_unit() -> None:
    assert percentile([3.0, 1.0, 2.0], 50) == 2.0
    assert percentile([float(i) for i in range(1, 201)], 99) == 198.0
    assert [duration(ns) for ns in (12.0, 1_500.0, 2_500_000.0, 3e9)] == ["12 ns", "1.50 us", "2.50 ms", "3.00 s"]


def test_the_search_contest_runs_and_all_contenders_find_the_same_cycles() -> None:
    answer = search_cycles.run(TINY, pairs=400)
    assert answer.figures[0].rival == "pure Python"
    assert "profitable cycles" in answer.notes[0]


def test_both_roads_from_logs_to_signed_bytes_give_the_same_bytes() -> None:
    answer = log_to_signed.run(Effort(rounds=4), pairs=400)
    assert all(figure.n >= 1 for figure in answer.figures)
    assert "of 40 blocks offered a trade, both sides signed the same bytes" in answer.notes[0]


def test_both_sides_of_the_decoding_read_the_same_reserves() -> None:
    figures = sync_decode.run(TINY).figures
    assert {(figure.rival, figure.goal.bound) for figure in figures} == {("json + eth-abi", 12.0)}


def test_the_scale_is_measured_beside_reading_and_in_a_process_of_its_own() -> None:
    answer = market_scale.run(TINY, pools=3_000)
    assert [figure.goal.kind for figure in answer.figures] == ["cost"] * 4
    assert "MB resident at most (goal <= 1024 MB: met)" in answer.notes[0]


@pytest.mark.skipif(not ANVIL_BINARY.exists(), reason="the local chain is set up by `make setup`")
def test_the_sync_of_pools_is_measured_beside_the_bare_frames() -> None:
    (figure,) = pool_sync.run(TINY, pools=250).figures
    assert (figure.rival, figure.goal.kind) == ("bare frames", "cost")


@needs_degenbot
def test_quotes_are_compared_before_they_are_timed() -> None:
    assert uniswap_v2_quote.run(TINY).notes == ("v2: 400 quotes, all equal to the unit", VERSION_NOTE)
    answer = uniswap_v3_quote.run(TINY)
    assert len(answer.figures) == len(uniswap_v3_quote.CROSSED) + 1
    assert answer.notes[0] == VERSION_NOTE
    assert all(note.endswith("equal to the unit") for note in answer.notes[1:])


@pytest.mark.skipif(not ANVIL_BINARY.exists(), reason="the local chain is set up by `make setup`")
def test_an_execution_on_the_devnet_is_measured_beside_its_bare_cost() -> None:
    answer = devnet_latency.run(TINY)
    assert [figure.rival for figure in answer.figures] == ["bare simulate + fsync + send"] * 2
    assert all(figure.rival_ns > 0 and figure.ours_ns > 0 for figure in answer.figures)


def test_the_command_prints_lines_or_one_json_document(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    figure = Figure("what", 1.0, "rival", 2.0, 5)
    monkeypatch.setattr(command, "answer", lambda _name, _effort: Answer((figure,), ("a note",)))
    assert command.main(["search_cycles", "--quick"]) == 0
    printed = capsys.readouterr().out
    assert f"cores {os.cpu_count()}" in printed
    assert "2.00x faster" in printed
    assert "a note" in printed
    assert command.main(["--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert list(document["benchmarks"]) == list(command.NAMES)
    assert document["benchmarks"]["search_cycles"]["figures"][0]["ratio"] == 2.0


def test_a_rival_that_is_not_installed_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(_name: str, _effort: Effort) -> NoReturn:
        raise RivalMissingError("degenbot is not installed: run `make .venv-rivals/.installed`")

    monkeypatch.setattr(command, "answer", missing)
    assert command.main(["uniswap_v2_quote"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
