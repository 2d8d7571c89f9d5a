"""`headrace market` and `headrace quote --snapshot` as they are typed: results, exit codes, one-sentence errors.

Amounts are worked out by hand from the constant-product formula of the Uniswap v2 whitepaper.
"""

import json
import re
from itertools import repeat
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest
from tests.support.market_text import (
    ONE,
    V2,
    V3,
    WEIGHTED,
    A,
    B,
    C,
    documented_example,
    documented_files,
    documented_pools,
    header,
    pair,
    swap,
    text,
    ticked,
    token,
    weighted,
    written,
)

from headrace.app.cli.invocation import invoke
from headrace.app.market.check_report import CheckReport
from headrace.app.market.showing import ShowReport
from headrace.app.quote import QuoteReport
from headrace.errors import MarketFileError

T = TypeVar("T")
IN = 10 * ONE
OUT = 997 * IN * 2000 * ONE // (1000 * 1000 * ONE + 997 * IN)
LEAST = 1000 * 1000 * ONE * OUT // (997 * (2000 * ONE - OUT)) + 1  # what a router asks for it


def run(kind: type[T], *args: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, T]:
    """The exit code, and the JSON that was printed, read as the report that it is (amounts are strings)."""
    code = invoke([*args, "--json"])
    return code, msgspec.json.decode(capsys.readouterr().out, type=kind, strict=False)


def test_cases_that_agree_end_in_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cases = (
        swap(amount_in=str(IN), expected_out=str(OUT)),
        swap(amount_in="0", expected_out="reverts"),
        swap(amount_out=str(OUT), expected_in=str(LEAST)),
        swap(amount_out=str(2000 * ONE), expected_in="reverts"),
    )
    path = written(tmp_path, header(), pair(), *cases)
    code, shown = run(CheckReport, "market", "check", str(path), capsys=capsys)
    assert (code, shown.cases, shown.mismatches) == (0, 4, ())
    counts = shown.protocols["uniswap_v2"]
    assert (counts.exact_in, counts.exact_out, counts.refusals, counts.mismatches) == (2, 2, 2, 0)
    assert invoke(["market", "check", str(path)]) == 0
    assert "all agree to the unit" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("case", "ours", "expected"),
    [
        (swap(amount_in=str(IN), expected_out=str(OUT + 1)), OUT, OUT + 1),
        (swap(amount_in=str(IN), expected_out="reverts"), OUT, None),
        (swap(amount_in="0", expected_out="1"), None, 1),
        (swap(amount_out=str(OUT), expected_in=str(LEAST - 9)), LEAST, LEAST - 9),
    ],
)
def test_a_case_that_differs_is_told_and_ends_in_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], case: dict[str, object], ours: int | None, expected: int | None
) -> None:
    path = written(tmp_path, header(), pair(), case)
    code, shown = run(CheckReport, "market", "check", str(path), capsys=capsys)
    (wrong,) = shown.mismatches
    assert (code, shown.exit_code, wrong.line) == (1, 1, 3)
    assert (wrong.ours_units, wrong.expected_units) == (ours, expected)
    assert invoke(["market", "check", str(path)]) == 1
    assert "1 differ" in capsys.readouterr().out


