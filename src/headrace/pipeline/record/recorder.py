"""From an intent that ended to the execution that a trader reads."""

import msgspec

from headrace.model.address import Address
from headrace.model.execution import Execution, Fill
from headrace.model.intent import Intent, IntentStatus, Outcome
from headrace.model.transaction import Receipt
from headrace.model.transfers import net_transfer_units
from headrace.pipeline.record.cleanness import is_clean
from headrace.ports.chain import Chain

_BPS = 10_000
_NS_PER_MS = 1_000_000


class Ended(msgspec.Struct, frozen=True):
    """All that is known of an intent that ended; `accepted_ns` is monotonic, None where no node accepted it."""

    intent: Intent
    outcome: Outcome
    receipt: Receipt | None
    accepted_ns: int | None


async def record_execution(chain: Chain, executor: Address, ended: Ended) -> Execution:
    """Fold an ended intent; for one that is in a block, what it moved and whether it was clean.

    Raises:
        ChainError: the node failed.
    """
    execution = before_the_chain_is_asked(ended)
    receipt = ended.receipt
    if receipt is None or ended.outcome.status is IntentStatus.CANCELLED:
        return execution
    clean = await is_clean(chain, ended.intent, receipt)
    if not receipt.is_success:
        return msgspec.structs.replace(execution, is_clean=clean)
    intent = ended.intent
    fills = tuple(
        Fill(token, units)
        for token in dict.fromkeys(log.address for log in receipt.logs)
        if (units := net_transfer_units(receipt.logs, token, executor))
    )
    realised = sum(fill.delta_units for fill in fills if fill.token == intent.profit_token)
    quoted = intent.quoted_profit_units
    earned_wei = realised * intent.quoted_profit_native_wei // quoted
    return msgspec.structs.replace(
        execution,
        is_clean=clean,
        realised_profit_units=realised,
        net_profit_native_wei=earned_wei - ended.outcome.gas_cost_wei,
        slippage_bps=(2 * (quoted - realised) * _BPS + quoted) // (2 * quoted),
        fills=fills,
    )


def before_the_chain_is_asked(ended: Ended) -> Execution:
    """What the journal and the receipt alone say: not whether it was clean, nor what it moved."""
    intent, outcome = ended.intent, ended.outcome
    latency = None if ended.accepted_ns is None else (ended.accepted_ns - intent.announced_ns) / _NS_PER_MS
    return Execution(
        intent_id=intent.id,
        opportunity_id=intent.opportunity_id,
        strategy=intent.strategy,
        engine=intent.engine,
        route=intent.route_text,
        pools=intent.pools,
        profit_token=intent.profit_token,
        amount_in_units=intent.amount_in_units,
        quoted_profit_units=intent.quoted_profit_units,
        quoted_block=intent.quoted_block,
        status=outcome.status,
        tx_hash=outcome.tx_hash,
        block_number=outcome.block_number,
        net_profit_native_wei=-outcome.gas_cost_wei,
        gas_used=outcome.gas_used,
        gas_cost_wei=outcome.gas_cost_wei,
        latency_ms=latency,
        cause=outcome.cause,
        engines_refused=tuple(one.text for one in intent.engines_refused),
    )
