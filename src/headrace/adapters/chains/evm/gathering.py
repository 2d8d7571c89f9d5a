"""Reads that many tasks make at the same time, gathered into few questions.

A protocol describes one pool with a handful of reads. For a market of thousands, each of them a round trip, that is
slow however many run at once; so whatever is asked in the same turn of the event loop goes out together, through
Multicall3 where there is one. It adds one turn of the loop to each read: for opening a market, not for the hot path.
Whoever asks first asks for all: if that task is cancelled, so are the others that wait for the same question.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence

from headrace.adapters.chains.evm.multicall import Multicall
from headrace.model.address import Address, ChainId, Hash32
from headrace.model.block import BlockHeader
from headrace.model.event import Event, Log
from headrace.model.transaction import Receipt, SignedTransaction
from headrace.ports.chain import Call, Chain

_Answers = tuple[bytes | None, ...]


class _Question:
    """What is gathered for one state, and its answers to come."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.answers: asyncio.Future[_Answers] = asyncio.get_running_loop().create_future()


class GatheringChain:
    """`headrace.ports.chain.Chain` over another, whose `call_many` gathers; everything else is the other's."""

    def __init__(self, chain: Chain, multicall: Address | None) -> None:
        """Ask `chain`, through the contract `multicall` where there is one."""
        self._chain = chain
        self._reader = Multicall(chain, multicall)
        self._open: dict[Hash32, _Question] = {}

    async def call_many(self, calls: Sequence[Call], block: Hash32) -> _Answers:
        """Many reads of one state, None for each that reverts; whoever asks first asks for all.

        Raises:
            ConfigError: the contract is no Multicall3.
            ChainError: the node failed, for all that were gathered.
        """
        question = self._open.get(block)
        if question is not None:
            first = len(question.calls)
            question.calls += calls
            answers = await asyncio.shield(question.answers)
            return answers[first : first + len(calls)]
        question = self._open[block] = _Question()
        question.calls += calls
        return (await self._asked(question, block))[: len(calls)]

    async def _asked(self, question: _Question, block: Hash32) -> _Answers:
        try:
            try:
                await asyncio.sleep(0)
            finally:
                del self._open[block]
            answers = await self._reader.call_many(question.calls, block)
        except asyncio.CancelledError:
            question.answers.cancel()
            raise
        except BaseException as error:
            question.answers.set_exception(error)
            question.answers.exception()  # nobody else may have asked
            raise
        question.answers.set_result(answers)
        return answers

    @property
    def chain_id(self) -> ChainId:
        """The other's."""
        return self._chain.chain_id

    async def head(self) -> BlockHeader:
        """The other's."""
        return await self._chain.head()

    async def header_by_hash(self, block: Hash32) -> BlockHeader | None:
        """The other's."""
        return await self._chain.header_by_hash(block)

    async def header_by_number(self, number: int) -> BlockHeader | None:
        """The other's."""
        return await self._chain.header_by_number(number)

    async def logs(self, block: Hash32) -> Sequence[Log]:
        """The other's."""
        return await self._chain.logs(block)

    async def call(self, call: Call, block: Hash32) -> bytes:
        """The other's."""
        return await self._chain.call(call, block)

    async def code(self, address: Address) -> bytes:
        """The other's."""
        return await self._chain.code(address)

    async def balance_wei(self, address: Address) -> int:
        """The other's."""
        return await self._chain.balance_wei(address)

    async def nonce(self, address: Address) -> int:
        """The other's."""
        return await self._chain.nonce(address)

    async def send(self, transaction: SignedTransaction) -> None:
        """The other's."""
        await self._chain.send(transaction)

    async def receipt(self, transaction: Hash32) -> Receipt | None:
        """The other's."""
        return await self._chain.receipt(transaction)

    def events(self) -> AsyncIterator[Event]:
        """The other's."""
        return self._chain.events()
