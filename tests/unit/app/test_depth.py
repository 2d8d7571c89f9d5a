"""Prices and depths of every protocol's pools. Oracle: brute force, differences of exact integer quotes alone."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from tests.support.market_text import Line, documented_pools, header, pair, ticked, token, weighted, written

from headrace.adapters.market_files.market_file import MarketFile
from headrace.adapters.market_files.reader import read_market
from headrace.app.cli.invocation import invoke
from headrace.app.depth import Prices, Sale, prices_of, rounded_text
from headrace.app.dexes import every_dex
from headrace.app.quote import QuoteReport
from headrace.errors import UnquotableError
from headrace.model.address import Address, ChainId
from headrace.model.token import Token
from headrace.ports.pool import PoolState

DEXES = every_dex()
MOVES = (1_000, 5_000, 100_000)  # 10 bps, 50 bps, 10 %
NEAR = 3e-5  # a thousandth of a depth moves the price by a thousandth of a move; the rest are roundings to units
OUTPUT_MIN = 10**7  # of the trade whose price is compared: a unit is a tenth of a millionth of it
Way = tuple[Address, Address]


def deepened(line: Line) -> Line:
    """The page's pool of v4 with more liquidity, so that its units tell its price."""
    state = line["state"]
    if line["protocol"] != "uniswap_v4" or not isinstance(state, dict):
        return line
    ticks = {tick: [amount + "0" * 9 for amount in amounts] for tick, amounts in state["ticks"].items()}
    rest = {name: value for name, value in state.items() if name != "liquidity"}
    return line | {"state": rest | {"ticks": ticks}}


@pytest.fixture
def market(tmp_path: Path) -> MarketFile:
    lines = [header(number="17000000"), pair(), ticked(), weighted(), *map(deepened, documented_pools())]
    found = read_market(written(tmp_path, *lines), DEXES)
    assert not found.left_out
    return found


def ways(market: MarketFile) -> Iterator[tuple[PoolState, Way]]:
    for state in market.states:
        first, second = state.pool.tokens[:2]
        yield state, (first, second)
        yield state, (second, first)


def priced(market: MarketFile, state: PoolState, way: Way, amount: int) -> tuple[int | None, Prices | None]:
    dex = DEXES[state.pool.protocol]
    token_in, token_out = (Token(ChainId(1), one, "T", 0) for one in way)
    sale = Sale(token_in, token_out, amount, market.context)
    try:
        out = dex.quote_out(state, *way, amount, market.context)
    except UnquotableError:
        out = None
    return out, prices_of(dex, state, sale, out, MOVES)


def marginal(market: MarketFile, state: PoolState, way: Way, amount: int, width: int) -> float | None:
    """The price of the next `width` units after `amount`, by exact quotes; None where they tell too little."""
    dex = DEXES[state.pool.protocol]
    try:
        before = dex.quote_out(state, *way, amount, market.context) if amount else 0
        after = dex.quote_out(state, *way, amount + width, market.context)
    except UnquotableError:
        return None
    return (after - before) / width if after - before >= OUTPUT_MIN else None


