"""The line when an engine fails a trade, on a market written by hand; on real contracts: end_to_end/."""

import asyncio
from collections import Counter
from fractions import Fraction
from typing import cast

import msgspec
from tests.support.intents import ACCOUNT, RULES
from tests.support.market import DEXES, GWEI, WETH, Holdings, Lender, changed, mispriced, validator
from tests.support.transaction_world import (
    World,
    WorldChain,
    WorldClock,
    WorldHoldings,
    WorldJournal,
    WorldSigner,
    WorldSimulator,
)
from tests.unit.app.test_line import Still
from tests.unit.pipeline.rehearse.test_rehearsal import CAP, Answers
from tests.unit.pipeline.rehearse.test_rehearsal import RULES as REHEARSAL

from headrace.app.line import Line, LineParts, Pass
from headrace.model.address import Hash32
from headrace.model.block import BlockContext
from headrace.model.executor_plan import Funding, decode_calldata
from headrace.model.fees import FeePolicy
from headrace.model.record import IntentEnded, IntentOpened
from headrace.model.refusal import Reason
from headrace.model.transaction import SimulationResult, UnsignedTransaction
from headrace.pipeline.execute.sockets import Sockets
from headrace.pipeline.execute.transactions import TransactionManager
from headrace.pipeline.plan.planner import Planner
from headrace.pipeline.rehearse.rehearsal import Rehearsal
from headrace.pipeline.search.graph import SearchGraph
from headrace.pipeline.validate.funding import FundingDesk
from headrace.pipeline.validate.validator import Validator
from headrace.ports.chain import Chain
from headrace.ports.strategy import StrategyConfig
from headrace.strategies.spatial import SpatialArbitrage

LENDERS = (
    Lender(Funding.BALANCER_V2_FLASH_LOAN, fee=Fraction(0), gas=20_000),
    Lender(Funding.AAVE_V3_FLASH_LOAN, fee=Fraction(5, 10_000), gas=110_000),
)
REVERTED = SimulationResult(is_success=False, gas_used=60_000, logs=(), message="shut")
OFF_QUOTE = SimulationResult(is_success=True, gas_used=150_000, logs=())  # nothing came back


class Node(Answers):
    """Simulates what each plan's engine is told to give; the others earn what they are quoted."""

    def __init__(self, results: dict[Funding, SimulationResult]) -> None:
        super().__init__(msgspec.structs.replace(OFF_QUOTE, has_logs=False))
        self.results = results
        self.engines: list[Funding] = []

    async def simulate(self, transaction: UnsignedTransaction, parent: Hash32, at: BlockContext) -> SimulationResult:
        funding = decode_calldata(transaction.data).funding
        self.engines.append(funding)
        return self.results.get(funding) or await super().simulate(transaction, parent, at)


def engines(*units: int, lenders: tuple[Lender, ...] = LENDERS) -> Validator:
    own = Holdings({WETH.address: units[0] if units else 10**24})
    thresholds = changed(trade_usd_micro_max=900 * 10**6)
    return validator(thresholds, funding=FundingDesk(own, lenders, DEXES))


def parts(node: Node, judge: Validator, transactions: TransactionManager | None = None) -> LineParts:
    market = mispriced(gap_bps=500)
    return LineParts(
        dexes=DEXES,
        graph=SearchGraph(market.pools, DEXES),
        strategies=(SpatialArbitrage(StrategyConfig(0, (WETH.address,))),),
        oracle=judge._oracle,
        validator=judge,
        planner=Planner(DEXES, FeePolicy(GWEI, CAP)),
        rehearsal=Rehearsal(node, REHEARSAL, DEXES),
        transactions=transactions,
        block_seconds=12,
        announced_number=lambda: market.header.number,
        clock=Still(1),
        head_age_seconds_max=None,
    )


def passed(node: Node, judge: Validator | None = None) -> Pass:
    return asyncio.run(Line(parts(node, judge or engines())).run(mispriced(gap_bps=500)))


