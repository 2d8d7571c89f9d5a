"""The JSON of one block's logs, scanned once and left where it is: text in, places out.

Idea. A full block has thousands of logs and a market watches the few that speak of its pools, so a string made for each
field of each log is mostly waste. The scanner walks the text once, checks the form of every field, and notes where it
stands; whoever wants a log makes it from there (`headrace.kernels.log_table`).

It accepts, and never mends. What it takes is what nodes write: an array of objects in any order of keys and with any
blanks; keys and strings without escapes; every field of `WireLog` once; quantities of at most 15 digits; further fields
that are plain strings, true, false or null; lowercase hex; and the logs of one block, numbered from 0 without a gap.
For anything else it answers None, and the strict reader, which knows every form of JSON, decides and words the error.
So each answer means the same on either way, or it is read on one only; tests/unit/adapters/chains/test_log_scan.py
compares both on whole, odd and broken texts.

Bounds: a place is read only after it was found to lie inside the text; a field's eight-byte words lie inside it because
its closing quote does.

Source: execution-apis, `eth_getLogs`; RFC 8259.
"""

import msgspec
import numpy as np

from headrace.kernels.hex_words import (
    ByteArray,
    WordArray,
    are_equal,
    are_hex_words,
    is_hex_word,
    nibble,
    njit_inlined,
    njit_uncounted,
    overlapping_words,
)
from headrace.kernels.log_table import (
    ADDRESS,
    COLUMNS,
    DATA,
    DATA_END,
    TOPIC,
    TOPICS,
    TX_HASH,
    IntArray,
    LogTable,
    PlaceArray,
)
from headrace.model.address import Hash32
from headrace.model.block import BlockRef

_LOG_CHARACTERS_MIN = 256  # no log with all its fields is shorter
_TOPICS_MAX = 4
_QUANTITY_DIGITS_MAX = 15
_HASH_WORDS, _ADDRESS_WORDS = 8, 5
_HASH_CHARACTERS = 66

_QUOTE, _COMMA, _COLON, _BACKSLASH = ord('"'), ord(","), ord(":"), ord("\\")
_OPEN, _CLOSE, _OPEN_LIST, _CLOSE_LIST = ord("{"), ord("}"), ord("["), ord("]")
_ZERO, _X, _F = ord("0"), ord("x"), ord("f")
_SPACE, _TAB, _LINE, _RETURN = ord(" "), ord("\t"), ord("\n"), ord("\r")
_PRINTABLE, _DELETE = 0x20, 0x7F

_OTHER = 0
_ADDRESS, _TOPICS, _DATA, _BLOCK, _NUMBER, _TX, _INDEX, _REMOVED = (1 << i for i in range(8))
_REQUIRED = _ADDRESS | _TOPICS | _DATA | _BLOCK | _NUMBER | _TX | _INDEX


def _word(text: bytes) -> np.uint64:
    return np.uint64(int.from_bytes(text, "little"))


_ADDRESS_WORD, _TOPICS_WORD, _DATA_WORD, _REMOVED_WORD = (
    _word(b) for b in (b'address"', b'topics"', b'data"', b'removed"')
)
_BLOCK_WORD, _BLOCK_REST = _word(b"blockHas"), _word(b'h"')
_NUMBER_WORD, _NUMBER_REST = _word(b"blockNum"), _word(b'ber"')
_TX_WORD, _TX_REST = _word(b"transact"), _word(b'ionHash"')
_INDEX_WORD, _INDEX_REST = _word(b"logIndex"), _word(b'"')
_TRUE, _FALSE, _NULL = (int.from_bytes(text, "little") for text in (b"true", b"alse", b"null"))
_1_BYTE, _2_BYTES, _4_BYTES, _5_BYTES, _7_BYTES = (np.uint64((1 << 8 * size) - 1) for size in (1, 2, 4, 5, 7))


