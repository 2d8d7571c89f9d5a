"""From what flowed down the line to the rows of the history."""

from headrace.model.address import ChainId, Hash32
from headrace.model.execution import Execution
from headrace.model.history import ExecutionEntry, OpportunityEntry
from headrace.model.money import usd_micro_up
from headrace.model.opportunity import Validated
from headrace.model.pending import RivalCounts
from headrace.model.snapshot import Snapshot
from headrace.ports.pool import PoolState

_NATIVE_DECIMALS = 18


def opportunity_entry(
    validated: Validated, snapshot: Snapshot[PoolState], rivals: RivalCounts | None = None
) -> OpportunityEntry:
    """The row of an opportunity that was taken on."""
    route = validated.opportunity.route
    return OpportunityEntry(
        id=validated.opportunity.id,
        chain_id=validated.account.chain_id,
        detected_at=snapshot.header.timestamp,
        strategy=validated.opportunity.strategy,
        venues=tuple(snapshot.pool(pool).venue for pool in route.pools),
        asset=route.token_in,
        profit_units=validated.profit_units,
        decimals=snapshot.tokens[route.token_in].decimals,
        block=snapshot.header.number,
        pools=route.pools,
        rivals=rivals,
    )


def execution_entry(
    execution: Execution,
    *,
    hashes: tuple[Hash32, ...],
    chain_id: ChainId,
    decimals: int,
    at: int,
    native_usd_pico: int | None,
) -> ExecutionEntry:
    """The row of an execution that ended; dollars at `native_usd_pico`, rounded up."""
    usd = None if native_usd_pico is None else usd_micro_up(execution.gas_cost_wei, _NATIVE_DECIMALS, native_usd_pico)
    return ExecutionEntry(
        id=execution.intent_id,
        opportunity_id=execution.opportunity_id,
        chain_id=chain_id,
        executed_at=at,
        tx_hash=execution.tx_hash,
        hashes=hashes,
        asset=execution.profit_token,
        profit_units=execution.realised_profit_units,
        decimals=decimals,
        gas_used=execution.gas_used,
        gas_cost_wei=execution.gas_cost_wei,
        gas_cost_usd_micro=usd,
        execution_time_ms=None if execution.latency_ms is None else round(execution.latency_ms),
        status=execution.status.value,
        cause=execution.cause,
        is_clean=execution.is_clean,
    )
