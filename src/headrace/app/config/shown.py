"""The configuration as it was understood, written back in its own form; secrets stay references."""

from collections.abc import Mapping

import msgspec
import yaml

from headrace.app.config.form import Form, Listing, Record, Table, record_of
from headrace.app.config.kind import Kind
from headrace.app.config.tree import Config, File
from headrace.model.codec import JsonValue


def shown(config: Config) -> JsonValue:
    """Plain lists and dictionaries that would load as the same configuration."""
    return _plain(File(defi=config), record_of(File))


def to_yaml(config: Config) -> str:
    """The same as a file's text."""
    text = yaml.safe_dump(shown(config), sort_keys=False, allow_unicode=True, width=120)
    assert isinstance(text, str)
    return text


def _plain(value: object, form: Form) -> JsonValue:
    if isinstance(form, Kind):
        return form.show(value)
    if isinstance(form, Listing):
        assert isinstance(value, tuple)
        return [_plain(item, form.item) for item in value]
    if isinstance(form, Table):
        assert isinstance(value, Mapping)
        return {name: _plain(item, form.value) for name, item in value.items()}
    return _record(value, form)


def _record(value: object, form: Record) -> JsonValue:
    assert isinstance(value, msgspec.Struct)
    fields = ((field, getattr(value, field.attribute)) for field in form.fields)
    return {field.key: _plain(item, field.form) for field, item in fields if item is not None}