@pytest.mark.parametrize("expected", ["5", "reverts"])
@pytest.mark.parametrize(
    ("case", "why"),
    [
        ({"pool": "0x" + "99" * 20}, "no such pool in"),
        ({"token_in": C}, f"it does not trade {C} for {B}"),
        ({"pool": V3, "token_out": C}, f"it does not trade {A} for {C}"),
        ({"pool": "0x" + "a6" * 20}, "it would leave the ticks that are known, -60 to 60"),
        ({"pool": WEIGHTED, "token_in": B}, f"it does not trade {B} for {B}"),
        ({"pool": "0x" + "a5" * 20, "number": "105"}, "its fee was read after block 100 and may have changed since"),
        ({"pool": "0x" + "a5" * 20, "call": "getAmountOut", "number": "105"}, "its fee was read after block 100"),
        ({"pool": "0x" + "a7" * 20}, "line 7 is left out"),
        ({"call": "get_dy"}, "no view get_dy of uniswap_v2"),
    ],
)
def test_what_we_cannot_tell_is_no_agreement_with_anything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], case: dict[str, object], why: str, expected: str
) -> None:
    known: dict[str, object] = {"tick": "0", "liquidity": str(ONE), "ticks": {}, "coverage": ["-60", "60"]}
    state = {"is_stable": False, "fee": "30", "reserve0": str(1000 * ONE), "reserve1": str(1000 * ONE)}
    solid = pair("0x" + "a5" * 20, protocol="solidly", state=state)
    pools = (
        pair(),
        ticked(),
        weighted(),
        ticked("0x" + "a6" * 20, **known),
        solid,
        pair("0x" + "a7" * 20, fee_pips="x"),
    )
    path = written(tmp_path, header(), *pools, swap(amount_in=str(ONE), expected_out=expected) | case)
    code, shown = run(CheckReport, "market", "check", str(path), capsys=capsys)
    (unanswered,) = shown.unanswered
    assert (code, shown.exit_code, shown.mismatches) == (1, 1, ())
    assert why in unanswered.why
    assert sum(count.unanswered for count in shown.protocols.values()) == 1
    assert invoke(["market", "check", str(path)]) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert "not answered: " in told
    assert "0 agree, 0 differ, 1 not answered" in told


def test_a_smaller_input_than_a_router_asks_for_agrees_only_when_it_is_proven(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, header(), pair(), swap(amount_out=str(OUT), expected_in=str(LEAST + 5)))
    code, shown = run(CheckReport, "market", "check", str(path), capsys=capsys)
    counts = shown.protocols["uniswap_v2"]
    assert (code, counts.below, counts.below_units_max) == (0, 1, 5)


def test_a_line_that_cannot_be_read_is_no_agreement(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, header(), pair(), swap(amount_in="5"))
    assert run(CheckReport, "market", "check", str(path), capsys=capsys)[0] == 1
    assert invoke(["market", "check", str(path)]) == 1
    assert "line 3 is left out" in capsys.readouterr().out


def test_a_file_without_swaps_agrees_with_nothing(tmp_path: Path) -> None:
    assert invoke(["market", "check", str(written(tmp_path, header(), pair()))]) == MarketFileError.exit_code


