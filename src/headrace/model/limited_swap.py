"""A swap that ends at a price, and what a pool fills of it."""

import msgspec

from headrace.model.address import Address


class LimitedSwap(msgspec.Struct, frozen=True):
    """A swap as the pool's own contract takes it.

    Attributes:
        amount: raw units of the input, or of the output where `is_exact_output`.
        price_limit_x96: root of the price of token 0 in token 1, times 2^96, at which the swap ends.
    """

    token_in: Address
    token_out: Address
    amount: int
    price_limit_x96: int
    is_exact_output: bool


class FilledSwap(msgspec.Struct, frozen=True):
    """What the pool takes, fee included, and what it pays, in raw units."""

    amount_in: int
    amount_out: int
