"""All logs of one block, left in the text they came in; each is made when it is asked for.

A market looks at few of a block's logs, so a table holds for each of them where its fields stand in the node's answer,
and gives columns and rows: the rows with some first topic, who emitted them, one `Log`. It is a sequence of logs that
all name its block and are numbered from 0 without a gap; whoever makes one has checked that, and every field's form.

Representation: a row of 32-bit places for each log, `COLUMNS` wide: address, data, data's end, transaction hash, number
of topics, and the topics; each is the place of the field's 0x. Topics that are not there have no place.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import repeat
from typing import cast, overload

import numpy as np
import numpy.typing as npt

from headrace.kernels.address_index import AddressIndex
from headrace.kernels.hex_words import (
    WORD_BYTES,
    WordArray,
    are_equal,
    mixed,
    njit_inlined,
    njit_uncounted,
    packed_digits,
)
from headrace.model.address import Address, Hash32
from headrace.model.block import BlockRef
from headrace.model.event import Log

IntArray = npt.NDArray[np.int64]
PlaceArray = npt.NDArray[np.int32]
BoolArray = npt.NDArray[np.bool_]
ADDRESS, DATA, DATA_END, TX_HASH, TOPICS, TOPIC = range(6)
COLUMNS = TOPIC + 4
NUMBER_BYTES = 16
_ADDRESS_CHARACTERS, _ADDRESS_WORDS = 42, 5
_HASH_CHARACTERS, _HASH_WORDS = 66, 8
_DIGITS = 2  # behind 0x
_TWO_WORDS_CHARACTERS = 130
_WORD_DIGITS, _ZERO_DIGITS = 64, 36  # of a word that holds 112 bits
_EIGHT_ZEROS = np.uint64(0x3030303030303030)
_ITEMS_PER_LOG = COLUMNS - TOPIC + 1
_SLOTS_TRIED_MAX = 16


class LogTable(Sequence[Log]):
    """The logs of `block`, in its order; equal to any sequence of equal logs."""

    def __init__(self, text: memoryview, words: WordArray, places: PlaceArray, block: BlockRef) -> None:
        """Keep a checked text, its words, and where its logs' fields stand."""
        self._text = text
        self._words = words
        self._places = places
        self.block = block

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> Log: ...

    @overload
    def __getitem__(self, index: slice) -> list[Log]: ...

    def __getitem__(self, index: int | slice) -> Log | list[Log]:
        rows = np.arange(len(self))[index]
        return self.logs_at(rows) if isinstance(index, slice) else self.logs_at(rows[None])[0]

    def __iter__(self) -> Iterator[Log]:
        return iter(self.logs_at(np.arange(len(self))))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]  # like a list: it equals tuples, which hash by their logs

    def logs_at(self, rows: IntArray) -> list[Log]:
        """These logs, made anew at each call."""
        if not len(rows):
            return []  # and no string of the whole text
        text, places = self._characters, self._places[rows]
        topics = [
            tuple([text[start : start + _HASH_CHARACTERS] for start in starts[:count]])
            for count, *starts in places[:, TOPICS:].tolist()
        ]
        data = [text[start:end] for start, end in places[:, DATA : DATA_END + 1].tolist()]
        tx_hashes = [text[start : start + _HASH_CHARACTERS] for start in places[:, TX_HASH].tolist()]
        return list(
            map(
                Log,
                self.addresses_at(rows),
                cast("list[tuple[Hash32, ...]]", topics),
                data,
                repeat(self.block.hash),
                repeat(self.block.number),
                cast("list[Hash32]", tx_hashes),
                rows.tolist(),
            )
        )

    def rows_of(self, topics: WordArray) -> IntArray:
        """The rows whose first topic is one of these, given by `topic_words`, in ascending order."""
        rows = np.empty(len(self), np.int64)
        return rows[: _rows_of(self._words, self._places, topics, rows)]

    def rows_outside(self, kinds: IntArray, topics: WordArray, starts: IntArray) -> IntArray:
        """The rows whose first topic is none of their kind's, in ascending order; those without a topic are among them.

        `kinds` is parallel to the table, with -1 for a row that has no kind and is not asked for. The topics of kind k
        are `topics[starts[k]:starts[k + 1]]`.
        """
        rows = np.empty(len(self), np.int64)
        return rows[: _rows_outside(self._words, self._places, kinds, topics, starts, rows)]

    def numbers_in(self, index: AddressIndex) -> IntArray:
        """Which address of the index emitted each log, by number; -1 for one that is not in it."""
        return index.find(self._words, self._places[:, ADDRESS].astype(np.int64))

    def addresses_at(self, rows: IntArray) -> list[Address]:
        """Who emitted each of these rows."""
        text = self._characters
        starts = self._places[rows, ADDRESS].tolist()
        return cast("list[Address]", [text[start : start + _ADDRESS_CHARACTERS] for start in starts])

    def addresses_and_topics(self) -> list[str]:
        """Every address and topic of the block, most of them once."""
        text, items = self._characters, _ITEMS_PER_LOG * len(self)
        slots = np.zeros(1 << (2 * items).bit_length(), np.int32)
        found = np.empty((items, 2), np.int64)
        count = _distinct_items(self._words, self._places, slots, found)
        return [text[start:end] for start, end in found[:count].tolist()]

    def uint112_pairs_at(self, rows: IntArray) -> tuple[npt.NDArray[np.void], BoolArray]:
        """The data of logs with one topic and two words of at most 112 bits.

        Returns two columns of `NUMBER_BYTES` big-endian bytes for each row; and whether its log is such a one.
        """
        packed, is_pair = np.zeros((len(rows), 2 * NUMBER_BYTES // 4), np.uint32), np.zeros(len(rows), np.bool_)
        _pack_pairs(self._words, self._places, rows, packed, is_pair)
        return packed.view(f"V{NUMBER_BYTES}"), is_pair

    @cached_property
    def _characters(self) -> str:
        return str(self._text, "ascii")


def topic_words(topics: Iterable[Hash32]) -> WordArray:
    """Topics as their digits stand in a table's words, a row each."""
    return np.frombuffer(b"".join([topic[_DIGITS:].encode() for topic in topics]), "<u8").reshape(-1, _HASH_WORDS)


@njit_uncounted
def _rows_of(words: WordArray, places: PlaceArray, topics: WordArray, rows: IntArray) -> int:
    count = 0
    for row in range(len(places)):
        start = places[row, TOPIC] + _DIGITS
        for topic in range(len(topics) if places[row, TOPICS] > 0 else 0):
            if words[start] == topics[topic, 0] and _is_topic(words, start, topics, topic):
                rows[count] = row
                count += 1
                break
    return count


@njit_uncounted
def _rows_outside(
    words: WordArray, places: PlaceArray, kinds: IntArray, topics: WordArray, starts: IntArray, rows: IntArray
) -> int:
    count = 0
    for row in range(len(places)):
        if kinds[row] < 0:
            continue
        start, end = places[row, TOPIC] + _DIGITS, starts[kinds[row] + 1]
        topic = starts[kinds[row]] if places[row, TOPICS] > 0 else end
        while topic < end and not (words[start] == topics[topic, 0] and _is_topic(words, start, topics, topic)):
            topic += 1
        if topic == end:
            rows[count] = row
            count += 1
    return count


@njit_inlined
def _is_topic(words: WordArray, start: int, topics: WordArray, topic: int) -> bool:
    for place in range(_HASH_WORDS):  # noqa: SIM110 - compiled functions have no generators
        if words[start + WORD_BYTES * place] != topics[topic, place]:
            return False
    return True


@njit_uncounted
def _distinct_items(words: WordArray, places: PlaceArray, slots: PlaceArray, found: IntArray) -> int:
    """Fill `found` with start and end of each different item; `slots` holds their numbers, from 1, by their digits."""
    count = 0
    for row in range(len(places)):
        start = places[row, ADDRESS]
        count = _noted(words, start, start + _ADDRESS_CHARACTERS, _ADDRESS_WORDS, slots, found, count)
        for topic in range(TOPIC, TOPIC + places[row, TOPICS]):
            start = places[row, topic]
            count = _noted(words, start, start + _HASH_CHARACTERS, _HASH_WORDS, slots, found, count)
    return count


@njit_inlined
def _noted(
    words: WordArray, start: int, end: int, count_words: int, slots: PlaceArray, found: IntArray, count: int
) -> int:
    """How many items there are with this one. Slots that are taken send it to the next, but not far.

    Somebody may emit topics that all want the same slot: beyond a few tries an item counts as new, which costs time for
    that item alone.
    """
    found[count, 0], found[count, 1] = start, end
    slot = mixed(words, start + _DIGITS, WORD_BYTES, count_words) & (len(slots) - 1)
    for _ in range(_SLOTS_TRIED_MAX):
        one = slots[slot] - 1
        if one < 0:
            slots[slot] = count + 1
            break
        is_same_kind = found[one, 1] - found[one, 0] == end - start
        if is_same_kind and are_equal(words, start + _DIGITS, found[one, 0] + _DIGITS, count_words):
            return count
        slot = (slot + 1) & (len(slots) - 1)
    return count + 1


@njit_uncounted
def _pack_pairs(
    words: WordArray,
    places: PlaceArray,
    rows: IntArray,
    packed: npt.NDArray[np.uint32],
    is_pair: BoolArray,
) -> None:
    for at in range(len(rows)):
        row = rows[at]
        start = places[row, DATA] + _DIGITS
        is_sized = places[row, TOPICS] == 1 and places[row, DATA_END] - places[row, DATA] == _TWO_WORDS_CHARACTERS
        if is_sized and _begins_with_zeros(words, start) and _begins_with_zeros(words, start + _WORD_DIGITS):
            is_pair[at] = True
            for place in range(4):
                digits = start + _WORD_DIGITS // 2 + WORD_BYTES * place
                packed[at, place] = packed_digits(words[digits])
                packed[at, 4 + place] = packed_digits(words[digits + _WORD_DIGITS])


@njit_inlined
def _begins_with_zeros(words: WordArray, start: int) -> bool:
    """Whether a word of 32 bytes has 112 bits at most."""
    for place in (0, 8, 16, 24, _ZERO_DIGITS - 8):  # noqa: SIM110 - compiled functions have no generators
        if words[start + place] != _EIGHT_ZEROS:
            return False
    return True
