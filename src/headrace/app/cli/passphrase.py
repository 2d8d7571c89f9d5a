"""Where a passphrase comes from: a descriptor, a file only its owner may read, or the terminal. Never an argument."""

import getpass
import sys
from pathlib import Path

from headrace.app.config.secret import Secret
from headrace.errors import UsageError

PASSPHRASE_CHARACTERS_MIN = 12  # who has the file guesses as fast as scrypt lets them, for as long as they like


def passphrase_source(fd: int | None, file: Path | None) -> Secret | None:
    """The one source that was named, or None.

    Raises:
        UsageError: two were named.
    """
    if fd is not None and file is not None:
        raise UsageError("both --passphrase-fd and --passphrase-file are given: choose one")
    if fd is None and file is None:
        return None
    return Secret(fd=fd, file=file)


def read_passphrase(source: Secret | None, prompt: str = "Passphrase: ") -> str:
    """The passphrase of a key that exists.

    Raises:
        ConfigError: the source cannot be read.
        UsageError: no source was named and there is no terminal, or nothing was typed.
    """
    return source.reveal() if source is not None else _typed(prompt)


def new_passphrase(source: Secret | None, prompt: str = "New passphrase: ") -> str:
    """The passphrase of a new key, of `PASSPHRASE_CHARACTERS_MIN` at least; typed twice at a terminal.

    Raises:
        ConfigError: the source cannot be read.
        UsageError: as `read_passphrase`, or it is too short, or the two differ.
    """
    if source is not None:
        return _long_enough(source.reveal())
    first = _long_enough(_typed(prompt))
    if _typed("The same again: ") != first:
        raise UsageError("the two passphrases differ: try again")
    return first


def _long_enough(text: str) -> str:
    if len(text) < PASSPHRASE_CHARACTERS_MIN:
        raise UsageError(
            f"the passphrase has fewer than {PASSPHRASE_CHARACTERS_MIN} characters, and whoever copies the key's file"
            " can try short ones until one fits: take a longer one, such as four or five random words"
        )
    return text


def _typed(prompt: str) -> str:
    if not sys.stdin.isatty():
        raise UsageError("there is no terminal to type a passphrase: give --passphrase-file or --passphrase-fd")
    try:
        text = getpass.getpass(prompt)
    except EOFError:
        text = ""
    if not text:
        raise UsageError("the passphrase is empty: type one, or give --passphrase-file")
    return text