def scan_logs(result: msgspec.Raw) -> LogTable | None:
    """The logs of one block, or None where the strict reader has to say what this is."""
    text = memoryview(result)
    if len(text) < _LOG_CHARACTERS_MIN:
        return None
    words = overlapping_words(text)
    places: PlaceArray = np.empty((len(text) // _LOG_CHARACTERS_MIN, COLUMNS), np.int32)
    count, hash_place, number = _scan(np.frombuffer(text, np.uint8), words, places, np.full(2, -1, np.int64))
    if count <= 0:
        return None
    block_hash = Hash32(str(text[hash_place : hash_place + _HASH_CHARACTERS], "ascii"))
    return LogTable(text, words, places[:count], BlockRef(number, block_hash))


@njit_uncounted
def _scan(text: ByteArray, words: WordArray, places: PlaceArray, block: IntArray) -> tuple[int, int, int]:
    """How many logs, where the first names its block, and that block's number; -1 logs for what is not taken."""
    row, at = 0, _after(text, 0, _OPEN_LIST)
    while at > 0 and row < len(places):
        at = _next(text, _after_log(text, words, at, row, places, block))
        row += 1
        if _character(text, at) != _COMMA:
            break
        at = _next(text, at + 1)
    if _character(text, at) != _CLOSE_LIST or _next(text, at + 1) != len(text):
        return -1, 0, 0
    return row, block[0], block[1]


@njit_inlined
def _after_log(text: ByteArray, words: WordArray, at: int, row: int, places: PlaceArray, block: IntArray) -> int:
    """The place behind the object at `at`, or -1."""
    if _character(text, at) != _OPEN:
        return -1
    seen = 0
    while True:
        key, at = _key(text, words, _next(text, at + 1))
        if at < 0 or seen & key:
            return -1
        seen |= key
        at = _after_field(text, words, _after(text, at, _COLON), key, row, places, block)
        at = _next(text, at)
        if _character(text, at) != _COMMA:
            break
    return at + 1 if _character(text, at) == _CLOSE and seen & _REQUIRED == _REQUIRED else -1


@njit_inlined
def _key(  # noqa: PLR0911 - one for each key
    text: ByteArray, words: WordArray, at: int
) -> tuple[int, int]:
    """Which key stands at `at`, and the place behind it; -1 for that place where none does."""
    if _character(text, at) != _QUOTE or at + 1 >= len(words):
        return _OTHER, -1
    at += 1
    word = words[at]
    rest = words[at + 8] if at + 8 < len(words) else np.uint64(0)
    if word == _ADDRESS_WORD:
        return _ADDRESS, at + 8
    if word & _7_BYTES == _TOPICS_WORD:
        return _TOPICS, at + 7
    if word & _5_BYTES == _DATA_WORD:
        return _DATA, at + 5
    if word == _BLOCK_WORD and rest & _2_BYTES == _BLOCK_REST:
        return _BLOCK, at + 10
    if word == _NUMBER_WORD and rest & _4_BYTES == _NUMBER_REST:
        return _NUMBER, at + 12
    if word == _TX_WORD and rest == _TX_REST:
        return _TX, at + 16
    if word == _INDEX_WORD and rest & _1_BYTE == _INDEX_REST:
        return _INDEX, at + 9
    if word == _REMOVED_WORD:
        return _REMOVED, at + 8
    return _OTHER, _after_string(text, at - 1)


@njit_inlined
def _after_field(  # noqa: PLR0911, PLR0913, PLR0917 - one for each field; compiled functions take arrays, not objects
    text: ByteArray, words: WordArray, at: int, key: int, row: int, places: PlaceArray, block: IntArray
) -> int:
    """The place behind the value at `at`, which is noted, or -1."""
    if key == _TOPICS:
        return _after_topics(text, words, at, places[row])
    if key == _ADDRESS:
        places[row, ADDRESS] = at + 1
        return _after_hex(text, words, at, _ADDRESS_WORDS)
    if key == _TX:
        places[row, TX_HASH] = at + 1
        return _after_hex(text, words, at, _HASH_WORDS)
    if key == _DATA:
        end = _after_data(text, words, at)
        places[row, DATA], places[row, DATA_END] = at + 1, end - 1
        return end
    if key == _BLOCK:
        return _after_block_hash(text, words, at, block)
    if key == _REMOVED:
        return at + 5 if _character(text, at) == _F and _four(text, at + 1) == _FALSE else -1
    if key == _OTHER:
        return _after_other(text, at)
    number, end = _quantity(text, at)
    if key == _INDEX:
        return end if number == row else -1
    if block[1] < 0:
        block[1] = number
    return end if number == block[1] else -1


@njit_inlined
def _after_topics(text: ByteArray, words: WordArray, at: int, places: PlaceArray) -> int:
    """The place behind a list of at most four hashes, or -1."""
    count, at = 0, _after(text, at, _OPEN_LIST)
    if _character(text, at) != _CLOSE_LIST:
        while count < _TOPICS_MAX:
            places[TOPIC + count] = at + 1
            count += 1
            at = _next(text, _after_hex(text, words, at, _HASH_WORDS))
            if _character(text, at) != _COMMA:
                break
            at = _next(text, at + 1)
    places[TOPICS] = count
    return at + 1 if _character(text, at) == _CLOSE_LIST else -1


@njit_inlined
def _after_block_hash(text: ByteArray, words: WordArray, at: int, block: IntArray) -> int:
    """The place behind a hash that is the first log's, or -1."""
    end = _after_hex(text, words, at, _HASH_WORDS)
    if end > 0 and block[0] < 0:
        block[0] = at + 1
    return end if end > 0 and are_equal(words, at + 3, block[0] + 2, _HASH_WORDS) else -1


@njit_inlined
def _after_hex(text: ByteArray, words: WordArray, at: int, count: int) -> int:
    """The place behind a string of 0x and eight times `count` digits, or -1."""
    end = at + 3 + 8 * count  # where its closing quote must stand
    if not _is_hex_begun(text, at) or _character(text, end) != _QUOTE or not are_hex_words(words, at + 3, count):
        return -1
    return end + 1


@njit_inlined
def _after_data(text: ByteArray, words: WordArray, at: int) -> int:
    """The place behind a string of 0x and pairs of digits, or -1."""
    if not _is_hex_begun(text, at):
        return -1
    end = at + 3
    while end < len(words) and is_hex_word(words[end]):
        end += 8
    while nibble(_character(text, end)) >= 0:
        end += 1
    return end + 1 if _character(text, end) == _QUOTE and (end - at) & 1 else -1


@njit_inlined
def _quantity(text: ByteArray, at: int) -> tuple[np.int64, int]:
    """A string of 0x and a few digits as a number, and the place behind it, or -1."""
    if not _is_hex_begun(text, at):
        return np.int64(0), -1
    number, end = np.int64(0), at + 3
    digit = nibble(_character(text, end))
    while digit >= 0 and end < at + 3 + _QUANTITY_DIGITS_MAX:
        number, end = number << 4 | digit, end + 1
        digit = nibble(_character(text, end))
    return number, end + 1 if _character(text, end) == _QUOTE and end > at + 3 else -1


@njit_inlined
def _after_other(text: ByteArray, at: int) -> int:
    """The place behind the value of a field that nobody reads: a string or a word, or -1."""
    if _character(text, at) == _QUOTE:
        return _after_string(text, at)
    word = _four(text, at)
    if word == _TRUE or word == _NULL:  # noqa: PLR1714, SIM109 - compiled so, a tuple of globals is slower
        return at + 4
    return at + 5 if _character(text, at) == _F and _four(text, at + 1) == _FALSE else -1


@njit_inlined
def _after_string(text: ByteArray, at: int) -> int:
    """The place behind a string of printable ASCII without escapes, whose opening quote stands at `at`, or -1."""
    at += 1
    while _PRINTABLE <= _character(text, at) < _DELETE:
        if text[at] == _QUOTE:
            return at + 1
        if text[at] == _BACKSLASH:
            return -1
        at += 1
    return -1


@njit_inlined
def _is_hex_begun(text: ByteArray, at: int) -> bool:
    is_inside = 0 <= at < len(text) - 3
    return is_inside and text[at] == _QUOTE and text[at + 1] == _ZERO and text[at + 2] == _X


@njit_inlined
def _four(text: ByteArray, at: int) -> np.int64:
    """Four characters as a little-endian number; 0 where they are not all inside."""
    if not 0 <= at < len(text) - 3:
        return np.int64(0)
    return (
        np.int64(text[at]) | np.int64(text[at + 1]) << 8 | np.int64(text[at + 2]) << 16 | np.int64(text[at + 3]) << 24
    )


@njit_inlined
def _after(text: ByteArray, at: int, character: int) -> int:
    """The next place that is not blank behind `character`, the next that is not blank from `at` on; or -1."""
    at = _next(text, at)
    return _next(text, at + 1) if _character(text, at) == character else -1


@njit_inlined
def _next(text: ByteArray, at: int) -> int:
    """The first place from `at` on that is not blank, which may be the text's end; -1 of -1."""
    while 0 <= at < len(text) and (text[at] == _SPACE or text[at] == _TAB or text[at] == _LINE or text[at] == _RETURN):
        at += 1
    return at


@njit_inlined
def _character(text: ByteArray, at: int) -> np.int64:
    """What stands at a place; 0 outside."""
    return np.int64(text[at]) if 0 <= at < len(text) else np.int64(0)
