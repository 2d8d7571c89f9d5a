"""The scanner beside the strict reader, which is the oracle: msgspec's JSON and a check of every field.

Whatever the scanner takes, the strict reader takes too and reads as the same logs; whatever it does not take is left to
the strict reader. Texts are whole, odd and broken; how many were taken is printed and has a minimum. The kernel's code
is run as it is compiled.
"""

import random
from collections import Counter
from collections.abc import Callable

import msgspec
import pytest
from tests.support import log_frames
from tests.support.log_frames import CHANGES, block, bytes_broken, doubled, written

from headrace.adapters.chains.evm import answer, log_scan
from headrace.adapters.chains.evm.log_scan import scan_logs
from headrace.kernels.log_table import LogTable
from headrace.model.event import Log

CASES = 4_000
Reader = Callable[[msgspec.Raw], LogTable | None]


def strictly(text: bytes) -> tuple[Log, ...] | str:
    try:
        return answer.read_logs(msgspec.Raw(text))
    except ValueError as error:
        return str(error)


def disagreement(text: bytes, scan: Reader = scan_logs) -> str:
    """Empty where both mean the same; else what is wrong."""
    table = scan(msgspec.Raw(text))
    if table is None:
        return ""
    logs = strictly(text)
    if isinstance(logs, str):
        return f"taken, though {logs}"
    if table != logs or len(table) != len(logs):
        return "read as other logs"
    is_whole = all(log.block_hash == table.block.hash and log.log_index == i for i, log in enumerate(logs))
    return "" if is_whole else "not one block, numbered from 0"


def cases(seed: int, count: int = CASES) -> list[tuple[str, bytes]]:
    """Texts and their kinds, the same for every seed."""
    rng = random.Random(seed)
    made: list[tuple[str, bytes]] = []
    for _ in range(count):
        logs, kind = block(rng), rng.choice(("whole", "blanks", "field", "field", "doubled", "bytes", "bytes"))
        if kind == "field":
            kind = rng.choice(list(CHANGES))
            CHANGES[kind](rng, rng.choice(logs))
        text = written(rng, logs) if kind == "blanks" or rng.random() < 0.3 else log_frames.plainly(logs)
        if kind == "doubled":
            text = doubled(rng, text)
        data = text.encode()
        made.append((kind, bytes_broken(rng, data) if kind == "bytes" else data))
    return made


def test_what_is_scanned_is_what_the_strict_reader_reads() -> None:
    taken: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for kind, text in cases(seed=1):
        assert disagreement(text) == "", (kind, text)
        seen[kind] += 1
        taken[kind] += scan_logs(msgspec.Raw(text)) is not None
    print({kind: f"{taken[kind]} of {seen[kind]} taken" for kind in sorted(seen)})  # noqa: T201 - what was covered
    assert taken["whole"] == seen["whole"] >= 300, "what nodes write needs no strict reader"
    assert taken["blanks"] == seen["blanks"] >= 300, "nor does any order of keys with any blanks"
    assert seen["bytes"] >= 600
    assert taken["doubled"] < seen["doubled"] // 20, "a last member stays single"
    assert 0 < taken["bytes"] < seen["bytes"] // 2
    assert set(CHANGES) <= set(seen)
    for kind in ("no removed", "a plain field", "a null field", "a true field"):
        assert taken[kind] == seen[kind], kind
    for kind in ("removed", "an odd count", "a nested field", "an escape", "a short address", "no digits"):
        assert not taken[kind], kind


def test_a_block_that_is_read_gives_the_same_answer_or_the_same_error() -> None:
    for kind, text in cases(seed=2, count=500):
        expected = strictly(text)
        if isinstance(expected, str):
            with pytest.raises(ValueError, match=r".") as caught:
                answer.read_block_logs(msgspec.Raw(text))
            assert str(caught.value) == expected, kind
        else:
            assert answer.read_block_logs(msgspec.Raw(text)) == expected, kind


@pytest.mark.parametrize("text", [b"", b"[]", b"null", b"[" * 300, b" " * 300, b"{" + b" " * 300, b"[" + b" " * 300])
def test_what_holds_no_log_is_left_to_the_strict_reader(text: bytes) -> None:
    assert scan_logs(msgspec.Raw(text)) is None


def test_every_cut_of_an_answer_is_refused() -> None:
    text = log_frames.plainly(block(random.Random(3), logs_max=2)).encode()
    for end in range(len(text)):
        assert scan_logs(msgspec.Raw(text[:end])) is None, end


def test_every_byte_counts() -> None:
    """Each byte of an answer exchanged for several others, one at a time."""
    text = log_frames.plainly(block(random.Random(4), logs_max=1)).encode()
    for at in range(len(text)):
        for byte in b'"\\{}[],:0fgF x\x00\x1f\x7f\x80\xff':
            changed = text[:at] + bytes([byte]) + text[at + 1 :]
            assert disagreement(changed) == "", (at, byte)


MUTANTS: dict[str, tuple[str, object]] = {
    "a log may lack fields": ("_REQUIRED", 0),
    "five topics": ("_TOPICS_MAX", 5),
    "addresses of four words": ("_ADDRESS_WORDS", 4),
    "hashes of seven words": ("_HASH_WORDS", 7),
    "escapes are characters": ("_BACKSLASH", 0),
    "control characters are characters": ("_PRINTABLE", 1),
    "any character is a digit of a hash": ("are_hex_words", lambda *_: True),
    "any character is a digit of a number": ("nibble", lambda character: -1 if character == 34 else character & 15),
    "logs of any block": ("are_equal", lambda *_: True),
    "what is removed stays": ("_REMOVED_WORD", 0),
    "one blank is another character": ("_TAB", ord(",")),
    "a text may go on": ("_next", lambda text, at: len(text) if at > 0 and text[at - 1] == ord("]") else at),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_every_check_that_is_left_out_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scanner with one thing wrong, run as plain Python: some text tells it from the strict reader."""
    for one, function in list(vars(log_scan).items()):
        if getattr(function, "__module__", "") == log_scan.__name__ and hasattr(function, "py_func"):
            monkeypatch.setattr(log_scan, one, function.py_func)
    monkeypatch.setattr(log_scan, *MUTANTS[name])
    noticed = next((at for at, (kind, text) in enumerate(cases(seed=5)) if is_noticed(kind, text)), None)
    print(name, "noticed at text", noticed)  # noqa: T201 - what was covered
    assert noticed is not None


def is_noticed(kind: str, text: bytes) -> bool:
    try:
        is_left = kind in ("whole", "blanks") and scan_logs(msgspec.Raw(text)) is None
        return is_left or disagreement(text) != ""
    except (IndexError, ValueError):
        return True
