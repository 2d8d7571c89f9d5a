"""The text that ends a run."""

import io

from rich.console import Console
from tests.unit.pipeline.report.test_summary import LANDED, report, reverted, with_

from headrace.app.render import render_run
from headrace.model.execution import WOULD_FAIL, Execution
from headrace.model.intent import IntentStatus


def drawn(*executions: Execution, width: int = 200) -> str:
    text = io.StringIO()
    render_run(report(*executions), Console(file=text, width=width))
    return text.getvalue()


def cancelled(cause: str) -> Execution:
    return with_(status=IntentStatus.CANCELLED, realised_profit_units=None, gas_cost_wei=10**15, cause=cause)


def test_what_was_lost_is_told_by_how_it_ended() -> None:
    again = cancelled(f"in no block yet, and on block 5 {WOULD_FAIL}: ProfitBelowMinimum(-1, 3)")
    late = cancelled("in no block up to its deadline, block 6")
    shown = drawn(LANDED, reverted("ProfitBelowMinimum(-1, 3)"), again, late)
    assert (
        "lost: 1 reverted by the guard and 2 cancelled, at the cost of 0.002000 ETH of gas;"
        " 1 of the cancelled stopped by the rehearsal on a newer block,"
        " and 0 stopped by the rehearsal before they were sent; 0 pending"
    ) in " ".join(shown.split())
    assert "cancelled: in no block up to its deadline, block 6" in shown


def test_the_engine_that_ran_is_shown_with_those_that_could_not() -> None:
    moved = with_(engines_refused=("own_capital: CapitalInsufficient(0xaa, 5, 3)",))
    for width in (200, 100):
        shown = drawn(LANDED, moved, width=width)
        assert "flash_swap (after own_capital)" in " ".join(shown.split())
        assert "on the next engine, since the first one could not pay: 1 of 2" in shown
    assert "(after" not in drawn(LANDED)
    assert "on the next engine" not in drawn(LANDED)


def test_what_a_strangers_contract_said_is_shown_as_it_is() -> None:
    for width in (200, 100):
        assert "[/bold] [red]" in drawn(reverted("[/bold] [red]"), width=width)
