"""Single values of documents, read strictly: what is not of the one documented form is refused."""

import re
from collections.abc import Callable
from enum import Enum
from typing import NewType

from headrace.model.address import Address, Hash32, PoolId
from headrace.model.codec import JsonValue

HexData = NewType("HexData", str)  # bytes of any number as 0x hex
RawDocument = NewType("RawDocument", dict[str, JsonValue])  # an object that is read later, by who knows its form
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,79})")  # 2^256 has 78 digits
_NEGATIVE = re.compile(r"-[0-9]+")
_SIGNED = frozenset({"tick", "ticks", "coverage"})
_LARGEST_BROWSER_INTEGER = 2**53
_HEX = re.compile(r"0x[0-9a-fA-F]*")
_ADDRESS_DIGITS = 40
_WORD_DIGITS = 64


class Unfit(ValueError):  # noqa: N818 - a value that does not fit; the edge turns it into the error that names the pool
    """A field that is not of its form; never leaves the reading of a document."""

    def __init__(self, field: str, why: str) -> None:
        """Name the field."""
        super().__init__(f"{field}: {why}")
        self.field = field
        self.why = why


def integer_of(value: JsonValue, at: str) -> int:
    """A decimal string, or a JSON integer below 2^53.

    Raises:
        Unfit: anything else.
    """
    if isinstance(value, str) and _INTEGER.fullmatch(value) and value != "-0":
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        if abs(value) < _LARGEST_BROWSER_INTEGER:
            return value
        raise Unfit(at, f'write "{value}": a JSON number of this size loses digits in many programs')
    raise Unfit(at, "write an integer as a decimal string")


def text_of(value: JsonValue, at: str) -> str:
    """A string.

    Raises:
        Unfit: anything else.
    """
    if not isinstance(value, str):
        raise Unfit(at, "write a string")
    return value


def address_of(value: JsonValue, at: str) -> Address:
    """20 bytes of 0x hex, in any case.

    Raises:
        Unfit: anything else.
    """
    return Address(_hex(value, at, (_ADDRESS_DIGITS,)))


def hash_of(value: JsonValue, at: str) -> Hash32:
    """32 bytes of 0x hex.

    Raises:
        Unfit: anything else.
    """
    return Hash32(_hex(value, at, (_WORD_DIGITS,)))


def pool_id_of(value: JsonValue, at: str) -> PoolId:
    """An address or 32 bytes of 0x hex.

    Raises:
        Unfit: anything else.
    """
    return PoolId(_hex(value, at, (_ADDRESS_DIGITS, _WORD_DIGITS)))


def data_of(value: JsonValue, at: str) -> HexData:
    """Whole bytes of 0x hex.

    Raises:
        Unfit: anything else.
    """
    return HexData(_hex(value, at, ()))


def object_of(value: JsonValue, at: str) -> RawDocument:
    """A JSON object, read no further.

    Raises:
        Unfit: anything else.
    """
    if not isinstance(value, dict):
        raise Unfit(at, "write an object")
    return RawDocument(value)


def reader_of(kind: object) -> Callable[[JsonValue, str], object] | None:
    """The reader of a type that has one of its own, or None."""
    for named, read in _READERS:
        if kind is named:
            return read
    return None


def enum_of(kind: object, value: JsonValue, at: str) -> Enum:
    """A member of an enum by its value, integers as decimal strings.

    Raises:
        Unfit: no such member.
    """
    assert isinstance(kind, type), kind
    assert issubclass(kind, Enum), kind
    for member in kind:
        if str(member.value) == str(value) and not isinstance(value, bool):
            return member
    raise Unfit(at, f"write one of {', '.join(str(member.value) for member in kind)}")


def snake(name: str) -> str:
    """PlainTerms -> plain_terms."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def first_negative(value: JsonValue, at: str = "") -> tuple[str, str] | None:
    """The first number of a state that is negative, with what is wrong; ticks alone may be."""
    if isinstance(value, dict):
        inside = [(f"{at}.{name}" if at else name, item) for name, item in value.items() if name not in _SIGNED]
    elif isinstance(value, list):
        inside = [(f"{at}[{index}]", item) for index, item in enumerate(value)]
    else:
        is_negative = isinstance(value, int | float) and value < 0
        if is_negative or (isinstance(value, str) and _NEGATIVE.fullmatch(value)):
            return at, f"{value} is negative"
        return None
    return next((found for place, item in inside if (found := first_negative(item, place))), None)


def _hex(value: JsonValue, at: str, digits: tuple[int, ...]) -> str:
    if not isinstance(value, str) or not _HEX.fullmatch(value) or len(value) % 2:
        raise Unfit(at, "write 0x and hex digits")
    if digits and len(value) - 2 not in digits:
        raise Unfit(at, f"{(len(value) - 2) // 2} bytes instead of {' or '.join(str(d // 2) for d in digits)}")
    return value.lower()


_READERS = (
    (Address, address_of),
    (Hash32, hash_of),
    (PoolId, pool_id_of),
    (HexData, data_of),
    (RawDocument, object_of),
)
