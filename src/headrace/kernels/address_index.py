"""Which of many known addresses stand at given places of a text, without a string for any of them.

Idea. A hash table with open addressing, filled once: the digits of an address, mixed, name a slot; a taken slot sends
on to the next. At most half of the slots are taken, so a search ends after a few. An address is only found by all of
its digits.

Representation: `digits`, five words of eight hex digits for each address (`headrace.kernels.hex_words`); `slots` holds
numbers of addresses from 1, 0 where it is free.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from headrace.kernels.hex_words import WORD_BYTES, WordArray, mixed, njit_uncounted
from headrace.model.address import Address

IntArray = npt.NDArray[np.int64]
_ADDRESS_WORDS = 5
_DIGITS = 2  # behind 0x


class AddressIndex:
    """Numbers addresses as they are given, which must differ from each other."""

    def __init__(self, addresses: Sequence[Address]) -> None:
        """Build the table: about 50 bytes for each address."""
        text = memoryview("".join([address[_DIGITS:] for address in addresses]).encode())
        self._digits = np.frombuffer(text, "<u8")
        self._slots = np.zeros(2 << len(addresses).bit_length(), np.int32)
        _fill(self._digits, self._slots)

    def find(self, words: WordArray, starts: IntArray) -> IntArray:
        """The number of the address whose 0x stands at each of these places of a text; -1 for an unknown one."""
        numbers = np.empty(len(starts), np.int64)
        _find(self._digits, self._slots, words, starts, numbers)
        return numbers


@njit_uncounted
def _fill(digits: WordArray, slots: npt.NDArray[np.int32]) -> None:
    last = len(slots) - 1
    for number in range(len(digits) // _ADDRESS_WORDS):
        slot = mixed(digits, number * _ADDRESS_WORDS, 1, _ADDRESS_WORDS) & last
        while slots[slot]:
            slot = (slot + 1) & last
        slots[slot] = number + 1


@njit_uncounted
def _find(
    digits: WordArray, slots: npt.NDArray[np.int32], words: WordArray, starts: IntArray, numbers: IntArray
) -> None:
    last = len(slots) - 1
    for at in range(len(starts)):
        start = starts[at] + _DIGITS
        slot = mixed(words, start, WORD_BYTES, _ADDRESS_WORDS) & last
        while slots[slot]:
            first = (slots[slot] - 1) * _ADDRESS_WORDS
            same = 0
            while same < _ADDRESS_WORDS and digits[first + same] == words[start + WORD_BYTES * same]:
                same += 1
            if same == _ADDRESS_WORDS:
                break
            slot = (slot + 1) & last
        numbers[at] = slots[slot] - 1
