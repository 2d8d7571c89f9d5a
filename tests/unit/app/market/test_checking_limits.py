"""Swaps with a price limit in a case file: what they are refused for, and who has none.

What is filled is proven against bytecode in tests/conformance/protocols (`limited.compare`); here are the edges of a
file. Oracle: the contracts' own checks, in words of UniswapV3Pool.sol and of v4's Pool.sol.
"""

from pathlib import Path

import pytest
from tests.support.market_text import (
    ONE,
    V3,
    A,
    B,
    Line,
    documented_pools,
    header,
    pair,
    swap,
    ticked,
    weighted,
    written,
)

from headrace.app.market.check_report import CheckReport
from headrace.app.market.checking import check
from headrace.kernels.tick_math import SQRT_PRICE_MAX, SQRT_PRICE_MIN
from headrace.model.address import ZERO_ADDRESS, Address
from headrace.model.executor_step import UniswapV4Step

PRICE = 2**96
LOW, HIGH = PRICE * 99 // 100, PRICE * 101 // 100
(V4,) = (line for line in documented_pools() if line["protocol"] == "uniswap_v4")


def checked(folder: Path, *lines: Line) -> CheckReport:
    return check(report=lambda _: None, cases=written(folder, header(), *lines), snapshot=None)


def limited(limit: int, pool: Line | None = None, **fields: object) -> Line:
    return swap(pool=V3, price_limit_x96=str(limit)) | ({} if pool is None else way(pool)) | fields


@pytest.mark.parametrize(
    ("limit", "fields", "why"),
    [
        (HIGH, {}, "is behind the price"),
        (PRICE, {}, "is behind the price"),
        (SQRT_PRICE_MIN, {}, "out of bounds"),
        (0, {}, "out of bounds"),
        (LOW, {"token_in": B, "token_out": A}, "is behind the price"),
        (SQRT_PRICE_MAX, {"token_in": B, "token_out": A}, "out of bounds"),
        (LOW, {"amount_in": "0"}, "the amount 0 is not from 1"),
        (LOW, {"amount_in": str(2**255)}, "is not from 1 to 2^255 - 1"),
    ],
)
def test_what_the_pool_refuses_is_a_revert(tmp_path: Path, limit: int, fields: Line, why: str) -> None:
    case = limited(limit, amount_in="5", expected_out="reverts") | fields
    found = checked(tmp_path, ticked(), case, case | {"expected_out": "5"})
    (wrong,) = found.mismatches
    assert (wrong.line, found.unanswered) == (4, ())
    assert why in wrong.why


def test_a_pool_without_a_price_reverts(tmp_path: Path) -> None:
    unset = ticked(sqrt_price_x96="0", tick="0", liquidity="0", ticks={})
    found = checked(tmp_path, unset, limited(LOW, amount_in="5", expected_out="5"))
    assert ["no price yet" in one.why for one in found.mismatches] == [True]


def test_a_limit_just_beside_the_price_fills_next_to_nothing_and_any_amount_is_cut(tmp_path: Path) -> None:
    small = limited(PRICE - 1, amount_in=str(2**255 - 1), expected_out="0")
    rows = [limited(LOW, pool=None, amount_in=str(10**30), expected_out="1"), small]
    found = checked(tmp_path, ticked(), *rows)
    (wrong,) = found.mismatches
    assert wrong.line == 3
    assert wrong.ours_units == ONE * (PRICE - LOW) // 2**96
    told = limited(LOW, amount_in=str(10**30), expected_out=str(wrong.ours_units), expected_in="7")
    (other,) = checked(tmp_path, ticked(), told).mismatches
    assert "of the amount is filled, not 7" in other.why


def test_what_stands_beyond_the_known_ticks_is_not_answered(tmp_path: Path) -> None:
    near, far = PRICE * 999 // 1000, PRICE * 9 // 10
    rows = [limited(limit, amount_in=str(10**30), expected_out="reverts") for limit in (near, far)]
    part = ticked(tick="0", liquidity=str(ONE), ticks={}, coverage=["-60", "60"])
    found = checked(tmp_path, part, *rows)
    assert ([one.line for one in found.mismatches], [one.line for one in found.unanswered]) == ([3], [4])


@pytest.mark.parametrize("pool", [pair(), weighted()], ids=lambda pool: str(pool["protocol"]))
def test_a_protocol_without_limits_has_no_answer(tmp_path: Path, pool: Line) -> None:
    found = checked(tmp_path, pool, limited(LOW, pool, amount_in="5", expected_out="reverts"))
    assert [one.why for one in found.unanswered] == [f"no swap of {pool['protocol']} has a price_limit_x96"]


def test_v4_holds_amounts_in_127_bits_and_gives_no_exact_output_for_a_fee_of_everything(tmp_path: Path) -> None:
    rows = [limited(LOW, V4, amount_in=str(2**200), expected_out="1")]
    (wrong,) = checked(tmp_path, V4, *rows).mismatches
    assert wrong.ours_units
    first, second = (Address(str(token).lower()) for token in way(V4).values() if token != V4["id"])
    whole = UniswapV4Step(first, second, ZERO_ADDRESS, 10**6, 60, ZERO_ADDRESS)
    dear = V4 | {"id": whole.pool_id, "fee_pips": "1000000"}
    out = limited(LOW, dear, amount_out="5", expected_in="5")
    big = limited(LOW, dear, amount_in=str(2**127), expected_out="0")
    fits = limited(LOW, dear, amount_in=str(2**127 - 1), expected_out="0", expected_in=str(2**127 - 1))
    found = checked(tmp_path, dear, out, big, fits, swap(**way(dear), amount_out="5", expected_in="1"))
    assert [(one.line, one.why.split("(")[-1]) for one in found.mismatches] == [
        (3, "InvalidFeeForExactOut)"),
        (4, f"it would take {2**127}, which no signed 128 bits hold"),
        (6, "InvalidFeeForExactOut)"),
    ]
    part = limited(SQRT_PRICE_MIN + 1, V4, amount_in=str(2**100), expected_out="1")
    (cut,) = checked(tmp_path, V4, part).mismatches
    told = swap(**way(V4), amount_in=str(2**100), expected_out=str(cut.ours_units))
    assert ["write `price_limit_x96`" in one.why for one in checked(tmp_path, V4, told).mismatches] == [True]
    more = swap(**way(V4), amount_out=str(10**30), expected_in="1")
    assert ["as a whole" in one.why for one in checked(tmp_path, V4, more).mismatches] == [True]


def way(pool: Line) -> Line:
    tokens = pool["tokens"]
    assert isinstance(tokens, list)
    return {"pool": pool["id"], "token_in": tokens[0], "token_out": tokens[1]}
