"""The JSON schema of a market file's lines, from the structs that read them; one kind of pool per protocol."""

from collections.abc import Mapping
from enum import Enum
from types import NoneType
from typing import get_args, get_origin, get_type_hints

import msgspec

from headrace.adapters.market_files.lines import KINDS, VERSION, PoolLine
from headrace.adapters.protocols.document_values import HexData, RawDocument, snake
from headrace.adapters.protocols.documents import fields_of
from headrace.kernels.tick_table import TickTable
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.codec import JsonValue
from headrace.model.pool import Pool, ProtocolId
from headrace.ports.pool import DEX

Schema = dict[str, JsonValue]
_INTEGER: Schema = {"type": "string", "pattern": "^-?(0|[1-9][0-9]*)$"}
_ADDRESS: Schema = {"type": "string", "pattern": "^0x[0-9a-fA-F]{40}$"}
_POOL_ID: Schema = {"type": "string", "pattern": "^0x([0-9a-fA-F]{40}|[0-9a-fA-F]{64})$"}
_NAMED: tuple[tuple[object, Schema], ...] = (
    (Address, _ADDRESS),
    (Hash32, {"type": "string", "pattern": "^0x[0-9a-fA-F]{64}$"}),
    (PoolId, _POOL_ID),
    (HexData, {"type": "string", "pattern": "^0x([0-9a-fA-F]{2})*$"}),
    (RawDocument, {"type": "object"}),
    (bool, {"type": "boolean"}),
    (int, _INTEGER),
    (str, {"type": "string"}),
    (bytes, {"type": "string", "pattern": "^0x([0-9a-fA-F]{2})*$"}),
)
_TICKS: Schema = {
    "tick_spacing": _INTEGER,
    "fee_pips": _INTEGER,
    "coverage": {"type": "array", "items": _INTEGER, "minItems": 2, "maxItems": 2},
    "ticks": {
        "type": "object",
        "additionalProperties": {
            "anyOf": [_INTEGER, {"type": "array", "items": _INTEGER, "minItems": 2, "maxItems": 2}]
        },
    },
}
_POOL: Schema = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "id": _POOL_ID,
        "address": _ADDRESS,
        "protocol": {"type": "string"},
        "venue": {"type": "string"},
        "tokens": {"type": "array", "items": _ADDRESS},
        "fee_pips": _INTEGER,
    },
    "required": ["id", "tokens"],
}


def json_schema(dexes: Mapping[ProtocolId, DEX]) -> Schema:
    """The schema of one line; which line may follow which is told in docs/reference/market-files.md."""
    nested: Schema = {}
    lines: list[JsonValue] = [_line(name, kind, nested) for name, kind in KINDS.items() if kind is not PoolLine]
    lines += [_pool_line(protocol, dex, nested) for protocol, dex in dexes.items()]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"A line of a headrace market file, version {VERSION}",
        "oneOf": lines,
        "$defs": nested,
    }


def _line(name: str, kind: type[msgspec.Struct], nested: Schema) -> Schema:
    schema = _object(kind, nested)
    properties, required = schema["properties"], schema["required"]
    assert isinstance(properties, dict)
    assert isinstance(required, list)
    return schema | {
        "description": (kind.__doc__ or "").split("\n", 1)[0],
        "properties": {"kind": {"const": name}, **properties},
        "required": ["kind", *required],
    }


def _pool_line(protocol: ProtocolId, dex: DEX, nested: Schema) -> Schema:
    schema = _line("pool", PoolLine, nested)
    properties = schema["properties"]
    assert isinstance(properties, dict)
    kind = get_type_hints(dex.state_from_document)["return"]
    is_told = isinstance(kind, type) and issubclass(kind, msgspec.Struct)
    state: Schema = _state(kind, nested) if is_told else {"type": "object"}
    properties |= {"protocol": {"const": protocol}, "state": state}
    return schema


def _state(kind: type[msgspec.Struct], nested: Schema) -> Schema:
    """Nothing is required: a protocol may know what stands for what is left out, and says what is missing."""
    state = _object(kind, nested)
    properties = state["properties"]
    assert isinstance(properties, dict)
    return state | {"properties": {name: one for name, one in properties.items() if name != "pool"}, "required": []}


def _reference(kind: type[msgspec.Struct], nested: Schema) -> Schema:
    """A state inside a state, with a pool of its own; told once, because it may be of the outer one's type."""
    if kind.__name__ not in nested:
        nested[kind.__name__] = {}  # it may hold itself
        nested[kind.__name__] = _object(kind, nested) | {"required": ["pool"]}
    return {"$ref": f"#/$defs/{kind.__name__}"}


def _object(kind: type[msgspec.Struct], nested: Schema) -> Schema:
    properties: Schema = {}
    required: list[JsonValue] = []
    for field in fields_of(kind):
        if field.is_inlined:
            inner = {"properties": _TICKS} if field.kind is TickTable else _of(field.kind, nested)
            inside = inner["properties"]
            assert isinstance(inside, dict)
            properties |= inside
            continue
        properties[field.name] = _POOL if field.kind is Pool else _of(field.kind, nested)
        if field.info.required:
            required.append(field.name)
    return {"type": "object", "additionalProperties": False, "properties": properties, "required": required}


def _of(kind: object, nested: Schema) -> Schema:
    for named, schema in _NAMED:
        if kind is named:
            return schema
    if hasattr(kind, "__supertype__"):
        return _of(kind.__supertype__, nested)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        holds_pool = any(field.kind is Pool for field in fields_of(kind))
        return _reference(kind, nested) if holds_pool else _object(kind, nested)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {"enum": [str(member.value) for member in kind]}
    return _of_many(kind, nested)


def _of_many(kind: object, nested: Schema) -> Schema:
    origin, inner = get_origin(kind), [one for one in get_args(kind) if one is not NoneType]
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _of(inner[1], nested)}
    if (origin is tuple and inner[-1] is Ellipsis) or origin is frozenset:
        return {"type": "array", "items": _of(inner[0], nested)}
    if origin is tuple:
        return {"type": "array", "prefixItems": [_of(one, nested) for one in inner], "items": False}
    if not inner:
        return {"type": "array"}
    told = [_of(one, nested) for one in inner]
    if len(inner) > 1:
        told = [_with_kind(one, schema) for one, schema in zip(inner, told, strict=True)]
    told += [{"type": "null"}] * (len(get_args(kind)) - len(inner))
    return told[0] if len(told) == 1 else {"anyOf": [*told]}


def _with_kind(kind: object, schema: Schema) -> Schema:
    """One of several structs says which it is."""
    properties, required = schema.get("properties"), schema.get("required")
    if not (isinstance(kind, type) and isinstance(properties, dict) and isinstance(required, list)):
        return schema
    named: Schema = {"kind": {"const": snake(kind.__name__)}}
    return schema | {"properties": named | properties, "required": ["kind", *required]}
