"""From a file to the configuration, checked as a whole."""

from pathlib import Path

from headrace.app.config.checks import check
from headrace.app.config.document import Node, parse_document, read_document
from headrace.app.config.reader import Reader
from headrace.app.config.tree import Config, File


def load_config(file: Path) -> Config:
    """Read and check a configuration file.

    Raises:
        ConfigError: the file cannot be read, or the first thing in it that is unknown, missing, doubled or wrong; its
            message begins with file:line:column.
    """
    return _checked(read_document(file))


def parse_config(text: str, file: Path) -> Config:
    """The same for text that `file` is said to hold."""
    return _checked(parse_document(text, file))


def _checked(document: Node) -> Config:
    reader = Reader()
    config = reader.read(document, File).defi
    return check(config, reader.places)
