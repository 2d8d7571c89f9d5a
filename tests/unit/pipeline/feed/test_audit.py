"""What the audit says of blocks whose logs were changed; tests/conformance/chain shows that its roots are right."""

import asyncio
from collections.abc import Callable

import msgspec
import pytest
from tests.support.memory_chain import MemoryBlock, MemoryChain, pool_address

from headrace.errors import HeadraceError, MalformedAnswerError, NodeTimeoutError, RpcError, WrongChainError
from headrace.model.address import Hash32
from headrace.model.event import Log
from headrace.model.receipts import ReceiptOutline
from headrace.pipeline.feed.audit import AuditLimits, ReceiptAudit
from headrace.pipeline.feed.completeness import require_complete

LIMITS = AuditLimits(attempts_max=2, pause_seconds=0.0, blocks_max=4)
FAILURES = (NodeTimeoutError("slow"), RpcError("m", -32000, "no"), MalformedAnswerError("m", "null"))


class Receipts(MemoryChain):
    """Fails the first `failures` times."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.failures: list[HeadraceError] = []
        self.on_ask: Callable[[], None] = lambda: None

    async def receipt_outlines(self, block: Hash32) -> tuple[ReceiptOutline, ...]:
        self.asked += 1
        self.on_ask()
        if self.failures:
            raise self.failures.pop()
        return await super().receipt_outlines(block)

    def grow(self, *pools: int) -> MemoryBlock:
        self.tip = self.add(self.tip, [(pool_address(i), i + 1) for i in pools])
        return self.tip


@pytest.fixture
def chain() -> Receipts:
    return Receipts()


@pytest.fixture
def audit(chain: Receipts) -> ReceiptAudit:
    return ReceiptAudit(chain, LIMITS)


def work(audit: ReceiptAudit) -> None:
    asyncio.run(audit.audit_waiting())


def test_complete_blocks_are_found_complete(chain: Receipts, audit: ReceiptAudit) -> None:
    for pools in ((), (1,), (1, 2, 1, 1), range(9)):
        block = chain.grow(*pools)
        audit.add(block.header, block.logs)
    work(audit)
    assert (audit.audited, audit.given_up, audit.fault) == (4, 0, "")


def hidden_tail(block: MemoryBlock) -> tuple[Log, ...]:
    return block.logs[:-1]


def relabelled(block: MemoryBlock) -> tuple[Log, ...]:
    return (msgspec.structs.replace(block.logs[0], data=block.logs[1].data), *block.logs[1:])


@pytest.mark.parametrize("spoil", [hidden_tail, relabelled])
def test_what_the_bloom_cannot_see_the_receipts_root_does(
    chain: Receipts, audit: ReceiptAudit, spoil: Callable[[MemoryBlock], tuple[Log, ...]]
) -> None:
    """The blind spot that `completeness` documents: addresses and topics that all occur elsewhere in the block."""
    block = chain.grow(1, 2, 1, 2)
    logs = spoil(block)
    require_complete(block.header, logs)
    audit.add(block.header, logs)
    work(audit)
    assert f"block {block.header.number}" in audit.fault
    assert "receipts root" in audit.fault
    assert chain.asked == LIMITS.attempts_max


@pytest.mark.parametrize("failure", FAILURES)
def test_a_node_that_fails_once_is_asked_again(chain: Receipts, audit: ReceiptAudit, failure: HeadraceError) -> None:
    block = chain.grow(1)
    chain.failures = [failure]
    audit.add(block.header, block.logs)
    work(audit)
    assert (audit.audited, audit.fault, chain.asked) == (1, "", 2)


@pytest.mark.parametrize("failure", FAILURES)
def test_a_node_that_gives_no_receipts_makes_nothing_stale(
    chain: Receipts, audit: ReceiptAudit, failure: HeadraceError
) -> None:
    block = chain.grow(1)
    chain.failures = [failure] * LIMITS.attempts_max
    audit.add(block.header, block.logs)
    work(audit)
    assert (audit.audited, audit.given_up, audit.fault) == (0, 1, "")


def test_a_header_without_a_receipts_root_cannot_be_audited(chain: Receipts, audit: ReceiptAudit) -> None:
    block = chain.grow(1)
    audit.add(msgspec.structs.replace(block.header, receipts_root=None), block.logs)
    work(audit)
    assert (audit.given_up, audit.fault, chain.asked) == (1, "", 0)


def test_no_more_blocks_wait_than_are_allowed(chain: Receipts, audit: ReceiptAudit) -> None:
    for _ in range(LIMITS.blocks_max + 3):
        block = chain.grow(1)
        audit.add(block.header, block.logs)
    work(audit)
    assert (audit.audited, audit.given_up) == (LIMITS.blocks_max, 3)


def test_a_market_read_anew_is_not_doubted_for_what_was_applied_before(chain: Receipts, audit: ReceiptAudit) -> None:
    block = chain.grow(1, 1)
    audit.add(block.header, block.logs[:1])
    work(audit)
    assert audit.fault
    audit.restart()
    assert not audit.fault
    audit.add(block.header, block.logs[:1])
    audit.restart()
    work(audit)
    assert not audit.fault
    audit.add(block.header, block.logs[:1])
    chain.on_ask = audit.restart  # while the receipts are under way
    work(audit)
    assert not audit.fault


def test_it_works_in_the_background_and_ends_with_its_context(chain: Receipts, audit: ReceiptAudit) -> None:
    async def scenario() -> None:
        async with audit, asyncio.timeout(5):
            for _ in range(2):
                asked = asyncio.Event()
                chain.on_ask = asked.set
                block = chain.grow(1)
                audit.add(block.header, block.logs)
                await asked.wait()

    asyncio.run(scenario())
    assert audit.audited == 2


def test_a_bug_in_it_is_not_swallowed(chain: Receipts, audit: ReceiptAudit) -> None:
    async def scenario() -> None:
        asked = asyncio.Event()

        def bug() -> None:
            asked.set()
            raise AssertionError("a bug")

        async with audit, asyncio.timeout(5):
            chain.on_ask = bug
            block = chain.grow(1)
            audit.add(block.header, block.logs)
            await asked.wait()

    with pytest.raises(AssertionError, match="a bug"):
        asyncio.run(scenario())


def test_a_block_of_many_receipts_is_audited_in_slices(chain: Receipts, audit: ReceiptAudit) -> None:
    """Something else that waits has its turn before the audit is done."""
    turns: list[int] = []

    async def other() -> None:
        while not audit.audited:
            turns.append(1)
            await asyncio.sleep(0)  # one turn of the loop: what is counted

    async def scenario() -> None:
        waiting = asyncio.create_task(other())
        await audit.audit_waiting()
        await waiting

    block = chain.grow(*range(100))
    assert len(block.outlines) == 34
    audit.add(block.header, block.logs)
    asyncio.run(scenario())
    assert (audit.audited, len(turns)) == (1, 2)
    foreign = (msgspec.structs.replace(block.logs[0], tx_hash=Hash32("0x" + "11" * 32)), *block.logs[1:])
    audit.add(block.header, foreign)
    work(audit)
    assert audit.fault


class Elsewhere:
    """A node that turns out to be another chain's."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def receipt_outlines(self, block: Hash32) -> tuple[ReceiptOutline, ...]:
        self.asked.set()
        raise WrongChainError(1, len(block))


async def ended(audit: ReceiptAudit, node: Elsewhere) -> None:
    """Run it on one block, until it has ended."""
    chain = MemoryChain()
    async with audit, asyncio.timeout(5):
        block = chain.add(chain.tip, [])
        audit.add(block.header, block.logs)
        await node.asked.wait()


def test_an_audit_that_has_ended_trusts_nothing_any_more_however_often_the_market_is_read() -> None:
    node = Elsewhere()
    audit = ReceiptAudit(node)
    with pytest.raises(WrongChainError):
        asyncio.run(ended(audit, node))
    assert "the audit of receipts ended" in audit.fault
    audit.restart()
    assert audit.fault
