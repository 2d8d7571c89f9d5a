"""A journal as it was written before reverts were explained apart, cut behind each of its commits.

The file is what that code wrote, byte for byte: a trade that reverts and one that is cancelled, by the test key of
`tests.support.intents`. The chain is what had happened by then: whatever was signed, and would win, is in its block.
"""

import asyncio
from collections import Counter
from pathlib import Path
from typing import cast

import pytest
from tests.support.intents import ACCOUNT, RULES
from tests.support.transaction_world import (
    Faults,
    Mined,
    Signed,
    World,
    WorldChain,
    WorldClock,
    WorldHoldings,
    WorldJournal,
    WorldSigner,
    WorldSimulator,
)

from headrace.model.intent import IntentStatus, Outcome
from headrace.model.record import (
    CancellationRecorded,
    IntentEnded,
    IntentOpened,
    PayloadSigned,
    Record,
    RevertExplained,
    SlotFinal,
    record_from_json,
)
from headrace.pipeline.execute.sockets import Sockets
from headrace.pipeline.execute.transactions import TransactionManager
from headrace.ports.chain import Chain

LINES = (Path(__file__).parent / "journals" / "before_reverts_were_explained.jsonl").read_bytes().splitlines()
RECORDS = [record_from_json(line) for line in LINES]
MINED_IN = {1: 11, 3: 16}  # by the order of signing: the first trade, and the cancellation of the second one
QUIET_BLOCKS = 6
# a slot's end is of one commit with its intent's
CUTS = [count for count, record in enumerate(RECORDS, start=1) if not isinstance(record, SlotFinal)]


def world_after(records: list[Record]) -> World:
    world = World(1, Counter())
    world.faults = Faults(reverted=100)
    payloads = [record for record in records if isinstance(record, PayloadSigned)]
    signed = [Signed(p.payload.transaction, p.slot.nonce, p.payload.tx_hash) for p in payloads]
    world.signed = {one.hash: one for one in signed}
    landed = {MINED_IN[at]: one for at, one in enumerate(signed, start=1) if at in MINED_IN}
    while world.head.number < 18:
        world.mine()
        mined = landed.get(world.head.number)
        if mined is not None:
            world.blocks[-1] = Mined(world.head, (mined,))
    world.journal = list(records)
    world.durable_count = len(records)
    return world


async def lived_on(world: World) -> TransactionManager:
    sockets = Sockets(
        cast("Chain", WorldChain(world)),
        WorldSimulator(world),
        WorldSigner(world),
        WorldJournal(world),
        WorldHoldings(),
        WorldClock(world),
    )
    manager = TransactionManager(ACCOUNT, RULES, sockets)
    recovery = await manager.recover(version="1", config_digest="")
    ended: list[Outcome] = [*recovery.unfinished, *recovery.outcomes]
    for _ in range(QUIET_BLOCKS):
        world.mine()
        ended += await manager.on_head(world.head)
    for outcome in ended:
        await manager.explained(await manager.with_cause(outcome))
        await manager.recorded(outcome)
    return manager


@pytest.mark.parametrize("count", CUTS)
def test_whoever_takes_up_an_older_journal_brings_it_to_its_right_end(count: int) -> None:
    records = RECORDS[:count]
    world = world_after(records)
    state = asyncio.run(lived_on(world)).state
    assert (state.intents, state.open_slots, state.owed, state.halt_cause) == ({}, (), {}, "")
    told = world.told
    ends = {one.outcome.intent_id: one.outcome for one in told if isinstance(one, IntentEnded)}
    signed = {one.intent_id for one in records if isinstance(one, PayloadSigned)}
    opened = {one.intent.id for one in records if isinstance(one, IntentOpened)}
    executed = {"a": IntentStatus.REVERTED, "b": IntentStatus.CANCELLED}
    wanted = {name: executed[name] if name in signed else IntentStatus.ABANDONED for name in opened}
    assert {name: outcome.status for name, outcome in ends.items()} == wanted
    causes = [one.cause for one in told if isinstance(one, RevertExplained)]
    if "a" in signed:
        assert [ends["a"].cause or causes[0]] == ["reverted in the model"]
        assert bool(causes) != bool(ends["a"].cause)  # by its end then, apart from it now
    was_cancelled_then = any(one.outcome.intent_id == "b" for one in records if isinstance(one, IntentEnded))
    owes_row = "b" in signed and not was_cancelled_then  # an end of the older code owes none: its row is long there
    assert [one.intent_id for one in told if isinstance(one, CancellationRecorded)] == ["b"] * owes_row


def test_the_file_holds_what_the_older_code_wrote_and_this_one_does_not() -> None:
    assert b'"cause":"reverted in the model"' in next(line for line in LINES if b"receipt_seen" in line)
    assert not any(word in line for line in LINES for word in (b"engines_refused", b"revert_explained", b'"why"'))
