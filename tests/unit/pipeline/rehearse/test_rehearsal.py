import asyncio
from fractions import Fraction

import msgspec
import pytest
from tests.support.market import ACCOUNT, DEXES, GWEI, WETH, Holdings, Lender, found, mispriced, validator

from headrace.errors import NodeTimeoutError
from headrace.model.address import Address, ChainId, Hash32, PoolId
from headrace.model.block import BlockContext, next_block
from headrace.model.event import Log
from headrace.model.executor_plan import Funding
from headrace.model.executor_step import BalancerV2Step, UniswapV2Step, UniswapV3Step
from headrace.model.fees import FeePolicy
from headrace.model.opportunity import Plan, Rehearsed, Validated
from headrace.model.pool import ProtocolId
from headrace.model.refusal import Reason, Refusal
from headrace.model.transaction import SimulationResult, UnsignedTransaction
from headrace.model.transfers import TRANSFER_TOPIC
from headrace.pipeline.plan.planner import GAS_PER_TRANSACTION_MAX, Planner
from headrace.pipeline.rehearse.comparison import difference
from headrace.pipeline.rehearse.rehearsal import Rehearsal, RehearsalRules
from headrace.pipeline.validate.funding import FundingDesk

MARKET = mispriced()
CAP = 100 * GWEI
RULES = RehearsalRules(Fraction(6, 5), {ProtocolId("uniswap_v2"): Fraction(13, 10)}, CAP)


def plan() -> Plan:
    (best,) = found(MARKET)[:1]
    valid = validator().validate(best, MARKET, next_block(MARKET.header, 12))
    assert isinstance(valid, Validated)
    return Planner(DEXES, FeePolicy(GWEI, CAP)).plan(valid, MARKET)


def transfer(source: Address, target: Address, units: int) -> Log:
    def word(address: Address) -> Hash32:
        return Hash32("0x" + address[2:].rjust(64, "0"))

    topics = (TRANSFER_TOPIC, word(source), word(target))
    return Log(WETH.address, topics, f"0x{units:064x}", Hash32(""), 0, Hash32(""), 0)


class Answers:
    """A node that answers a simulation as it is told, and remembers what it was asked."""

    def __init__(self, result: SimulationResult | Exception) -> None:
        self.result = result
        self.asked: list[tuple[UnsignedTransaction, Hash32, BlockContext]] = []

    async def replay(self, block: Hash32, transaction: Hash32) -> SimulationResult | None:
        """Single transactions only."""
        del block, transaction
        return None

    async def simulate(self, transaction: UnsignedTransaction, parent: Hash32, at: BlockContext) -> SimulationResult:
        self.asked.append((transaction, parent, at))
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


def success(one: Plan, *, extra: int = 0, gas_used: int = 150_000) -> SimulationResult:
    earned = one.validated.profit_units + extra
    pool, own = Address("0x" + "77" * 20), ACCOUNT.executor
    logs = (transfer(pool, own, earned + 5), transfer(own, pool, 5))
    return SimulationResult(is_success=True, gas_used=gas_used, logs=logs)


async def rehearsed_by(node: Answers, one: Plan, rules: RehearsalRules = RULES) -> Rehearsed | Refusal:
    return await Rehearsal(node, rules, DEXES).rehearse(one, MARKET)


def run(one: Plan, result: SimulationResult | Exception) -> Rehearsed | Refusal:
    return asyncio.run(rehearsed_by(Answers(result), one))


def test_the_very_transaction_is_simulated_on_the_block_it_was_quoted_on() -> None:
    one = plan()
    node = Answers(success(one))
    asyncio.run(rehearsed_by(node, one))
    assert node.asked == [(one.transaction, MARKET.header.hash, one.validated.context)]
    assert one.transaction.gas_limit == 4 * one.validated.gas_estimate < GAS_PER_TRANSACTION_MAX


def test_gas_is_the_simulations_times_the_largest_multiplier_on_the_route_rounded_up() -> None:
    rehearsed = run(plan(), success(plan(), gas_used=150_001))
    assert isinstance(rehearsed, Rehearsed)
    assert rehearsed.transaction.gas_limit == 195_002
    assert rehearsed.gas_used_simulated == 150_001
    assert rehearsed.profit_simulated_units == plan().validated.profit_units


@pytest.mark.parametrize("funding", [funding for funding in Funding if funding.is_loan])
def test_who_lends_counts_among_the_protocols_that_a_plan_touches(funding: Funding) -> None:
    protocol = ProtocolId(funding.name.lower().removesuffix("_flash").removesuffix("_flash_loan"))
    desk = FundingDesk(Holdings(), [Lender(funding, fee=Fraction(0))], DEXES)
    valid = validator(funding=desk).validate(found(MARKET)[0], MARKET, next_block(MARKET.header, 12))
    assert isinstance(valid, Validated)
    one = Planner(DEXES, FeePolicy(GWEI, CAP)).plan(valid, MARKET)
    rules = RehearsalRules(Fraction(6, 5), {protocol: Fraction(3, 2)}, CAP)
    rehearsed = asyncio.run(rehearsed_by(Answers(success(one, gas_used=100_000)), one, rules))
    assert isinstance(rehearsed, Rehearsed)
    assert rehearsed.transaction.gas_limit == 150_000


@pytest.mark.parametrize("extra", [-1, 1])
def test_one_unit_off_the_quote_is_refused(extra: int) -> None:
    refusal = run(plan(), success(plan(), extra=extra))
    assert isinstance(refusal, Refusal)
    assert refusal.reason is Reason.REHEARSAL_OFF_QUOTE


