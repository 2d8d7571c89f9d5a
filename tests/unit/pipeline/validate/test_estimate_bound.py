"""Oracle: the exact validation itself. What the estimate refuses, exact integers refuse as well."""

import random
from collections import Counter

import pytest
from tests.support.market import ETHER, GWEI, THRESHOLDS, changed, found, header, mispriced, snapshot, validator

from headrace.model.block import next_block
from headrace.model.opportunity import Validated
from headrace.model.refusal import Reason, Refusal
from headrace.pipeline.validate.validator import Validator


def test_nothing_that_exact_integers_would_let_through_is_refused_by_its_estimate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng, verdicts = random.Random(5), []
    thresholds = changed(THRESHOLDS, profit_usd_micro_min=0)
    for _ in range(400):
        market = mispriced(rng.randrange(61, 200), rng.randrange(1, 400))
        head = header(base_fee_wei=int(GWEI * 10 ** rng.uniform(-1, 1.5)))
        priced = snapshot(*market.states, head=head)
        at = next_block(head, 12)
        verdicts += [(one, priced, validator(thresholds).validate(one, priced, at)) for one in found(priced)]
    reached = Counter(_kind(verdict) for _, _, verdict in verdicts)
    monkeypatch.setattr(Validator, "_is_hopeless", lambda *_: False)
    for opportunity, priced, verdict in verdicts:
        if _kind(verdict) == "estimate":
            exact = validator(thresholds).validate(opportunity, priced, next_block(priced.header, 12))
            assert isinstance(exact, Refusal), f"{opportunity} is worth {exact}"
            assert exact.reason is Reason.NOT_PROFITABLE_AFTER_GAS
    assert min(reached[kind] for kind in ("estimate", "exact", "valid")) >= 20, reached


def test_a_hopeless_opportunity_is_not_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    market = mispriced(62, 1)
    (opportunity,) = found(market)
    monkeypatch.setattr("headrace.pipeline.validate.validator.quote_route", None)
    refusal = validator().validate(opportunity, market, next_block(market.header, 12))
    assert isinstance(refusal, Refusal)
    assert refusal.reason is Reason.NOT_PROFITABLE_AFTER_GAS
    assert "by estimate" in refusal.detail
    assert opportunity.profit_estimate_units < ETHER


def _kind(verdict: Validated | Refusal) -> str:
    if isinstance(verdict, Validated):
        return "valid"
    return "estimate" if "by estimate" in verdict.detail else "exact"
