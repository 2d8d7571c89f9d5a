"""Calldata as people hand it over: hex on the command line, in a file, or on standard input."""

import re
import sys
from pathlib import Path

from headrace.errors import UsageError

STANDARD_INPUT = "-"
_BYTES_MAX = 1 << 20  # of text; no node takes a transaction of 128 kB
_SHOWN_MAX = 60
_FOREIGN = re.compile(rb"[^0-9a-fA-F]")
_BARE_HEX = re.compile(r"([0-9a-fA-F]{2}){4,}")


def read_calldata(text: str) -> bytes:
    """Bytes of `0x...`, of what `-` stands for, or of the file of that name; blanks around and in it are skipped.

    Raises:
        UsageError: no such file, more than a megabyte, or no hex; the message says at which character.
    """
    if text == STANDARD_INPUT:
        return _hex(sys.stdin.buffer.read(_BYTES_MAX + 1), "standard input")
    if text.startswith(("0x", "0X")):
        return _hex(text.encode(errors="replace"), "CALLDATA")
    try:
        with Path(text).open("rb") as stream:
            return _hex(stream.read(_BYTES_MAX + 1), text)
    except (FileNotFoundError, ValueError) as error:  # a name with a zero byte, or with half a surrogate, is none
        hint = (
            "write 0x before hex" if _BARE_HEX.fullmatch(text) else "give 0x and hex, a file, or - for standard input"
        )
        raise UsageError(f"there is no file {_shortened(text)}: {hint}") from error


def _hex(raw: bytes, where: str) -> bytes:
    if len(raw) > _BYTES_MAX:
        raise UsageError(f"{_shortened(where)}: more than {_BYTES_MAX} characters: this is no transaction's calldata")
    digits = b"".join(raw.split())
    start = 2 if digits[:2].lower() == b"0x" else 0
    if not start and len(digits) > 0:
        raise UsageError(f"{_shortened(where)}: it does not begin with 0x: give calldata as 0x and hex")
    foreign = _FOREIGN.search(digits, start)
    if foreign is not None:
        raise UsageError(f"{_shortened(where)}: character {foreign.start()} ({foreign.group()!r}) is no hex digit")
    if len(digits) % 2:
        raise UsageError(
            f"{_shortened(where)}: {len(digits) - start} hex digits are not whole bytes: is the end cut off?"
        )
    if len(digits) == start:
        raise UsageError(f"{_shortened(where)}: there is no calldata in it")
    return bytes.fromhex(digits[start:].decode())


def _shortened(text: str) -> str:
    return repr(text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}…")
