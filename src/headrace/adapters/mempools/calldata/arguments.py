"""A call's arguments, read in place by the rules of the contract ABI.

Whoever sent the calldata may have written anything, so every offset and length is checked before it is followed, and
none leads to work or memory beyond the calldata's own size. Bytes behind the arguments are allowed, as contracts allow
them: wallets append tags. Unused high bits of a word are refused as Solidity's decoder refuses them.

Source: Solidity documentation, "Contract ABI Specification".
"""

from headrace.adapters.protocols.words import address_of, signed
from headrace.model.address import Address

_WORD = 32


class Arguments:
    """A tuple of arguments; slots are words from its start, offsets count from there.

    Every method raises ValueError where the data is too short or a value is out of its type's range.
    """

    def __init__(self, data: bytes, start: int = 0) -> None:
        """Read `data` from byte `start` on."""
        self._data = data
        self._start = start

    def word(self, slot: int) -> int:
        """An unsigned word."""
        return int.from_bytes(self._word_bytes(slot), "big")

    def signed(self, slot: int) -> int:
        """A word in two's complement."""
        return signed(self.word(slot))

    def bounded(self, slot: int, bits: int) -> int:
        """An unsigned integer of a type of so many bits."""
        value = self.word(slot)
        if value >> bits:
            raise ValueError(f"argument {slot} has more than {bits} bits")
        return value

    def raw_word(self, slot: int) -> str:
        """A word as 0x hex."""
        return "0x" + self._word_bytes(slot).hex()

    def address(self, slot: int) -> Address:
        """An address."""
        return address_of(self.word(slot))

    def inner(self, slot: int) -> "Arguments":
        """The dynamic tuple whose offset stands in `slot`."""
        return Arguments(self._data, self._start + self._offset(slot))

    def array(self, slot: int) -> tuple["Arguments", int]:
        """The array whose offset stands in `slot`: its items as arguments, and their number."""
        start = self._start + self._offset(slot)
        count = Arguments(self._data, start).word(0)
        if count * _WORD > len(self._data) - start - _WORD:  # every item takes a word at least
            raise ValueError(f"argument {slot} is an array of {count} items, beyond the calldata")
        return Arguments(self._data, start + _WORD), count

    def bytes_(self, slot: int) -> bytes:
        """The byte string whose offset stands in `slot`."""
        start = self._start + self._offset(slot)
        size = Arguments(self._data, start).word(0)
        if size > len(self._data) - start - _WORD:
            raise ValueError(f"argument {slot} is {size} bytes long, beyond the calldata")
        return self._data[start + _WORD : start + _WORD + size]

    def addresses(self, slot: int) -> tuple[Address, ...]:
        """An array of addresses."""
        items, count = self.array(slot)
        return tuple(items.address(i) for i in range(count))

    def byte_strings(self, slot: int, count_max: int) -> tuple[bytes, ...]:
        """An array of byte strings, at most so many: their offsets may overlap, so the count bounds the work."""
        items, count = self.array(slot)
        if count > count_max:
            raise ValueError(f"argument {slot} has {count} items, more than {count_max}")
        return tuple(items.bytes_(i) for i in range(count))

    def _offset(self, slot: int) -> int:
        offset = self.word(slot)
        if offset > len(self._data) - self._start - _WORD:
            raise ValueError(f"argument {slot} is an offset beyond the calldata")
        return offset

    def _word_bytes(self, slot: int) -> bytes:
        at = self._start + slot * _WORD
        data = self._data[at : at + _WORD]
        if len(data) != _WORD:
            raise ValueError(f"the calldata ends before argument {slot}")
        return data
