"""Whether anything came between a quote and its transaction, decided from the chain's logs alone."""

from collections.abc import Iterable

from headrace.model.event import Log
from headrace.model.intent import Intent
from headrace.model.transaction import Receipt
from headrace.ports.chain import Chain

_ADDRESS_CHARACTERS = 42  # Balancer v2, PoolRegistry: the first 20 bytes of a pool id are the pool's address


async def is_clean(chain: Chain, intent: Intent, receipt: Receipt) -> bool:
    """Whether no log of a pool on the route lies between the quoted block's end and the receipt's transaction.

    Every log of a pool counts, whatever it says and whoever caused it, our own other transactions included: those of
    its contract, and for a pool in a vault those that name its id. A quote on a block that is no longer on the chain
    was made on another history, and so was one whose blocks in between the node has forgotten: neither is clean. Nor is
    one of a pool that moves without logs, in any block but the one it was made for.

    Raises:
        ChainError: the node failed.
    """
    quoted = await chain.header_by_number(intent.quoted_block)
    if quoted is None or quoted.hash != intent.quoted_block_hash:
        return False
    if intent.is_for_one_block and receipt.block_number != intent.quoted_block + 1:
        return False
    for number in range(intent.quoted_block + 1, receipt.block_number):
        header = await chain.header_by_number(number)
        if header is None or touching(await chain.logs(header.hash), intent.pools):
            return False
    logs = touching(await chain.logs(receipt.block_hash), intent.pools)
    others = dict.fromkeys(log.tx_hash for log in logs if log.tx_hash != receipt.tx_hash)
    for other in others:
        found = await chain.receipt(other)
        if found is None or found.tx_index < receipt.tx_index:
            return False
    return True


def touching(logs: Iterable[Log], pools: tuple[str, ...]) -> list[Log]:
    """The logs that belong to one of the pools."""
    addresses = {pool[:_ADDRESS_CHARACTERS] for pool in pools}  # a pool id begins with its contract's address
    ids = set(pools)
    return [log for log in logs if log.address in addresses or (len(log.topics) > 1 and log.topics[1] in ids)]