def test_states_may_come_from_another_file_of_the_same_chain(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases, states, foreign = (tmp_path / name for name in ("cases", "states", "foreign"))
    cases.write_bytes(text(header(), swap(amount_in=str(IN), expected_out=str(OUT))))
    states.write_bytes(text(header(), pair()))
    foreign.write_bytes(text(header(chain_id="10"), pair()))
    assert invoke(["market", "check", str(cases)]) == 1
    assert invoke(["market", "check", str(cases), "--snapshot", str(states)]) == 0
    capsys.readouterr()
    assert invoke(["market", "check", str(cases), "--snapshot", str(foreign)]) == 7
    assert "of chain 10, not of chain 1" in capsys.readouterr().err


def test_exact_outputs_of_the_other_protocols_are_compared_with_their_contracts_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [header(), ticked(), weighted()]
    rows += [swap(pool=row["id"], amount_out="1000000", expected_in="1") for row in rows[1:]]
    rows += [swap(pool=row["id"], amount_out=str(10**30), expected_in="reverts") for row in rows[1:3]]
    rows += [swap(pool=row["id"], amount_out="0", expected_in="reverts") for row in rows[1:3]]
    rows += [swap(pool=row["id"], amount_out="5", expected_in="reverts", token_in=C) for row in rows[1:3]]
    _, shown = run(CheckReport, "market", "check", str(written(tmp_path, *rows)), capsys=capsys)
    wrong = shown.mismatches
    assert ["does not" in one.why for one in shown.unanswered] == [True, True]
    assert [(one.protocol, one.expected_units) for one in wrong] == [("uniswap_v3", 1), ("balancer_v2", 1)]
    assert all(1_000_000 < (one.ours_units or 0) < 1_010_000 for one in wrong)


def test_show_tells_prices_ages_doubts_and_what_is_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, coarse = pair("0x" + "b1" * 20, as_of="90"), pair("0x" + "b2" * 20, state={"reserve0": "5", "reserve1": "9"})
    path = written(tmp_path, header(), token(B, decimals="17"), pair(), old, coarse, pair(fee_pips="x"), swap())
    code, shown = run(ShowReport, "market", "show", str(path), capsys=capsys)
    rows = {row.pool: row for row in shown.rows}
    assert (code, shown.quarantined, len(shown.left_out)) == (0, 2, 2)
    assert "10 before this one" in rows["0x" + "b1" * 20].doubt
    assert "fewer than 50 units" in rows["0x" + "b2" * 20].doubt
    assert (rows[V2].price, rows[V2].doubt, rows[V2].as_of) == ("2e-17", "", 100)
    assert invoke(["market", "show", str(path)]) == 0
    told = capsys.readouterr().out
    assert "2 pools are not believed" in told
    assert "line 6 is left out" in told


def test_every_documented_file_agrees_and_a_unit_more_does_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, content in enumerate(documented_files()):
        path = tmp_path / f"{number}.jsonl"
        path.write_bytes(content)
        assert invoke(["market", "check", str(path)]) == 0, capsys.readouterr().out
        rows = [json.loads(line) for line in content.splitlines()]
        cases = [row for row in rows if row["kind"] in {"swap", "expected_state"}]
        for row in cases:
            where = row["state"] if row["kind"] == "expected_state" else row
            for field in [name for name in where if name in {"expected_in", "expected_out", "liquidity", "tick"}]:
                right = where[field]
                where[field] = "7" if right == "reverts" else str(int(right) - 1)
                path.write_bytes(text(*rows))
                assert invoke(["market", "check", str(path)]) == 1, row
                where[field] = right
    told = capsys.readouterr().out
    assert "gap: line 13: block 17000005: 17000002 to 17000004 are not in the file" in told


def test_the_documented_example_does_what_the_page_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "example.jsonl"
    path.write_bytes(documented_example())
    assert invoke(["market", "check", str(path)]) == 0
    assert invoke(["market", "show", str(path)]) == 0
    assert "and 1 blocks with 1 logs up to 17000001" in capsys.readouterr().out
    asked = ["--token-in", "WETH", "--token-out", "USDC", "--amount", "1.5"]
    code, shown = run(QuoteReport, "quote", "--snapshot", str(path), *asked, capsys=capsys)
    ether, out = 15 * 10**17, 2 * 10**12
    assert code == 0
    assert shown.venues[0].amount_out_wei == 997 * ether * out // (10**21 * 1000 + 997 * ether)
    assert any("would leave the ticks that are known" in one.refusal for one in shown.venues)


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (("TKM", B), 'did you mean "TKN"'),
        (("nothing", B), "name it by address"),
        (("TWICE", B), "2 tokens of the file call themselves TWICE"),
        (("0x" + "7" * 40, B), "no pool of the file has token"),
        (("0x7", B), "is not an address"),
        ((A, "TKN"), "are the same token"),
        ((A, C), "trades TKN for TWICE"),
    ],
)
def test_a_token_that_cannot_be_found_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], asked: tuple[str, str], why: str
) -> None:
    twice = (token(C, symbol="TWICE"), token("0x" + "4" * 40, symbol="TWICE"))
    path = written(tmp_path, header(), token(A), token(B, symbol="OTHER"), *twice, pair())
    flags = ["--token-in", asked[0], "--token-out", asked[1], "--amount", "1"]
    assert invoke(["quote", "--snapshot", str(path), *flags]) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert why in said


