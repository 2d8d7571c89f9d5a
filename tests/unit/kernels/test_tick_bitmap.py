"""Words and bits by hand; the bitmaps of real pools are read in the conformance suites."""

from headrace.kernels.tick_bitmap import marked_ticks, word_indices
from headrace.kernels.tick_math import TICK_MAX


def test_the_words_reach_from_the_lowest_usable_tick_to_the_highest() -> None:
    for spacing, count in ((1, 6932), (10, 694), (60, 116), (200, 36), (32_767, 2)):
        words = word_indices(spacing)
        assert len(words) == count
        assert words[0] == -(TICK_MAX // spacing) // 256
        assert words[-1] == TICK_MAX // spacing // 256


def test_a_bit_stands_for_one_tick() -> None:
    assert list(marked_ticks(0, 0, 60)) == []
    assert list(marked_ticks(0, 1 | 1 << 10 | 1 << 255, 60)) == [0, 600, 255 * 60]
    assert list(marked_ticks(-1, 1 << 255, 60)) == [-60]
    assert list(marked_ticks(-1, 1, 1)) == [-256]
