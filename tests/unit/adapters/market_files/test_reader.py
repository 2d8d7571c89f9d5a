"""A bad line costs its pool and no other; a file of which something unknown is missing is refused as a whole."""

import bz2
import gzip
import json
import lzma
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support import market_text as sample
from tests.support.market_text import A, B, Line, header, pair, swap, text, ticked, token, weighted, written

from headrace.adapters.market_files.market_file import MarketFile
from headrace.adapters.market_files.reader import read_market
from headrace.app.dexes import every_dex
from headrace.errors import MarketFileError
from headrace.model.bloom import logs_bloom

GOOD = "0x" + "ee" * 20


def read(folder: Path, *lines: Line) -> MarketFile:
    return read_market(written(folder, *lines), every_dex())


PRICE_END = 1461446703485210103287273052203988822378723970342


def bad_pools() -> list[tuple[Line, str, str]]:
    reserves = {"reserve0": str(2**112), "reserve1": "5"}
    return [
        (pair(state=reserves), "reserve0", "112 bits"),
        (pair(state={"reserve0": "-1", "reserve1": "5"}), "reserve0", "-1 is negative"),
        (pair(state={"reserve0": "1"}), "reserve1", "missing"),
        (pair(state={"reserve0": "1", "reserve1": "2", "reserve2": "3"}), "reserve2", "no such field"),
        (pair(tokens=[A, A]), "tokens", "ascending"),
        (pair(tokens=[A, B, B]), "tokens", "two tokens"),
        (pair(fee_pips="1000000"), "fee_pips", "is not in"),
        (pair(protocol="uniswap_v1"), "protocol", "there are balancer_v2"),
        (pair(chain_id="137"), "chain_id", "a pool of chain 137"),
        (pair(as_of="101"), "as_of", "up to 100"),
        (pair(id=GOOD), "id", "listed twice, first on line 2"),
        (ticked(tick_spacing="0"), "tick_spacing", "between 1 and"),
        (ticked(ticks={"887280": ["5", "5"]}), "ticks", "out of bounds"),
        (ticked(ticks={"-61": ["5", "5"], "60": ["5", "-5"]}), "ticks", "no multiple"),
        (ticked(ticks={"-60": ["5", "5"], "60": ["5", "-4"]}), "ticks", "add up"),
        (ticked(sqrt_price_x96="1"), "sqrt_price_x96", "1 is no price: it lies from 4295128739 to 14614467"),
        (ticked(sqrt_price_x96="0"), "sqrt_price_x96", "0 is no price"),
        (ticked(sqrt_price_x96="4295128738"), "sqrt_price_x96", "it lies from 4295128739 to"),
        (ticked(sqrt_price_x96=str(PRICE_END)), "sqrt_price_x96", f"it lies from 4295128739 to {PRICE_END - 1}"),
        (ticked(sqrt_price_x96="1", tick="0", liquidity="1"), "sqrt_price_x96", "1 is no price"),
        (ticked(tick="887272"), "tick", "bounds"),
        (ticked(liquidity="6"), "liquidity", "add up to"),
        (ticked(tokens=[A]), "tokens", "no such field"),
        (weighted(weights=["1", "2"]), "weights", "not 1e18"),
        (weighted(weights=[str(10**18)]), "weights", "1 for 2 tokens"),
        (weighted(cash=["-1", "5"]), "cash[0]", "-1 is negative"),
        (weighted(cash=["5", str(2**112)]), "cash[1]", "112 bits"),
        (weighted(swap_fee=str(10**18)), "swap_fee", "leaves nothing"),
    ]


@pytest.mark.parametrize(("line", "field", "why"), bad_pools(), ids=lambda value: str(value)[:40])
def test_a_bad_pool_is_left_out_by_name_field_and_line_and_the_rest_goes_on(
    tmp_path: Path, line: Line, field: str, why: str
) -> None:
    market = read(tmp_path, header(), pair(GOOD), line, pair("0x" + "ef" * 20))
    assert [state.pool.id for state in market.states] == [GOOD, "0x" + "ef" * 20]
    (left,) = market.left_out
    assert (left.line, left.pool, left.field) == (3, line["id"], field)
    assert why in left.why


