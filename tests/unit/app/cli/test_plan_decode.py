"""`headrace plan decode`: what it says of calls that the encoder made, and that no input whatever breaks it."""

import io
import json
import re
import socket
import sys
from collections import Counter
from pathlib import Path
from random import Random

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headrace.app.cli.invocation import invoke
from headrace.app.config.load import load_config
from headrace.model.address import ZERO_ADDRESS, Address, PoolId, checksum
from headrace.model.calldata import selector
from headrace.model.executor_call import (
    SIGNATURES,
    Execute,
    ExecuteBatch,
    ExecutorCall,
    Pause,
    SetGuardian,
    SetListed,
    SetOperator,
    SetTipShareMax,
    SetTreasury,
    Sweep,
    Unpause,
    Withdraw,
    WrapNative,
    calldata,
)
from headrace.model.executor_plan import ExecutorPlan, Funding
from headrace.model.executor_step import (
    BalancerV2Step,
    BalancerV3Step,
    CurveCall,
    CurveStep,
    SolidlyStep,
    UniswapV2Step,
    UniswapV3Step,
    UniswapV4Step,
)

SEED = 20_261_121
A, B, POOL, LENDER = (Address("0x" + byte * 20) for byte in ("a1", "b2", "c3", "d4"))
POOL_ID = PoolId("0x" + "e5" * 32)
PLAN = ExecutorPlan(
    Funding.AAVE_V3_FLASH_LOAN,
    LENDER,
    1_500_000,
    7,
    99,
    (
        UniswapV2Step(A, B, POOL, 3000),
        UniswapV3Step(B, A, POOL),
        BalancerV2Step(A, B, POOL, POOL_ID),
        UniswapV4Step(B, A, POOL, 500, 10, LENDER),
        CurveStep(A, B, POOL, CurveCall.EXCHANGE_UNDERLYING, 0, 2),
        BalancerV3Step(B, A, LENDER, POOL),
        SolidlyStep(A, B, POOL),
        UniswapV3Step(B, A, POOL),
    ),
    tip_share_bps=2550,
)
CALLS: tuple[ExecutorCall, ...] = (
    Execute(PLAN.encode()),
    ExecuteBatch((PLAN.encode(), PLAN.encode())),
    Sweep(A, 5),
    Withdraw(A, B, 2**256 - 1),
    SetOperator(A, is_operator=True),
    SetGuardian(ZERO_ADDRESS),
    SetTreasury(B),
    SetListed((A, B), is_listed=False),
    SetTipShareMax(500),
    Pause(),
    Unpause(),
    WrapNative(),
)


def text_of(call: ExecutorCall) -> str:
    return "0x" + calldata(call).hex()


