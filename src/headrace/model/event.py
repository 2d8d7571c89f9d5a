"""What the outside world reports: logs, and announcements that are hints until the logs were fetched by block hash."""

import msgspec

from headrace.model.address import Address, Hash32


class Log(msgspec.Struct, frozen=True):
    """One EVM log; `data` is 0x hex, `topics` are 0 to 4 words of 0x hex."""

    address: Address
    topics: tuple[Hash32, ...]
    data: str
    block_hash: Hash32
    block_number: int
    tx_hash: Hash32
    log_index: int


class Announcement(msgspec.Struct, frozen=True):
    """A node says that a block exists; `at_ns` is the monotonic clock when its first frame arrived."""

    number: int
    hash: Hash32
    at_ns: int


class ConnectionLost(msgspec.Struct, frozen=True):
    """The subscription broke: blocks may be missing until the head has been read again."""

    why: str


Event = Announcement | ConnectionLost
