"""The line as wired, on a market written by hand."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType

from tests.support.market import DEXES, GWEI, USDC, WETH, Prices, mispriced, validator
from tests.unit.pipeline.rehearse.test_rehearsal import CAP, RULES, Answers, plan, success

from headrace.app.line import Line, LineParts, Pass
from headrace.model.address import Address
from headrace.model.fees import FeePolicy
from headrace.model.refusal import Reason, Refusal
from headrace.model.snapshot import Snapshot
from headrace.pipeline.market.screen import Screen
from headrace.pipeline.plan.planner import Planner
from headrace.pipeline.rehearse.rehearsal import Rehearsal
from headrace.pipeline.search.graph import SearchGraph
from headrace.ports.pool import PoolState
from headrace.ports.strategy import StrategyConfig
from headrace.strategies.spatial import SpatialArbitrage


class Still:
    """A clock that stands still, some seconds after the block."""

    def __init__(self, age: int) -> None:
        self._now = mispriced().header.timestamp + age

    def now(self) -> int:
        return self._now

    def monotonic_ns(self) -> int:
        return 0


def passed(
    age: int,
    age_max: int | None,
    screen: Screen | None = None,
    unfit: Mapping[Address, str] = MappingProxyType({}),
) -> Pass:
    market = mispriced()
    parts = LineParts(
        dexes=DEXES,
        graph=SearchGraph(market.pools, DEXES),
        strategies=(SpatialArbitrage(StrategyConfig(0, (WETH.address,))),),
        oracle=Prices(),
        validator=validator(),
        planner=Planner(DEXES, FeePolicy(GWEI, CAP)),
        rehearsal=Rehearsal(Answers(success(plan())), RULES, DEXES),
        transactions=None,
        block_seconds=12,
        announced_number=lambda: market.header.number,
        clock=Still(age),
        head_age_seconds_max=age_max,
        screen=screen,
        why_unfit=lambda token, _block: unfit.get(token, ""),
    )
    return asyncio.run(Line(parts).run(market))


def test_a_dry_run_goes_up_to_the_rehearsal_and_sends_nothing() -> None:
    result = passed(age=1, age_max=None)
    assert len(result.found) == len(result.rehearsed) == 1
    assert result.submitted == ()


def test_a_block_that_is_old_by_our_clock_is_searched_and_not_traded() -> None:
    result = passed(age=61, age_max=60)
    assert result.refusals == {Reason.MARKET_STALE: 1}
    assert (result.validated, result.rehearsed) == ((), ())
    assert len(passed(age=60, age_max=60).rehearsed) == 1


def test_a_route_through_a_pool_that_this_block_brought_into_doubt_is_refused_with_the_reason() -> None:
    market = mispriced()

    class Doubting(Screen):
        def renew(self, snapshot: Snapshot[PoolState]) -> Mapping[int, str]:
            return {snapshot.index_of[market.pools[0].id]: "its price is lonely"}

    result = passed(age=1, age_max=None, screen=Doubting(market.pools, DEXES))
    ((_, refusal),) = result.refused
    assert refusal == Refusal(Reason.POOL_DOUBTED, f"pool {market.pools[0].id}: its price is lonely")
    assert (len(result.validated), result.rehearsed) == (0, ())
    assert len(passed(age=1, age_max=None, screen=Screen(market.pools, DEXES)).rehearsed) == 1


def test_a_route_through_an_unfit_token_is_refused_with_what_was_found() -> None:
    result = passed(age=1, age_max=None, unfit={USDC.address: "rebases: it grows"})
    assert len(result.found) == 1
    assert [refusal for _, refusal in result.refused] == [
        Refusal(Reason.TOKEN_UNFIT, f"token {USDC.address}: rebases: it grows")
    ]
    assert result.rehearsed == ()
