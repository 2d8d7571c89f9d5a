"""Pages and schema that are generated from the structs."""

import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
import yaml
from tests.support.config_sample import SAMPLE, sample

from headrace.app.cli.write_reference import reference_pages
from headrace.app.config.schema import json_schema
from headrace.app.config.shown import shown

REFERENCE = Path(__file__).parents[4] / "docs" / "reference"


@pytest.mark.parametrize("name", reference_pages())
def test_the_committed_page_is_the_generated_one(name: str) -> None:
    assert (REFERENCE / name).read_text(encoding="utf-8") == reference_pages()[name], (
        "run `python -m headrace.app.cli.write_reference docs/reference`"
    )


def test_every_key_of_the_sample_is_on_the_page() -> None:
    page = reference_pages()["configuration.md"]
    keys = set(re.findall(r"^ +([a-z_]+):", SAMPLE, re.MULTILINE)) - {"ethereum", "pancake", "uniswap_v2"}
    keys -= {"uniswap_v3", "balancer_v2", "aave_v3"}
    assert len(keys) > 40
    assert not [key for key in keys if f"`{key}`" not in page]


def test_pages_are_written(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "headrace.app.cli.write_reference", str(tmp_path / "reference")]
    subprocess.run(command, check=True)
    assert {path.name for path in (tmp_path / "reference").iterdir()} == set(reference_pages())


def _conforms(value: object, schema: object) -> bool:
    """The part of JSON schema that the configuration's schema uses, written from its specification."""
    assert isinstance(schema, dict)
    if "anyOf" in schema:
        return any(_conforms(value, one) for one in schema["anyOf"])
    if "enum" in schema:
        return value in schema["enum"]
    if schema["type"] == "array":
        return isinstance(value, list) and all(_conforms(item, schema["items"]) for item in value)
    if schema["type"] == "object":
        return isinstance(value, dict) and _object_conforms(value, schema)
    kinds: dict[str, type | tuple[type, ...]] = {"string": str, "integer": int, "number": (int, float), "boolean": bool}
    if not isinstance(value, kinds[schema["type"]]) or (isinstance(value, bool) and schema["type"] != "boolean"):
        return False
    return "pattern" not in schema or re.search(schema["pattern"], str(value)) is not None


def _object_conforms(value: dict[str, object], schema: dict[str, object]) -> bool:
    properties, more, required = (
        schema.get("properties", {}),
        schema["additionalProperties"],
        schema.get("required", []),
    )
    assert isinstance(properties, dict)
    assert isinstance(required, list)
    if not set(required) <= value.keys():
        return False
    return all(
        _conforms(item, properties.get(key, more)) if (key in properties or more) else False
        for key, item in value.items()
    )


def test_the_schema_accepts_what_is_shown_and_what_is_written() -> None:
    assert _conforms(shown(sample()), json_schema())
    assert _conforms(yaml.safe_load(SAMPLE), json_schema())


def test_the_schema_refuses_a_typo_and_a_missing_limit() -> None:
    plain = yaml.safe_load(SAMPLE)
    del plain["defi"]["risk"]["max_daily_loss_usd"]
    assert not _conforms(plain, json_schema())
    plain = yaml.safe_load(SAMPLE)
    plain["defi"]["risk"]["max_dayly_loss_usd"] = 1
    assert not _conforms(plain, json_schema())


def test_the_schema_is_json() -> None:
    assert msgspec.json.decode(msgspec.json.encode(json_schema())) == json_schema()