@pytest.mark.parametrize(
    ("line", "field", "why"),
    [
        ({"kind": "pool"}, "id", "missing"),
        ({"kind": "pools"}, "kind", "write one of header, token"),
        ({"no": "kind"}, "kind", "write one of"),
        (pair(id="0x12"), "id", "1 bytes instead of 20 or 32"),
        (pair(id="0x" + "ab" * 32), "address", "missing"),
        (token(C := "0x" + "3" * 40, decimals="37"), "decimals", "0 to 36"),
        (token(C, decimals="-1"), "decimals", "0 to 36"),
        (swap(amount_in="5"), "amount_in", "expected_out"),
        (swap(amount_in="5", expected_in="5"), "amount_in", "expected_out"),
        (swap(amount_in="5", expected_out="6", amount_out="7"), "amount_in", "expected_out"),
        (swap(amount_in="5", expected_out="never"), "expected_out", "reverts"),
        (swap(amount_out="5", expected_in="never"), "expected_in", "reverts"),
        (swap(amount_out="5", expected_in="-1"), "expected_in", "negative"),
        (swap(amount_in="-5", expected_out="1"), "amount_in", "negative"),
        (swap(amount_out="-5", expected_in="1"), "amount_out", "negative"),
        (swap(amount_in="5", expected_out="1", number="-1"), "number", "negative"),
        (swap(amount_in="5", expected_out="1", timestamp="-1"), "timestamp", "negative"),
        (swap(amount_in="5", expected_out="6", expected_in="5"), "expected_in", "both with a limit only"),
        (swap(amount_in="5", expected_out="6", expected_in="6", price_limit_x96="1"), "expected_in", "up to that"),
        (
            swap(amount_out="5", expected_in="6", expected_out="reverts", price_limit_x96="1"),
            "expected_out",
            "how much",
        ),
        (swap(amount_in="5", expected_out="6", price_limit_x96=str(2**160)), "price_limit_x96", "160-bit"),
        (swap(amount_in="5", expected_out="6", price_limit_x96="1", call="get_dy"), "price_limit_x96", "call"),
        ({"kind": "log", "address": A, "topics": [], "data": "0x", "number": "-1"}, "number", "negative"),
        ({"kind": "log", "address": A, "topics": [], "data": "0x", "timestamp": "-1"}, "timestamp", "negative"),
        ({"kind": "log", "address": A, "data": "0x"}, "topics", "missing"),
        ({"kind": "expected_state", "pool": A}, "state", "missing"),
        ({"kind": "price", "token": A, "usd_pico": "0", "updated_at": "1"}, "usd_pico", "no price"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_other_bad_lines_are_left_out(tmp_path: Path, line: Line, field: str, why: str) -> None:
    market = read(tmp_path, header(), pair(GOOD), line)
    assert [(left.line, left.field) for left in market.left_out] == [(3, field)]
    assert why in market.left_out[0].why
    assert len(market.states) == 1


@pytest.mark.parametrize("decimals", ["0", "18", "36"])
def test_a_token_has_0_to_36_decimals_and_one_without_a_line_counts_in_units(tmp_path: Path, decimals: str) -> None:
    market = read(tmp_path, header(), token(A, decimals=decimals), pair())
    assert market.tokens[A].decimals == int(decimals)  # type: ignore[index]
    assert (market.tokens[B].decimals, market.tokens[B].symbol) == (0, B[:10])  # type: ignore[index]


def test_a_token_listed_twice_keeps_the_first_unless_they_disagree(tmp_path: Path) -> None:
    same = read(tmp_path, header(), token(A), token(A, symbol="AGAIN"), pair())
    assert same.tokens[A].symbol == "TKN"  # type: ignore[index]
    assert ["listed twice" in left.why for left in same.left_out] == [True]
    torn = read(tmp_path, header(), token(A), token(A, decimals="6"), pair(), pair("0x" + "bb" * 20, tokens=[B, C]))
    assert [state.pool.id for state in torn.states] == ["0x" + "bb" * 20]
    assert ("tokens", sample.V2) in {(left.field, left.pool) for left in torn.left_out}


def test_a_pool_without_liquidity_is_kept_and_gives_nothing(tmp_path: Path) -> None:
    empty = {"reserve0": "0", "reserve1": "0"}
    market = read(tmp_path, header(), pair(state=empty), ticked(ticks={}))
    assert not market.left_out
    assert len(market.states) == 2


def test_ages_prices_blocks_and_reread_states_are_where_they_stand(tmp_path: Path) -> None:
    log = {"address": sample.V2, "topics": ["0x" + "12" * 32], "data": "0x"}
    block = {"kind": "block", "number": "101", "hash": "0x" + "01" * 32, "parent_hash": "0x" + "00" * 32}
    price: Line = {"kind": "price", "token": A, "usd_pico": "7", "updated_at": "5"}
    rows: list[Line] = [
        header(),
        pair(as_of="90"),
        price,
        block | {"timestamp": "9", "logs": [log, log]},
        pair(),
        price,
    ]
    market = read(tmp_path, *rows)
    assert market.as_of == {sample.V2: 90}
    assert market.snapshot().as_of == {0: 90}
    (recorded,) = market.blocks
    assert [one.log_index for one in recorded.logs] == [0, 1]
    assert recorded.header.logs_bloom == logs_bloom(recorded.logs)
    assert (len(recorded.states), len(recorded.prices), len(market.prices)) == (1, 1, 1)
    short = read(tmp_path, header(), block | {"timestamp": "9", "logs": [], "logs_bloom": "0x00"})
    assert [left.field for left in short.left_out] == ["logs_bloom"]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress, bz2.compress])
def test_a_file_is_told_by_its_content_not_by_its_name(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "market.txt"
    path.write_bytes(pack(text(header(), pair())))
    assert len(read_market(path, every_dex()).states) == 1


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, bz2.compress])
def test_a_compressed_file_cut_short_is_refused(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "market"
    whole = pack(text(header(), *(pair(f"0x{at:040x}") for at in range(1, 200))))
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(MarketFileError, match="cut short"):
        read_market(path, every_dex())
    path.write_bytes(whole[:20] + b"\x00\x01\x02" + whole[23:])
    with pytest.raises(MarketFileError, match=r"damaged|cut short"):
        read_market(path, every_dex())


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (text(header(), pair())[:-40], f"cut short in the middle of pool {sample.V2}"),
        (text(header(has_end=True), pair()), "its end is missing"),
        (text(header(), pair(), {"kind": "end", "lines": "3"}), "2 lines stand before the end, which counts 3"),
        (text(header(), {"kind": "end", "lines": "1"}, pair()), "behind the end"),
        (text(header(version="2")), "version 2 of the format, this release reads version 1"),
        (text(header(chain_id="0")), "not negative"),
        (text(pair()), "the first line, and no other, is the header"),
        (text(header(), header()), "the first line, and no other, is the header"),
        (b"", "it is empty"),
        (b"id,price\n1,2\n", "no header of a market file"),
        (b"[1]\n", "no header of a market file"),
        (b"\x28\xb5\x2f\xfd1234", "zstd"),
    ],
    ids=lambda value: str(value)[-40:],
)
def test_a_file_of_no_use_is_refused_as_a_whole(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "market.jsonl"
    path.write_bytes(content)
    with pytest.raises(MarketFileError, match=why) as caught:
        read_market(path, every_dex())
    assert caught.value.exit_code == 7
    assert str(path) in str(caught.value)


def test_a_file_of_another_chain_and_no_file_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, header(), pair())
    with pytest.raises(MarketFileError, match="of chain 1, not of chain 137"):
        read_market(path, every_dex(), 137)
    with pytest.raises(MarketFileError, match="no such file"):
        read_market(tmp_path / "none", every_dex())
    with pytest.raises(MarketFileError, match="a folder"):
        read_market(tmp_path, every_dex())


