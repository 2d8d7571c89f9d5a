"""A name that stands twice in one object of a line: readers of JSON keep the last and say nothing.

A line as we write it is written again from what was read: the same bytes leave no room for a second name. Only a line
that differs (somebody put spaces in it) is counted: each name ends in a quotation mark with a colon behind it, so no
more of these than names read means that none was dropped. Where a text holds such a pair of characters too, or a name
was dropped indeed, the line is read once more, slowly, and the name is told.
"""

import json
import re

import msgspec

from headrace.adapters.protocols.document_values import Unfit
from headrace.model.codec import JsonValue

_NAME_END = re.compile(rb'"[ \t\r\n]*:')


def refuse_doubled(text: bytes, document: JsonValue) -> None:
    """Let a line through in which every name stands once in its object; `document` is what was read from it.

    Raises:
        Unfit: a name stands twice.
    """
    if msgspec.json.encode(document) == text.strip():
        return
    if len(_NAME_END.findall(text)) > _names(document):
        json.loads(text, object_pairs_hook=_once)


def _names(value: JsonValue) -> int:
    if isinstance(value, dict):
        return len(value) + sum([_names(one) for one in value.values() if isinstance(one, dict | list)])
    return sum([_names(one) for one in value if isinstance(one, dict | list)]) if isinstance(value, list) else 0


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    names = set[str]()
    for name, _ in pairs:
        if name in names:
            raise Unfit(name, "it stands twice in one object: which one holds?")
        names.add(name)
    return dict(pairs)
