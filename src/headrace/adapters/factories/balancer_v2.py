"""Balancer v2: `PoolRegistered(id, pool, specialization)` of the vault.

An id is the pool contract's address, two bytes of specialization, and ten bytes of a number that the vault counts up:
the event proves itself, and a missing one shows. Anybody may register a contract of his own as a pool: what it is, is
for the protocol's folder to find out (`describe`), where tokens are read too.

Source: Balancer v2 vault (deployment 20210418-vault), PoolRegistry.sol.
"""

from headrace.adapters.factories.event import event_address, event_number, event_words
from headrace.adapters.protocols.words import id_of, topic
from headrace.model.address import Address
from headrace.model.creation import Creation
from headrace.model.event import Log
from headrace.model.pool import ProtocolId
from headrace.ports.chain import Call

POOL_REGISTERED = topic("PoolRegistered(bytes32,address,uint8)")
_SPECIALIZATION_END = 3  # general, minimal swap info, two tokens
_NUMBER_BITS = 80
_ADDRESS_SHIFT = 96


class BalancerV2Vault:
    """Implements `headrace.ports.factory.Factory`."""

    protocol_id = ProtocolId("balancer_v2")
    topics = (POOL_REGISTERED,)
    proof = "id"
    count_question = None

    def __init__(self, address: Address) -> None:
        """Take the vault."""
        self.address = address

    def read(self, log: Log) -> Creation:
        """The pool.

        Raises:
            MalformedLogError: the log has not the event's form.
        """
        pool, contract, word = event_words(log, 3, 1)
        address = event_address(log, "poolAddress", contract)
        specialization = event_number(log, "specialization", word, _SPECIALIZATION_END)
        parts = int(address, 16) << _ADDRESS_SHIFT | specialization << _NUMBER_BITS
        ordinal = pool % (1 << _NUMBER_BITS)
        flaw = (
            "" if pool == parts | ordinal else f"its id is not that of {address} with specialization {specialization}"
        )
        return Creation(id_of(pool), (), log.block_number, ordinal, flaw=flaw)

    def question(self, creation: Creation) -> Call | None:
        """Nobody has to be asked."""
        del creation
        return None
