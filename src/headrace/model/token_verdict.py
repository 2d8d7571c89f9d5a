"""What was found out about a token: whether it moves as an honest one does, and until when that counts."""

from enum import StrEnum

import msgspec

from headrace.model.address import Address


class Lie(StrEnum):
    """How a token's transfers differ from what the arithmetic of pools takes for granted."""

    FEE_ON_TRANSFER = "fee_on_transfer"  # another amount arrives than was sent
    REBASES = "rebases"  # balances change without a transfer
    BLOCKS_TRANSFER = "blocks_transfer"  # a holder cannot pass it on
    BLOCKS_BUY = "blocks_buy"
    BLOCKS_SALE = "blocks_sale"
    OFF_QUOTE = "off_quote"  # a pool pays something else for it than it must
    RETURNS_FALSE = "returns_false"  # it moves, or does not, and says that it failed
    RETURNS_NOTHING = "returns_nothing"  # as USDT does: pools and the Executor can live with it
    CHANGES_DECIMALS = "changes_decimals"
    CALLS_BACK = "calls_back"  # it hands over control in the middle of a transfer (ERC-777)
    STAGED = "staged"  # it behaves otherwise where it can see that it is only simulated
    BLOCKLISTED = "blocklisted"  # the configuration says so


TOLERATED = frozenset({Lie.RETURNS_NOTHING})


class TokenVerdict(msgspec.Struct, frozen=True):
    """One token's verdict on the state after `checked_block`; it counts up to and including `expires_block`.

    An unfit token without a lie is one that could not be checked: what cannot be checked is not traded.
    """

    token: Address
    is_fit: bool
    lie: Lie | None
    detail: str
    checked_block: int
    expires_block: int

    @property
    def why(self) -> str:
        """One clause for a person: what was found."""
        if self.lie is None:
            return "fit" if self.is_fit else f"unknown: {self.detail}"
        return f"{self.lie}: {self.detail}"
