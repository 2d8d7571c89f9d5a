"""What a token is worth in dollars: the reference of every limit."""

from typing import Protocol

import msgspec

from headrace.model.address import Address


class Price(msgspec.Struct, frozen=True):
    """Dollars for one whole token, in millionths of millionths (1e-12), and the Unix time the source gave it."""

    usd_pico: int
    updated_at: int


class Oracle(Protocol):
    """Prices that are fresh, or none."""

    def price(self, token: Address, now: int) -> Price | None:
        """The price if its source renewed it recently enough as of `now` (Unix seconds), else None."""
        ...
