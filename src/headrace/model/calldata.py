"""A call's arguments read front to back, exactly as the canonical ABI encoder writes them.

Solidity's own decoder is laxer: it follows offsets wherever they lead and ignores what stands between. What is read
here is shown to people and compared with what was meant, so bytes that are not the one encoding of what was read are an
error, which says where it stands.

    static arguments   one word each, big-endian
    bytes              its offset in the arguments, then its length and its bytes, padded with zeros to whole words
    bytes[]            its offset, its length, one offset for each item behind that length, then the items
    address[]          its offset, its length, one word for each item

Source: Solidity's Contract ABI Specification, "Formal Specification of the Encoding".
"""

from collections.abc import Sequence

from headrace.errors import PlanDecodeError
from headrace.model.address import Address, keccak_hex

SELECTOR_BYTES = 4
WORD_BYTES = 32
_ADDRESS_BITS = 160


def selector(signature: str) -> bytes:
    """The first four bytes of a call of `name(types)`."""
    return bytes.fromhex(keccak_hex(signature.encode())[2 : 2 + 2 * SELECTOR_BYTES])


def word(value: int | Address) -> bytes:
    """A number of at least 0, or an address, as a word."""
    number = int(value, 16) if isinstance(value, str) else value
    return number.to_bytes(WORD_BYTES, "big")


def padded_bytes(data: bytes) -> bytes:
    """Length and bytes of a `bytes`, without its offset."""
    return word(len(data)) + data + bytes(-len(data) % WORD_BYTES)


def bytes_array(items: Sequence[bytes]) -> bytes:
    """Length, offsets and items of a `bytes[]`, without its own offset."""
    tails = [padded_bytes(item) for item in items]
    ends = [len(items) * WORD_BYTES]
    for tail in tails:
        ends.append(ends[-1] + len(tail))
    return b"".join((word(len(items)), *map(word, ends[:-1]), *tails))


class CalldataReader:
    """Takes arguments off a call; every error names the byte of the calldata and the argument."""

    def __init__(self, data: bytes) -> None:
        """Begin behind the selector."""
        self._data = data
        self._at = SELECTOR_BYTES

    def integer(self, name: str, bits: int = 256) -> int:
        """The next word as an unsigned number of so many bits.

        Raises:
            PlanDecodeError: the calldata ends before, or the number is larger.
        """
        value = int.from_bytes(self._take(WORD_BYTES, name), "big")
        if value >> bits:
            raise self._error(name, f"{value:#x} does not fit into {bits} bits", WORD_BYTES)
        return value

    def address(self, name: str) -> Address:
        """The next word as an address.

        Raises:
            PlanDecodeError: the calldata ends before, or the word is none.
        """
        return Address(f"0x{self.integer(name, _ADDRESS_BITS):040x}")

    def flag(self, name: str) -> bool:
        """The next word as true or false.

        Raises:
            PlanDecodeError: the calldata ends before, or the word is neither 0 nor 1.
        """
        return self.integer(name, 1) == 1

    def offset(self, name: str, expected: int) -> None:
        """The next word, which must lead `expected` bytes on from where its offsets count.

        Raises:
            PlanDecodeError: it leads elsewhere.
        """
        value = self.integer(name)
        if value != expected:
            raise self._error(name, f"the offset is {value:#x} where {expected:#x} is the only one", WORD_BYTES)

    def size(self, name: str, item_bytes_min: int) -> int:
        """The next word as a length of items that take at least so many bytes each, all of which are there.

        Raises:
            PlanDecodeError: the calldata ends before the last of them.
        """
        value = self.integer(name)
        left = len(self._data) - self._at
        if value * item_bytes_min > left:
            raise self._error(name, f"a length of {value:#x} where {left} bytes are left", WORD_BYTES)
        return value

    def padded_bytes(self, name: str) -> bytes:
        """Length, bytes and padding of a `bytes`.

        Raises:
            PlanDecodeError: the calldata ends before, or the padding is not zeros.
        """
        size = self.size(name, 1)
        data = self._take(size, name)
        padding = self._take(-size % WORD_BYTES, name)
        if any(padding):
            raise self._error(name, f"the padding behind it is 0x{padding.hex()}, not zeros", len(padding))
        return data

    def bytes_array(self, name: str) -> tuple[bytes, ...]:
        """Length, offsets and items of a `bytes[]`.

        Raises:
            PlanDecodeError: not as the canonical encoder writes it.
        """
        count = self.size(name, 2 * WORD_BYTES)
        offsets = [self.integer(f"offset of {name}[{i}]") for i in range(count)]
        first = self._at - count * WORD_BYTES
        items = []
        for i, offset in enumerate(offsets):
            if first + offset != self._at:
                told, place = f"the offset is {offset:#x}", first + i * WORD_BYTES
                raise PlanDecodeError(f"byte {place}, {name}[{i}]: {told} where {self._at - first:#x} is the only one")
            items.append(self.padded_bytes(f"{name}[{i}]"))
        return tuple(items)

    def end(self) -> None:
        """Nothing may be left.

        Raises:
            PlanDecodeError: something is.
        """
        left = len(self._data) - self._at
        if left:
            raise PlanDecodeError(f"byte {self._at}: {left} bytes beside the arguments")

    def _take(self, size: int, name: str) -> bytes:
        part = self._data[self._at : self._at + size]
        if len(part) != size:
            raise self._error(name, f"the calldata ends after {len(self._data)} bytes, inside this argument", 0)
        self._at += size
        return part

    def _error(self, name: str, why: str, taken: int) -> PlanDecodeError:
        return PlanDecodeError(f"byte {self._at - taken}, {name}: {why}")
