"""States as documents: JSON that a person can write, one codec for every protocol's frozen structs.

Idea. A state is a struct of integers, booleans, names, tuples and smaller structs, and its type says all about it. So
the type is walked: once to write, once to read strictly. A folder adds the two methods of the port and its own check.

Representation. Integers are decimal strings; bytes are 0x hex; tuples and named tuples are arrays; mappings are
objects with their keys as text; an enum stands by its value; one of several structs says which by `kind`, its class in
snake case. The fields of a struct inside a struct stand beside those of the outer one, unless a name would then occur
twice: in that case the inner struct is an object under its own name. The pool's constants are not part of its state.
A table of ticks is told in `tick_document`.

Refused: unknown names, missing names without a default, integers in another notation, JSON numbers of 2^53 and above
(whoever wrote them may have rounded them already), floats.
"""

import types
from collections import Counter
from collections.abc import Iterable, Mapping
from enum import Enum
from functools import lru_cache
from typing import Final, NamedTuple, TypeVar, Union, cast, get_args, get_origin

import msgspec

from headrace.adapters.protocols import tick_document
from headrace.adapters.protocols.document_values import (
    Unfit,
    data_of,
    enum_of,
    integer_of,
    object_of,
    reader_of,
    snake,
    text_of,
)
from headrace.errors import MalformedPoolError
from headrace.kernels.tick_table import TickTable
from headrace.model.address import ZERO_ADDRESS, PoolId
from headrace.model.codec import JsonValue
from headrace.model.pool import Pool, ProtocolId
from headrace.ports.pool import PoolState

S = TypeVar("S", bound=msgspec.Struct)
Document = Mapping[str, JsonValue]
_POOL: Final = "pool"
_NO_POOL = Pool(PoolId(""), ZERO_ADDRESS, ProtocolId(""), "", ())
_NO_DEFAULTS: Document = types.MappingProxyType({})


class Field(NamedTuple):
    """A field of a state and where it stands: beside the outer struct's fields, or under its own name."""

    name: str
    kind: object
    is_inlined: bool
    info: msgspec.structs.FieldInfo


def to_document(state: PoolState) -> dict[str, JsonValue]:
    """The state without its pool."""
    assert isinstance(state, msgspec.Struct), type(state)
    document = _struct_document(state, state.pool)
    del document[_POOL]
    return document


def from_document(kind: type[S], pool: Pool, document: Document, defaults: Document = _NO_DEFAULTS) -> S:
    """The state that a document describes; `defaults` stand for names that are left out.

    Raises:
        MalformedPoolError: a field is missing, unknown or not of its form.
    """
    full = {**defaults, **document}
    try:
        _refuse_unknown(kind, full, "", without=_POOL)
        if any(field.is_inlined and field.kind is TickTable for field in fields_of(kind)):
            full = tick_document.completed(full)
        return cast("S", _read_struct(kind, full, "", pool, is_state=True))
    except Unfit as error:
        raise MalformedPoolError(pool.id, error.field, error.why) from error


def plain_document(value: msgspec.Struct) -> dict[str, JsonValue]:
    """Any struct that is no state, such as a line of a market file."""
    return _struct_document(value, _NO_POOL)


def from_plain(kind: type[S], document: Document) -> S:
    """The struct that such a document describes.

    Raises:
        Unfit: a field is missing, unknown or not of its form.
    """
    _refuse_unknown(kind, document, "")
    return cast("S", _read_struct(kind, document, "", _NO_POOL))


@lru_cache(maxsize=512)
def fields_of(kind: type[msgspec.Struct]) -> tuple[Field, ...]:
    """The fields of a struct."""
    infos = msgspec.structs.fields(kind)
    inner = {i.name: _names_inside(i.type) for i in infos}
    seen = Counter(name for i in infos for name in [i.name, *inner[i.name]])
    return tuple(
        Field(i.name, i.type, bool(inner[i.name]) and all(seen[name] == 1 for name in inner[i.name]), i) for i in infos
    )


def names_of(kind: type[msgspec.Struct]) -> frozenset[str]:
    """The names that stand in a struct's document, beside each other."""
    return frozenset(
        name for field in fields_of(kind) for name in (_names_inside(field.kind) if field.is_inlined else (field.name,))
    )


def _names_inside(kind: object) -> frozenset[str]:
    """The names of what can stand inside another document; a pool, and what has a pool of its own, cannot."""
    if kind is TickTable:
        return tick_document.NAMES
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)) or kind is Pool:
        return frozenset()
    names = names_of(kind)
    return frozenset() if _POOL in names else names


def _refuse_unknown(kind: type[msgspec.Struct], names: Iterable[str], at: str, *, without: str = "") -> None:
    known = names_of(kind) - {without}
    for name in sorted(names):
        if name not in known:
            raise Unfit(f"{at}.{name}" if at else name, f"no such field; there are {', '.join(sorted(known))}")


def _struct_document(value: msgspec.Struct, pool: Pool) -> dict[str, JsonValue]:
    document: dict[str, JsonValue] = {}
    for field in fields_of(type(value)):
        inner = getattr(value, field.name)
        written = _written(inner, pool)
        if field.is_inlined:
            assert isinstance(written, dict), field.name
            document |= written
        else:
            if len(_others(field.kind)) > 1 and isinstance(written, dict):
                written = {"kind": snake(type(inner).__name__), **written}
            document[field.name] = written
    return document


