"""The configuration's JSON schema, for editors; the program itself checks more (checksums, names that must exist)."""

from headrace.app.config.form import Form, Listing, Record, Table, record_of
from headrace.app.config.kind import Kind, Schema
from headrace.app.config.tree import File

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> Schema:
    """The schema of a configuration file."""
    return {"$schema": _DIALECT, "title": "Headrace configuration", **_schema(record_of(File))}


def _schema(form: Form) -> Schema:
    if isinstance(form, Kind):
        return form.schema
    if isinstance(form, Listing):
        return {"type": "array", "items": _schema(form.item)}
    if isinstance(form, Table):
        return {"type": "object", "propertyNames": form.key.schema, "additionalProperties": _schema(form.value)}
    return _record(form)


def _record(form: Record) -> Schema:
    return {
        "type": "object",
        "description": form.title,
        "properties": {field.key: {**_schema(field.form), "description": field.doc} for field in form.fields},
        "required": [field.key for field in form.fields if field.is_required],
        "additionalProperties": False,
    }
