"""Who was ever appointed and what was ever listed, from an Executor's events.

A mapping on chain cannot be listed, so its keys are taken from the events that every change of it emits, since the
block of the deployment; whether they hold now is then asked of the contract, which alone decides.
"""

import asyncio
from collections.abc import Callable

import msgspec

from headrace.adapters.chains.evm.chain import EvmChain
from headrace.adapters.protocols.words import topic
from headrace.errors import MalformedAnswerError
from headrace.model.address import Address
from headrace.model.event import Log
from headrace.pipeline.discovery.walk import Walk
from headrace.ports.log_archive import LogQuery

_OPERATOR_SET = topic("OperatorSet(address,bool)")
_TOKEN_LISTED = topic("TokenListed(address,bool)")
_TOPICS = 2
_ADDRESS_DIGITS = 40
_WORD_CHARACTERS = 66
_PERCENT = 100


class Named(msgspec.Struct, frozen=True):
    """Every address that events have named, in the order in which they first did."""

    operators: tuple[Address, ...]
    tokens: tuple[Address, ...]


async def named_in_events(
    chain: EvmChain, executor: Address, first: int, last: int, tell: Callable[[int], None]
) -> Named:
    """Walk over the blocks; `tell` is given the percentage that is done.

    Raises:
        ChainError: the node failed, or does not give logs.
    """
    operators: dict[Address, None] = {}
    tokens: dict[Address, None] = {}
    query = LogQuery(executor, (_OPERATOR_SET, _TOKEN_LISTED), first, last)
    async for stretch in Walk(chain, asyncio.sleep).stretches(query):
        for log in stretch.logs:
            (operators if log.topics[0] == _OPERATOR_SET else tokens)[_subject(log)] = None
        tell(_PERCENT * (stretch.last + 1 - first) // (last + 1 - first))
    return Named(tuple(operators), tuple(tokens))


def _subject(log: Log) -> Address:
    if len(log.topics) != _TOPICS or len(log.data) != _WORD_CHARACTERS:
        raise MalformedAnswerError("eth_getLogs", f"event {log.log_index} of {log.tx_hash} has another form")
    return Address("0x" + log.topics[1][-_ADDRESS_DIGITS:])
