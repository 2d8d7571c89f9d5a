"""What the outside world reports: logs, announcements that are hints, and what the feed makes of them.

An announcement says that a block may exist. A change (`BlockApplied`, `RolledBack`) is certain: its logs were fetched
by block hash and found complete.
"""

from collections.abc import Sequence

import msgspec

from headrace.model.address import Address, Hash32
from headrace.model.block import BlockHeader, BlockRef


class Log(msgspec.Struct, frozen=True, gc=False):
    """One EVM log; `data` is 0x hex, `topics` are 0 to 4 words of 0x hex."""

    address: Address
    topics: tuple[Hash32, ...]
    data: str
    block_hash: Hash32
    block_number: int
    tx_hash: Hash32
    log_index: int


class Announcement(msgspec.Struct, frozen=True):
    """A node says that a block exists; `at_ns` is the monotonic clock when its first frame arrived.

    `header` is there when that frame carried all of it, which saves a request.
    """

    number: int
    hash: Hash32
    at_ns: int
    header: BlockHeader | None = None


class ConnectionLost(msgspec.Struct, frozen=True):
    """The subscription broke: blocks may be missing until the head has been read again."""

    why: str


Event = Announcement | ConnectionLost


class Head(msgspec.Struct, frozen=True):
    """The node's newest header, and when the hint that led to it arrived."""

    header: BlockHeader
    announced_ns: int


class BlockApplied(msgspec.Struct, frozen=True):
    """The next block of the chain that is followed, with all its logs.

    `announced_ns` is that of the announcement that led to it, also for a block filled in behind it; `is_last` is false
    while further blocks of the same announcement follow at once.
    """

    header: BlockHeader
    logs: Sequence[Log]
    announced_ns: int
    is_last: bool = True


class RolledBack(msgspec.Struct, frozen=True):
    """All blocks after `to` are no longer on the chain; blocks of the other branch follow at once."""

    to: BlockRef


class Stale(msgspec.Struct, frozen=True):
    """The market may be wrong from now on: nothing is traded on it.

    `is_lost` says that only reading it anew helps; otherwise the next `BlockApplied` or `Resumed` ends the doubt.
    """

    why: str
    is_lost: bool


class Resumed(msgspec.Struct, frozen=True):
    """The doubt is over: the newest block is still the one that was applied last."""

    at_ns: int


Change = BlockApplied | RolledBack | Stale | Resumed
