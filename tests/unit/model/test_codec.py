import json

import msgspec
import pytest

from headrace.model.codec import to_json, to_plain


class Thing(msgspec.Struct, frozen=True):
    profit_wei: int
    count: int
    large: int
    parts_units: tuple[int, ...]
    raw: bytes = b""
    inner: dict[str, int | None] = {}


def read(data: bytes) -> Thing:
    """As the journal reads: numbers may be strings."""
    return msgspec.json.decode(data, type=Thing, strict=False)


def test_amounts_are_strings_and_small_counts_are_numbers() -> None:
    thing = Thing(profit_wei=5, count=3, large=2**53, parts_units=(1, -2), inner={"x_wei": None, "y_wei": 7})
    plain = json.loads(to_json(thing))
    assert plain["profit_wei"] == "5"
    assert plain["count"] == 3
    assert plain["large"] == str(2**53)
    assert plain["parts_units"] == ["1", "-2"]
    assert plain["inner"] == {"x_wei": None, "y_wei": "7"}


def test_bounds_of_amounts_and_amounts_by_token_are_strings_too() -> None:
    assert to_plain({"parity_wei_max": 0, "hops_max": 3}) == {"parity_wei_max": "0", "hops_max": 3}
    assert to_plain({"realised_wei": {"WETH": 5, "USDC": -1}}) == {"realised_wei": {"WETH": "5", "USDC": "-1"}}


def test_what_is_written_is_read_back_the_same() -> None:
    thing = Thing(profit_wei=-(10**40), count=3, large=2**200, parts_units=(2**255,), raw=bytes(range(256)))
    assert read(to_json(thing)) == thing


def test_a_missing_field_and_a_wrong_type_are_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        read(b'{"count": 1}')
    with pytest.raises(msgspec.ValidationError):
        read(b'{"profit_wei": true, "count": 1, "large": 1, "parts_units": []}')


def test_truth_values_are_no_numbers() -> None:
    assert to_plain({"is_wei": True, "x_wei": [True, 1]}) == {"is_wei": True, "x_wei": [True, "1"]}
