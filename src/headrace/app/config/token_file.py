"""Lists of tokens in files of their own: one address a line, so that a script or a person can keep them."""

from pathlib import Path

import msgspec

from headrace.app.config.document import Place, decoded
from headrace.errors import ConfigError
from headrace.model.address import Address, parse_address

BYTES_MAX = 1 << 24  # a third of a million tokens


class TokenFile(msgspec.Struct, frozen=True):
    """A list and where it stood when it was read."""

    file: Path
    tokens: tuple[Address, ...]


def read_token_file(file: Path, named_in: Place) -> TokenFile:
    """Read a list; blank lines and what follows a `#` count for nothing.

    Raises:
        ConfigError: the file cannot be read (the message names the place that names it), is no UTF-8 text or has more
            than 16 MB; or a line is no address, or says one again (the message names the line).
    """
    try:
        with file.open("rb") as stream:
            data = stream.read(BYTES_MAX + 1)
    except OSError as error:
        raise ConfigError(
            f"{file} cannot be read ({error.strerror}): check its path and rights", str(named_in)
        ) from error
    if len(data) > BYTES_MAX:
        raise ConfigError("the file is larger than 16 MB: this is no list of tokens", str(file))
    return TokenFile(file, tuple(_lines_of(decoded(data, file), file)))


def _lines_of(text: str, file: Path) -> dict[Address, int]:
    """The line of each address."""
    lines: dict[Address, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        said = line.partition("#")[0].strip()
        if not said:
            continue
        where = str(Place(file, number))
        token = parse_address(said, where)
        if token in lines:
            raise ConfigError(f"token {token} was already listed in line {lines[token]}: remove one", where)
        lines[token] = number
    return lines
