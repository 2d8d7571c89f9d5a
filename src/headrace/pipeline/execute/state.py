"""State of the transaction machine: the fold of the journal, and what only this process knows."""

from collections.abc import Mapping

import msgspec

from headrace.model.account import Account
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.block import BlockRef
from headrace.model.intent import Intent, Outcome, Slot
from headrace.model.limits import Usage, usage_of

DAY_SECONDS = 86_400


class OpenIntent(msgspec.Struct, frozen=True):
    """An intent that holds its reservation, since `at` (Unix seconds)."""

    intent: Intent
    at: int


class State(msgspec.Struct, frozen=True):
    """Everything `step` decides by; no mapping in it is ever changed.

    Attributes:
        account: the one whose journal this is, None before the first record.
        reorg_blocks: the longest that any process of this journal remembered final slots.
        intents: open intents by id.
        slots: by nonce: those that are not final, and those final for less than `Rules.reorg_blocks`.
        nonce_next: the lowest nonce that nothing was signed for.
        halt_cause: why nothing new is executed; empty when the account is free.
        tripped: pools that nothing is traded through, with the cause of each.
        uncompared: how executions landed that were not compared with their quotes yet, by intent.
        unexplained: how executions reverted of which nobody has found out yet why, by intent.
        unrecorded: how executions were cancelled that are not in the history yet, by intent.
        loss_day: day since 1970 (UTC) of `loss_usd_micro`.
        head: newest block seen by this process.
        nonce_floor: the chain's nonce at start, or after somebody else used our key.
        is_settled: whether the journal was compared with the chain; nothing is taken on before.
        nonce_signing: nonce and intent of the signature being asked for.
        accepted: payloads that the node took from this process.
        passed_since: head at which a nonce was first seen used without a receipt of ours, by nonce.
        gap_since: head at which the chain was first seen to wait for a nonce that nobody will send.
    """

    account: Account | None = None
    reorg_blocks: int = 0
    intents: Mapping[str, OpenIntent] = {}
    slots: Mapping[int, Slot] = {}
    nonce_next: int = 0
    halt_cause: str = ""
    tripped: Mapping[PoolId, str] = {}
    uncompared: Mapping[str, Outcome] = {}
    unexplained: Mapping[str, Outcome] = {}
    unrecorded: Mapping[str, Outcome] = {}
    loss_day: int = 0
    loss_usd_micro: int = 0
    head: BlockRef | None = None
    nonce_floor: int = 0
    is_settled: bool = False
    nonce_signing: tuple[str, int] | None = None
    accepted: frozenset[Hash32] = frozenset()
    passed_since: Mapping[int, int] = {}
    gap_since: int | None = None

    @property
    def owner(self) -> Account:
        """The account; the journal has been read."""
        assert self.account is not None, "the journal was not folded yet"
        return self.account

    @property
    def nonce_following(self) -> int:
        """The nonce of the next execution."""
        return max(self.nonce_next, self.nonce_floor)

    @property
    def open_slots(self) -> tuple[Slot, ...]:
        """Slots that are not final, by nonce."""
        return tuple(slot for _, slot in sorted(self.slots.items()) if not slot.is_final)

    def slot_of(self, intent_id: str) -> Slot | None:
        """The slot of an intent, or None while nothing was signed for it (or it was forgotten as final)."""
        return next((slot for slot in self.slots.values() if slot.intent.id == intent_id), None)

    def slot_with(self, tx_hash: Hash32) -> Slot | None:
        """The slot that lists a payload, or None."""
        return next((slot for slot in self.slots.values() if slot.payload(tx_hash)), None)

    @property
    def owed(self) -> Mapping[str, Outcome]:
        """Executions that ended and that somebody has still to look into or to write down, by intent."""
        return {**self.uncompared, **self.unexplained, **self.unrecorded}

    def usage(self, now: int) -> Usage:
        """What the limits are charged with at `now` (Unix seconds)."""
        lost = self.loss_usd_micro if now // DAY_SECONDS <= self.loss_day else 0
        return usage_of((opened.intent.reservation for opened in self.intents.values()), lost)

    def reserved_units(self) -> Mapping[Address, int]:
        """Own capital that open intents have taken, by token."""
        return self.usage(0).capital_units
