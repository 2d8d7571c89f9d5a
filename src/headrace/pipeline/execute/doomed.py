"""Executions that others have made worthless while they wait: in no block yet, and failing if they were in the next.

A full block leaves a transaction pending, and the market moves on without it. So on every new head what waits is
rehearsed again, the very payload with its own gas limit. Only a revert counts: a node that cannot answer says nothing.
"""

import asyncio
from collections.abc import Collection, Sequence

from headrace.errors import ChainError
from headrace.model.address import Hash32
from headrace.model.block import BlockHeader, next_block
from headrace.model.executor_revert import describe_revert
from headrace.model.intent import Payload, Purpose
from headrace.pipeline.execute.rules import Rules
from headrace.pipeline.execute.state import State
from headrace.ports.simulator import Simulator


def waiting_executions(
    state: State, header: BlockHeader, chain_nonce: int, without_receipt: Collection[Hash32]
) -> list[Payload]:
    """Executions in no block, quoted on another than `header`, with unused nonces and without a cancellation.

    One that was quoted on a later block is left alone: then it is the node that is behind.
    """
    last = (
        slot.payloads[-1]
        for slot in state.open_slots
        if slot.key.nonce >= chain_nonce
        and slot.intent.quoted_block <= header.number
        and slot.intent.quoted_block_hash != header.hash
    )
    return [one for one in last if one.purpose is Purpose.EXECUTE and one.tx_hash in without_receipt]


async def doomed_among(
    waiting: Sequence[Payload], simulator: Simulator, header: BlockHeader, rules: Rules
) -> dict[Hash32, str]:
    """Those that would revert in the block after `header`, and what the revert says."""
    answers = await asyncio.gather(*(_failure(payload, simulator, header, rules) for payload in waiting))
    return {payload.tx_hash: why for payload, why in zip(waiting, answers, strict=True) if why}


async def _failure(payload: Payload, simulator: Simulator, header: BlockHeader, rules: Rules) -> str:
    at = next_block(header, rules.block_seconds, rules.base_fee)
    try:
        result = await simulator.simulate(payload.transaction, header.hash, at)
    except ChainError:
        return ""
    if result.is_success:
        return ""
    return describe_revert(result.revert_data) or result.message or "reverted without a reason"
