"""The node: reachable, of the right chain, up to date, and telling of new blocks."""

import asyncio
from collections.abc import AsyncIterator

from headrace.app.cli.doctor.finding import Finding, fail, ok, warn
from headrace.app.config.places import ChainConfig
from headrace.errors import ChainError, WrongChainError
from headrace.model.chain_rules import ChainKind
from headrace.model.event import Announcement
from headrace.ports.chain import Chain
from headrace.ports.clock import Clock

_AHEAD_SECONDS_MAX = 15
_AGE_BLOCKS_MAX = 10
_AGE_SECONDS_MIN = 60
_WAIT_BLOCKS = 2
_WAIT_SECONDS_MAX = 30.0


def unreachable(error: ChainError) -> Finding:
    """Why there is no node to look at."""
    if isinstance(error, WrongChainError):
        return fail("chain id", str(error), "point `rpc` at a node of the configured chain, or correct `chain_id`")
    return fail("node", str(error), "start the node, or correct `rpc`; WebSocket must be enabled on it")


async def node_findings(chain: Chain, section: ChainConfig, clock: Clock) -> AsyncIterator[Finding]:
    """Look at a connected node.

    Raises:
        ChainError: it stopped answering.
    """
    yield ok("node", "answers")
    yield ok("chain id", str(chain.chain_id))
    yield rules_finding(section)
    yield await _subscription(chain, section)
    head = await chain.head()
    yield _age(clock.now() - head.timestamp, section, head.number)


def rules_finding(section: ChainConfig) -> Finding:
    """Whose rules the chain follows, and what that leaves open."""
    rules = section.rules
    if rules.kind is ChainKind.OTHER and section.kind is None:
        cure = f"write `kind: {ChainKind.ETHEREUM}` if its blocks are Ethereum's, else the kind they are of"
        return warn("chain rules", f"chain {section.chain_id} is not known here: Ethereum's rules are applied", cure)
    if not rules.is_deadline_kept:
        cure = "run it without --live"
        return warn("chain rules", f"{rules.kind}: contracts see the first layer's block number as theirs", cure)
    unproven = "" if rules.are_receipts_provable else "; hidden logs are found by bloom filters alone"
    return ok("chain rules", f"{rules.kind}{unproven}")


def _age(age: int, section: ChainConfig, number: int) -> Finding:
    if age < -_AHEAD_SECONDS_MAX:
        return fail("clock", f"block {number} is {-age} s in our future", "set this machine's clock (NTP)")
    oldest = max(_AGE_SECONDS_MIN, _AGE_BLOCKS_MAX * section.block_time_ms // 1000)
    if age > oldest:
        cure = "wait until the node has caught up, use another, or set this machine's clock (NTP)"
        return warn("clock", f"the newest block {number} is {age} s old", cure)
    return ok("clock", f"block {number} is {max(age, 0)} s old")


async def _subscription(chain: Chain, section: ChainConfig) -> Finding:
    known = (await chain.head()).number
    seconds = min(_WAIT_BLOCKS * section.block_time_ms / 1000 + 1, _WAIT_SECONDS_MAX)
    try:
        async with asyncio.timeout(seconds):
            async for event in chain.events():
                if isinstance(event, Announcement) and event.number > known:
                    return ok("subscriptions", f"block {event.number} was announced")
    except TimeoutError:
        pass
    cure = "check that the node makes blocks and offers eth_subscribe"
    return warn("subscriptions", f"no new block was announced within {seconds:.0f} s", cure)
