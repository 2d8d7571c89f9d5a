"""Which block comes next: a state machine without I/O, fed with hints and with what was fetched.

Idea. The follower keeps the hashes of the newest blocks it has applied. A hint that names a child of the newest one is
fetched and applied: that is the fast path, one round trip. Every other hint (a gap, another branch, a late or doubled
frame) says only that something may have changed, so the node is asked for its head, and the follower walks from there
through parents until it meets a block it keeps: what lies above that block on our side is rolled back, the walked
blocks are applied in order. Nothing is rolled back before the whole new branch has been fetched and found complete.

Doubt. A walk deeper than the kept blocks, or an answer that stays incomplete, loses the market. A lost connection, or a
node whose head is an older block of ours, makes it stale until the head is ours or beyond again.
"""

from collections import deque
from collections.abc import Sequence

import msgspec

from headrace.errors import IncompleteBlockError
from headrace.model.address import Hash32
from headrace.model.block import BlockHeader, BlockRef
from headrace.model.chain_rules import BloomRule
from headrace.model.event import (
    Announcement,
    BlockApplied,
    Change,
    ConnectionLost,
    Event,
    Log,
    Resumed,
    RolledBack,
    Stale,
)
from headrace.pipeline.feed.completeness import require_complete


class FollowLimits(msgspec.Struct, frozen=True):
    """How far and how patiently a chain is followed.

    Attributes:
        depth_max: blocks that can be rolled back or filled in.
        attempts_max: failures in a row before the market is lost.
        bloom: by which rule a block's logs are found complete.
        pause_seconds: wait after the first of them, twice as long after each further one: nodes behind a balancer name
            a block before all of them have it.
    """

    depth_max: int = 64
    attempts_max: int = 4
    pause_seconds: float = 0.05
    bloom: BloomRule = BloomRule.EXACT


class FetchBlock(msgspec.Struct, frozen=True):
    """Fetch the logs of a block by its hash, and its header unless it is here."""

    hash: Hash32
    header: BlockHeader | None


class FetchHead(msgspec.Struct, frozen=True):
    """Ask for the node's newest header."""


class Block(msgspec.Struct, frozen=True):
    """A header with what the node says are its logs."""

    header: BlockHeader
    logs: Sequence[Log]


Wish = FetchBlock | FetchHead


class Follower:
    """Call `hint`, `fetched_block`, `fetched_head` or `failed`; then take `changes`, and fulfil `wish` if there is one.

    Hints must not be given while there is a wish.
    """

    def __init__(self, start: BlockHeader, limits: FollowLimits) -> None:
        self._limits = limits
        self._kept: deque[BlockRef] = deque([start.ref], maxlen=limits.depth_max + 1)
        self._walked: list[Block] = []
        self._announced_ns = 0
        self._failures = 0
        self._is_doubtful = False
        self._is_head_asked = False
        self._changes: list[Change] = []
        self.wish: Wish | None = None
        self.is_lost = False

    @property
    def failures(self) -> int:
        """Failures in a row so far."""
        return self._failures

    @property
    def tip(self) -> BlockRef:
        """The block that was applied last."""
        return self._kept[-1]

    def changes(self) -> list[Change]:
        """What happened since the last call, in order."""
        changes, self._changes = self._changes, []
        return changes

    def hint(self, event: Event) -> None:
        """Something may have happened."""
        assert self.wish is None, "a hint while something is being fetched"
        if isinstance(event, ConnectionLost):
            self._doubt(event.why)
            return
        self._announced_ns = event.at_ns
        self._is_head_asked = False
        if self._is_doubtful or self._leaves_the_tip(event):
            self._ask_head()
        elif not self._is_kept(event.hash):
            self.wish = FetchBlock(event.hash, event.header)

    def fetched_head(self, header: BlockHeader) -> None:
        """The node's newest block, as wished."""
        self.wish = None
        self._walked = []
        if header.hash == self.tip.hash:
            self._resume()
        elif self._is_kept(header.hash):
            self._doubt(f"the node went back from block {self.tip.number} to {header.number}")
        elif header.number - self.tip.number > self._limits.depth_max:
            self._lose(f"{header.number - self.tip.number} blocks are missing")
        else:
            self.wish = FetchBlock(header.hash, header)

    def fetched_block(self, block: Block) -> None:
        """A block, as wished."""
        assert isinstance(self.wish, FetchBlock)
        try:
            self._require_wished(self.wish.hash, block.header)
            require_complete(block.header, block.logs, self._limits.bloom)
        except IncompleteBlockError as error:
            self.failed(str(error))
            return
        if not self._is_head_asked and block.header.parent_hash != self.tip.hash:
            self._ask_head()
        else:
            self._walk(block)

    def failed(self, why: str) -> None:
        """What was wished cannot be had: begin again at the node's head, a few times."""
        self._failures += 1
        if self._failures >= self._limits.attempts_max:
            self._lose(why)
        else:
            self._doubt(why)
            self._ask_head()

    def _ask_head(self) -> None:
        self._is_head_asked = True
        self.wish = FetchHead()

    def _walk(self, block: Block) -> None:
        self._walked.append(block)
        parent = block.header.parent_hash
        if self._is_kept(parent):
            self._join(parent)
        elif block.header.number <= self._kept[0].number + 1:
            self._lose(f"the chain has changed below block {self._kept[0].number}")
        else:
            self.wish = FetchBlock(parent, None)

    def _leaves_the_tip(self, event: Announcement) -> bool:
        is_child = event.header is None or event.header.parent_hash == self.tip.hash
        return not is_child and not self._is_kept(event.hash)

    def _resume(self) -> None:
        if self._is_doubtful:
            self._changes.append(Resumed(self._announced_ns))
        self._settle()

    def _join(self, parent: Hash32) -> None:
        if self.tip.hash != parent:
            while self.tip.hash != parent:
                self._kept.pop()
            self._changes.append(RolledBack(self.tip))
        for block in reversed(self._walked):
            self._kept.append(block.header.ref)
            is_last = block is self._walked[0]
            self._changes.append(BlockApplied(block.header, block.logs, self._announced_ns, is_last))
        self._settle()

    def _settle(self) -> None:
        self.wish = None
        self._walked = []
        self._failures = 0
        self._is_doubtful = False

    def _doubt(self, why: str) -> None:
        if not self._is_doubtful:
            self._is_doubtful = True
            self._changes.append(Stale(why, is_lost=False))

    def _lose(self, why: str) -> None:
        self.wish = None
        self.is_lost = True
        self._changes.append(Stale(why, is_lost=True))

    def _is_kept(self, block: Hash32) -> bool:
        return any(ref.hash == block for ref in reversed(self._kept))

    def _require_wished(self, wished: Hash32, header: BlockHeader) -> None:
        """The header is the wished one, and its height follows from the block beside it."""
        if header.hash != wished:
            raise IncompleteBlockError(f"the node gave block {header.hash} for {wished}")
        if self._walked and header.number != self._walked[-1].header.number - 1:
            raise IncompleteBlockError(f"block {header.number} is the parent of {self._walked[-1].header.number}")
        for ref in self._kept:
            if ref.hash == header.parent_hash and ref.number != header.number - 1:
                raise IncompleteBlockError(f"block {header.number} is the child of {ref.number}")
