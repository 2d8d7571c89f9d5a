"""Logs asked for before anybody wants them: who gets them, and what becomes of answers that nobody takes."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Coroutine, Sequence

import pytest
from tests.support.intents import block_hash

from headrace.adapters.chains.evm.ahead import LogsAhead
from headrace.errors import NodeUnreachableError
from headrace.model.address import Hash32
from headrace.model.event import Log

ONE, OTHER = block_hash(1), block_hash(2)
GONE = NodeUnreachableError("the connection was lost")


class Node:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.asked: dict[Hash32, asyncio.Future[Sequence[Log]]] = {}

    def ask(self, block: Hash32) -> Awaitable[Sequence[Log]]:
        assert block not in self.asked, "asked twice"
        self.asked[block] = asyncio.get_running_loop().create_future()
        return self.asked[block]


def played(life: Callable[[Node, LogsAhead], Coroutine[None, None, None]]) -> None:
    complaints: list[object] = []

    async def whole() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
        node = Node()
        await life(node, LogsAhead(node.ask))
        gc.collect()

    asyncio.run(whole())
    assert not complaints


def test_the_question_is_sent_at_once_and_its_answer_goes_to_the_first_who_takes_it() -> None:
    async def life(node: Node, ahead: LogsAhead) -> None:
        ahead.begin(ONE)
        ahead.begin(ONE)
        assert list(node.asked) == [ONE]
        taken = ahead.take(ONE)
        assert taken is not None
        assert ahead.take(ONE) is None
        assert ahead.take(OTHER) is None
        node.asked[ONE].set_result(())
        assert await taken == ()

    played(life)


def test_a_newer_block_takes_the_place_of_one_that_nobody_took() -> None:
    async def life(node: Node, ahead: LogsAhead) -> None:
        ahead.begin(ONE)
        ahead.begin(OTHER)
        await asyncio.sleep(0)  # a cancellation is asked for in the next turn
        await asyncio.sleep(0)  # and carried out in the one after
        assert node.asked[ONE].cancelled()
        assert ahead.take(ONE) is None
        assert ahead.take(OTHER) is not None

    played(life)


def test_one_who_has_taken_the_answer_keeps_it_when_a_newer_block_is_named() -> None:
    async def life(node: Node, ahead: LogsAhead) -> None:
        ahead.begin(ONE)
        taken = ahead.take(ONE)
        assert taken is not None
        ahead.begin(OTHER)
        ahead.close()
        node.asked[ONE].set_result(())
        assert await taken == ()

    played(life)


def test_a_failure_reaches_whoever_took_the_answer() -> None:
    async def life(node: Node, ahead: LogsAhead) -> None:
        ahead.begin(ONE)
        taken = ahead.take(ONE)
        assert taken is not None
        node.asked[ONE].set_exception(GONE)
        with pytest.raises(NodeUnreachableError):
            await taken

    played(life)


def test_a_question_that_failed_before_anybody_wanted_its_answer_is_asked_again() -> None:
    async def life(node: Node, ahead: LogsAhead) -> None:
        ahead.begin(ONE)
        node.asked[ONE].set_exception(GONE)  # over a connection that nobody has any more
        await asyncio.sleep(0)  # the failure is noted in the next turn
        assert ahead.take(ONE) is None

    played(life)


def test_a_failure_that_nobody_waits_for_is_no_complaint() -> None:
    async def life(node: Node, ahead: LogsAhead) -> None:
        ahead.begin(ONE)
        node.asked[ONE].set_exception(GONE)
        await asyncio.sleep(0)  # its callbacks run in the next turn
        ahead.begin(OTHER)

    played(life)


def test_a_question_that_could_not_be_sent_was_not_asked() -> None:
    def refuse(_block: Hash32) -> Awaitable[Sequence[Log]]:
        raise GONE

    ahead = LogsAhead(refuse)
    ahead.begin(ONE)
    assert ahead.take(ONE) is None
