"""Nodes to structs: every key known, every value of its kind, nothing missing."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NoReturn, TypeVar

import msgspec

from headrace.app.config.document import Node, Place, Scalar, Section, Sequence
from headrace.app.config.form import Field, Form, Listing, Record, Table, record_of
from headrace.app.config.kind import Kind
from headrace.app.config.suggest import did_you_mean
from headrace.errors import ConfigError

S = TypeVar("S", bound=msgspec.Struct)
Path = tuple[str, ...]
Places = Mapping[Path, Place]


class Reader:
    """Reads one document; `places` then tells where each value stands, by its path of keys and list positions."""

    def __init__(self) -> None:
        self._places: dict[Path, Place] = {}

    @property
    def places(self) -> Places:
        """Places of everything read so far."""
        return MappingProxyType(self._places)

    def read(self, node: Node, struct: type[S]) -> S:
        """The document as a struct.

        Raises:
            ConfigError: the first thing that is unknown, missing or wrong, in the order of the file.
        """
        value = self._record(node, record_of(struct), ())
        assert isinstance(value, struct)
        return value

    def _value(self, node: Node, form: Form, path: Path) -> object:
        self._places[path] = node.place
        if isinstance(form, Kind):
            return self._leaf(node, form, path)
        if isinstance(form, Listing):
            return self._listing(node, form, path)
        return self._table(node, form, path) if isinstance(form, Table) else self._record(node, form, path)

    def _leaf(self, node: Node, kind: Kind, path: Path) -> object:
        try:
            return kind.read(node)
        except ConfigError as error:
            message = str(error).removeprefix(f"{error.where}: ")
            raise ConfigError(f"{dotted(path)}: {message}", error.where) from error

    def _listing(self, node: Node, form: Listing, path: Path) -> tuple[object, ...]:
        if not isinstance(node, Sequence):
            _refuse(node, path, "a list is expected here")
        return tuple(self._value(item, form.item, (*path, str(i))) for i, item in enumerate(node.items))

    def _table(self, node: Node, form: Table, path: Path) -> Mapping[str, object]:
        section = _section(node, path)
        values = {}
        for key, item in section.entries.items():
            name = self._leaf(Scalar(key, is_quoted=True, place=section.keys[key]), form.key, path)
            assert isinstance(name, str)
            values[name] = self._value(item, form.value, (*path, name))
        return MappingProxyType(values)

    def _record(self, node: Node, form: Record, path: Path) -> msgspec.Struct:
        if isinstance(node, Scalar) and node.is_null:
            node = Section({}, {}, node.place)  # so that what is missing is named
        section = _section(node, path)
        by_key = {field.key: field for field in form.fields}
        values = {}
        for key, item in section.entries.items():
            if key not in by_key:
                hint = did_you_mean(key, by_key) or f"; known are {', '.join(by_key)}"
                raise ConfigError(f"unknown key `{dotted((*path, key))}`{hint}", str(section.keys[key]))
            values[by_key[key].attribute] = self._value(item, by_key[key].form, (*path, key))
        for field in form.fields:
            if field.is_required and field.attribute not in values:
                _refuse_missing(section, path, field)
        return form.struct(**values)


def dotted(path: Path) -> str:
    """A path for people: `defi.risk.max_daily_loss_usd`."""
    return ".".join(path)


def _section(node: Node, path: Path) -> Section:
    if not isinstance(node, Section):
        _refuse(node, path, "a section of keys is expected here")
    return node


def _refuse(node: Node, path: Path, why: str) -> NoReturn:
    raise ConfigError(f"{dotted(path)}: {why}" if path else why, str(node.place))


def _refuse_missing(section: Section, path: Path, field: Field) -> NoReturn:
    name = dotted((*path, field.key))
    why = f"`{name}` is missing and has no default: {field.doc.rstrip('.')}"
    raise ConfigError(why, str(section.place))
