"""Nouns of the transaction tests, with few parameters."""

from fractions import Fraction

from headrace.adapters.signers.keystore.hidden import Hidden
from headrace.adapters.signers.keystore.signer import KeystoreSigner
from headrace.model.account import OWN_ACCOUNT, Account, AccountId, Reservation
from headrace.model.address import Address, ChainId, Hash32, PoolId
from headrace.model.block import BlockContext, BlockHeader, BlockRef
from headrace.model.executor_plan import ExecutorPlan, Funding
from headrace.model.executor_step import UniswapV2Step
from headrace.model.intent import Intent
from headrace.model.limits import USD_MICRO, Limits
from headrace.model.opportunity import FundingOffer, Opportunity, Plan, Rehearsed, Validated
from headrace.model.order import Order, Step
from headrace.model.route import Hop, Route
from headrace.model.transaction import UnsignedTransaction
from headrace.pipeline.execute.rules import Rules

SIGNER = KeystoreSigner(Hidden(bytes(31) + b"\x01"))
CHAIN_ID = ChainId(31337)
EXECUTOR = Address("0x" + "e0" * 20)
TOKEN = Address("0x" + "a0" * 20)
OTHER = Address("0x" + "b0" * 20)
ACCOUNT = Account(OWN_ACCOUNT, CHAIN_ID, SIGNER.address, EXECUTOR)
LIMITS = Limits(
    trade_usd_micro_max=1_000 * USD_MICRO,
    position_usd_micro_max=2_500 * USD_MICRO,
    position_count_max=4,
    executions_max=4,
    execution_seconds_max=60,
    allocation_max=Fraction(1, 2),
    daily_loss_usd_micro_max=50 * USD_MICRO,
)
RULES = Rules(LIMITS, confirmations=2)


def block_hash(number: int, branch: int = 0) -> Hash32:
    return Hash32(f"0x{branch:032x}{number:032x}")


def header(number: int, branch: int = 0, *, parent_branch: int | None = None, base_fee_wei: int = 10) -> BlockHeader:
    return BlockHeader(
        number=number,
        hash=block_hash(number, branch),
        parent_hash=block_hash(number - 1, branch if parent_branch is None else parent_branch),
        timestamp=1_000 + 2 * number,
        base_fee_wei=base_fee_wei,
        gas_used=0,
        gas_limit=30_000_000,
        coinbase=EXECUTOR,
        logs_bloom=bytes(256),
    )


GAS_WEI_MAX = 300_000 * 100  # of `transaction` as it is by default: costs exactly the reserved loss


def reservation(
    pools: tuple[PoolId, ...] = (PoolId("p0"),), *, capital_units: int = 0, usd: int = 100, loss_usd: int = 1
) -> Reservation:
    native_usd_pico = loss_usd * 10**30 // GAS_WEI_MAX
    return Reservation(
        account=OWN_ACCOUNT,
        token=TOKEN,
        capital_units=capital_units,
        exposure_usd_micro=usd * USD_MICRO,
        loss_usd_micro=loss_usd * USD_MICRO,
        native_usd_pico=native_usd_pico,
        pools=pools,
    )


def intent(
    name: str = "i0",
    *,
    deadline: int = 12,
    reserved: Reservation | None = None,
    profit_min: int = 0,
    account: AccountId = OWN_ACCOUNT,
) -> Intent:
    taken = reserved or reservation((PoolId(f"pool of {name}"),))
    order = Order(name, account, TOKEN, TOKEN, 10**18, 10**18 + profit_min, deadline, 10**18)
    return Intent(
        id=name,
        step=Step(order, 0, 10**18),
        opportunity_id=f"opportunity of {name}",
        strategy="spatial",
        engine="own_capital",
        route_text="A > B > A",
        pools=taken.pools,
        quoted_profit_units=10**15,
        quoted_profit_native_wei=10**15,
        quoted_block=10,
        quoted_block_hash=block_hash(10),
        announced_ns=1,
        reservation=taken,
    )


def transaction(
    data: bytes = b"\x01\x02", *, max_fee_wei: int = 100, tip_wei: int = 8, gas: int = 300_000
) -> UnsignedTransaction:
    return UnsignedTransaction(CHAIN_ID, ACCOUNT.operator, EXECUTOR, 0, data, gas, max_fee_wei, tip_wei)


def rehearsed(unsigned: UnsignedTransaction) -> Rehearsed:
    route = Route((Hop(PoolId("p1"), TOKEN, OTHER), Hop(PoolId("p2"), OTHER, TOKEN)))
    opportunity = Opportunity("o", "spatial", route, 1, 1, 1, BlockRef(10, block_hash(10)), 1)
    validated = Validated(
        opportunity=opportunity,
        account=ACCOUNT,
        amounts_units=(1, 1, 2),
        profit_units=1,
        profit_min_units=0,
        funding=FundingOffer(Funding.OWN_CAPITAL, Address("0x" + "00" * 20), 0, 0),
        gas_estimate=1,
        profit_native_wei=1,
        net_native_wei_min=0,
        context=BlockContext(11, 0, 0, EXECUTOR),
        expires_block=12,
        reservation=reservation(),
    )
    steps = ExecutorPlan(Funding.OWN_CAPITAL, EXECUTOR, 1, 0, 12, (UniswapV2Step(TOKEN, OTHER, EXECUTOR, 3000),))
    return Rehearsed(Plan(validated, steps, unsigned), unsigned, 200_000, 1)