def _written(value: object, pool: Pool) -> JsonValue:
    if isinstance(value, TickTable):
        return tick_document.written(value, pool.fee_pips)
    if isinstance(value, msgspec.Struct):
        return _struct_document(value, pool)
    if isinstance(value, Mapping):
        return {str(key): _written(item, pool) for key, item in value.items()}
    if isinstance(value, tuple | list | frozenset):
        return [_written(item, pool) for item in (sorted(value) if isinstance(value, frozenset) else value)]
    return _written_plain(value)


def _written_plain(value: object) -> JsonValue:
    if isinstance(value, Enum):
        return str(value.value)
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, bytes):
        return "0x" + value.hex()
    assert isinstance(value, int), f"a state holds integers, not {type(value)}"
    return str(value)


def _others(kind: object) -> tuple[object, ...]:
    """The members of a union but None; of anything else nothing."""
    is_union = get_origin(kind) in {Union, types.UnionType}
    return tuple(one for one in get_args(kind) if one is not types.NoneType) if is_union else ()


def _read_struct(
    kind: type[msgspec.Struct], document: Document, at: str, pool: Pool, *, is_state: bool = False
) -> msgspec.Struct:
    values: dict[str, object] = {_POOL: pool} if is_state else {}
    for field in fields_of(kind):
        place = f"{at}.{field.name}" if at else field.name
        if field.name in values:
            continue
        if field.is_inlined:
            values[field.name] = _read(field.kind, dict(document), at, pool, is_beside=True)
        elif field.name in document:
            values[field.name] = _read(field.kind, document[field.name], place, pool)
        elif field.info.required:
            raise Unfit(place, "it is missing")
    return kind(**values)


def _read(kind: object, value: JsonValue, at: str, pool: Pool, *, is_beside: bool = False) -> object:
    if kind is TickTable:
        return tick_document.read(object_of(value, at), at, pool.fee_pips)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        inner = object_of(value, at)
        if not is_beside:
            _refuse_unknown(kind, inner, at)
        return _read_struct(kind, inner, at, pool)
    if _others(kind):
        return _read_union(kind, value, at, pool)
    if get_origin(kind) is None and not (isinstance(kind, type) and issubclass(kind, tuple)):
        return _read_plain(kind, value, at)
    return _read_many(kind, value, at, pool)


def _read_plain(kind: object, value: JsonValue, at: str) -> object:
    exact = reader_of(kind)
    if exact is not None:
        return exact(value, at)
    while hasattr(kind, "__supertype__"):
        kind = kind.__supertype__
    if kind is bool:
        if not isinstance(value, bool):
            raise Unfit(at, "write true or false")
        return value
    if kind is int:
        return integer_of(value, at)
    if kind is str:
        return text_of(value, at)
    if kind is bytes:
        return bytes.fromhex(data_of(value, at)[2:])
    return enum_of(kind, value, at)


def _read_union(kind: object, value: JsonValue, at: str, pool: Pool) -> object:
    others = _others(kind)
    if value is None and len(others) < len(get_args(kind)):
        return None
    if len(others) == 1:
        return _read(others[0], value, at, pool)
    if set(others) == {int, str}:
        return value if isinstance(value, str) and value.isalpha() else integer_of(value, at)
    document = dict(object_of(value, at))
    named = {snake(one.__name__): one for one in others if isinstance(one, type)}
    chosen = named.get(str(document.pop("kind", "")))
    if chosen is None:
        raise Unfit(f"{at}.kind", f"write one of {', '.join(sorted(named))}")
    return _read(chosen, document, at, pool)


def _read_many(kind: object, value: JsonValue, at: str, pool: Pool) -> object:
    origin = get_origin(kind)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        of_key, of_item = get_args(kind)
        items_of = object_of(value, at).items()
        return {_read(of_key, k, at, pool): _read(of_item, item, f"{at}.{k}", pool) for k, item in items_of}
    items = _array(value, at)
    if origin is frozenset:
        return frozenset(_read(get_args(kind)[0], item, at, pool) for item in items)
    if isinstance(kind, type) and hasattr(kind, "_fields"):
        kinds = tuple(kind.__annotations__.values())
        return kind(*_read_items(kinds, items, at, pool))
    kinds = get_args(kind)
    if len(kinds) == 2 and kinds[1] is Ellipsis:  # noqa: PLR2004 - tuple[X, ...]
        kinds = (kinds[0],) * len(items)
    return tuple(_read_items(kinds, items, at, pool))


def _read_items(kinds: tuple[object, ...], items: list[JsonValue], at: str, pool: Pool) -> list[object]:
    if len(items) != len(kinds):
        raise Unfit(at, f"{len(items)} items instead of {len(kinds)}")
    return [_read(kind, item, f"{at}[{i}]", pool) for i, (kind, item) in enumerate(zip(kinds, items, strict=True))]


def _array(value: JsonValue, at: str) -> list[JsonValue]:
    if not isinstance(value, list):
        raise Unfit(at, "write an array")
    return value
