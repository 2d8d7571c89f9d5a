"""`headrace pending` on a running devnet, whose traders swap all the time, and on chains that hide."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from headrace.app.cli.invocation import invoke
from headrace.app.config.load import parse_config
from headrace.app.pending import PendingReport, PendingRow, render, watch
from headrace.model.address import Address, Hash32, PoolId
from headrace.ports.mempool import FeedCounters

SECONDS = 3.5  # of blocks of one second


def write(folder: Path, text: str) -> Path:
    file = folder / "headrace.yaml"
    file.write_text(text)
    return file


def test_pending_swaps_of_a_running_chain_are_shown_with_their_pools(devnet_text: str) -> None:
    config = parse_config(devnet_text.replace("public_mempool: false", "public_mempool: true"), Path("headrace.yaml"))
    said: list[str] = []
    report = watch(report=said.append, config=config, chain="devnet", seconds=SECONDS)
    assert not report.is_hidden
    assert report.feed.announced > 0
    assert 0 < sum(report.taken.values()) <= report.feed.announced  # the newest may be unread when the watch ends
    assert report.taken["new"] > 0
    assert report.removed["mined"] > 0
    assert (report.flawed, report.feed.malformed, report.gaps) == (0, 0, 0)
    assert len(report.swaps) >= 10
    assert all(row.pools and row.is_certain and "?" not in row.path for row in report.swaps)
    assert all(row.amount_in_wei is not None for row in report.swaps)
    assert any("unknown" in caveat for caveat in report.caveats)


def test_a_chain_that_hides_says_so_instead_of_showing_nothing(
    devnet_text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path, devnet_text)
    assert invoke(["pending", "--config", str(file), "--chain", "devnet"]) == 0
    assert "are hidden: the configuration says `public_mempool: false`" in capsys.readouterr().out
    assert invoke(["pending", "--config", str(file), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["is_hidden"] is True
    assert document["hidden_because"]


def test_an_unknown_chain_is_named(devnet_text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["pending", "--config", str(write(tmp_path, devnet_text)), "--chain", "devnot"]) == 2
    assert "devnet" in capsys.readouterr().err


def test_what_is_drawn_tells_exact_from_limit_and_certain_from_possible() -> None:
    rows = tuple(
        PendingRow(
            tx_hash=Hash32("0x" + f"{i:064x}"),
            is_pending=i < 40,
            sender=Address("0x1"),
            via=Address("0x2"),
            function="swap(uint256)",
            path=("WETH", "USDC"),
            is_exact_in=i % 2 == 0,
            amount_in_wei=1,
            amount_out_wei=None,
            amount_in_text="1 WETH",
            amount_out_text="?",
            deadline=None,
            pools=(PoolId("0xabcdef0123456789"),) if i < 40 else (),
            is_certain=i != 1,
        )
        for i in range(41)
    )
    result = PendingReport(
        chain="somewhere",
        is_hidden=False,
        hidden_because="",
        caveats=("what is private is unknown",),
        seconds=2,
        pending=41,
        swaps=rows,
        feed=FeedCounters(announced=50, dropped=3),
        taken={"new": 47},
        removed={"mined": 6},
        flawed=1,
        gaps=0,
        undecoded={"0xa9059cbb": 5},
    )
    console = Console(width=160, record=True, file=io.StringIO())
    render(result, console)
    text = console.export_text()
    for words in (
        "<= 1 WETH",
        ">= ?",
        "perhaps 0xabcdef01",
        "1 more with --json",
        "0xa9059cbb 5x",
        "dropped unread: 3",
    ):
        assert words in text
    assert "not seen: what is private is unknown" in text
