"""Blocks: what a header says, and the context in which a quote or a simulation stands."""

import msgspec

from headrace.model.address import Address, Hash32
from headrace.model.base_fee import ETHEREUM_BASE_FEE, BaseFeeRule, FeeParent, child_base_fee_wei


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
    extra_data: bytes = b""

    @property
    def ref(self) -> BlockRef:
        """Number and hash alone."""
        return BlockRef(self.number, self.hash)


class BlockContext(msgspec.Struct, frozen=True):
    """The block in which something is meant to execute: an argument of every quote and simulation.

    `l1_fee_wei` is what one plan's data costs on the first layer at most, where there is such a fee besides gas.
    """

    number: int
    timestamp: int
    base_fee_wei: int
    coinbase: Address
    l1_fee_wei: int = 0


def next_block(
    header: BlockHeader, seconds: int, rule: BaseFeeRule = ETHEREUM_BASE_FEE, *, l1_fee_wei: int = 0
) -> BlockContext:
    """The block expected on top of `header`, `seconds` later; base fee by the chain's rule."""
    return BlockContext(
        number=header.number + 1,
        timestamp=header.timestamp + seconds,
        base_fee_wei=next_base_fee_wei(header, rule),
        coinbase=header.coinbase,
        l1_fee_wei=l1_fee_wei,
    )


def next_base_fee_wei(header: BlockHeader, rule: BaseFeeRule = ETHEREUM_BASE_FEE) -> int:
    """Base fee of the child block; see `headrace.model.base_fee` for the rounding."""
    parent = FeeParent(header.base_fee_wei, header.gas_used, header.gas_limit, header.extra_data)
    return child_base_fee_wei(parent, rule)


def base_fee_wei_max(base_fee_wei: int, blocks: int, rule: BaseFeeRule = ETHEREUM_BASE_FEE) -> int:
    """Highest base fee that `blocks` full blocks can lead to from a block of `base_fee_wei`, rounded up."""
    numerator, denominator = rule.rise_max
    for _ in range(blocks):
        base_fee_wei += -(-base_fee_wei * numerator // denominator)
    return base_fee_wei
