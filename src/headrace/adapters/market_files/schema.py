"""The JSON schema of a market file's lines, from the structs that read them; one kind of pool per protocol."""

from collections.abc import Mapping
from enum import Enum
from types import NoneType
from typing import get_args, get_origin, get_type_hints

import msgspec

from headrace.adapters.market_files.lines import KINDS, VERSION, PoolLine
from headrace.adapters.protocols.document_values import HexData
from headrace.adapters.protocols.documents import fields_of
from headrace.kernels.tick_table import TickTable
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.codec import JsonValue
from headrace.model.pool import Pool, ProtocolId
from headrace.ports.pool import DEX

Schema = dict[str, JsonValue]
_INTEGER: Schema = {"type": "string", "pattern": "^-?(0|[1-9][0-9]*)$"}
_NAMED: tuple[tuple[object, Schema], ...] = (
    (Address, {"type": "string", "pattern": "^0x[0-9a-fA-F]{40}$"}),
    (Hash32, {"type": "string", "pattern": "^0x[0-9a-fA-F]{64}$"}),
    (PoolId, {"type": "string", "pattern": "^0x([0-9a-fA-F]{40}|[0-9a-fA-F]{64})$"}),
    (HexData, {"type": "string", "pattern": "^0x([0-9a-fA-F]{2})*$"}),
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


def json_schema(dexes: Mapping[ProtocolId, DEX]) -> Schema:
    """The schema of one line; which line may follow which is told in docs/reference/market-files.md."""
    lines: list[JsonValue] = [_line(name, kind) for name, kind in KINDS.items() if kind is not PoolLine]
    lines += [_pool_line(protocol, dex) for protocol, dex in dexes.items()]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"A line of a headrace market file, version {VERSION}",
        "oneOf": lines,
    }


def _line(name: str, kind: type[msgspec.Struct]) -> Schema:
    schema = _object(kind)
    properties, required = schema["properties"], schema["required"]
    assert isinstance(properties, dict)
    assert isinstance(required, list)
    return schema | {
        "description": (kind.__doc__ or "").split("\n", 1)[0],
        "properties": {"kind": {"const": name}, **properties},
        "required": ["kind", *required],
    }


def _pool_line(protocol: ProtocolId, dex: DEX) -> Schema:
    schema = _line("pool", PoolLine)
    properties = schema["properties"]
    assert isinstance(properties, dict)
    kind = get_type_hints(dex.state_from_document)["return"]
    state: Schema = _object(kind) if isinstance(kind, type) and issubclass(kind, msgspec.Struct) else {"type": "object"}
    del state[
        "required"
    ]  # a protocol may know what stands for a field that is left out; its reader says what is missing
    properties |= {"protocol": {"const": protocol}, "state": state}
    return schema


def _object(kind: type[msgspec.Struct]) -> Schema:
    properties: Schema = {}
    required: list[JsonValue] = []
    for field in fields_of(kind):
        if field.kind is Pool and kind is not Pool:
            continue
        if field.is_inlined:
            inner = {"properties": _TICKS} if field.kind is TickTable else _of(field.kind)
            inside = inner["properties"]
            assert isinstance(inside, dict)
            properties |= inside
            continue
        properties[field.name] = _of(field.kind)
        if field.info.required:
            required.append(field.name)
    return {"type": "object", "additionalProperties": False, "properties": properties, "required": required}


def _of(kind: object) -> Schema:
    for named, schema in _NAMED:
        if kind is named:
            return schema
    if hasattr(kind, "__supertype__"):
        return _of(kind.__supertype__)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _object(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {"enum": [str(member.value) for member in kind]}
    return _of_many(kind)


def _of_many(kind: object) -> Schema:
    origin, inner = get_origin(kind), [one for one in get_args(kind) if one is not NoneType]
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _of(inner[1])}
    if (origin is tuple and inner[-1] is Ellipsis) or origin is frozenset:
        return {"type": "array", "items": _of(inner[0])}
    if origin is tuple:
        return {"type": "array", "prefixItems": [_of(one) for one in inner], "items": False}
    if not inner:
        return {"type": "array"}
    return _of(inner[0]) if len(inner) == 1 else {"anyOf": [_of(one) for one in inner]}