def decoded(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    assert invoke(["plan", "decode", "--json", *arguments]) == 0
    return msgspec.json.decode(capsys.readouterr().out, type=dict[str, object])


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert invoke(["plan", "decode", *arguments]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("call", CALLS, ids=lambda call: SIGNATURES[type(call)])
def test_every_function_is_named_and_said_in_words(call: ExecutorCall, capsys: pytest.CaptureFixture[str]) -> None:
    signature = SIGNATURES[type(call)]
    assert decoded(capsys, text_of(call))["function"] == signature
    assert shown(capsys, text_of(call)).startswith(f"{signature}: ")


def test_a_plan_is_told_to_the_last_step(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, text_of(Execute(PLAN.encode())))
    for part in (
        "flash loan of Aave v3",
        f"1500000 units of {checksum(A)}",
        "block 99; it reverts in every later one",
        "25.5 % of the measured profit",
        "fee_pips 3000",
        "hooks",
        "call exchange_underlying",
        "note: tokens are shown by address",
    ):
        assert part in text
    (plan,) = msgspec.convert(decoded(capsys, text_of(Execute(PLAN.encode())))["plans"], list[dict[str, object]])
    assert (plan["amount_in_units"], plan["profit_min_units"], plan["lender"]) == ("1500000", "7", checksum(LENDER))
    steps = msgspec.convert(plan["steps"], list[dict[str, object]])
    assert [step["protocol"] for step in steps] == [
        "uniswap_v2",
        "uniswap_v3",
        "balancer_v2",
        "uniswap_v4",
        "curve",
        "balancer_v3",
        "solidly",
        "uniswap_v3",
    ]
    assert steps[2]["pool"] == POOL_ID
    assert steps[3]["pool"] == UniswapV4Step(B, A, POOL, 500, 10, LENDER).pool_id
    assert steps[3]["terms"] == {
        "fee_pips": "500",
        "tick_spacing": "10",
        "hooks": checksum(LENDER),
        "manager": checksum(POOL),
    }
    assert steps[4]["terms"] == {"call": "exchange_underlying", "index_in": "0", "index_out": "2"}


def test_own_capital_and_no_tip_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    plan = msgspec.structs.replace(PLAN, funding=Funding.OWN_CAPITAL, lender=ZERO_ADDRESS, tip_share_bps=0)
    text = shown(capsys, text_of(Execute(plan.encode())))
    assert "own capital" in text
    assert "no share" in text
    assert "lender" not in text


def test_in_a_batch_one_malformed_plan_is_named_beside_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    broken = PLAN.encode()[:60]
    text = text_of(ExecuteBatch((PLAN.encode(), broken)))
    assert invoke(["plan", "decode", "--json", text]) == 1
    plans = json.loads(capsys.readouterr().out)["plans"]
    assert plans[0]["flaw"] == ""
    assert plans[1]["flaw"].startswith("byte 53 of the plan, deadline block: the plan ends after 60 bytes")
    assert invoke(["plan", "decode", text]) == 1
    assert "plan 1: MALFORMED: byte 53 of the plan" in capsys.readouterr().out


def test_arguments_are_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, text_of(SetListed((A,), is_listed=False)))
    assert f"tokens        {checksum(A)}" in text
    assert "is_listed     no" in text
    assert "tokens        none" in shown(capsys, text_of(SetListed((), is_listed=True)))
    assert "is_operator   yes" in shown(capsys, text_of(SetOperator(B, is_operator=True)))
    assert decoded(capsys, text_of(Sweep(A, 5)))["arguments"] == {
        "token": {"address": checksum(A), "symbol": "", "decimals": None},
        "amount_units": "5",
    }


def test_calldata_comes_from_a_file_and_from_standard_input_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = text_of(Pause())
    file = tmp_path / "calldata"
    file.write_text(f" {text[:6]}\n{text[6:].upper()}\r\n")
    assert decoded(capsys, str(file))["function"] == "pause()"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert decoded(capsys, "-")["function"] == "pause()"


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("0x", 2, "there is no calldata in it"),
        ("0x123", 2, "3 hex digits are not whole bytes"),
        ("0x12zz", 2, "character 4 (b'z') is no hex digit"),
        ("nowhere", 2, "there is no file 'nowhere'"),
        ("8456cb59", 2, "write 0x before hex"),
        ("a\0b", 2, "there is no file"),
        ("\udcff", 2, "there is no file"),
        ("0x" + "00" * 2**20, 2, "more than 1048576 characters"),
        ("0x01", 1, "byte 0, selector"),
        ("0x01020304", 1, "is none of the Executor's"),
        (text_of(Sweep(A, 5))[:-2], 1, "byte 36, amount"),
        (text_of(Execute(PLAN.encode()[:-1])), 1, "of the plan"),
    ],
)
def test_bad_calldata_gets_one_sentence_and_its_code(
    text: str, code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke(["plan", "decode", text]) == code
    told = capsys.readouterr().err
    assert words in told
    assert told.count("\n") == 1


def test_a_file_that_holds_no_hex_and_a_folder_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "f"
    for data, words in ((b"\xff\xfe\0", "does not begin with 0x"), (b"", "no calldata"), (b"0xg", "no hex digit")):
        file.write_bytes(data)
        assert invoke(["plan", "decode", str(file)]) == 2
        assert words in capsys.readouterr().err
    assert invoke(["plan", "decode", str(tmp_path)]) == 1
    assert "the system refused" in capsys.readouterr().err


def test_a_chain_wants_a_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["plan", "decode", "0x01020304", "--chain", "devnet"]) == 2
    assert "give --config too" in capsys.readouterr().err


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.text(max_size=80), st.binary(max_size=300).map(lambda data: "0x" + data.hex())))
def test_no_text_breaks_it(capsys: pytest.CaptureFixture[str], text: str) -> None:
    assert invoke(["plan", "decode", "--json", "--", text]) in {0, 1, 2}
    assert json.loads(capsys.readouterr().out)


