"""Balancer v3: `PoolRegistered(pool, factory, tokens, fee, pause window, roles, hooks, liquidity)` of the vault.

A pool is a contract of anybody's that the vault has agreed to hold the tokens of; its address follows from nothing in
the event. What it is, is for the protocol's folder to find out (`describe`), which asks the vault for its tokens: a
pool that only a node made up is not known there. There is no running number: completeness rests on the node.

Source: Balancer v3 vault 1.0.0, IVaultEvents.sol, VaultTypes.sol.
"""

from headrace.adapters.factories.event import event_address, parsed
from headrace.adapters.protocols.balancer_v3.logs import POOL_REGISTERED as POOL_REGISTERED  # noqa: PLC0414 - it is this factory's event
from headrace.adapters.protocols.words import words_of_hex
from headrace.errors import MalformedLogError
from headrace.model.address import Address, PoolId
from headrace.model.creation import Creation
from headrace.model.event import Log
from headrace.model.pool import ProtocolId
from headrace.ports.chain import Call

_TOPICS = 3
_HEAD_WORDS = 21  # an offset, the fee, the window's end, 3 roles, 11 of hooks, 4 of liquidity
_TOKEN_WORDS = 4
_TOKENS_MIN, _TOKENS_MAX = 2, 8


class BalancerV3Vault:
    """Implements `headrace.ports.factory.Factory`."""

    protocol_id = ProtocolId("balancer_v3")
    topics = (POOL_REGISTERED,)
    proof = "vault"
    count_question = None

    def __init__(self, address: Address) -> None:
        """Take the vault."""
        self.address = address

    def read(self, log: Log) -> Creation:
        """The pool and its tokens.

        Raises:
            MalformedLogError: the log has not the event's form.
        """
        if len(log.topics) != _TOPICS:
            raise MalformedLogError(log.address, "topics", f"{len(log.topics)} instead of {_TOPICS}")
        pool = PoolId(event_address(log, "pool", int(log.topics[1], 16)))
        return Creation(pool, _tokens(log), log.block_number)

    def question(self, creation: Creation) -> Call | None:
        """Nobody: the vault is asked for the pool's tokens when it is described."""
        del creation
        return None


def _tokens(log: Log) -> tuple[Address, ...]:
    words = parsed(log, "data", lambda: words_of_hex(log.data))
    count = words[_HEAD_WORDS] if len(words) > _HEAD_WORDS else 0
    is_whole = len(words) == _HEAD_WORDS + 1 + count * _TOKEN_WORDS and words[0] == _HEAD_WORDS * 32
    if not is_whole or not _TOKENS_MIN <= count <= _TOKENS_MAX:
        raise MalformedLogError(log.address, "data", f"{len(words)} words are no registration of {count} tokens")
    return tuple(event_address(log, "token", word) for word in words[_HEAD_WORDS + 1 :: _TOKEN_WORDS])
