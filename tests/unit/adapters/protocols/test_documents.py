"""States as documents: every form a state's type may take is written and read back; what is not of the form is refused.

The oracle is the format's own text in docs/reference/market-files.md: documents here are written by hand.
"""

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from typing import NamedTuple

import msgspec
import pytest

from headrace.adapters.protocols.documents import from_document, to_document
from headrace.errors import MalformedPoolError
from headrace.kernels.tick_table import PricePoint, TickTable
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.codec import JsonValue
from headrace.model.pool import Pool, ProtocolId

A, B = Address("0x" + "0a" * 20), Address("0x" + "0b" * 20)
POOL = Pool(PoolId("0x" + "aa" * 20), Address("0x" + "aa" * 20), ProtocolId("every"), "venue", (A, B), 3000)
OTHER = Pool(PoolId("0x" + "bb" * 20), Address("0x" + "bb" * 20), ProtocolId("every"), "base", (A,), 5)


class Source(StrEnum):
    PLAIN = "plain"
    ORACLE = "oracle"


class Generation(IntEnum):
    FIRST = 1
    SECOND = 2


class Ramp(msgspec.Struct, frozen=True):
    start: int
    end: int


class View(msgspec.Struct, frozen=True):
    held: int
    is_first: bool


class Terms(msgspec.Struct, frozen=True):
    source: Source
    generation: Generation
    held: int
    view: View


class PlainFee(msgspec.Struct, frozen=True):
    fee: int


class CurvedFee(msgspec.Struct, frozen=True):
    mid: int
    out: int


class Pair(NamedTuple):
    left: int
    right: bool


class EveryState(msgspec.Struct, frozen=True):
    pool: Pool
    terms: Terms
    balances: tuple[int, ...]
    shares: tuple[int, Address]
    pair: Pair
    rates: tuple[Ramp | None, ...]
    ramp: Ramp | None
    fees: PlainFee | CurvedFee
    bits: Mapping[int, int]
    names: frozenset[str]
    code: bytes
    head: Hash32
    base: "EveryState | None" = None
    flag: bool = False


class TickedState(msgspec.Struct, frozen=True):
    pool: Pool
    point: PricePoint
    table: TickTable


TERMS = Terms(Source.ORACLE, Generation.SECOND, 7, View(9, is_first=True))
NO_HASH = Hash32("0x" + "00" * 32)
BASE = EveryState(
    OTHER,
    TERMS,
    (),
    (1, A),
    Pair(2, right=False),
    (),
    None,
    PlainFee(4),
    {},
    frozenset(),
    b"",
    Hash32("0x" + "00" * 32),
)
STATE = EveryState(
    pool=POOL,
    terms=TERMS,
    balances=(10**30, -5),
    shares=(3, B),
    pair=Pair(6, right=True),
    rates=(Ramp(1, 2), None),
    ramp=Ramp(3, 4),
    fees=CurvedFee(5, 6),
    bits={-3: 2**255},
    names=frozenset({"y", "x"}),
    code=b"\x01\xff",
    head=Hash32("0x" + "cd" * 32),
    base=BASE,
    flag=True,
)
DOCUMENT: dict[str, JsonValue] = {
    "source": "oracle",
    "generation": "2",
    "held": "7",
    "view": {"held": "9", "is_first": True},
    "balances": [str(10**30), "-5"],
    "shares": ["3", B],
    "pair": ["6", True],
    "rates": [{"start": "1", "end": "2"}, None],
    "ramp": {"start": "3", "end": "4"},
    "fees": {"kind": "curved_fee", "mid": "5", "out": "6"},
    "bits": {"-3": str(2**255)},
    "names": ["x", "y"],
    "code": "0x01ff",
    "head": "0x" + "cd" * 32,
    "flag": True,
}


def test_every_form_is_written_as_documented_and_read_back() -> None:
    written = to_document(STATE)
    base = written.pop("base")
    assert written == DOCUMENT
    assert isinstance(base, dict)
    assert base["pool"] == {
        "id": OTHER.id,
        "address": OTHER.address,
        "protocol": "every",
        "venue": "base",
        "tokens": [A],
        "fee_pips": "5",
    }
    assert from_document(EveryState, POOL, written | {"base": base}) == STATE


def test_what_has_a_default_may_be_left_out_and_json_integers_are_taken_while_they_are_small() -> None:
    short = {key: value for key, value in DOCUMENT.items() if key != "flag"} | {"held": 7, "balances": [2**53 - 1]}
    read = from_document(EveryState, POOL, short)
    assert (read.flag, read.base, read.terms.held, read.balances) == (False, None, 7, (2**53 - 1,))
    assert from_document(EveryState, POOL, short | {"head": "0x" + "CD" * 32}).head == STATE.head


