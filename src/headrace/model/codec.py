"""JSON of the journal, of reports and of messages: integers that a browser could not read are decimal strings.

Every integer of 2^53 and above, and every one under a name that ends in `_wei` or `_units` (before a bound's `_min` or
`_max`), is written as a string; reading accepts both. Bytes are base64 inside structs, so payloads keep their form.
"""

import msgspec

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]
_LARGEST_BROWSER_INTEGER = 2**53
_AMOUNT_SUFFIXES = tuple(unit + bound for unit in ("_wei", "_units") for bound in ("", "_min", "_max"))


def to_json(value: object) -> bytes:
    """Compact JSON, struct fields in the order of their declaration."""
    return msgspec.json.encode(to_plain(value))


def to_plain(value: object) -> JsonValue:
    """The same as nested lists and dictionaries."""
    plain: JsonValue = msgspec.to_builtins(value)
    return _with_text_amounts(plain, is_amount=False)


def _with_text_amounts(value: JsonValue, *, is_amount: bool) -> JsonValue:
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return str(value) if is_amount or abs(value) >= _LARGEST_BROWSER_INTEGER else value
    if isinstance(value, dict):
        return {k: _with_text_amounts(v, is_amount=is_amount or k.endswith(_AMOUNT_SUFFIXES)) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_with_text_amounts(v, is_amount=is_amount) for v in value]
    return value
