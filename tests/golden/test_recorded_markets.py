"""Markets that others recorded load, and do not fool: every file of ../shared/data/pools that is a market.

The oracle of the cycles is the data's own README: with exact v2-type pools alone 419 profitable cycles through ether,
5 above 0.005 ether, the best 0.028. The oracle of the range-only pools is the same pools with all ticks, whose quotes
are proven against bytecode in the conformance suite.
"""

import lzma
import random
from collections import Counter
from pathlib import Path

import msgspec
import pytest
from tests.support.places import shared_data

from headrace.adapters.market_files.market_file import MarketFile
from headrace.adapters.market_files.reader import read_market
from headrace.adapters.protocols.uniswap_v3.state import UniswapV3State
from headrace.app.dexes import every_dex
from headrace.app.market.importing import ImportReport, import_market
from headrace.errors import UnquotableError
from headrace.model.address import Address
from headrace.model.codec import JsonValue
from headrace.pipeline.market.screen import Screen
from headrace.pipeline.search.graph import SearchGraph
from headrace.ports.pool import PoolState

PAIRS, DELTAS = "pools/mainnet_20440688_univ2_700.json.xz", "pools/mainnet_20440962_univ2_deltas.json.xz"
TICKED = "pools/mainnet_univ3_19_full_ticks.json.xz"
ROWS = "pools/mainnet_17106109_pools.csv.xz"
WETH = Address("0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2")
POISONED = "0xb6b0c651c37ec4ca81c0a128420e02001a57fac2"
ETHER = 10**18
SEED = 5
Imported = tuple[ImportReport, MarketFile]


def imported(folder: Path, *names: str, is_current: bool = False) -> Imported:
    out = folder / "market.jsonl.gz"
    sources = [shared_data(name) for name in names]
    report = import_market(
        report=lambda _: None, sources=sources, out=out, number=0, timestamp=0, is_current=is_current
    )
    market = read_market(out, every_dex())
    assert not market.left_out
    return report, market


@pytest.fixture(scope="module")
def rows_as_told(tmp_path_factory: pytest.TempPathFactory) -> Imported:
    return imported(tmp_path_factory.mktemp("told"), ROWS)


@pytest.fixture(scope="module")
def rows_as_current(tmp_path_factory: pytest.TempPathFactory) -> Imported:
    return imported(tmp_path_factory.mktemp("current"), ROWS, is_current=True)


def profits(market: MarketFile, *, is_screened: bool) -> list[float]:
    """What cycles of two and three hops through ether promise, in ether, the best first."""
    dexes = every_dex()
    snapshot = market.snapshot()
    if is_screened:
        snapshot = Screen(market.pools, dexes).screened(snapshot)
    graph = SearchGraph(market.pools, dexes)
    graph.update(snapshot)
    found = [one for hops in (2, 3) for one in graph.cycles(hops, edge_bps_min=0, start_tokens=(WETH,))]
    return sorted((one.profit / ETHER for one in found), reverse=True)


def test_all_700_pairs_load_and_the_poisoned_one_is_not_believed(tmp_path: Path) -> None:
    report, market = imported(tmp_path, PAIRS)
    assert (report.pools, report.skipped, report.left_out) == ({"uniswap_v2": 700}, {}, ())
    dexes = every_dex()
    doubted = Screen(market.pools, dexes).screened(market.snapshot()).quarantined
    names = {str(market.pools[index].id): why for index, why in doubted.items()}
    assert "fewer than 50 units" in names[POISONED]
    assert len(names) == 12
    assert profits(market, is_screened=True) == profits(market, is_screened=False) == []


def test_reading_the_reserves_the_other_way_round_is_caught_by_the_balances(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "headrace.adapters.market_files.foreign.tycho._little_endian", lambda text: int(text.removeprefix("0x"), 16)
    )
    report, _ = imported(tmp_path, PAIRS)
    assert report.skipped["reserves and balances differ"] >= 690


def test_a_later_delta_leaves_all_that_it_does_not_name_old(tmp_path: Path) -> None:
    report, market = imported(tmp_path, PAIRS, DELTAS)
    assert (report.block, report.aged, report.pools) == (20_440_962, 695, {"uniswap_v2": 700})
    assert set(market.as_of.values()) == {20_440_688}
    screened = Screen(market.pools, every_dex()).screened(market.snapshot())
    assert len(screened.quarantined) == 695