def test_a_quote_names_what_is_not_believed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, header(), token(A), pair(as_of="90"))
    flags = ["--token-in", A, "--token-out", B, "--amount", "10"]
    code, shown = run(QuoteReport, "quote", "--snapshot", str(path), *flags, capsys=capsys)
    (row,) = shown.venues
    assert (code, row.amount_out_wei) == (0, OUT)
    assert "as of block 90" in row.note
    assert invoke(["quote", "--snapshot", str(path), *flags]) == 0
    assert "not believed" in " ".join(capsys.readouterr().out.split())


def test_a_quote_says_which_lines_it_did_not_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, header(), token(A), pair(), pair(id=A, fee_pips="1000000"))
    flags = ["--token-in", A, "--token-out", B, "--amount", "10"]
    _, shown = run(QuoteReport, "quote", "--snapshot", str(path), *flags, capsys=capsys)
    (line,) = shown.left_out
    assert line.startswith("line 4 is left out")
    assert "fee_pips" in line
    assert invoke(["quote", "--snapshot", str(path), *flags]) == 0
    assert "line 4 is left out" in " ".join(capsys.readouterr().out.split())


def test_the_schema_takes_every_documented_line_and_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    code, schema = run(dict[str, object], "market", "schema", capsys=capsys)
    assert code == 0
    lines = [json.loads(line) for file in documented_files() for line in file.splitlines()]
    for line in (*lines, *documented_pools()):
        assert conforms(line, schema), line
    (meta,) = (line for line in documented_pools() if "base" in line["state"])  # type: ignore[operator]
    assert not conforms(meta | {"state": {"base": {"fee": "1"}}}, schema)
    assert not conforms(meta | {"state": {"base": {"pool": {"id": A}}}}, schema)
    assert not conforms(meta | {"state": {"pool": {"id": A, "tokens": [A]}}}, schema)
    assert not conforms(lines[0] | {"stray": "1"}, schema)
    assert not conforms(lines[0] | {"number": 5}, schema)
    assert not conforms({"kind": "token", "address": A}, schema)
    assert not conforms({"kind": "expected_state", "pool": A, "state": "5"}, schema)
    assert not conforms({"kind": "log", "address": A, "topics": ["0x12"], "data": "0x"}, schema)
    assert invoke(["market", "schema"]) == 0


def conforms(value: object, schema: object, whole: object = None) -> bool:
    """The part of JSON schema that is used, written from its specification."""
    assert isinstance(schema, dict)
    whole = whole or schema
    assert isinstance(whole, dict)
    if "$ref" in schema:
        return conforms(value, whole["$defs"][schema["$ref"].removeprefix("#/$defs/")], whole)
    if "const" in schema or "enum" in schema:
        return value in schema.get("enum", [schema.get("const")])
    choices = schema.get("oneOf", schema.get("anyOf"))
    if choices is not None:
        fitting = sum(conforms(value, one, whole) for one in choices)
        return fitting == 1 if "oneOf" in schema else fitting >= 1
    return is_of_type(value, schema, whole)


def is_of_type(value: object, schema: dict[str, object], whole: dict[str, object]) -> bool:
    match schema["type"]:
        case "null":
            return value is None
        case "boolean":
            return isinstance(value, bool)
        case "string":
            return isinstance(value, str) and re.search(str(schema.get("pattern", "")), value) is not None
        case "array":
            places = schema.get("prefixItems")
            items = places if isinstance(places, list) else repeat(schema.get("items"))
            return isinstance(value, list) and all(map(conforms, value, items, repeat(whole)))
    return isinstance(value, dict) and object_conforms(value, schema, whole)


def object_conforms(value: dict[str, object], schema: dict[str, object], whole: dict[str, object]) -> bool:
    known, more = schema.get("properties", {}), schema.get("additionalProperties", True)
    assert isinstance(known, dict)
    required = schema.get("required", [])
    assert isinstance(required, list)
    inside = all(
        conforms(item, known[key], whole)
        if key in known
        else bool(more) and (more is True or conforms(item, more, whole))
        for key, item in value.items()
    )
    return inside and set(required) <= value.keys()
