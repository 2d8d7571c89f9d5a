"""`headrace market schema`: what a line of a market file may say."""

from typing import TYPE_CHECKING

from headrace.adapters.market_files.schema import json_schema
from headrace.app.dexes import every_dex
from headrace.app.places import Report
from headrace.model.codec import JsonValue

if TYPE_CHECKING:
    from rich.console import Console


def schema(*, report: Report) -> dict[str, JsonValue]:
    """The JSON schema of one line."""
    report("collecting the protocols")
    return json_schema(every_dex())


def render(result: object, console: "Console") -> None:
    """The document, indented."""
    console.print_json(data=result)