def test_3415_pools_load_and_the_v2_types_promise_what_the_readme_says(rows_as_current: Imported) -> None:
    report, market = rows_as_current
    assert report.pools == {"uniswap_v3": 1320, "uniswap_v2": 2095}
    assert report.skipped == {"carbon_v1": 35, "bancor_v3": 71, "bancor_v2": 96}
    assert (report.left_out, report.aged) == ((), 0)
    pairs = msgspec.structs.replace(
        market, states=tuple(state for state in market.states if state.pool.protocol == "uniswap_v2")
    )
    raw, screened = profits(pairs, is_screened=False), profits(pairs, is_screened=True)
    assert (len(raw), sum(profit > 0.005 for profit in raw)) == (419, 5)
    assert raw[0] == pytest.approx(0.028, abs=0.0005)
    assert screened[:5] == raw[:5]
    assert len(screened) >= 380
    assert profits(market, is_screened=True)[0] < 0.03  # with the v3 ranges too nothing absurd comes up


def test_states_of_mixed_age_promise_nothing_unless_somebody_says_that_they_are_current(rows_as_told: Imported) -> None:
    report, market = rows_as_told
    assert report.aged == report.doubted == 3415
    assert profits(market, is_screened=True) == []
    assert len(profits(market, is_screened=False)) > 419


def test_pools_with_all_ticks_load_with_their_own_addresses(tmp_path: Path) -> None:
    report, market = imported(tmp_path, TICKED)
    assert report.pools == {"uniswap_v3": 17, "uniswap_v2": 2}
    known = {"0x8ad599c3a0ff1de082011efddc58f1908eb6e6d8", "0x88e6a0c2ddd26feeb64f039a2c41296fcb3f5640"}
    assert known <= {pool.id for pool in market.pools}  # USDC/WETH 0.3 % and 0.05 % of mainnet
    assert not Screen(market.pools, every_dex()).screened(market.snapshot()).quarantined


def cut(state: UniswapV3State, span: int) -> PoolState:
    """The same pool, known between two multiples of its spacing around its price only."""
    table, tick = state.table, state.point.tick
    lower = (tick // table.tick_spacing - span) * table.tick_spacing
    upper = (tick // table.tick_spacing + 1 + span) * table.tick_spacing
    dex = every_dex()[state.pool.protocol]
    document = dex.state_to_document(state)
    ticks: dict[str, JsonValue] = {str(at): str(one.net) for at, one in table.entries().items() if lower < at < upper}
    return dex.state_from_document(state.pool, document | {"ticks": ticks, "coverage": [str(lower), str(upper)]})


@pytest.mark.parametrize("span", [0, 30])
def test_a_pool_known_in_part_quotes_the_same_or_refuses(tmp_path: Path, span: int) -> None:
    _, market = imported(tmp_path, TICKED)
    dexes, draw, reached = every_dex(), random.Random(SEED), Counter[str]()
    for state in market.states:
        if not isinstance(state, UniswapV3State):
            continue
        part, dex = cut(state, span), dexes[state.pool.protocol]
        for _ in range(30):
            way = draw.choice((state.pool.tokens, state.pool.tokens[::-1]))
            amount = int(10 ** draw.uniform(0, 24))
            for name in ("quote_out", "quote_in", "asked_in"):
                ask = getattr(dex, name)
                try:
                    ours = ask(part, *way, amount, market.context)
                except UnquotableError:
                    reached[f"{name} refused"] += 1
                    continue
                assert ours == ask(state, *way, amount, market.context), (state.pool.id, name, way, amount, SEED)
                reached[f"{name} equal"] += 1
    print("reached", dict(reached))  # noqa: T201 - a test that passes says what it covered
    assert min(reached.values()) >= 50, reached
    assert len(reached) == 6


def test_the_other_files_are_no_markets_and_are_refused_in_a_sentence(tmp_path: Path) -> None:
    for name in ("pools/routing_orders_50.json", "pools/cow_auctions/small_example.json"):
        with pytest.raises(Exception, match="none of the formats"):
            imported(tmp_path, name)
    first = next(shared_data("pools/polygon_usdc_weth_minute").glob("*.csv.xz"))
    assert lzma.decompress(first.read_bytes())
    with pytest.raises(Exception, match="none of the formats"):
        imported(tmp_path, str(first))
