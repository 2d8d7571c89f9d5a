"""The bitmap in which a pool with ticks marks those that are initialised: which words there are, and what a word says.

Usable ticks are the multiples of the spacing within the protocol's bounds. Tick number n of them (tick / spacing) is
bit n mod 256 of word floor(n / 256), so a spacing of 200 fills 36 words and a spacing of 1 fills 6,932.

Source: Uniswap v3 core 1.0.1 and v4 core 1.0.2, TickBitmap.sol.
"""

from collections.abc import Iterator

from headrace.kernels.tick_math import TICK_MAX
from headrace.kernels.tick_table import WORD_BITS


def word_indices(tick_spacing: int) -> range:
    """Every word that a usable tick can stand in, ascending."""
    highest = TICK_MAX // tick_spacing
    return range(-highest >> WORD_BITS, (highest >> WORD_BITS) + 1)


def marked_ticks(word: int, bits: int, tick_spacing: int) -> Iterator[int]:
    """The ticks whose bits are set in word number `word`, ascending."""
    while bits:
        lowest = bits & -bits
        yield ((word << WORD_BITS) + lowest.bit_length() - 1) * tick_spacing
        bits ^= lowest
