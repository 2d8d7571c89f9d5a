import json

import msgspec
import pytest
from tests.support.market import TOKENS, WETH

from headrace.model.codec import to_json
from headrace.model.execution import Execution
from headrace.model.intent import IntentStatus
from headrace.pipeline.report.summary import (
    OpportunityCounts,
    RunReport,
    contradictions,
    percentile,
    shortcomings,
    summarise,
)

LANDED = Execution(
    intent_id="i",
    opportunity_id="o",
    strategy="spatial",
    engine="flash_swap",
    route="WETH > a > USDC > b > WETH",
    pools=("0x1", "0x2"),
    profit_token=WETH.address,
    amount_in_units=10**18,
    quoted_profit_units=100,
    quoted_block=4,
    status=IntentStatus.LANDED,
    block_number=5,
    is_clean=True,
    realised_profit_units=100,
    net_profit_native_wei=40,
    gas_used=150_000,
    gas_cost_wei=60,
    slippage_bps=0,
    latency_ms=3.0,
)


def report(*executions: Execution) -> RunReport:
    return summarise(
        blocks=10,
        counts=OpportunityCounts(found=9, validated=3, rehearsed=2, sent=2, edge_bps_median=12),
        executions=executions,
        refusals={"below_min_profit": 2, "account_halted": 1},
        tokens=TOKENS,
    )


def with_(**fields: object) -> Execution:
    return msgspec.structs.replace(LANDED, **fields)


def reverted(cause: str, *, is_clean: bool = False) -> Execution:
    return with_(status=IntentStatus.REVERTED, tx_hash="0xab", cause=cause, is_clean=is_clean)


def full_set() -> list[Execution]:
    engines = ("own_capital", "flash_loan", "flash_swap", "flash_swap", "flash_swap")
    return [with_(engine=engine) for engine in engines]


def test_a_run_that_shows_everything_owes_nothing() -> None:
    assert shortcomings(report(*full_set())) == contradictions(report(*full_set())) == []


@pytest.mark.parametrize(
    ("executions", "words"),
    [
        (full_set()[:4], "only 4 executions landed"),
        ([with_() for _ in range(5)], "own_capital never landed"),
        ([msgspec.structs.replace(e, is_clean=False) for e in full_set()], "no execution was clean"),
        ([*full_set(), with_(realised_profit_units=99)], "missed its quote by 1 wei"),
        ([*full_set(), reverted("")], "0xab reverted without a known cause"),
        ([*full_set(), reverted("unexplained: it succeeds on the block before")], "without a known cause"),
        ([*full_set(), reverted("not found: no answer")], "without a known cause"),
        ([*full_set(), reverted("lost race", is_clean=True)], "nothing came between its quote and it: lost race"),
    ],
)
def test_what_was_not_shown_is_said(executions: list[Execution], words: str) -> None:
    seen = report(*executions)
    assert any(words in found for found in [*shortcomings(seen), *contradictions(seen)])


def test_a_lost_race_and_a_missed_deadline_are_no_contradiction() -> None:
    late = reverted("DeadlinePassed(9, 10)", is_clean=True)
    assert contradictions(report(*full_set(), reverted("lost race: pool x"), late)) == []


def test_parity_counts_clean_executions_alone_and_in_both_directions() -> None:
    unclean = with_(is_clean=False, realised_profit_units=1)
    assert report(LANDED, unclean).parity_wei_max == 0
    assert report(with_(realised_profit_units=93), with_(realised_profit_units=104)).parity_wei_max == 7


def test_amounts_are_decimal_strings_and_statuses_are_the_four_documented() -> None:
    executions = [with_(status=status, realised_profit_units=None) for status in IntentStatus]
    document = json.loads(to_json(report(*executions)))
    assert {row["status"] for row in document["executions"]} == {"landed", "reverted", "cancelled", "pending"}
    for row in document["executions"]:
        assert row["quoted_profit_wei"] == "100"
        assert row["net_profit_native_wei"] == "40"
        assert row["realised_profit_wei"] is None
    assert document["refusals"] == {"account_halted": 1, "below_min_profit": 2}
    assert document["latency_ms"] == {"p50": 3.0, "p99": 3.0, "count": len(executions)}


def test_percentiles_are_by_nearest_rank() -> None:
    values = [float(n) for n in range(1, 101)]
    assert percentile(values, 50) == 50
    assert percentile(values, 99) == 99
    assert percentile([7.0], 99) == 7
    assert percentile([], 50) is None
