import json

import pytest
from eth_abi.abi import encode
from tests.support.places import PROJECT

from headrace.model.address import keccak_hex
from headrace.model.executor_revert import SIGNATURE_OF, describe_revert

ARTIFACT = PROJECT / "contracts" / "out" / "Executor.sol" / "Executor.json"


def test_every_error_of_the_compiled_contract_has_a_name() -> None:
    """Oracle: the compiler's own list."""
    errors = [entry for entry in json.loads(ARTIFACT.read_text())["abi"] if entry["type"] == "error"]
    compiled = {f"{e['name']}({','.join(i['type'] for i in e['inputs'])})" for e in errors}
    assert compiled == set(SIGNATURE_OF.values())


def selector(signature: str) -> str:
    return keccak_hex(signature.encode())[:10]


@pytest.mark.parametrize(
    ("signature", "values", "text"),
    [
        ("ProfitBelowMinimum(int256,uint256)", [-5, 7], "ProfitBelowMinimum(-5, 7)"),
        ("DeadlinePassed(uint256,uint256)", [9, 10], "DeadlinePassed(9, 10)"),
        ("NotOperator(address)", ["0x" + "ab" * 20], f"NotOperator(0x{'ab' * 20})"),
        ("OwnerIsZero()", [], "OwnerIsZero()"),
        ("Error(string)", ["UniswapV2: K"], "UniswapV2: K"),
        ("Panic(uint256)", [17], "Panic(0x11)"),
        ("SomebodyElses(uint256)", [1], f"reverted with {selector('SomebodyElses(uint256)')}"),
    ],
)
def test_revert_data_is_told_in_words(signature: str, values: list[object], text: str) -> None:
    kinds = [kind for kind in signature[:-1].split("(")[1].split(",") if kind]
    assert describe_revert(selector(signature) + encode(kinds, values).hex()) == text


def test_data_that_is_cut_or_missing_is_told_as_far_as_it_goes() -> None:
    assert describe_revert("") == ""
    assert describe_revert("0x") == ""
    assert describe_revert(selector("DeadlinePassed(uint256,uint256)") + "00" * 32) == "DeadlinePassed(0, ?)"
    assert describe_revert("0x4e487b71") == "reverted with 0x4e487b71"
    assert describe_revert("0x08c379a0" + "zz") == "reverted with data that is no hex"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("é" * 200, "é" * 200),
        ("x" * 100_000, "x" * 200 + "…"),
        ("a\n\x1b[2Jb", "a\ufffd\ufffd[2Jb"),
        ("", ""),
    ],
)
def test_a_strangers_words_are_cut_and_move_no_cursor(said: str, told: str) -> None:
    assert describe_revert("0x08c379a0" + encode(["string"], [said]).hex()) == told


def test_a_string_that_claims_any_length_is_told_as_far_as_it_goes() -> None:
    assert describe_revert("0x08c379a0" + "00" * 32 + "ff" * 32 + b"short".hex()) == "short"
