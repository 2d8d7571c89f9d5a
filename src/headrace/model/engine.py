"""Which engine pays for a trade, and which ones could not."""

import msgspec

from headrace.model.address import Address
from headrace.model.refusal import Refusal


class EngineRefused(msgspec.Struct, frozen=True):
    """An engine that was tried for an opportunity in vain; `lender` is the zero address where there is none."""

    engine: str
    lender: Address
    refusal: Refusal

    @property
    def text(self) -> str:
        """For people: `own_capital: CapitalInsufficient(...)`."""
        return f"{self.engine}: {self.refusal.detail}"
