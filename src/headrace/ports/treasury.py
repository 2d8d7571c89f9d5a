"""Who holds money."""

from typing import Protocol

from headrace.model.address import Address


class Treasury(Protocol):
    """Own capital as last read from the chain, less what is reserved."""

    def available_units(self, token: Address) -> int:
        """What a new plan may spend of `token`: after reservations and the allocation cap, rounded down."""
        ...


class Holdings(Protocol):
    """What an account holds as last read from the chain, reserved or not."""

    def held_units(self, token: Address) -> int:
        """Units held of `token`; 0 where it is not known."""
        ...