def test_a_node_that_tells_no_logs_is_believed_about_success_alone() -> None:
    result = msgspec.structs.replace(success(plan()), logs=(), has_logs=False)
    assert isinstance(run(plan(), result), Rehearsed)


def test_a_revert_is_refused_with_the_contracts_own_words() -> None:
    data = "0x" + "5ec235eb" + "00" * 64
    refusal = run(plan(), SimulationResult(is_success=False, gas_used=1, logs=(), revert_data=data, message="reverted"))
    assert isinstance(refusal, Refusal)
    assert refusal.reason is Reason.REHEARSAL_REVERTED
    assert refusal.detail
    silent = run(plan(), SimulationResult(is_success=False, gas_used=1, logs=(), message="out of gas"))
    assert silent == Refusal(Reason.REHEARSAL_REVERTED, "out of gas")


def test_gas_that_eats_the_profit_and_a_failed_node_are_refused() -> None:
    dear = run(plan(), success(plan(), gas_used=3_000_000))
    assert isinstance(dear, Refusal)
    assert dear.reason is Reason.REHEARSAL_BELOW_MINIMUM
    failed = run(plan(), NodeTimeoutError("slow"))
    assert failed == Refusal(Reason.NODE_FAILED, "slow")


def test_measured_gas_must_leave_the_configured_least_profit_to_the_wei() -> None:
    one = plan()
    valid = one.validated
    price = valid.context.base_fee_wei + one.transaction.priority_fee_wei
    most = (valid.profit_native_wei - valid.net_native_wei_min) // price
    assert valid.net_native_wei_min == -(-500_000 * 10**12 // 3000)
    assert isinstance(run(one, success(one, gas_used=most)), Rehearsed)
    refusal = run(one, success(one, gas_used=most + 1))
    assert isinstance(refusal, Refusal)
    assert refusal.reason is Reason.REHEARSAL_BELOW_MINIMUM


def test_fees_are_twice_the_base_fee_and_the_tip_and_never_above_the_cap() -> None:
    policy = FeePolicy(priority_fee_wei=2, gas_price_wei_max=50)
    assert policy.fees_wei(10) == (22, 2)
    assert policy.fees_wei(40) == (50, 2)
    assert FeePolicy(60, 50).fees_wei(1) == (50, 50)


def tampered(field: str) -> UnsignedTransaction:
    """The planned transaction with one thing changed; each is what a bug or a thief might change."""
    one = plan()
    steps, other = one.steps, Address("0x" + "99" * 20)
    first, second = steps.steps
    assert isinstance(first, UniswapV2Step)
    assert isinstance(second, UniswapV2Step)
    plans = {
        "funding": msgspec.structs.replace(steps, funding=Funding.OWN_CAPITAL),
        "lender": msgspec.structs.replace(steps, funding=Funding.AAVE_V3_FLASH_LOAN, lender=other),
        "amount": msgspec.structs.replace(steps, amount_in_units=steps.amount_in_units + 1),
        "least profit": msgspec.structs.replace(steps, profit_min_units=steps.profit_min_units - 1),
        "deadline": msgspec.structs.replace(steps, deadline_block=steps.deadline_block + 1),
        "pair": msgspec.structs.replace(steps, steps=(msgspec.structs.replace(first, pair=other), second)),
        "fee": msgspec.structs.replace(steps, steps=(msgspec.structs.replace(first, fee_pips=2999), second)),
        "protocol": msgspec.structs.replace(
            steps, steps=(UniswapV3Step(first.token_in, first.token_out, first.pair), second)
        ),
        "vault": msgspec.structs.replace(
            steps,
            steps=(BalancerV2Step(first.token_in, first.token_out, first.pair, PoolId("0x" + "00" * 32)), second),
        ),
        "token": msgspec.structs.replace(
            steps,
            steps=(
                msgspec.structs.replace(first, token_out=other),
                msgspec.structs.replace(second, token_in=other),
            ),
        ),
        "step": msgspec.structs.replace(steps, steps=(*steps.steps, *steps.steps)),
    }
    transactions: dict[str, dict[str, object]] = {
        "chain": {"chain_id": ChainId(1)},
        "sender": {"sender": other},
        "target": {"to": other},
        "value": {"value_wei": 1},
        "fee cap": {"max_fee_wei": CAP + 1},
        "tip": {"priority_fee_wei": one.transaction.max_fee_wei + 1},
        "calldata": {"data": one.transaction.data + bytes(32)},
        "selector": {"data": b"\0" + one.transaction.data[1:]},
    }
    if field in plans:
        return msgspec.structs.replace(one.transaction, data=plans[field].calldata())
    return msgspec.structs.replace(one.transaction, **transactions[field])


FIELDS = (
    *("funding", "lender", "amount", "least profit", "deadline", "pair", "fee", "protocol", "vault", "token", "step"),
    *("chain", "sender", "target", "value", "fee cap", "tip", "calldata", "selector"),
)


@pytest.mark.parametrize("field", FIELDS)
def test_every_changed_field_is_noticed_before_anything_is_signed(field: str) -> None:
    one = plan()
    assert difference(one.transaction, one.validated, MARKET, DEXES, CAP) is None
    assert difference(tampered(field), one.validated, MARKET, DEXES, CAP)
    changed = msgspec.structs.replace(one, transaction=tampered(field))
    refusal = run(changed, success(one))
    assert isinstance(refusal, Refusal)
    assert refusal.reason is Reason.CALLDATA_MISMATCH
