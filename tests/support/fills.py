"""Some fills of a simulated life are not what was quoted; what an agent does about it, and a checker from outside.

Reverts are owed an explanation in the same way, and cancelled ones a row of the history: by the process that saw them
end, or by a later one.

Whether a fill is off is decided by its name alone, so that every process finds the same. The checker knows the records
and what the manager promised on return, nothing of the state.
"""

import random
from collections import Counter
from collections.abc import Iterable, Sequence

from headrace.model.address import PoolId
from headrace.model.execution import NOT_FOUND
from headrace.model.intent import Intent, IntentStatus, Outcome
from headrace.model.record import (
    AccountReleased,
    IntentEnded,
    IntentOpened,
    PayloadSigned,
    PoolsTripped,
    ReceiptGone,
    Record,
    RevertExplained,
    SlotFinal,
)
from headrace.pipeline.execute.transactions import TransactionManager
from tests.support.transaction_world import ViolationError

OFF_ONE_IN = 5


def is_off(intent_id: str) -> bool:
    return random.Random(f"fill of {intent_id}").randrange(OFF_ONE_IN) == 0


class Fills:
    """`waiting` dies with the process, `tripped` is what a manager said is durable, `rows` is a history on a disk."""

    def __init__(self, counts: Counter[str]) -> None:
        self.counts = counts
        self.waiting: list[str] = []
        self.reverted: list[Outcome] = []
        self.cancelled: list[Outcome] = []
        self.rows: set[str] = set()
        self.tripped: set[PoolId] = set()

    def forget(self) -> None:
        self.waiting, self.reverted, self.cancelled = [], [], []

    def note(self, outcomes: Iterable[Outcome]) -> None:
        outcomes = tuple(outcomes)
        self.reverted += [outcome for outcome in outcomes if outcome.status is IntentStatus.REVERTED]
        self.cancelled += [outcome for outcome in outcomes if outcome.status is IntentStatus.CANCELLED]
        self.waiting += [outcome.intent_id for outcome in outcomes if outcome.status is IntentStatus.LANDED]

    async def compare(self, manager: TransactionManager) -> None:
        """As the agent does with each execution that it records."""
        await self._explain(manager)
        while self.cancelled:
            self.rows.add(self.cancelled[0].intent_id)
            await manager.recorded(self.cancelled[0])
            self.counts["cancelled recorded"] += 1
            self.cancelled.pop(0)
        while self.waiting:
            intent_id = self.waiting[0]
            slot = manager.state.slot_of(intent_id)
            if slot is not None and is_off(intent_id):
                pools = slot.intent.reservation.pools
                await manager.trip(intent_id, pools, f"{intent_id} is off")
                self.tripped.update(pools)
                self.counts["tripped"] += 1
            else:
                await manager.compared(intent_id)
            self.waiting.pop(0)

    async def _explain(self, manager: TransactionManager) -> None:
        """Once each; who has no answer is asked again with a later block."""
        for outcome in tuple(self.reverted):
            found = await manager.with_cause(outcome)
            await manager.explained(found)
            self.counts["explained"] += bool(found.cause)
            is_owed = manager.is_owed(outcome)
            self.counts["not answered yet"] += is_owed
            if not is_owed:
                self.reverted.remove(outcome)

    def check_opened(self, opened: Sequence[Intent], told: Sequence[Record]) -> None:
        owed = _owed(told)
        for one in opened:
            if self.tripped.intersection(one.reservation.pools):
                raise ViolationError(f"{one.id} was opened through a pool that had tripped")
            for intent_id, (fill, block) in owed.items():
                if block < one.quoted_block and set(fill.reservation.pools).intersection(one.reservation.pools):
                    raise ViolationError(f"{one.id} was opened through a pool of {intent_id}, which is off")

    def check_kept(self, told: Sequence[Record]) -> None:
        """After a crash: what was durable on return is on the disk."""
        kept: set[PoolId] = set()
        for record in told:
            if isinstance(record, PoolsTripped):
                kept.update(record.pools)
            elif isinstance(record, AccountReleased):
                kept.clear()
        if not self.tripped <= kept:
            raise ViolationError(f"trips of {sorted(self.tripped - kept)} were lost in a crash")

    def check_compared(self, told: Sequence[Record]) -> None:
        """When all is calm."""
        owed = _owed(told)
        if owed:
            raise ViolationError(f"nobody tripped the pools of {sorted(owed)}")
        unexplained = _unexplained(told)
        if unexplained:
            raise ViolationError(f"nobody explained the reverts of {sorted(unexplained)}")
        cancelled = {name for name, status in _ended(told).items() if status is IntentStatus.CANCELLED}
        if not cancelled <= self.rows:
            raise ViolationError(f"the history has nothing of {sorted(cancelled - self.rows)}")


def _unexplained(told: Sequence[Record]) -> set[str]:
    """Executions that ended as reverted, of which the journal does not say why."""
    intent_of: dict[str, str] = {}
    unexplained: set[str] = set()
    for record in told:
        match record:
            case PayloadSigned(_, intent_id, payload):
                intent_of[payload.tx_hash] = intent_id
            case IntentEnded(outcome) if outcome.status is IntentStatus.REVERTED:
                unexplained.add(outcome.intent_id)
            case ReceiptGone(tx_hash):
                unexplained.discard(intent_of[tx_hash])
            case RevertExplained(intent_id, cause) if not cause.startswith(NOT_FOUND):  # the model forgets no block
                unexplained.discard(intent_id)
            case _:
                pass
    return unexplained


def _ended(told: Sequence[Record]) -> dict[str, IntentStatus]:
    """How each intent ended at last."""
    return {record.outcome.intent_id: record.outcome.status for record in told if isinstance(record, IntentEnded)}


def _owed(told: Sequence[Record]) -> dict[str, tuple[Intent, int]]:
    """Fills that are off and tripped nothing yet, with the block at which each was final."""
    intents: dict[str, Intent] = {}
    intent_of: dict[str, str] = {}
    owed: dict[str, tuple[Intent, int]] = {}
    block = 0
    for record in told:
        match record:
            case IntentOpened(intent):
                intents[intent.id] = intent
            case PayloadSigned(_, intent_id, payload):
                intent_of[payload.tx_hash] = intent_id
            case SlotFinal(_, _, number):
                block = number
            case IntentEnded(outcome) if outcome.status is IntentStatus.LANDED and is_off(outcome.intent_id):
                owed[outcome.intent_id] = (intents[outcome.intent_id], block)
            case ReceiptGone(tx_hash):
                owed.pop(intent_of[tx_hash], None)
            case PoolsTripped(intent_id):
                owed.pop(intent_id, None)
            case _:
                pass
    return owed