def test_a_trade_whose_engine_reverts_is_rehearsed_once_more_on_the_next_one() -> None:
    node = Node({Funding.OWN_CAPITAL: REVERTED})
    result = passed(node)
    ((done,),) = (result.rehearsed,)
    assert node.engines == [Funding.OWN_CAPITAL, Funding.FLASH_SWAP]
    assert done.plan.steps.funding is Funding.FLASH_SWAP
    ((engine, refusal),) = ((one.engine, one.refusal) for one in done.plan.validated.engines_refused)
    assert (engine, refusal.reason, refusal.detail) == ("own_capital", Reason.REHEARSAL_REVERTED, "shut")
    assert result.refused == ()


def test_two_rehearsals_are_the_most_and_the_last_verdict_is_the_reason() -> None:
    node = Node({Funding.OWN_CAPITAL: REVERTED, Funding.FLASH_SWAP: msgspec.structs.replace(REVERTED, message="too")})
    result = passed(node)
    assert node.engines == [Funding.OWN_CAPITAL, Funding.FLASH_SWAP]
    assert result.rehearsed == ()
    assert [refusal.detail for _, refusal in result.refused] == ["too"]


def test_what_no_other_engine_can_do_is_refused_for_what_stopped_it() -> None:
    node = Node({Funding.FLASH_SWAP: REVERTED})
    result = passed(node, engines(0, lenders=()))
    assert node.engines == [Funding.FLASH_SWAP]
    assert [refusal.reason for _, refusal in result.refused] == [Reason.REHEARSAL_REVERTED]


def test_an_amount_off_its_quote_is_the_routes_unless_a_lender_may_have_changed_its_fee() -> None:
    node = Node({Funding.OWN_CAPITAL: OFF_QUOTE})
    result = passed(node)
    assert node.engines == [Funding.OWN_CAPITAL]
    assert [refusal.reason for _, refusal in result.refused] == [Reason.REHEARSAL_OFF_QUOTE]
    cheap = Lender(Funding.BALANCER_V2_FLASH_LOAN, fee=Fraction(0), gas=-1)
    node = Node({Funding.BALANCER_V2_FLASH_LOAN: OFF_QUOTE})
    result = passed(node, engines(0, lenders=(cheap,)))
    assert node.engines == [Funding.BALANCER_V2_FLASH_LOAN, Funding.FLASH_SWAP]
    assert len(result.rehearsed) == 1


async def trade(world: World, node: Node, judge: Validator) -> Pass:
    sockets = Sockets(
        cast("Chain", WorldChain(world)),
        WorldSimulator(world),
        WorldSigner(world),
        WorldJournal(world),
        WorldHoldings(),  # 1,000 units: no capital for anything here
        WorldClock(world),
    )
    manager = TransactionManager(ACCOUNT, RULES, sockets)
    await manager.recover(version="1", config_digest="")
    return await Line(parts(node, judge, manager)).run(mispriced(gap_bps=500))


def opened(world: World) -> list[IntentOpened]:
    return [record for record in world.told if isinstance(record, IntentOpened)]


def test_own_capital_that_others_hold_sends_the_trade_to_its_next_engine_before_anything_is_rehearsed_on_it() -> None:
    world, node = World(1, Counter()), Node({})
    result = asyncio.run(trade(world, node, engines()))
    (only,) = opened(world)
    assert only.intent.engine == "flash_swap"
    ((refused,),) = (only.intent.engines_refused,)
    assert (refused.engine, refused.refusal.reason) == ("own_capital", Reason.CAPITAL_RESERVED)
    assert len(result.rehearsed) == 1
    assert node.engines[-1] is Funding.FLASH_SWAP


def test_the_journal_ends_the_intent_on_the_engine_that_failed_and_opens_it_again_on_the_next() -> None:
    world, node = World(1, Counter()), Node({Funding.FLASH_SWAP: REVERTED})
    result = asyncio.run(trade(world, node, engines(0)))
    first, second = opened(world)
    assert first.intent.id == second.intent.id
    assert (first.intent.engine, second.intent.engine) == ("flash_swap", "flash_loan")
    told = world.told
    (end,) = (one for one in told[: told.index(second)] if isinstance(one, IntentEnded))
    assert end.outcome.reason is Reason.REHEARSAL_REVERTED
    assert [one.refusal.detail for one in second.intent.engines_refused] == ["shut"]
    assert len(result.rehearsed) == 1
