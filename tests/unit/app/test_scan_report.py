"""The table of `headrace scan` on terminals of any width: nothing sticks out, and no word is cut in two."""

import io

import pytest
from rich.console import Console

from headrace.app.scan_report import ScanReport, ScanRow, render_scan

ETHER, ODD = "WETH", "[b]OD"  # the second has what rich would take for markup
REFUSED = ScanRow(
    strategy="triangular",
    route="WETH > sushiswap > DAI > uniswap_v3 > USDC > balancer_v2 > WETH",
    engine="",
    amount_in_wei=1_013_370_587_300_000_000,
    profit_token=ETHER,
    profit_token_decimals=18,
    profit_estimate_wei=1_566_080_075_431_665,
    profit_wei=None,
    gas=None,
    net_profit_native_wei=None,
    edge_bps=30,
    verdict="not_profitable_after_gas: it gains 1566080075431665 units, gas costs 3702070649002001",
)
TAKEN = ScanRow(
    strategy="spatial",
    route="[b]OD > sushiswap > DAI > uniswap_v3 > [b]OD",
    engine="flash_swap",
    amount_in_wei=5,
    profit_token=ODD,
    profit_token_decimals=6,
    profit_estimate_wei=1,
    profit_wei=77_000_000,
    gas=200_000,
    net_profit_native_wei=123_456_789_000_000_000,
    edge_bps=12,
    verdict="executable",
    rivals_certain=1,
    rivals_possible=2,
)


def drawn(width: int, *rows: ScanRow, count: int = 1) -> list[str]:
    out = io.StringIO()
    render_scan(ScanReport("devnet", 16, 0, 38, None, rows * count), Console(file=out, width=width))
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", [80, 100, 200])
def test_all_that_decides_is_on_the_terminal_and_no_word_is_cut(width: int) -> None:
    lines = drawn(width, TAKEN, REFUSED)
    assert max(map(len, lines)) <= width
    words = " ".join(lines).replace(",", " ").split()
    figures = ("77", ODD, "0.0015660800", "0.1234567", "1+2", "flash_swap")
    texts = (TAKEN.route, REFUSED.route, REFUSED.verdict, *figures)
    for text in texts:
        assert all(word in words for word in text.replace(",", " ").split()), text
    assert words.count("sushiswap") == 2


@pytest.mark.parametrize(("width", "lines_max"), [(80, 5), (100, 4), (200, 2)])
def test_an_opportunity_takes_few_lines(width: int, lines_max: int) -> None:
    assert len(drawn(width, REFUSED)) <= 1 + lines_max + 1  # names above, the sum below


def test_a_figure_that_no_row_has_takes_no_room_where_there_is_little() -> None:
    assert "net native" not in drawn(100, REFUSED)[0]
    assert "rivals" not in drawn(100, REFUSED)[0]
    assert "net native" in drawn(100, REFUSED, TAKEN)[0]
    assert "strategy" in drawn(200, REFUSED)[0]


def test_of_very_many_the_first_are_shown_and_the_rest_counted() -> None:
    assert drawn(200, REFUSED, count=45)[-1] == "block 16 of devnet: 45 opportunities in 38 pools; 5 more with --json"
    assert drawn(80)[0] == "block 16 of devnet: 0 opportunities in 38 pools"
