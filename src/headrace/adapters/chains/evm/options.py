"""How to talk to a node."""

import msgspec

from headrace.model.address import Address, ChainId


class EvmOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a configuration says about one node.

    Attributes:
        url: `ws://`, `wss://`, or the absolute path of the node's socket file.
        chain_id: what the node must answer to `eth_chainId`, on every connection.
        deadline_seconds: after which a call fails with `NodeTimeoutError`.
        poll_seconds: silence after which the head is asked for, since announcements get lost.
        hint_addresses: contracts whose logs are subscribed to as a further hint that a block exists. Every frame costs
            about 0.03 ms of the hot path, so leave it empty unless the node is known to push logs well before heads.
        batch_size: calls in one JSON-RPC batch; 1 for nodes that refuse batches.
        batches_at_once: batches under way at a time.
        frame_bytes_max: a longer frame ends the connection.
        backoff_seconds_min: wait before the second attempt to reconnect; each further one waits twice as long.
        backoff_seconds_max: longest wait between two attempts.
    """

    url: str
    chain_id: ChainId
    deadline_seconds: float = 5.0
    poll_seconds: float = 15.0
    hint_addresses: tuple[Address, ...] = ()
    batch_size: int = 100
    batches_at_once: int = 4
    frame_bytes_max: int = 64 * 1024 * 1024
    backoff_seconds_min: float = 0.1
    backoff_seconds_max: float = 10.0
