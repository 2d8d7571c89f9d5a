"""One unit is enough to trip a pool; a reason, or no fill, is enough not to."""

import pytest
from tests.support.market import WETH

from headrace.model.address import Hash32
from headrace.model.execution import Execution
from headrace.model.intent import IntentStatus
from headrace.pipeline.record.breaker import unexplained

QUOTED = 10**15


def execution(realised: int | None, *, is_clean: bool | None = True) -> Execution:
    return Execution(
        intent_id="i0",
        opportunity_id="o",
        strategy="spatial",
        engine="own_capital",
        route="WETH > a > USDC > b > WETH",
        pools=("0x1", "0x2"),
        profit_token=WETH.address,
        amount_in_units=10**18,
        quoted_profit_units=QUOTED,
        quoted_block=100,
        status=IntentStatus.LANDED if realised is not None else IntentStatus.REVERTED,
        tx_hash=Hash32("0xabc"),
        block_number=101,
        is_clean=is_clean,
        realised_profit_units=realised,
    )


@pytest.mark.parametrize(("off", "words"), [(-1, "the 1 less"), (1, "the 1 more"), (-(10**15), "less")])
def test_a_clean_fill_that_is_off_its_quote_is_told_in_full(off: int, words: str) -> None:
    cause = unexplained(execution(QUOTED + off))
    for part in ("0xabc in block 101", f"gained {QUOTED + off} units", f"{QUOTED} were quoted on block 100", words):
        assert part in cause


@pytest.mark.parametrize(
    "explained",
    [
        execution(QUOTED),
        execution(QUOTED - 1, is_clean=False),
        execution(QUOTED - 1, is_clean=None),
        execution(None),
        execution(None, is_clean=False),
    ],
)
def test_what_is_as_quoted_or_unclean_or_no_fill_is_explained(explained: Execution) -> None:
    assert unexplained(explained) == ""
