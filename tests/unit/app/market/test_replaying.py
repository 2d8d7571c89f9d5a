"""A recording through the agents' own line. The oracle of the branch that was left is the same recording without it."""

import json
import re
from pathlib import Path

import pytest
from tests.support.config_sample import SAMPLE
from tests.support.market_text import Line, header, pair, token, written

from headrace.adapters.protocols.uniswap_v2.logs import SYNC
from headrace.app.cli.invocation import invoke

WETH, USDC = "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2", "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
FIRST, SECOND, THIRD = ("0x" + digits * 20 for digits in ("a1", "a2", "a3"))
GWEI = 10**9
ETHER = 10**18


def venue(pool: str, usdc: int, weth: int, **fields: object) -> Line:
    state = {"reserve0": str(usdc * 10**6), "reserve1": str(weth * ETHER)}
    return pair(pool, tokens=[USDC, WETH], state=state, **fields)


def block(name: int, parent: int, number: int, *syncs: tuple[str, int, int]) -> Line:
    logs = [
        {"address": pool, "topics": [SYNC], "data": f"0x{usdc * 10**6:064x}{weth * ETHER:064x}"}
        for pool, usdc, weth in syncs
    ]
    return {
        "kind": "block",
        "number": str(number),
        "hash": f"0x{name:064x}",
        "parent_hash": f"0x{parent:064x}",
        "timestamp": str(1_700_000_000 + 12 * number),
        "base_fee_wei": str(GWEI),
        "gas_limit": "30000000",
        "gas_used": "15000000",
        "logs": logs,
    }


def price(address: str, usd: int) -> Line:
    return {"kind": "price", "token": address, "usd_pico": str(usd * 10**12), "updated_at": "1700000000"}


def market(*rows: Line) -> tuple[Line, ...]:
    start = header(hash=f"0x{1:064x}", base_fee_wei=str(GWEI), gas_limit="30000000", gas_used="15000000")
    tokens = (token(WETH, symbol="WETH"), token(USDC, symbol="USDC", decimals="6"))
    pools = (venue(FIRST, 2_000_000, 1000), venue(SECOND, 2_000_000, 1000), venue(THIRD, 200_000, 100, as_of="99"))
    return (start, *tokens, price(WETH, 2000), price(USDC, 1), *pools, *rows)


def replayed(
    folder: Path, capsys: pytest.CaptureFixture[str], *rows: Line, flags: tuple[str, ...] = ()
) -> dict[str, object]:
    (folder / "headrace.yaml").write_text(SAMPLE)
    file = written(folder, *rows)
    command = ["market", "replay", str(file), "-c", str(folder / "headrace.yaml"), *flags]
    assert invoke([*command, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert isinstance(shown, dict)
    return shown


GAP = block(2, 1, 101, (SECOND, 2_100_000, 1000))
SHUT = block(3, 2, 102, (FIRST, 2_100_000, 1000))


def test_the_same_recording_gives_the_same_opportunities(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = replayed(tmp_path, capsys, *market(GAP, SHUT))
    assert (first["first_block"], first["last_block"], first["blocks"]) == (100, 102, 2)
    rows = first["opportunities"]
    assert isinstance(rows, list)
    assert {row["block"] for row in rows} == {101}
    assert {row["profit_token"] for row in rows} == {"WETH"}
    assert int(rows[0]["profit_wei"]) > 10**16
    assert replayed(tmp_path, capsys, *market(GAP, SHUT)) == first
    other = replayed(tmp_path, capsys, *market(block(2, 1, 101, (SECOND, 2_100_001, 1000)), SHUT))
    assert other["digest"] != first["digest"]


def test_a_branch_that_was_left_is_rolled_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    straight = replayed(tmp_path, capsys, *market(block(4, 1, 101), block(5, 4, 102, (FIRST, 1_900_000, 1000))))
    forked = replayed(tmp_path, capsys, *market(GAP, block(4, 1, 101), block(5, 4, 102, (FIRST, 1_900_000, 1000))))
    assert straight["opportunities"]
    rows = forked["opportunities"]
    assert isinstance(rows, list)
    assert [row for row in rows if row["block"] == 102] == straight["opportunities"]
    assert [row for row in rows if row["block"] == 101]


def test_a_missing_block_makes_the_market_stale_and_an_old_state_is_not_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = replayed(tmp_path, capsys, *market(SHUT))
    assert shown["stale"]
    assert not shown["opportunities"]
    still = replayed(tmp_path, capsys, *market(block(2, 1, 101, (THIRD, 300_000, 100))))
    assert (still["quarantined"], still["found"]) == (1, 0)


def test_it_stops_when_told_and_is_drawn_as_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert replayed(tmp_path, capsys, *market(GAP, SHUT), flags=("--blocks", "1"))["last_block"] == 101
    command = ["market", "replay", str(tmp_path / "market.jsonl"), "-c", str(tmp_path / "headrace.yaml")]
    assert invoke(command) == 0
    told = capsys.readouterr().out
    assert "WETH > uniswap_v2 > USDC > uniswap_v2 > WETH" in told
    assert "validated" in told
    assert re.search(r" 0\.\d+ +WETH", told), "the profit is in whole tokens, not in units beside a token's name"
    assert replayed(tmp_path, capsys, *market(SHUT))
    assert invoke(command) == 0
    assert "stale:" in capsys.readouterr().out


def test_without_prices_nothing_is_validated_and_the_reason_is_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [row for row in market(GAP) if row["kind"] != "price"]
    assert replayed(tmp_path, capsys, *rows)["refusals"] == {"no_fresh_price": 1}
    told = replayed(
        tmp_path, capsys, *rows, price(WETH, 2000), price(USDC, 1), block(3, 2, 102, (SECOND, 2_200_000, 1000))
    )
    assert told["opportunities"]


def test_a_file_of_another_chain_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "headrace.yaml").write_text(SAMPLE)
    file = written(tmp_path, header(chain_id="10"))
    assert invoke(["market", "replay", str(file), "-c", str(tmp_path / "headrace.yaml")]) == 7
    assert "of chain 10, not of chain 1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ((GAP, GAP), "block 101 comes in pieces"),
        ((block(0, 1, 101),), "block 101 has no hash or no parent_hash"),
        ((block(2, 0, 101),), "block 101 has no hash or no parent_hash"),
        (({"kind": "log", "address": FIRST, "topics": [SYNC], "data": "0x"},), "block 101 has no hash"),
        ((GAP, {"kind": "log", "address": FIRST, "topics": [SYNC], "data": "0x"}), "block 101 comes in pieces"),
    ],
)
def test_what_only_a_check_can_follow_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], rows: tuple[Line, ...], why: str
) -> None:
    (tmp_path / "headrace.yaml").write_text(SAMPLE)
    file = written(tmp_path, *market(*rows))
    assert invoke(["market", "replay", str(file), "-c", str(tmp_path / "headrace.yaml")]) == 7
    told = capsys.readouterr().err
    assert why in told
    assert "`market check`" in told


def test_gaps_disorder_and_a_missing_end_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = replayed(tmp_path, capsys, *market(block(3, 2, 103), block(4, 9, 104)))
    assert (shown["has_end"], shown["gaps"], shown["disorder"]) == (
        False,
        [{"line": 9, "number": 103, "why": "101 to 102 are not in the file"}],
        [{"line": 10, "number": 104, "why": "its parent_hash is not the hash of block 103"}],
    )
