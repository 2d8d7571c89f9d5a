"""What moved, folded from ERC-20 Transfer logs (EIP-20: `Transfer(address indexed, address indexed, uint256)`)."""

from collections.abc import Iterable

from headrace.model.address import Address, keccak_hex
from headrace.model.event import Log

TRANSFER_TOPIC = keccak_hex(b"Transfer(address,address,uint256)")
_TRANSFER_TOPICS = 3
_DATA_CHARACTERS = 2 + 64


def net_transfer_units(logs: Iterable[Log], token: Address, holder: Address) -> int:
    """Units of `token` that `holder` received less those it gave, by the token's own logs.

    A log of the token that is no well-formed Transfer is no transfer: it counts nothing.
    """
    word = "0x" + holder[2:].rjust(64, "0")
    total = 0
    for log in logs:
        is_transfer = len(log.topics) == _TRANSFER_TOPICS and log.topics[0] == TRANSFER_TOPIC
        if log.address != token or not is_transfer or len(log.data) != _DATA_CHARACTERS:
            continue
        units = int(log.data, 16)
        total += units * (log.topics[2] == word) - units * (log.topics[1] == word)
    return total
