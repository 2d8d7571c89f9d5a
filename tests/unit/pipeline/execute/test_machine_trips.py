"""Pools that tripped, and fills not compared yet: what is refused, until when, and what a new process knows."""

import msgspec
import pytest
from tests.support.intents import ACCOUNT, RULES, block_hash, intent, reservation, transaction
from tests.support.machine import NOW, Machine, folded, receipt

from headrace.model.address import PoolId
from headrace.model.codec import to_json
from headrace.model.intent import IntentStatus
from headrace.model.record import AccountReleased, FillCompared, IntentEnded, PoolsTripped, RunStarted, record_from_json
from headrace.model.refusal import Reason, Refusal
from headrace.model.transaction import Receipt
from headrace.pipeline.execute.commands import Append, Command, Refuse, Send
from headrace.pipeline.execute.fold import fold
from headrace.pipeline.execute.inputs import Compared, Execute, Release, Reserve, Trip
from headrace.pipeline.execute.state import State

A, B, C = (PoolId(f"0xpool{letter}") for letter in "abc")
CAUSE = "0xabc gained 1 unit less"


def wanting(name: str, *pools: PoolId, quoted_block: int = 10) -> Reserve:
    wanted = intent(name, deadline=400, reserved=reservation(pools))
    return Reserve(msgspec.structs.replace(wanted, quoted_block=quoted_block), 1_000, NOW)


def refusal_of(commands: tuple[Command, ...]) -> Refusal:
    (refuse,) = commands
    assert isinstance(refuse, Refuse)
    return refuse.refusal


def is_opened(commands: tuple[Command, ...]) -> bool:
    return [type(command) for command in commands] == [Append]


def landed(machine: Machine, name: str, pool: PoolId) -> Receipt:
    """A fill through a pool and B, in block 11 and final at 13."""
    assert is_opened(machine.give(wanting(name, pool, B)))
    (ask,) = machine.give(Execute(name, transaction(name.encode()), NOW))
    _, send = machine.sign(ask)
    assert isinstance(send, Send)
    found = receipt(send.transaction, 11)
    for number in (11, 13):
        machine.look(number, chain_nonce=1, receipts=(found,))
    assert machine.ended()[-1].status is IntentStatus.LANDED
    return found


def test_a_trip_is_durable_and_nothing_passes_the_pool_until_a_person_releases() -> None:
    machine = Machine()
    assert machine.give(Trip("i", (A, B), CAUSE, NOW)) == (
        Append((PoolsTripped("i", (A, B), CAUSE, NOW),), is_synced=True),
    )
    for pools, tripped in (((A,), A), ((B, C), B), ((C, B), B)):
        refused = refusal_of(machine.give(wanting("w", *pools)))
        assert refused.reason is Reason.POOL_TRIPPED
        assert tripped in refused.detail
        assert CAUSE in refused.detail
    assert is_opened(machine.give(wanting("elsewhere", C)))
    machine.give(Release("Ada", NOW))
    assert is_opened(machine.give(wanting("w", A, B)))


def test_a_new_process_refuses_the_same_and_keeps_the_first_cause() -> None:
    machine = Machine()
    machine.give(Trip("i", (A,), CAUSE, NOW))
    machine.give(Trip("j", (A, B), "another", NOW))
    assert folded(machine).tripped == machine.state.tripped == {A: CAUSE, B: "another"}
    machine.give(Release("Ada", NOW))
    assert folded(machine).tripped == {}


def test_what_was_reserved_before_its_pool_tripped_is_not_signed() -> None:
    machine = Machine()
    assert is_opened(machine.give(wanting("w", A)))
    machine.give(Trip("i", (A,), CAUSE, NOW))
    append, refuse = machine.give(Execute("w", transaction(b"w"), NOW))
    assert isinstance(append, Append)
    assert isinstance(refuse, Refuse)
    assert refuse.refusal.reason is Reason.POOL_TRIPPED
    assert "w" not in machine.state.intents


def test_a_landed_fill_keeps_its_pools_from_later_blocks_until_it_was_compared() -> None:
    machine = Machine()
    landed(machine, "fill", A)
    assert list(machine.state.uncompared) == ["fill"]
    assert is_opened(machine.give(wanting("of its own block", A, quoted_block=13)))
    refused = refusal_of(machine.give(wanting("w", B, C, quoted_block=14)))
    assert refused.reason is Reason.POOL_IN_FLIGHT
    assert "not compared with its quote" in refused.detail
    assert is_opened(machine.give(wanting("elsewhere", C, quoted_block=14)))
    assert machine.give(Compared("fill")) == (Append((FillCompared("fill"),), is_synced=False),)
    assert is_opened(machine.give(wanting("w", B, quoted_block=14)))
    assert folded(machine).uncompared == {}


def test_a_process_that_died_before_the_comparison_leaves_it_to_the_next() -> None:
    machine = Machine()
    landed(machine, "fill", A)
    anew = folded(machine)
    (outcome,) = machine.ended()
    assert anew.uncompared == {"fill": outcome}
    assert fold(anew, (PoolsTripped("fill", (A,), CAUSE, NOW),), RULES.reorg_blocks).uncompared == {}


def test_a_fill_that_a_reorg_takes_back_is_owed_no_comparison_and_lands_anew_to_one() -> None:
    machine = Machine()
    found = landed(machine, "fill", A)
    machine.look(14, branch=1)
    assert machine.state.uncompared == {}
    again = msgspec.structs.replace(found, block_number=15, block_hash=block_hash(15, 1))
    machine.look(15, branch=1, chain_nonce=1, receipts=(again,))
    machine.look(17, branch=1, chain_nonce=1, receipts=(again,))
    assert list(machine.state.uncompared) == ["fill"]


def test_a_fill_is_remembered_until_it_was_compared_however_old_it_is() -> None:
    machine = Machine()
    first = landed(machine, "first", A)
    machine.give(Release("Ada", NOW))  # a release is no comparison
    assert list(machine.state.uncompared) == ["first"]
    far = 13 + RULES.reorg_blocks
    assert is_opened(machine.give(wanting("second", C, quoted_block=far)))
    (ask,) = machine.give(Execute("second", transaction(b"second"), NOW))
    _, send = machine.sign(ask)
    assert isinstance(send, Send)
    for number in (far, far + 2):
        machine.look(number, chain_nonce=2, receipts=(first, receipt(send.transaction, far)))
    assert list(machine.state.uncompared) == ["first", "second"]
    assert machine.state.slot_of("first") is not None


@pytest.mark.parametrize(
    "record", [PoolsTripped("i", (A, B), CAUSE, NOW), FillCompared("i"), AccountReleased("Ada", 1)]
)
def test_the_records_are_read_back_as_written(record: PoolsTripped | FillCompared | AccountReleased) -> None:
    assert record_from_json(to_json(msgspec.to_builtins(record))) == record


def test_a_journal_from_before_there_were_trips_is_read_and_its_last_fills_are_compared() -> None:
    machine = Machine()
    landed(machine, "fill", A)
    old = [one for one in machine.records if not isinstance(one, PoolsTripped | FillCompared)]
    assert any(isinstance(one, IntentEnded) for one in old)
    state = fold(State(), (RunStarted("0.1", "", ACCOUNT, 0), *old), RULES.reorg_blocks)
    assert (state.tripped, list(state.uncompared)) == ({}, ["fill"])
