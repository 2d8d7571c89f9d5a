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

from headrace.kernels.hex_words import WORD_BYTES, WordArray, mixed, njit_inlined, njit_uncounted
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
    """In passes without a branch on what is fetched, so that fetches from all over memory run side by side."""
    last = len(slots) - 1
    for at in range(len(starts)):
        numbers[at] = mixed(words, starts[at] + _DIGITS, WORD_BYTES, _ADDRESS_WORDS) & last
    for at in range(len(starts)):
        numbers[at] = slots[numbers[at]] - 1
    for at in range(len(starts)):
        is_other = not _is_at(digits, max(numbers[at], 0), words, starts[at] + _DIGITS)
        numbers[at] = -1 if is_other else numbers[at]
    for at in range(len(starts)):
        if numbers[at] < 0:
            numbers[at] = _found_from(digits, slots, words, starts[at] + _DIGITS)


@njit_inlined
def _is_at(digits: WordArray, number: int, words: WordArray, start: int) -> bool:
    """Whether the address of that number stands there: no branch before all of it is compared."""
    difference = np.uint64(0)
    for place in range(_ADDRESS_WORDS):
        difference |= digits[number * _ADDRESS_WORDS + place] ^ words[start + WORD_BYTES * place]
    return bool(difference == 0)


@njit_inlined
def _found_from(digits: WordArray, slots: npt.NDArray[np.int32], words: WordArray, start: int) -> np.int64:
    """The number of the address that stands there, searched from the slot that it names; -1 for an unknown one."""
    last = len(slots) - 1
    slot = mixed(words, start, WORD_BYTES, _ADDRESS_WORDS) & last
    while slots[slot] and not _is_at(digits, slots[slot] - 1, words, start):
        slot = (slot + 1) & last
    return np.int64(slots[slot] - 1)
