"""Every recorded quote that a protocol claims, by `headrace market check`: the lines that the parity report runs."""

import pytest
from tests.parity.recordings import checked, measure
from tests.parity.registry import RECORDED, Recorded
from tests.parity.vectors import balancer_weighted, uniswap_v3_core, uniswap_v3_quotes

from headrace.kernels import weighted

LEAST = {"mainnet querySwap": (300, 250), "mainnet QuoterV2": (30, 25), "v3-core's own cases": (50, 40)}


@pytest.mark.parametrize("entry", RECORDED, ids=lambda entry: f"{entry.protocol} {entry.what}")
def test_recorded_quotes_are_met_to_the_unit(entry: Recorded) -> None:
    found = measure(entry)
    if found.absent:
        pytest.skip(found.absent)
    assert (found.mismatches, found.out_deviation_wei_max, found.in_deviation_wei_max) == (0, 0, 0)
    out, asked = LEAST.get(entry.what, (1, 0))
    assert found.out_cases >= out
    assert found.in_cases >= asked


def test_a_unit_more_or_a_wrong_rounding_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = weighted.amount_out
    lines = list(balancer_weighted.lines())
    monkeypatch.setattr(weighted, "amount_out", lambda pair, amount: (exact(pair, amount) or 0) + 1)
    report = checked(lines)
    assert report.protocols["balancer_v2"].mismatches >= 300
    assert report.protocols["balancer_v2"].out_deviation_units_max == 1
    monkeypatch.undo()
    monkeypatch.setattr("headrace.kernels.tick_walk.WORD_BITS", 40)
    monkeypatch.setattr("headrace.kernels.tick_table.WORD_BITS", 40)
    assert checked(uniswap_v3_core.lines()).mismatches
    assert checked(uniswap_v3_quotes.lines()).mismatches
