"""`headrace demo` as a newcomer runs it: what it shows, that a seed repeats it, and what it says it did not show."""

import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from tests.end_to_end.command import EXECUTABLE, Finished, headrace

SEED, BLOCKS = "2", "70"
STATUSES = {"landed", "reverted", "cancelled", "pending"}
ENGINES = {"own_capital", "flash_loan", "flash_swap"}


class Row(msgspec.Struct, forbid_unknown_fields=False):
    """The fields of an execution that the documentation promises; amounts are decimal strings."""

    engine: str
    route: str
    profit_token: str
    quoted_profit_wei: str
    realised_profit_wei: str | None
    net_profit_native_wei: str
    gas_used: int
    tx_hash: str
    clean: bool | None
    status: str
    cause: str | None
    latency_ms: float | None


class Latency(msgspec.Struct):
    p50: float | None
    p99: float | None
    count: int


class Document(msgspec.Struct, forbid_unknown_fields=False):
    """The promised fields of the whole document."""

    blocks: int
    opportunities: dict[str, int | None]
    executions: list[Row]
    refusals: dict[str, int]
    parity_wei_max: str
    latency_ms: Latency
    final_block_hash: str
    shortcomings: list[str]
    seed: int


def demo(*args: str) -> Finished:
    return headrace("demo", *args, seconds_max=120)


@pytest.fixture(scope="module")
def runs() -> tuple[Finished, Finished]:
    args = ("--json", "--seed", SEED, "--blocks", BLOCKS)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: demo(*args), range(2))
    return first, second


def document(done: Finished) -> Document:
    return msgspec.json.decode(done.out, type=Document)


def test_the_document_has_every_promised_field_and_nothing_else_is_on_stdout(runs: tuple[Finished, Finished]) -> None:
    done = runs[0]
    assert done.code == 0, done.err
    assert done.out.count("\n") == 1
    shown = document(done)
    assert shown.blocks == int(BLOCKS)
    assert shown.seed == int(SEED)
    assert shown.shortcomings == []
    assert shown.parity_wei_max == "0"
    assert {row.status for row in shown.executions} <= STATUSES
    landed = [row for row in shown.executions if row.status == "landed"]
    assert len(landed) >= 5
    assert {row.engine for row in landed} == ENGINES
    for row in shown.executions:
        for amount in (row.quoted_profit_wei, row.net_profit_native_wei, row.realised_profit_wei):
            assert amount is None or re.fullmatch(r"-?\d+", amount)
        assert re.fullmatch(r"0x[0-9a-f]{64}", row.tx_hash)
        assert len(row.route.split(" > ")) >= 5
    reverted = [row for row in shown.executions if row.status == "reverted"]
    assert all(re.match(r"(ProfitBelowMinimum\(|out of gas).* \(pool 0x", row.cause or "") for row in reverted)
    assert all(row.realised_profit_wei == row.quoted_profit_wei for row in landed if row.clean)
    found = shown.opportunities["found"]
    assert found is not None
    assert sum(shown.refusals.values()) > len(shown.executions)
    assert "pool_tripped" not in shown.refusals  # an honest market trips nothing
    assert found >= sum(shown.refusals.values())
    assert shown.latency_ms.count >= len(landed)
    assert shown.latency_ms.p50 is not None
    assert shown.latency_ms.p99 is not None
    assert shown.latency_ms.p50 <= shown.latency_ms.p99


def test_mispricings_are_of_the_main_nets_size(runs: tuple[Finished, Finished]) -> None:
    edge = document(runs[0]).opportunities["edge_bps_median"]
    assert edge is not None
    assert 0 < edge < 50


def test_a_seed_repeats_the_run_to_the_last_block_hash(runs: tuple[Finished, Finished]) -> None:
    first, second = (document(done) for done in runs)
    assert first.final_block_hash == second.final_block_hash
    timeless = [[msgspec.structs.replace(row, latency_ms=None) for row in one.executions] for one in (first, second)]
    assert timeless[0] == timeless[1]
    assert first.refusals == second.refusals
    assert first.opportunities == second.opportunities


def test_the_text_tells_the_whole_story_and_another_seed_another_one(runs: tuple[Finished, Finished]) -> None:
    done = demo("--seed", "3", "--blocks", BLOCKS)
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    for column in ("block", "engine", "route", "quoted wei", "realised wei", "gas", "net ETH", "slip bps", "ms"):
        assert column in lines[0]
    assert sum("landed clean" in line for line in lines) >= 5
    for pattern in (
        r"ProfitBelowMinimum",
        rf"^{BLOCKS} blocks: \d+ opportunities found, median gross edge \d+ bps;",
        r"^refused: \w+ \d+",
        *(rf"^{engine}: \d+ landed, -?\d+(\.\d+)? ETH net of gas$" for engine in sorted(ENGINES)),
        r"^lost: \d+ reverted by the guard and \d+ cancelled, .* \d+ stopped by the rehearsal",
        r"^clean: \d+ of \d+ landed; the largest miss of a clean quote is 0 wei$",
        r"^net profit after all gas: -?\d+(\.\d+)? ETH$",
        r"p50 \d+\.\d ms, p99 \d+\.\d ms over \d+ transactions$",
    ):
        assert re.search(pattern, done.out, re.MULTILINE), f"{pattern} is not in\n{done.out}"
    said = re.search(r"^seed 3, last block (0x[0-9a-f]{64})$", done.out, re.MULTILINE)
    assert said
    assert said[1] != document(runs[0]).final_block_hash


def test_one_block_shows_too_little_and_says_what_is_missing() -> None:
    done = demo("--json", "--seed", SEED, "--blocks", "1")
    assert done.code == 1
    shown = document(done)
    assert shown.blocks == 1
    assert [line for line in shown.shortcomings if "executions landed, 5 are wanted" in line]
    for engine in ENGINES:
        assert f"the engine {engine} never landed" in shown.shortcomings
    assert "no execution was clean, so parity is not shown" in shown.shortcomings


def test_against_a_real_clock_only_honesty_is_promised() -> None:
    done = demo("--json", "--seed", SEED, "--blocks", "15", "--block-time", "0.3")
    assert done.code == 0, done.err
    shown = document(done)
    assert shown.blocks >= 1
    assert shown.parity_wei_max == "0"
    assert {row.status for row in shown.executions} <= STATUSES
    for row in shown.executions:
        if row.clean and row.status == "landed":
            assert row.realised_profit_wei == row.quoted_profit_wei
        assert row.cause or row.status != "reverted"


def test_a_length_of_no_block_is_refused_in_one_sentence() -> None:
    done = demo("--blocks", "0")
    assert done.code == 2
    assert done.out == ""
    assert done.err.startswith("headrace: ")
    assert done.err.count("\n") == 1


def test_a_reader_that_goes_away_ends_it_quietly() -> None:
    shell = 'set -o pipefail; "$0" demo --blocks 1 2>/dev/null | head -c 1 >/dev/null'
    done = subprocess.run(["bash", "-c", shell, str(EXECUTABLE)], capture_output=True, check=False, timeout=60)
    assert done.stderr == b""
