"""What a transaction offers for its gas."""

import msgspec

_BASE_FEE_HEADROOM = 2  # the base fee doubles in six full blocks at most


class FeePolicy(msgspec.Struct, frozen=True):
    """What a transaction offers: twice the expected base fee and the tip, never above the cap."""

    priority_fee_wei: int
    gas_price_wei_max: int

    def fees_wei(self, base_fee_wei: int) -> tuple[int, int]:
        """(max fee, priority fee) per gas."""
        max_fee = min(_BASE_FEE_HEADROOM * base_fee_wei + self.priority_fee_wei, self.gas_price_wei_max)
        return max_fee, min(self.priority_fee_wei, max_fee)
