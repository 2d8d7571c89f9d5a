"""Hexadecimal as JSON-RPC writes it: quantities without leading zeros, data in pairs of digits.

Source: execution-apis, "Hex value encoding". Everything here raises `ValueError`; the client names the method.
"""

from collections.abc import Sequence
from functools import lru_cache

_PREFIX = "0x"
_QUANTITIES_CACHED_MAX = 1 << 12
_LOWERCASE_DIGITS = b"0123456789abcdef"
_QUANTITY_TEXT_MAX = 66  # 256 bits


@lru_cache(maxsize=_QUANTITIES_CACHED_MAX)
def read_small_quantity(text: str) -> int:
    """The same for numbers that come again in every block, such as the indexes of its logs.

    Raises:
        ValueError: not 0x and 1 to 64 hex digits.
    """
    return read_quantity(text)


def read_quantity(text: str) -> int:
    """An unsigned integer of at most 256 bits; leading zeros are tolerated.

    Raises:
        ValueError: not 0x and 1 to 64 hex digits.
    """
    if not (text.startswith(_PREFIX) and text.isascii() and text.isalnum() and len(text) <= _QUANTITY_TEXT_MAX):
        raise ValueError(f"{text[:80]!r} is no quantity")
    return int(text, 16)


def read_bytes(text: str) -> bytes:
    """Bytes of any length.

    Raises:
        ValueError: not 0x and pairs of hex digits.
    """
    data = bytes.fromhex(text[2:])
    if not text.startswith(_PREFIX) or 2 * len(data) + 2 != len(text):  # fromhex skips blanks
        raise ValueError(f"{text[:80]!r} is no hex data")
    return data


def write_bytes(data: bytes) -> str:
    """0x and two lowercase digits for each byte."""
    return _PREFIX + data.hex()


def require_lowercase_hex(fields: Sequence[str]) -> None:
    """Check many fields in one pass: each is 0x and lowercase hex digits, of any even count.

    What is left of all fields without their digits must be one x each, and each field begins with 0x. One pass for all
    logs of a block costs a fraction of one for each field.

    Raises:
        ValueError: one of them is not.
    """
    prefixes = "".join([field[:2] for field in fields])
    has_odd = any([len(field) & 1 for field in fields])  # noqa: C419 - a list is quicker than a generator here
    rest = "".join(fields).encode("ascii").translate(None, _LOWERCASE_DIGITS)
    if has_odd or prefixes != _PREFIX * len(fields) or rest != b"x" * len(fields):
        raise ValueError("a field is not 0x and lowercase hex digits")
