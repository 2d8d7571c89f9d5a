"""A contract that makes pools, or lists them, and what proves that they are its own."""

from typing import Protocol

from headrace.model.address import Address, Hash32
from headrace.model.creation import Creation
from headrace.model.event import Log
from headrace.model.pool import ProtocolId
from headrace.ports.chain import Call


class Factory(Protocol):
    """One deployment's factory, vault or manager."""

    @property
    def protocol_id(self) -> ProtocolId:
        """The folder that can decode its pools."""
        ...

    @property
    def address(self) -> Address:
        """The contract whose logs are read."""
        ...

    @property
    def topics(self) -> tuple[Hash32, ...]:
        """First topics of its events, in ascending order."""
        ...

    @property
    def proof(self) -> str:
        """How a pool is checked; kept with what was found, so that a change of the rule is noticed."""
        ...

    def read(self, log: Log) -> Creation:
        """What a log with one of `topics` says, with a flaw where its pool is not the one that the rule gives.

        Raises:
            MalformedLogError: the log has not the event's form.
        """
        ...

    def question(self, creation: Creation) -> Call | None:
        """What to ask the contract where no rule is known: it must answer `creation.pool`. None where one is."""
        ...

    @property
    def count_question(self) -> Call | None:
        """What the contract answers with the newest pool's ordinal; None where it has no such function."""
        ...


class PoolList(Protocol):
    """A contract whose events name no pool, but which keeps a list of them; what it answers is the proof."""

    @property
    def protocol_id(self) -> ProtocolId:
        """The folder that can decode its pools."""
        ...

    @property
    def address(self) -> Address:
        """The contract that is asked."""
        ...

    @property
    def topics(self) -> tuple[Hash32, ...]:
        """None: no events are read."""
        ...

    @property
    def proof(self) -> str:
        """How a pool is checked; kept with what was found."""
        ...

    @property
    def count_question(self) -> Call:
        """What it answers with the number of pools."""
        ...

    def pool_question(self, index: int) -> Call:
        """What it answers with the pool at an index from 0 on."""
        ...
