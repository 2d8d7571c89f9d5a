"""Cases that were recorded from a contract's view are compared with the twin of that view.

Oracle: the v3 and Solidly sources. QuoterV2 answers for what a pool fills in part; `getAmountOut` answers 0; amounts
are worked out by hand from the constant-product formula.
"""

from pathlib import Path

import pytest
from tests.support.market_text import ONE, V3, A, B, Line, header, pair, swap, ticked, written

from headrace.app.market.check_report import CheckReport
from headrace.app.market.checking import check

PAIR = "0x" + "d1" * 20


def checked(folder: Path, *cases: Line, paused: bool = False) -> CheckReport:
    state: Line = {"is_stable": False, "fee": "30", "reserve0": str(1000 * ONE), "reserve1": str(10**6)}
    solid: Line = {"kind": "pool", "id": PAIR, "protocol": "solidly", "tokens": [A, B]}
    lines = (pair(), ticked(), solid | {"state": state | {"is_paused": paused}}, *cases)
    return check(report=lambda _: None, cases=written(folder, header(), *lines), snapshot=None)


@pytest.mark.parametrize("paused", [False, True])
def test_a_view_answers_where_the_swap_reverts(tmp_path: Path, *, paused: bool) -> None:
    dust = swap(pool=PAIR, amount_in="1", expected_out="reverts")
    told = swap(pool=PAIR, amount_in="1", expected_out="0", call="getAmountOut")
    given = ONE - ONE * 30 // 10_000
    paid = str(given * 10**6 // (1000 * ONE + given))
    whole = swap(pool=PAIR, amount_in=str(ONE), expected_out=paid, call="getAmountOut")
    asked = swap(pool=PAIR, amount_in=str(ONE), expected_out="reverts" if paused else paid)
    found = checked(tmp_path, dust, told, whole, asked, paused=paused)
    assert (found.cases, found.mismatches) == (4, ())


def test_the_quoter_answers_for_what_is_filled_in_part(tmp_path: Path) -> None:
    way: Line = {"pool": V3}
    asked = swap(**way, amount_in=str(10**30), expected_out="reverts")
    found = checked(tmp_path, asked, swap(**way, amount_in=str(10**30), expected_out="1", call="quoteExactInputSingle"))
    (wrong,) = found.mismatches
    assert wrong.ours_units is not None
    all_of_it = str(wrong.ours_units)
    more = swap(**way, amount_in=str(10**31), expected_out=all_of_it, call="quoteExactInputSingle")
    out = swap(**way, amount_out=str(10**30), expected_in="1", call="quoteExactOutputSingle")
    (wrong,) = checked(tmp_path, more, out).mismatches
    assert wrong.ours_units is not None
    none = swap(**way, amount_in="0", expected_out="reverts", call="quoteExactInputSingle")
    least = swap(**way, amount_in=str(wrong.ours_units), expected_out=all_of_it)
    assert not checked(tmp_path, least, none).mismatches


def test_a_line_that_forgot_which_view_was_asked_is_told(tmp_path: Path) -> None:
    dust = swap(pool=PAIR, amount_in="1", expected_out="0")
    quoted = swap(pool=V3, amount_in=str(10**30), expected_out="1", call="quoteExactInputSingle")
    (part,) = checked(tmp_path, quoted).mismatches
    cut = swap(pool=V3, amount_in=str(10**30), expected_out=str(part.ours_units))
    other = swap(pool=V3, amount_in=str(10**30), expected_out="1")
    found = checked(tmp_path, dust, cut, other)
    assert ["getAmountOut answers" in one.why for one in found.mismatches] == [True, False, False]
    assert ["quoteExactInputSingle answers" in one.why for one in found.mismatches] == [False, True, False]
    wrong = swap(pool=V3, token_in=PAIR, amount_in="1", expected_out="1")
    assert ["does not trade" in one.why for one in checked(tmp_path, wrong).unanswered] == [True]


@pytest.mark.parametrize(
    ("case", "why"),
    [
        (swap(amount_in="5", expected_out="5", call="get_dy"), "no view get_dy of uniswap_v2 for an exact input"),
        (swap(pool=PAIR, amount_in="5", expected_out="5", call="get_dy"), "no view get_dy"),
        (swap(pool=PAIR, amount_out="5", expected_in="5", call="getAmountOut"), "for an exact output"),
    ],
)
def test_a_view_that_is_not_known_has_no_answer(tmp_path: Path, case: Line, why: str) -> None:
    found = checked(tmp_path, case)
    (unanswered,) = found.unanswered
    assert why in unanswered.why
    assert (found.mismatches, found.exit_code, unanswered.ours_units) == ((), 1, None)
