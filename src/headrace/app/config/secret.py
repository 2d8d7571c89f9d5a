"""Secrets by reference: the configuration says where one lies, never what it is."""

import os
import stat
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from headrace.errors import ConfigError

BYTES_MAX = 4096


def is_node_address(text: str) -> bool:
    """Whether this is a WebSocket or HTTP URL with a possible port, or the absolute path of a socket."""
    if text.startswith("/"):
        return True
    try:
        parts = urlsplit(text)
        return parts.scheme in ("ws", "wss", "http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port out of range, a bracket left open
        return False


class Secret(msgspec.Struct, frozen=True):
    """A secret in a file or behind an open file descriptor; it is read when it is used and kept nowhere.

    Exactly one of `file` and `fd` is given.
    """

    file: Path | None = None
    fd: int | None = None

    def reveal(self) -> str:
        """The first line, without its end. A descriptor can be read once.

        Raises:
            ConfigError: unreadable, empty, longer than 4096 bytes or not UTF-8, or a file that others may read.
        """
        data = self._from_file(self.file) if self.file is not None else self._from_fd()
        if len(data) > BYTES_MAX:
            raise ConfigError(f"a secret has at most {BYTES_MAX} bytes: is this the right one?", self.where)
        try:
            text = data.decode().split("\n", 1)[0].removesuffix("\r")
        except UnicodeDecodeError:
            raise ConfigError("the secret is not UTF-8 text", self.where) from None  # the cause would quote it
        if not text:
            raise ConfigError("the secret is empty: write it on the first line", self.where)
        return text

    @property
    def where(self) -> str:
        """The reference, which is not secret."""
        return str(self.file) if self.file is not None else f"file descriptor {self.fd}"

    def _from_file(self, file: Path) -> bytes:
        try:
            with file.open("rb") as stream:
                mode = os.fstat(stream.fileno()).st_mode
                if stat.S_ISREG(mode) and mode & (stat.S_IRWXG | stat.S_IRWXO):
                    raise ConfigError("others may read this secret: run `chmod 600` on it", self.where)
                return stream.read(BYTES_MAX + 1)
        except OSError as error:
            raise ConfigError(f"the secret cannot be read ({error.strerror}): check the path", self.where) from error

    def _from_fd(self) -> bytes:
        assert self.fd is not None
        try:
            with os.fdopen(os.dup(self.fd), "rb") as stream:
                return stream.read(BYTES_MAX + 1)
        except OSError as error:
            why = f"the secret cannot be read ({error.strerror}): open the descriptor for reading"
            raise ConfigError(why, self.where) from error

    def __repr__(self) -> str:
        return "Secret(hidden)"


class Endpoint(msgspec.Struct, frozen=True):
    """A node's URL: written out where it holds no key, else behind a secret. Exactly one of the two is given."""

    url: str = ""
    secret: Secret | None = None

    def reveal(self) -> str:
        """The URL itself.

        Raises:
            ConfigError: the secret cannot be read, or is no URL.
        """
        if self.secret is None:
            return self.url
        text = self.secret.reveal()
        if not is_node_address(text):
            raise ConfigError("the secret is not a URL such as wss://host/key", self.secret.where)
        return text

    def __repr__(self) -> str:
        return f"Endpoint({self.url or 'hidden'})"
