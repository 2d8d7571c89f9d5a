"""What a factory's event says of a new pool."""

import msgspec

from headrace.model.address import Address, PoolId
from headrace.model.block import BlockRef


class Creation(msgspec.Struct, frozen=True, omit_defaults=True):
    """One pool as its factory announced it.

    Attributes:
        pool: the pool's address, or its 32-byte id where a vault holds it.
        tokens: as far as the event tells them, in the event's order; the zero address is the native currency.
        block_number: where it was made.
        ordinal: the factory's own running number, where it has one: consecutive, so that a missing event shows.
        fee_pips: as the event tells it, in millionths.
        tick_spacing: of pools with ticks.
        hooks: of Uniswap v4.
        is_stable: which curve, of Solidly's family.
        flaw: why it is refused; empty for a pool that its factory's own rule gives.
    """

    pool: PoolId
    tokens: tuple[Address, ...]
    block_number: int
    ordinal: int | None = None
    fee_pips: int | None = None
    tick_spacing: int | None = None
    hooks: Address | None = None
    is_stable: bool | None = None
    flaw: str = ""


class Survey(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everything that a factory announced from block `first` to block `last`, both included.

    `malformed` names events that could not be read, by block and place.
    """

    first: int
    last: BlockRef
    creations: tuple[Creation, ...] = ()
    malformed: tuple[str, ...] = ()