def checked(market: MarketFile, state: PoolState, way: Way) -> Counter[str]:
    """Compare all that is told of one direction; what was compared, by protocol and figure."""
    seen, name = Counter[str](), state.pool.protocol
    _, first = priced(market, state, way, 1)
    if first is None:
        return seen
    spot = float(first.spot)
    small = first.depths[0].amount_in_wei // 1000
    brute = marginal(market, state, way, 0, max(small, 1))
    if brute is not None:
        assert brute == pytest.approx(spot, rel=NEAR), (name, way)
        seen[f"{name} spot"] += 1
    for depth in first.depths:
        amount, floor = depth.amount_in_wei, spot * (1 - float(depth.move_bps) / 10_000)
        width = max(amount // 1000, 1)
        before = marginal(market, state, way, amount - width, width) if amount > width else None
        if before is not None:
            assert before >= floor * (1 - NEAR), (name, depth)
            seen[f"{name} depth"] += 1
        behind = marginal(market, state, way, amount, width)
        if behind is not None and depth.is_all:
            assert behind < spot * NEAR, (name, depth)
        elif behind is not None:
            assert behind <= floor * (1 + NEAR), (name, depth)
        out, then = priced(market, state, way, amount)
        if then is not None and out is not None and behind is not None and not depth.is_all:
            assert float(then.after) == pytest.approx(floor, rel=1e-6)
            assert float(then.moved_bps) == pytest.approx(float(depth.move_bps), abs=0.01)
            assert float(then.impact_bps) == pytest.approx((1 - out / amount / spot) * 10_000, abs=0.01)
            assert depth.amount_out_wei == out
            seen[f"{name} after"] += 1
    return seen


def test_prices_and_depths_are_where_exact_quotes_put_them(market: MarketFile) -> None:
    seen = Counter[str]()
    for state, way in ways(market):
        seen += checked(market, state, way)
    print("compared", dict(seen))  # noqa: T201 - a test that passes says what it covered
    for protocol in DEXES:
        for figure in ("spot", "depth", "after"):
            assert seen[f"{protocol} {figure}"] >= 1, (protocol, figure)


@pytest.mark.parametrize("name", ["spot_price", "depth_to_price", "price_after"])
def test_a_figure_that_is_a_thousandth_off_is_caught(
    market: MarketFile, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from headrace.app import depth  # noqa: PLC0415 - what is replaced in it is put back

    genuine = getattr(depth, name)
    factor = 1.05 if name == "depth_to_price" else 1.001
    monkeypatch.setattr(depth, name, lambda *arguments: genuine(*arguments) * factor)
    with pytest.raises(AssertionError):
        [checked(market, *one) for one in ways(market)]


def test_an_outdated_or_empty_pool_has_no_prices(tmp_path: Path, market: MarketFile) -> None:
    later = msgspec.structs.replace(market.context, number=market.context.number + 5)
    (solidly, *_) = (state for state in market.states if state.pool.protocol == "solidly")
    first, second = solidly.pool.tokens
    sale = Sale(Token(ChainId(1), first, "A", 18), Token(ChainId(1), second, "B", 18), 10**6, later)
    assert prices_of(DEXES[solidly.pool.protocol], solidly, sale, None, MOVES) is None
    empty = read_market(written(tmp_path, header(), pair(state={"reserve0": "0", "reserve1": "0"})), DEXES)
    assert priced(empty, empty.states[0], empty.states[0].pool.tokens[:2], 10) == (None, None)  # type: ignore[arg-type]


def test_a_pool_that_ends_and_a_refusal_are_told(market: MarketFile) -> None:
    (ticks, product) = (
        next(state for state in market.states if state.pool.protocol == name) for name in ("uniswap_v3", "balancer_v2")
    )
    _, prices = priced(market, ticks, ticks.pool.tokens[:2], 10)  # type: ignore[arg-type]
    assert prices is not None
    assert [depth.is_all for depth in prices.depths] == [False, False, True], "its range ends 6 % away"
    assert all(depth.amount_out_wei for depth in prices.depths)
    dex, (first, second) = DEXES[product.pool.protocol], product.pool.tokens
    sale = Sale(Token(ChainId(1), first, "A", 0), Token(ChainId(1), second, "B", 0), 10, market.context)
    deep = prices_of(dex, product, sale, None, (900_000,))
    assert deep is not None
    assert (deep.after, deep.depths[0].amount_out_wei) == ("", None)
    assert "30 %" in deep.depths[0].refusal


def test_the_command_shows_depths_in_whole_tokens(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tokens = (token(), token("0x" + "2" * 40, symbol="USD", decimals="6"))
    state = {"reserve0": str(1000 * 10**18), "reserve1": str(2_000_000 * 10**6)}
    path = written(tmp_path, header(), *tokens, pair(state=state), weighted())
    command = ["quote", "--snapshot", str(path), "--token-in", "TKN", "--token-out", "USD", "--amount", "10"]
    assert invoke([*command, "--depth", "200bps", "--depth", "90%"]) == 0
    shown = capsys.readouterr().out
    assert "USD per TKN, spot" in shown
    assert "1994" in shown
    assert "10.1831 TKN for 20101" in shown  # reserve * (1 / sqrt(1 - move) - 1) / 0.997, by the formula
    assert "refused" in shown
    assert invoke([*command, "--depth", "2%", "--json"]) == 0
    report = msgspec.json.decode(capsys.readouterr().out, type=QuoteReport, strict=False)
    (row,) = (row for row in report.venues if row.prices is not None and row.prices.spot == "1994")
    assert row.prices is not None
    (depth,) = row.prices.depths
    assert depth.move_bps == "200"
    assert depth.amount_in_wei == pytest.approx(1000 * 10**18 * (0.98**-0.5 - 1) / 0.997, rel=1e-9)
    assert invoke([*command, "--json"]) == 0
    assert '"prices":null' in capsys.readouterr().out
    assert invoke(command) == 0
    assert "spot" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("amount", "text"), [("0", "0"), ("0E-18", "0"), ("1234567.8", "1234570"), ("0.000000012345678", "0.0000000123457")]
)
def test_rounded_amounts_are_plain_decimals(amount: str, text: str) -> None:
    assert rounded_text(Decimal(amount), 6) == text
