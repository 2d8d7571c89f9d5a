"""Money as the configuration states it: exact, in dollars or in a token."""

import msgspec

from headrace.app.config.document import Node
from headrace.app.config.exact import amount_and_unit, scalar_of, scaled_integer
from headrace.errors import ConfigError
from headrace.model.token import decimal_text

USD = "USD"
USD_DECIMALS = 6
TOKEN_DECIMALS = 18
USD_MAX = 10**12
_PICO_PER_ATTO_MICRO = 10**24  # (1e-18 token) x (1e-12 dollar per token) to 1e-6 dollar


class Money(msgspec.Struct, frozen=True):
    """An amount of dollars in millionths, or of a token in 10^-18 of a whole one, whatever decimals the token has."""

    unit: str
    scaled: int

    @property
    def is_usd(self) -> bool:
        """Whether it needs no price."""
        return self.unit == USD

    def usd_micro_down(self, price_usd_pico: int | None = None) -> int | None:
        """Millionths of a dollar at a price in 1e-12 dollars per whole token, rounded down; None without a price."""
        if self.is_usd:
            return self.scaled
        return None if price_usd_pico is None else self.scaled * price_usd_pico // _PICO_PER_ATTO_MICRO

    def usd_micro_up(self, price_usd_pico: int | None = None) -> int | None:
        """The same rounded up: for a least profit."""
        if self.is_usd:
            return self.scaled
        return None if price_usd_pico is None else -(-self.scaled * price_usd_pico // _PICO_PER_ATTO_MICRO)

    def __str__(self) -> str:
        return f"{decimal_text(self.scaled, USD_DECIMALS if self.is_usd else TOKEN_DECIMALS)} {self.unit}"


def read_money(node: Node) -> Money:
    """Read `50`, `"50.0"`, `0.5 USD` or `0.01 WETH`; a bare number is dollars.

    Raises:
        ConfigError: no plain decimal number, finer than a millionth of a dollar or 10^-18 of a token, or above 10^12.
    """
    scalar = scalar_of(node, "an amount of money such as 50 or 0.01 WETH")
    where = str(scalar.place)
    number, unit = amount_and_unit(scalar.text, where)
    decimals = USD_DECIMALS if unit in ("", USD) else TOKEN_DECIMALS
    scaled = scaled_integer(number, decimals, where)
    if scaled > USD_MAX * 10**decimals:
        raise ConfigError(f"{scalar.text} is more than there is: the most is {USD_MAX}", where)
    return Money(unit or USD, scaled)
