"""A YAML file as nodes that know their place, with everything refused that could mean two things.

YAML's own loaders keep the last of duplicate keys in silence, turn `1e3`, `010` and `no` into what was not written, and
let anchors, tags and merges say things far from where they act. Here a file is read event by event: every scalar stays
the text that was written, duplicates, anchors, aliases, tags and second documents are refused, and depth and size have
a limit.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NoReturn, TypeGuard

import msgspec
import yaml

from headrace.errors import ConfigError

BYTES_MAX = 1_000_000
DEPTH_MAX = 20


class Place(msgspec.Struct, frozen=True):
    """Where something stands in a file; line and column count from 1."""

    file: Path
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Scalar(msgspec.Struct, frozen=True):
    """Text as it was written, and whether in quotes."""

    text: str
    is_quoted: bool
    place: Place

    @property
    def is_null(self) -> bool:
        """Whether nothing was written where a value belongs."""
        return not self.is_quoted and self.text in ("", "~", "null", "Null", "NULL")


class Sequence(msgspec.Struct, frozen=True):
    """A list."""

    items: tuple["Node", ...]
    place: Place


class Section(msgspec.Struct, frozen=True):
    """A mapping: keys in the order of the file, each with its own place."""

    entries: Mapping[str, "Node"]
    keys: Mapping[str, Place]
    place: Place


Node = Scalar | Sequence | Section


def read_document(file: Path) -> Node:
    """Read a file.

    Raises:
        ConfigError: it cannot be opened, is empty, larger than 1 MB, no UTF-8, no YAML, or has an anchor, alias, tag,
            duplicate key or second document.
    """
    return parse_document(_text_of(file), file)


def parse_document(text: str, file: Path) -> Node:
    """The same for text that `file` is said to hold."""
    try:
        return _Composer(text, file).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
        raise ConfigError(f"this is no YAML ({error.problem}): correct it here or just above", str(place)) from error
    except yaml.reader.ReaderError as error:
        place = _place_at(text, error.position, file)
        raise ConfigError(f"the character {error.character!r} is not allowed: remove it", str(place)) from error


def _text_of(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            data = stream.read(BYTES_MAX + 1)
    except FileNotFoundError as error:
        cure = "give its path with --config (`headrace config` takes it without), or begin with one of examples/"
        raise ConfigError(f"there is no such configuration: {cure}", str(file)) from error
    except OSError as error:
        raise ConfigError(
            f"the file cannot be read ({error.strerror}): check its path and rights", str(file)
        ) from error
    if len(data) > BYTES_MAX:
        raise ConfigError("the file is larger than 1 MB: this is no configuration of ours", str(file))
    return decoded(data, file)


def decoded(data: bytes, file: Path) -> str:
    """The text of a file, without a byte order mark.

    Raises:
        ConfigError: it is not UTF-8; the message names the line.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError("the file is not UTF-8: save it as UTF-8", str(Place(file, line))) from error


def _place_at(text: str, position: int, file: Path) -> Place:
    before = text[:position]
    return Place(file, before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1)


class _Composer:
    """Builds nodes from the parser's events."""

    def __init__(self, text: str, file: Path) -> None:
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=yaml.SafeLoader)
        self._file = file

    def document(self) -> Node:
        next(self._events)  # the stream's start
        if isinstance(next(self._events), yaml.StreamEndEvent):
            raise ConfigError("the file is empty: start from a file of examples/", str(self._file))
        node = self._node(next(self._events), 1)
        next(self._events)  # the document's end
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            self._refuse(after, "a second document starts here: keep one per file")
        return node

    def _node(self, event: yaml.Event, depth: int) -> Node:
        self._check(event, depth)
        place = self._place(event)
        if isinstance(event, yaml.MappingStartEvent):
            return self._section(place, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            return Sequence(tuple(self._items(depth)), place)
        assert isinstance(event, yaml.ScalarEvent), event
        return Scalar(event.value, event.style is not None, place)

    def _check(self, event: yaml.Event, depth: int) -> None:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            self._refuse(event, "anchors and aliases are not allowed: write the value out")
        if getattr(event, "tag", None) is not None:
            self._refuse(event, "tags are not allowed: write the plain value")
        if depth > DEPTH_MAX:
            self._refuse(event, f"this is nested more than {DEPTH_MAX} deep")

    def _items(self, depth: int) -> Iterator[Node]:
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            yield self._node(event, depth + 1)

    def _section(self, place: Place, depth: int) -> Section:
        entries: dict[str, Node] = {}
        keys: dict[str, Place] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            if not _is_key(key):
                self._refuse(event, "a key is a word")
            if key.text in entries:
                self._refuse(event, f"`{key.text}` was already given in line {keys[key.text].line}: remove one")
            entries[key.text], keys[key.text] = self._node(next(self._events), depth + 1), key.place
        return Section(entries, keys, place)

    def _place(self, event: yaml.Event) -> Place:
        mark = event.start_mark
        assert mark is not None, event
        return Place(self._file, mark.line + 1, mark.column + 1)

    def _refuse(self, event: yaml.Event, why: str) -> NoReturn:
        raise ConfigError(why, str(self._place(event)))


def _is_key(node: Node) -> TypeGuard[Scalar]:
    return isinstance(node, Scalar) and node.text != ""