def test_no_file_of_bytes_breaks_it_however_near_to_a_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Random bytes behind real selectors, and real calls with bytes changed, cut and repeated."""
    rng, file, codes = Random(SEED), tmp_path / "f", Counter[str]()
    signatures = list(SIGNATURES.values())
    for i in range(420):
        kind = ("random bytes", "behind a selector", "a changed call")[i % 3]
        data = rng.randbytes(rng.randrange(300))
        if kind == "behind a selector":
            data = selector(rng.choice(signatures)) + data
        elif kind == "a changed call":
            changed = bytearray(calldata(rng.choice(CALLS)))
            for _ in range(rng.randrange(3)):
                changed[rng.randrange(len(changed))] = rng.randrange(256)
            data = bytes(changed[: rng.randrange(len(changed) + 1)]) if rng.random() < 0.3 else bytes(changed)
        file.write_bytes(b"0x" + data.hex().encode() if i % 2 or kind != "random bytes" else data)
        code = invoke(["plan", "decode", "--json", str(file)])
        assert code in {0, 1, 2}, (i, data.hex())
        assert json.loads(capsys.readouterr().out)
        codes[f"{kind}: {code}"] += 1
    sys.stdout.write(f"{dict(codes)}\n")
    assert codes["a changed call: 0"] >= 25
    assert codes["a changed call: 1"] >= 25
    assert codes["behind a selector: 1"] >= 100
    assert codes["random bytes: 2"] >= 60


def named_plan(devnet_text: str, folder: Path) -> tuple[Path, ExecutorPlan]:
    file = folder / "headrace.yaml"
    file.write_text(devnet_text)
    config = load_config(file)
    tokens = config.chain.tokens
    pool = Address(config.venues["uniswap_v2"].pools[0])
    steps = (
        UniswapV2Step(tokens["USDC"], tokens["WETH"], pool, 3000),
        UniswapV3Step(tokens["WETH"], tokens["USDC"], A),
    )
    lender = config.venues["aave_v3"].contracts["pool"]
    return file, ExecutorPlan(Funding.AAVE_V3_FLASH_LOAN, lender, 1_500_000, 0, 99, steps)


def test_a_configuration_names_tokens_venues_and_decimals(
    devnet_text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, plan = named_plan(devnet_text, tmp_path)
    text = shown(capsys, text_of(Execute(plan.encode())), "--config", str(file), "--chain", "devnet")
    assert f"1.5 USDC (1500000 units of {checksum(plan.steps[0].token_in)})" in text
    assert "0 USDC (0 units of" in text
    assert "aave_v3 0x" in text
    assert re.search(r"0\s+uniswap_v2\s+uniswap_v2\s+0x", text)
    assert "note" not in text
    assert "amount        1000000 units of" in shown(capsys, text_of(Sweep(A, 10**6)), "--config", str(file))
    assert "does not tell its decimals" in shown(capsys, text_of(Sweep(A, 10**6)), "--config", str(file))
    assert "note" not in shown(capsys, text_of(Pause()), "--config", str(file))


def test_without_a_node_amounts_stay_in_units_and_that_is_said(
    devnet_text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, plan = named_plan(devnet_text, tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    file.write_text(re.sub(r"ws://127.0.0.1:\d+", f"ws://127.0.0.1:{port}", devnet_text, count=1))
    text = shown(capsys, text_of(Execute(plan.encode())), "--config", str(file))
    assert f"1500000 units of USDC {checksum(plan.steps[0].token_in)}" in text
    assert "since their decimals are not known" in text
