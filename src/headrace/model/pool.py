"""A pool as the market knows it: what never changes about it, apart from its state."""

from typing import NewType

import msgspec

from headrace.model.address import Address, PoolId

ProtocolId = NewType("ProtocolId", str)  # "uniswap_v2", "uniswap_v3", "balancer_v2"


class Pool(msgspec.Struct, frozen=True):
    """The constants of a pool.

    Attributes:
        id: the pool's key in the market: its address, or its 32-byte id where a vault holds it.
        address: the contract whose logs belong to the pool; the vault's for a pool in a vault.
        protocol: the folder that can decode, quote and encode it.
        venue: the exchange's name in the configuration ("uniswap_v2", "sushiswap"): one protocol, many venues.
        tokens: in the pool's own order.
        fee_pips: swap fee in millionths, as far as it is constant (3000 = 0.3 %); 0 where the state carries it.
    """

    id: PoolId
    address: Address
    protocol: ProtocolId
    venue: str
    tokens: tuple[Address, ...]
    fee_pips: int = 0
