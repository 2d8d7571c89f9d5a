"""Tokens and amounts of them."""

from decimal import Context, Decimal

import msgspec

from headrace.model.address import ZERO_ADDRESS, Address, ChainId
from headrace.model.money import NATIVE_DECIMALS

NATIVE_SYMBOL = "native"  # what people call it differs by chain, and several wrap it
_WIDE = Context(prec=120)  # 2^256 has 78 digits; 36 decimals may follow


class Token(msgspec.Struct, frozen=True):
    """An ERC-20 on one chain; `decimals` is 0 to 36."""

    chain_id: ChainId
    address: Address
    symbol: str
    decimals: int


def native_currency(chain_id: ChainId) -> Token:
    """The coin that gas is paid in, which Uniswap v4 trades as it is under the zero address."""
    return Token(chain_id, ZERO_ADDRESS, NATIVE_SYMBOL, NATIVE_DECIMALS)


class Amount(msgspec.Struct, frozen=True):
    """An integer amount of a token, in its smallest unit; amounts of different tokens never mix.

    Raises:
        AssertionError: on arithmetic between two tokens: that is a bug.
    """

    token: Token
    units: int

    def __add__(self, other: "Amount") -> "Amount":
        assert self.token == other.token, f"{self.token.symbol} + {other.token.symbol}"
        return Amount(self.token, self.units + other.units)

    def __sub__(self, other: "Amount") -> "Amount":
        assert self.token == other.token, f"{self.token.symbol} - {other.token.symbol}"
        return Amount(self.token, self.units - other.units)

    def __str__(self) -> str:
        return f"{decimal_text(self.units, self.token.decimals)} {self.token.symbol}"


def decimal_text(units: int, decimals: int) -> str:
    """Exact decimal notation without exponent and trailing zeros: 1500000, 6 -> '1.5'."""
    text = f"{Decimal(units).scaleb(-decimals, context=_WIDE):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
