"""Blocks: what a header says, and the context in which a quote or a simulation stands."""

import msgspec

from headrace.model.address import Address, Hash32


class BlockRef(msgspec.Struct, frozen=True):
    """One block, by number and hash."""

    number: int
    hash: Hash32


class BlockHeader(msgspec.Struct, frozen=True):
    """The fields of a header that the line stands on; `logs_bloom` is 256 bytes, times are Unix seconds.

    `receipts_root` is None where the frame that told of the block did not name it.
    """

    number: int
    hash: Hash32
    parent_hash: Hash32
    timestamp: int
    base_fee_wei: int
    gas_used: int
    gas_limit: int
    coinbase: Address
    logs_bloom: bytes
    receipts_root: Hash32 | None = None

    @property
    def ref(self) -> BlockRef:
        """Number and hash alone."""
        return BlockRef(self.number, self.hash)


class BlockContext(msgspec.Struct, frozen=True):
    """The block in which something is meant to execute: an argument of every quote and simulation."""

    number: int
    timestamp: int
    base_fee_wei: int
    coinbase: Address
    l1_fee_wei: int = 0


ELASTICITY = 2  # EIP-1559: the gas limit is twice the target
BASE_FEE_DENOMINATOR = 8  # EIP-1559: a full block raises the base fee by an eighth


def next_block(header: BlockHeader, seconds: int) -> BlockContext:
    """The block expected on top of `header`, `seconds` later; base fee by EIP-1559's integer rule."""
    return BlockContext(
        number=header.number + 1,
        timestamp=header.timestamp + seconds,
        base_fee_wei=next_base_fee_wei(header),
        coinbase=header.coinbase,
    )


def next_base_fee_wei(header: BlockHeader) -> int:
    """Base fee of the child block, rounding as EIP-1559 (down; a rise is at least 1 wei)."""
    target = header.gas_limit // ELASTICITY
    delta = header.gas_used - target
    if delta == 0 or target == 0:
        return header.base_fee_wei
    change = header.base_fee_wei * abs(delta) // target // BASE_FEE_DENOMINATOR
    return header.base_fee_wei + max(change, 1) if delta > 0 else header.base_fee_wei - change


def base_fee_wei_max(base_fee_wei: int, blocks: int) -> int:
    """Highest base fee that `blocks` full blocks can lead to from a block of `base_fee_wei`, rounded up."""
    for _ in range(blocks):
        base_fee_wei += -(-base_fee_wei // BASE_FEE_DENOMINATOR)
    return base_fee_wei
