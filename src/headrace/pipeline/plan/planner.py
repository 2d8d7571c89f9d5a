"""The transaction of a validated opportunity: steps, calldata, fees; its nonce comes when it is executed."""

from collections.abc import Mapping

from headrace.model.executor_plan import ExecutorPlan
from headrace.model.fees import FeePolicy
from headrace.model.opportunity import Plan, Validated
from headrace.model.pool import ProtocolId
from headrace.model.snapshot import Snapshot
from headrace.model.transaction import UnsignedTransaction
from headrace.ports.pool import DEX, PoolState

GAS_PER_TRANSACTION_MAX = 2**24  # EIP-7825
_REHEARSAL_GAS_FACTOR = 4  # room for what the table does not know; a node wants the sender to be able to pay for it


class Planner:
    """Plans for one chain's Executor."""

    def __init__(self, dexes: Mapping[ProtocolId, DEX], fees: FeePolicy) -> None:
        """Keep the protocols, which know their steps."""
        self._dexes = dexes
        self._fees = fees

    def plan(self, validated: Validated, snapshot: Snapshot[PoolState]) -> Plan:
        """Build the act; its gas limit is generous until rehearsal has measured it."""
        route = validated.opportunity.route
        steps = ExecutorPlan(
            funding=validated.funding.funding,
            lender=validated.funding.lender,
            amount_in_units=validated.amounts_units[0],
            profit_min_units=validated.profit_min_units,
            deadline_block=validated.expires_block,
            steps=tuple(
                self._dexes[snapshot.pool(hop.pool).protocol].step(
                    snapshot.state(hop.pool), hop.token_in, hop.token_out
                )
                for hop in route.hops
            ),
        )
        max_fee_wei, priority_fee_wei = self._fees.fees_wei(validated.context.base_fee_wei)
        transaction = UnsignedTransaction(
            chain_id=validated.account.chain_id,
            sender=validated.account.operator,
            to=validated.account.executor,
            value_wei=0,
            data=steps.calldata(),
            gas_limit=min(_REHEARSAL_GAS_FACTOR * validated.gas_estimate, GAS_PER_TRANSACTION_MAX),
            max_fee_wei=max_fee_wei,
            priority_fee_wei=priority_fee_wei,
        )
        return Plan(validated=validated, steps=steps, transaction=transaction)
