"""The shape of the configuration, taken from the structs once: reader, schema, display and reference all walk it."""

import inspect
import re
import types
import typing
from collections.abc import Iterator, Mapping
from functools import cache

import msgspec
from msgspec import NODEFAULT

from headrace.app.config.kind import Kind


class Listing(msgspec.Struct, frozen=True):
    """A list of one form; it is read into a tuple."""

    item: "Form"


class Table(msgspec.Struct, frozen=True):
    """A mapping from names of one kind to one form."""

    key: Kind
    value: "Form"


class Field(msgspec.Struct, frozen=True):
    """One key of a section; `default` is NODEFAULT where it is required."""

    attribute: str
    key: str
    form: "Form"
    default: object
    doc: str

    @property
    def is_required(self) -> bool:
        """Whether a file must have it."""
        return self.default is NODEFAULT


class Record(msgspec.Struct, frozen=True):
    """A section with fixed keys."""

    struct: type[msgspec.Struct]
    fields: tuple[Field, ...]

    @property
    def title(self) -> str:
        """The first sentence of the struct's docstring."""
        return inspect.cleandoc(self.struct.__doc__ or "").split("\n", 1)[0]


Form = Kind | Listing | Table | Record


@cache
def record_of(struct: type[msgspec.Struct]) -> Record:
    """The form of a struct of the configuration."""
    hints = typing.get_type_hints(struct, include_extras=True)
    docs = dict(_attribute_docs(struct))
    return Record(struct, tuple(_field(f, _form(hints[f.name]), docs[f.name]) for f in msgspec.structs.fields(struct)))


def _field(info: msgspec.structs.FieldInfo, form: Form, doc: str) -> Field:
    default = info.default
    if info.default_factory is not NODEFAULT:
        default = info.default_factory()
    return Field(info.name, info.encode_name, form, default, doc)


def _form(hint: object) -> Form:
    for extra in getattr(hint, "__metadata__", ()):
        if isinstance(extra, Kind):
            return extra
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        return Listing(_form(args[0]))
    if origin is Mapping:
        key = _form(args[0])
        assert isinstance(key, Kind)
        return Table(key, _form(args[1]))
    if origin in (typing.Union, types.UnionType):
        return _form(next(arg for arg in args if arg is not types.NoneType))
    assert isinstance(hint, type) and issubclass(hint, msgspec.Struct), hint  # noqa: PT018 - one claim for the type checker
    return record_of(hint)


def _attribute_docs(struct: type[msgspec.Struct]) -> Iterator[tuple[str, str]]:
    text = inspect.cleandoc(struct.__doc__ or "").partition("Attributes:")[2]
    for name, doc in re.findall(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", text, re.MULTILINE):
        yield name, " ".join(doc.split())
