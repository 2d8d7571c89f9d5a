"""The last look before a signature: decode again, run the very transaction on the quoted state, measure its gas.

On the state of the quote the simulation must earn exactly the quote. A wei of difference means that a pool or a token
does not do what its twin says; the opportunity is refused and the difference is named.
"""

from collections.abc import Awaitable, Iterable, Mapping
from fractions import Fraction

import msgspec

from headrace.errors import ChainError
from headrace.model.executor_plan import Funding
from headrace.model.executor_revert import describe_revert
from headrace.model.opportunity import Plan, Rehearsed
from headrace.model.pool import ProtocolId
from headrace.model.refusal import Reason, Refusal
from headrace.model.snapshot import Snapshot
from headrace.model.transaction import SimulationResult
from headrace.model.transfers import net_transfer_units
from headrace.pipeline.rehearse.comparison import difference
from headrace.ports.pool import DEX, PoolState
from headrace.ports.simulator import Simulator

_LENDERS = {
    Funding.BALANCER_V2_FLASH_LOAN: ProtocolId("balancer_v2"),
    Funding.UNISWAP_V3_FLASH: ProtocolId("uniswap_v3"),
    Funding.AAVE_V3_FLASH_LOAN: ProtocolId("aave_v3"),
    Funding.BALANCER_V3_FLASH_LOAN: ProtocolId("balancer_v3"),
    Funding.UNISWAP_V4_FLASH_LOAN: ProtocolId("uniswap_v4"),
    Funding.MORPHO_FLASH_LOAN: ProtocolId("morpho"),
    Funding.ERC3156_FLASH_LOAN: ProtocolId("erc3156"),
}


class RehearsalRules(msgspec.Struct, frozen=True):
    """From simulated gas to the gas limit, rounded up.

    Attributes:
        gas_multiplier: for plans through any protocol.
        gas_multipliers: for plans through a protocol (or lender) that was measured to need more; the largest holds. An
            allowance that is set and spent within the plan is refunded at the end, up to a fifth of the gas, but has
            to be paid for first: simulated gas is net of the refund, the limit is not (EIP-3529).
        gas_price_wei_max: no transaction offers more for its gas.
    """

    gas_multiplier: Fraction
    gas_multipliers: Mapping[ProtocolId, Fraction]
    gas_price_wei_max: int

    def gas_limit(self, gas_used: int, protocols: Iterable[ProtocolId]) -> int:
        """The gas limit of a plan through these protocols."""
        multiplier = max([self.gas_multiplier, *(m for p in protocols if (m := self.gas_multipliers.get(p)))])
        return -(-gas_used * multiplier.numerator // multiplier.denominator)


class Rehearsal:
    """Rehearses plans on one chain."""

    def __init__(self, simulator: Simulator, rules: RehearsalRules, dexes: Mapping[ProtocolId, DEX]) -> None:
        """Keep the simulator, and the protocols, which say once more what each step must be."""
        self._simulator = simulator
        self._rules = rules
        self._dexes = dexes

    def rehearse(self, plan: Plan, snapshot: Snapshot[PoolState]) -> Awaitable[Rehearsed | Refusal]:
        """Compare, simulate and set the gas limit; a refusal says what stopped it.

        The node is at work when this returns, and the comparison is made while it is. What is signed is read back from
        its bytes once more, when it is executed.
        """
        try:
            simulating = self._simulator.simulate(plan.transaction, snapshot.header.hash, plan.validated.context)
        except ChainError as error:
            return _refused(error)
        return self._compare_and_judge(plan, snapshot, simulating)

    async def _compare_and_judge(
        self, plan: Plan, snapshot: Snapshot[PoolState], simulating: Awaitable[SimulationResult]
    ) -> Rehearsed | Refusal:
        mismatch = difference(plan.transaction, plan.validated, snapshot, self._dexes, self._rules.gas_price_wei_max)
        protocols = {snapshot.pool(pool).protocol for pool in plan.validated.opportunity.route.pools}
        if plan.steps.funding in _LENDERS:
            protocols.add(_LENDERS[plan.steps.funding])
        try:
            result = await simulating
        except ChainError as error:
            return Refusal(Reason.NODE_FAILED, str(error))
        return Refusal(Reason.CALLDATA_MISMATCH, mismatch) if mismatch else self._judge(plan, result, protocols)

    def _judge(self, plan: Plan, result: SimulationResult, protocols: set[ProtocolId]) -> Rehearsed | Refusal:
        validated = plan.validated
        if not result.is_success:
            return Refusal(Reason.REHEARSAL_REVERTED, describe_revert(result.revert_data) or result.message)
        profit = validated.profit_units
        if result.has_logs:
            profit = net_transfer_units(result.logs, validated.opportunity.route.token_in, validated.account.executor)
        if profit != validated.profit_units:
            return Refusal(Reason.REHEARSAL_OFF_QUOTE, f"earns {profit}, quoted {validated.profit_units}")
        shortfall = _shortfall_wei(plan, result.gas_used)
        if shortfall > 0:
            return Refusal(Reason.REHEARSAL_BELOW_MINIMUM, f"with {result.gas_used} gas {shortfall} wei are missing")
        gas_limit = self._rules.gas_limit(result.gas_used, protocols)
        return Rehearsed(
            plan=plan,
            transaction=msgspec.structs.replace(plan.transaction, gas_limit=gas_limit),
            gas_used_simulated=result.gas_used,
            profit_simulated_units=profit,
        )


async def _refused(error: ChainError) -> Refusal:
    return Refusal(Reason.NODE_FAILED, str(error))


def _shortfall_wei(plan: Plan, gas_used: int) -> int:
    """By how much the profit misses measured gas and configured least profit, in wei; negative when it does not."""
    validated, transaction = plan.validated, plan.transaction
    gas_price = min(transaction.max_fee_wei, validated.context.base_fee_wei + transaction.priority_fee_wei)
    cost_wei = gas_used * gas_price + validated.context.l1_fee_wei
    return cost_wei + validated.net_native_wei_min - validated.profit_native_wei