def test_a_byte_order_mark_and_windows_line_ends_are_no_flaw(tmp_path: Path) -> None:
    path = tmp_path / "market.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + text(header(), pair()).replace(b"\n", b"\r\n"))
    assert len(read_market(path, every_dex()).states) == 1


def test_a_damaged_line_in_the_middle_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "market.jsonl"
    path.write_bytes(text(header()) + text(pair())[:-20] + b"\n[5]\n\n" + text(pair(GOOD)))
    market = read_market(path, every_dex())
    assert [(left.line, left.pool) for left in market.left_out] == [(2, sample.V2), (3, "")]
    assert [state.pool.id for state in market.states] == [GOOD]


@pytest.mark.parametrize(
    ("spoilt", "name"),
    [
        (('"kind"', '"kind": "pool", "kind"'), "kind"),
        (('"reserve0"', '"reserve0": "7", "reserve0"'), "reserve0"),
        (('"state"', '"state": {}, "state"'), "state"),
        (('"id"', '"\\u0069d": "0x12", "id"'), "id"),
        (('"reserve1"', '"reserve0" : ":", "reserve1"'), "reserve0"),
        (('"tokens"', '"tokens"\t: [{"a": 1, "a": "\\":"}], "x"'), "a"),
    ],
)
@pytest.mark.parametrize("is_compact", [True, False])
def test_a_name_that_stands_twice_in_one_object_costs_its_line(
    tmp_path: Path, spoilt: tuple[str, str], name: str, *, is_compact: bool
) -> None:
    """Oracle: Python's own `json`, which tells every pair."""
    line = json.dumps(pair(), separators=(",", ":") if is_compact else None).replace(*spoilt)
    assert _doubled(line) == {name}
    path = tmp_path / "market.jsonl"
    path.write_bytes(text(header(), pair(GOOD)) + line.encode() + b"\n" + text(pair("0x" + "ef" * 20)))
    market = read_market(path, every_dex())
    assert [state.pool.id for state in market.states] == [GOOD, "0x" + "ef" * 20]
    (left,) = market.left_out
    assert (left.line, left.field, "stands twice" in left.why) == (3, name, True)


def _doubled(line: str) -> set[str]:
    found: set[str] = set()

    def note(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found.update(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
        return dict(pairs)

    json.loads(line, object_pairs_hook=note)
    return found


@pytest.mark.parametrize("venue", [":", '":', '\\":\\"', "a : b", "\u00e9", "e\\"])
def test_a_line_with_odd_strings_and_spaces_has_no_name_twice(tmp_path: Path, venue: str) -> None:
    for separators in ((",", ":"), (" , ", "\t: ")):
        line = json.dumps(pair(venue=venue), separators=separators)
        path = tmp_path / "market.jsonl"
        path.write_bytes(text(header()) + line.encode() + b"\n")
        market = read_market(path, every_dex())
        assert [state.pool.venue for state in market.states] == [venue]
