"""`headrace.ports.oracle.Oracle` over prices that were recorded: what was told last, until it is told anew.

Whether a price was fresh was decided when it was recorded: one that was not is not in the recording.
"""

from collections.abc import Iterable

from headrace.model.address import Address
from headrace.ports.oracle import Price


class RecordedOracle:
    """Empty until it is told."""

    def __init__(self) -> None:
        self._prices: dict[Address, Price] = {}

    def tell(self, prices: Iterable[tuple[Address, Price]]) -> None:
        """What holds from now on."""
        self._prices.update(prices)

    def price(self, token: Address, now: int) -> Price | None:
        """The price that was told last."""
        del now
        return self._prices.get(token)
