"""The bytes of a market file: plain, gzip, xz or bzip2; read by its first bytes, made as its name says.

A file that stops in the middle of its compressed stream is refused as a whole: nobody can say what is missing.
"""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from headrace.errors import MarketFileError

Stream = IO[bytes] | gzip.GzipFile | lzma.LZMAFile | bz2.BZ2File
_MAGIC_BYTES = 6
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_LINE_BYTES_MAX = 1 << 26  # a block's logs fit many times over


def read_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Every line that is not blank, with its number from 1.

    Raises:
        MarketFileError: there is no such file, or its bytes end early or are damaged.
    """
    number = 0
    try:
        with _opened(path) as stream:
            while line := stream.readline(_LINE_BYTES_MAX):
                number += 1
                if len(line) == _LINE_BYTES_MAX:
                    raise MarketFileError(str(path), "the line has no end: is this a market file?", number)
                if line.strip():
                    yield number, line
    except FileNotFoundError as error:
        raise MarketFileError(str(path), "there is no such file: check the path") from error
    except IsADirectoryError as error:
        raise MarketFileError(str(path), "it is a folder: name a file") from error
    except EOFError as error:
        raise MarketFileError(str(path), "it is cut short: copy or write it again", number + 1) from error
    except (lzma.LZMAError, zlib.error) as error:
        raise _damaged(path, error, number + 1) from error
    except OSError as error:
        if error.errno is not None:
            raise  # the system's, not the file's
        raise _damaged(path, error, number + 1) from error


def read_all(path: Path) -> bytes:
    """The whole content, for files of other formats.

    Raises:
        MarketFileError: as `read_lines`.
    """
    return b"".join(line for _, line in read_lines(path))


def create(path: Path) -> Stream:
    """A new file, compressed as its name's end says (.gz, .xz, .bz2; else plain); the same content, the same bytes.

    Raises:
        MarketFileError: .zst, which this Python cannot write.
    """
    match path.suffix:
        case ".gz":
            return gzip.GzipFile(path, "wb", mtime=0)
        case ".xz":
            return lzma.open(path, "wb")
        case ".bz2":
            return bz2.open(path, "wb")
        case ".zst":
            raise MarketFileError(str(path), "zstd cannot be written here: name it .gz or .xz")
    return path.open("wb")


def require_writable(path: Path) -> None:
    """Refuse now what could not be written when all has been read; nothing is left behind.

    Raises:
        MarketFileError: it is a folder, its own folder does not exist or takes no file, or .zst.
    """
    place = being_written(path)
    if path.is_dir():
        raise MarketFileError(str(path), "it is a folder: name a file in it")
    try:
        create(place).close()
        place.unlink()
    except OSError as error:
        why = f"it cannot be written ({error.strerror}): make the folder, or name a file where you may write"
        raise MarketFileError(str(path), why) from error


def being_written(path: Path) -> Path:
    """Where a file stands until it is whole."""
    return path.with_name(f".new-{path.name}")


def _damaged(path: Path, error: Exception, line: int) -> MarketFileError:
    return MarketFileError(str(path), f"its bytes are damaged ({error}): copy it again", line)


def _opened(path: Path) -> Stream:
    with path.open("rb") as stream:
        magic = stream.read(_MAGIC_BYTES)
    if magic.startswith(b"\x1f\x8b"):
        return gzip.open(path, "rb")
    if magic == b"\xfd7zXZ\x00":
        return lzma.open(path, "rb")
    if magic.startswith(b"BZh"):
        return bz2.open(path, "rb")
    if magic.startswith(_ZSTD):
        raise MarketFileError(str(path), "zstd cannot be read here: unpack it first, with `zstd -d`")
    return path.open("rb")
