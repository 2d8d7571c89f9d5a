"""What the machine is told once: limits, finality, and how far a cancellation may bid."""

import msgspec

from headrace.model.base_fee import ETHEREUM_BASE_FEE, BaseFeeRule
from headrace.model.limits import Limits


class Rules(msgspec.Struct, frozen=True):
    """Rules of one account on one chain.

    Attributes:
        limits: the account's money limits.
        confirmations: a receipt is final when this many blocks stand on its block; 0 trusts every block.
        reorg_blocks: how long a final slot is still looked after; a reorg that takes one back halts the account.
        cancel_repeat_blocks: blocks after which a cancellation that is in no block is bid again.
        block_seconds: time between blocks, for a look at what would fail in the next one.
        base_fee: how the chain's base fee moves.
        cancel_fee_ratio_max: most that a cancellation may bid, as a multiple of the execution's fee cap.
    """

    limits: Limits
    confirmations: int
    reorg_blocks: int = 64
    cancel_repeat_blocks: int = 2
    cancel_fee_ratio_max: int = 2
    block_seconds: int = 1
    base_fee: BaseFeeRule = ETHEREUM_BASE_FEE

    def __post_init__(self) -> None:
        assert self.confirmations >= 0
        assert self.cancel_fee_ratio_max >= 2, "a node asks for an eighth more at each replacement"  # noqa: PLR2004