@pytest.mark.parametrize(
    ("field", "value", "where", "why"),
    [
        ("balances", [2**53], "balances[0]", "loses digits"),
        ("balances", ["1.5"], "balances[0]", "decimal string"),
        ("balances", ["1e3"], "balances[0]", "decimal string"),
        ("balances", ["007"], "balances[0]", "decimal string"),
        ("balances", ["-0"], "balances[0]", "decimal string"),
        ("balances", ["9" * 90], "balances[0]", "decimal string"),
        ("balances", [1.0], "balances[0]", "decimal string"),
        ("balances", [True], "balances[0]", "decimal string"),
        ("balances", "5", "balances", "array"),
        ("shares", ["3"], "shares", "1 items instead of 2"),
        ("shares", ["3", "0x12"], "shares[1]", "1 bytes instead of 20"),
        ("shares", ["3", "0xzz"], "shares[1]", "hex digits"),
        ("pair", ["6", "true"], "pair[1]", "true or false"),
        ("rates", [{"start": "1"}], "rates[0].end", "missing"),
        ("rates", [{"start": "1", "end": "2", "middle": "3"}], "rates[0].middle", "no such field"),
        ("ramp", "none", "ramp", "an object"),
        ("fees", {"mid": "5", "out": "6"}, "fees.kind", "curved_fee, plain_fee"),
        ("source", "oracles", "source", "plain, oracle"),
        ("generation", True, "generation", "1, 2"),
        ("names", [5], "names", "a string"),
        ("code", "0x0", "code", "hex digits"),
        ("stray", "1", "stray", "no such field"),
        ("pool", {}, "pool", "no such field"),
    ],
)
def test_what_is_not_of_its_form_is_refused_by_pool_and_field(
    field: str, value: JsonValue, where: str, why: str
) -> None:
    with pytest.raises(MalformedPoolError, match=why) as caught:
        from_document(EveryState, POOL, DOCUMENT | {field: value})
    assert (caught.value.pool, caught.value.field) == (POOL.id, where)


def test_a_missing_field_is_named() -> None:
    for field in DOCUMENT.keys() - {"flag"}:
        with pytest.raises(MalformedPoolError, match="it is missing") as caught:
            from_document(EveryState, POOL, {key: value for key, value in DOCUMENT.items() if key != field})
        assert caught.value.field == field


Q96 = str(2**96)
TICKS: dict[str, JsonValue] = {"-120": ["7", "7"], "0": ["12", "-2"], "60": ["5", "-5"]}


def ticked(**fields: JsonValue) -> TickedState:
    return from_document(TickedState, POOL, {"sqrt_price_x96": Q96, "tick_spacing": "60", "ticks": TICKS, **fields})


def test_tick_and_liquidity_follow_from_price_and_ticks() -> None:
    state = ticked()
    assert state.point == PricePoint(2**96, 0, 5)
    assert ticked(tick="0", liquidity="5") == state
    assert (state.table.fee_pips, ticked(fee_pips="100").table.fee_pips) == (3000, 100)


def test_a_table_known_in_part_says_so_and_is_cut_there() -> None:
    state = ticked(ticks={"0": "-2"}, coverage=["-60", "60"], tick="0", liquidity="5")
    assert state.table.entries() == {-60: (7, 7), 0: (2, -2), 60: (5, -5)}
    assert state.table.coverage == (-60, 60, False)
    assert to_document(state) == {
        "sqrt_price_x96": Q96,
        "tick": "0",
        "liquidity": "5",
        "tick_spacing": "60",
        "coverage": ["-60", "60"],
        "ticks": {"0": "-2"},
    }
    assert from_document(TickedState, POOL, to_document(state)) == state


@pytest.mark.parametrize(
    ("fields", "where", "why"),
    [
        ({"ticks": ["60"]}, "ticks", "write an object"),
        ({"ticks": {"x": "5"}}, "ticks.x", "decimal string"),
        ({"ticks": {"60": ["5"]}}, "ticks.60", "gross"),
        ({"ticks": {}, "coverage": ["-60"], "tick": "0", "liquidity": "5"}, "coverage", "lower tick"),
        ({"ticks": {}, "coverage": ["60", "-60"], "tick": "0", "liquidity": "5"}, "coverage", "no range"),
        ({"ticks": {}, "coverage": ["60", "120"], "tick": "0", "liquidity": "5"}, "coverage", "stands at 0"),
        ({"ticks": {}, "coverage": ["-60", "60"], "tick": "0"}, "liquidity", "missing"),
        ({"ticks": {"60": "5"}, "coverage": ["-60", "60"], "tick": "0", "liquidity": "5"}, "coverage", "not between"),
    ],
)
def test_ticks_that_are_not_of_their_form_are_refused(fields: dict[str, JsonValue], where: str, why: str) -> None:
    with pytest.raises(MalformedPoolError, match=why) as caught:
        ticked(**fields)
    assert caught.value.field == where


def test_a_table_without_a_spacing_is_refused() -> None:
    with pytest.raises(MalformedPoolError, match="missing"):
        from_document(TickedState, POOL, {"sqrt_price_x96": Q96, "ticks": {}})
