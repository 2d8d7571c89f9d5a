"""Every recorded quote that a protocol claims, by `headrace market check`: the lines that the parity report runs."""

from collections.abc import Callable
from importlib import import_module
from types import ModuleType

import pytest
from tests.parity.recordings import checked, measure
from tests.parity.registry import RECORDED, Recorded
from tests.parity.vectors import (
    aerodrome,
    balancer_stable,
    balancer_v3_maths,
    balancer_weighted,
    curve_stableswap,
    curve_tricrypto,
    uniswap_v3_core,
    uniswap_v3_quotes,
)

from headrace.adapters.protocols.curve_stableswap import views
from headrace.kernels import balancer_stable as stable
from headrace.kernels import balancer_v3, cryptoswap, solidly, weighted
from headrace.kernels.stableswap import PRECISION

LEAST = {
    balancer_weighted: (300, 250),
    uniswap_v3_quotes: (70, 70),
    uniswap_v3_core: (50, 40),
    balancer_stable: (100, 100),
    balancer_v3_maths: (3, 3),
    curve_stableswap: (60, 0),
    curve_tricrypto: (36, 18),
    aerodrome: (104, 52),
}
A_UNIT_MORE = (
    (balancer_weighted, weighted, "amount_out", 300),
    (balancer_stable, stable, "amount_out", 100),
    (balancer_stable, stable, "amount_in_asked", 100),
    (balancer_v3_maths, balancer_v3, "amount_out", 3),
    (balancer_v3_maths, balancer_v3, "amount_in_asked", 3),
    (curve_stableswap, views, "view", 60),
    (curve_tricrypto, cryptoswap, "amount_out", 36),
    (aerodrome, solidly, "amount_out", 104),
)


@pytest.mark.parametrize("entry", RECORDED, ids=lambda entry: f"{entry.protocol} {entry.what}")
def test_recorded_quotes_are_met_to_the_unit(entry: Recorded) -> None:
    found = measure(entry)
    if found.absent:
        pytest.skip(found.absent)
    assert (found.mismatches, found.out_deviation_wei_max, found.in_deviation_wei_max) == (0, 0, 0)
    out, asked = LEAST[import_module(entry.module)]
    assert found.out_cases >= out
    assert found.in_cases >= asked


@pytest.mark.parametrize(("vectors", "kernel", "name", "least"), A_UNIT_MORE)
def test_a_unit_more_is_caught(
    vectors: ModuleType, kernel: ModuleType, name: str, least: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact: Callable[..., int | None] = getattr(kernel, name)
    lines = list(vectors.lines())
    monkeypatch.setattr(kernel, name, lambda *asked: (exact(*asked) or 0) + 1)
    (found,) = checked(lines).protocols.values()
    assert found.mismatches >= least
    assert max(found.out_deviation_units_max, found.in_deviation_units_max) >= 1


def test_a_wrong_rounding_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = list(curve_stableswap.lines())
    monkeypatch.setattr(views, "_paid", lambda done, rate, _: done.net * PRECISION // rate)
    assert len(checked(lines).mismatches) >= 7  # of 18 of 3pool, whose view scales before it takes the fee
    monkeypatch.setattr("headrace.kernels.tick_walk.WORD_BITS", 40)
    monkeypatch.setattr("headrace.kernels.tick_table.WORD_BITS", 40)
    assert checked(uniswap_v3_core.lines()).mismatches
    assert checked(uniswap_v3_quotes.lines()).mismatches
