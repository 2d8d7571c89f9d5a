"""Hex digits in a text, eight at a time.

Idea. Eight characters are one 64-bit word, and one addition compares all of them: for a byte b < 128, b + (128 - c)
reaches the byte's top bit exactly when b >= c, and never the next byte. Four such sums bound the digits 0 to 9 and the
letters a to f from both sides; a byte from 128 on is refused before.

Representation. `words[i]` is bytes i to i + 7 of the text as a little-endian number, for every i: an array that
overlaps itself and copies nothing. A text of n bytes has n - 7 of them. Capital digits are no digits here: an address
must have one form to be looked up by.

Nothing here looks whether it is inside the arrays: the caller asks only for what is.
"""

from collections.abc import Callable
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit

WordArray = npt.NDArray[np.uint64]
ByteArray = npt.NDArray[np.uint8]
WORD_BYTES = 8
_Compiled = TypeVar("_Compiled", bound=Callable[..., object])
_OPTIONS = {"cache": True, "error_model": "numpy", "nogil": True, "_nrt": False}
_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # odd: 2^64 by the golden ratio, as Knuth has it
_TOP_SHIFT, _LOW_HALF = np.uint64(32), np.uint64((1 << 32) - 1)
_LANES = 0x0101010101010101


def _of_each(byte: int) -> np.uint64:
    return np.uint64(byte * _LANES)


_LOW_NIBBLES, _LOW_BITS = _of_each(0x0F), _of_each(0x01)
_EVEN_BYTES, _EVEN_PAIRS = np.uint64(0x00FF00FF00FF00FF), np.uint64(0x0000FFFF0000FFFF)
_TOP_BITS = _of_each(0x80)
_FROM_0, _FROM_AFTER_9 = _of_each(0x80 - 0x30), _of_each(0x80 - 0x3A)
_FROM_A, _FROM_AFTER_F = _of_each(0x80 - 0x61), _of_each(0x80 - 0x67)


def njit_uncounted(function: _Compiled) -> _Compiled:
    """Compile without counting references to the arrays that are passed; the function must not make one.

    Counting took twelve times as long as the work of functions of a few instructions, called for every character.
    """
    return cast("_Compiled", njit(**_OPTIONS)(function))  # type: ignore[call-overload]  # numba's types omit `_nrt`


def njit_inlined(function: _Compiled) -> _Compiled:
    """The same for a function that is never called by itself."""
    return cast("_Compiled", njit(**_OPTIONS, forceinline=True)(function))  # type: ignore[call-overload]  # as above


def overlapping_words(text: memoryview) -> WordArray:
    """The word that begins at each byte of a text of at least 16 bytes; a view that keeps the text alive."""
    return np.ndarray((len(text) - WORD_BYTES + 1,), "<u8", text, 0, (1,))


@njit_inlined
def is_hex_word(word: np.uint64) -> bool:
    """Whether all eight characters are lowercase hex digits."""
    if word & _TOP_BITS:
        return False
    digits = (word + _FROM_0) & ~(word + _FROM_AFTER_9)
    letters = (word + _FROM_A) & ~(word + _FROM_AFTER_F)
    return bool((digits | letters) & _TOP_BITS == _TOP_BITS)


@njit_inlined
def nibble(character: np.int64) -> np.int64:
    """The value of a lowercase hex digit, 0 to 15; -1 for any other character."""
    if 48 <= character <= 57:  # noqa: PLR2004 - 0 to 9
        return np.int64(character - 48)
    if 97 <= character <= 102:  # noqa: PLR2004 - a to f
        return np.int64(character - 87)
    return np.int64(-1)


@njit_inlined
def are_equal(words: WordArray, at: int, other: int, count: int) -> bool:
    """Whether `count` words' worth of characters are the same at two places."""
    for place in range(0, WORD_BYTES * count, WORD_BYTES):  # noqa: SIM110 - compiled functions have no generators
        if words[at + place] != words[other + place]:
            return False
    return True


@njit_inlined
def are_hex_words(words: WordArray, at: int, count: int) -> bool:
    """Whether `count` words' worth of characters from `at` on are lowercase hex digits."""
    for place in range(0, WORD_BYTES * count, WORD_BYTES):  # noqa: SIM110 - compiled functions have no generators
        if not is_hex_word(words[at + place]):
            return False
    return True


@njit_inlined
def mixed(words: WordArray, at: int, step: int, count: int) -> np.int64:
    """A number of 32 bits made of `count` words, `step` places apart; for a slot, not for a proof."""
    sum_ = np.uint64(count)
    for place in range(count):
        sum_ = (sum_ ^ words[at + step * place]) * _SPREAD
        sum_ ^= sum_ >> _TOP_SHIFT
    return np.int64(sum_ & _LOW_HALF)


@njit_inlined
def packed_digits(word: np.uint64) -> np.uint32:
    """The four bytes that eight lowercase hex digits write, in their order in memory.

    A letter's code has bit 6 and is 9 more than its value in the low four bits; then neighbours close up twice.
    """
    nibbles = (word & _LOW_NIBBLES) + np.uint64(9) * ((word >> np.uint64(6)) & _LOW_BITS)
    pairs = ((nibbles << np.uint64(4)) | (nibbles >> np.uint64(8))) & _EVEN_BYTES
    fours = (pairs | (pairs >> np.uint64(8))) & _EVEN_PAIRS
    return np.uint32((fours | (fours >> np.uint64(16))) & _LOW_HALF)
