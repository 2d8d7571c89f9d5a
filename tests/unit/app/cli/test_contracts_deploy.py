"""`headrace contracts deploy` on a chain of its own; the chain says what is there, eth_abi and the devnet's code what
the address must be."""

import io
import json

import pytest
from coincurve import PublicKey
from eth_hash.auto import keccak
from tests.support.yard import (
    FAILED,
    NATIVE_UNITS,
    REFUSED,
    SAFE,
    WALLET,
    WRONG_CHAIN,
    Yard,
    document,
    expected_address,
)

from headrace.app.cli.contracts import deployment
from headrace.app.cli.contracts.deployment import PROXY, PROXY_CODE, PROXY_SENDER, PROXY_TRANSACTION
from headrace.app.cli.doctor import executor_code
from headrace.app.cli.invocation import invoke
from headrace.devnet.accounts import GUARDIAN, TREASURY, account_address
from headrace.devnet.deployer import create_address
from headrace.model.executor_call import Pause, calldata

pytestmark = pytest.mark.usefixtures("no_terminal")


def test_it_is_where_it_was_said_to_be_and_its_owner_sets_it_up_with_what_is_printed(
    yard: Yard, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = expected_address(yard, SAFE, 7)
    flags = ("--guardian", account_address(GUARDIAN), "--treasury", account_address(TREASURY))
    assert yard.run("--yes", *flags, "--tip-share-max-bps", "250", salt=7) == 0
    shown = capsys.readouterr()
    found = json.loads(shown.out)
    assert found["contract"].lower() == wanted
    assert shown.err.index(found["contract"]) < shown.err.index("sending the deployment")
    assert "the owner is a plain key" in shown.err
    assert yard.read(wanted, "owner()(address)") == SAFE
    assert yard.read(wanted, "wrappedNative()(address)") == yard.native
    functions = [call["function"].partition("(")[0] for call in found["calls"]]
    assert functions == ["setOperator", "setGuardian", "setTreasury", "setListed", "setTipShareMax"]
    for call in found["calls"]:
        yard.rpc.request("eth_sendTransaction", {"from": SAFE, "to": call["to"], "data": call["data"]})
    assert yard.read(wanted, "isOperator(address)(bool)", WALLET)
    assert yard.read(wanted, "guardian()(address)") == account_address(GUARDIAN)
    assert yard.read(wanted, "treasury()(address)") == account_address(TREASURY)
    assert yard.read(wanted, "tipShareMaxBps()(uint16)") == 250
    starts = yard.config.chain.start_token_addresses
    assert all(yard.read(wanted, "isListed(address)(bool)", t) for t in starts if t != yard.native)
    assert yard.run(*flags, "--tip-share-max-bps", "250", salt=7) == 0  # no --yes: nothing is sent
    again = document(capsys)
    assert again["calls"] == []
    assert (again["tx_hash"], again["block"]) == (found["tx_hash"], found["block"])
    assert yard.nonce() == 1


def test_another_owner_or_number_or_coin_is_another_address(yard: Yard) -> None:
    build = deployment.require_build()
    here = deployment.Deployment(build, SAFE, yard.native, 0)
    others = [
        deployment.Deployment(build, WALLET, yard.native, 0),
        deployment.Deployment(build, SAFE, SAFE, 0),
        deployment.Deployment(build, SAFE, yard.native, 1),
    ]
    assert here.address == expected_address(yard, SAFE, 0)
    assert len({here.address, *(other.address for other in others)}) == 4


def test_a_wallet_that_is_the_owner_sends_the_calls_itself_once(yard: Yard, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ("--yes", "--configure", "--treasury", account_address(TREASURY))
    assert yard.run(*flags, owner=WALLET) == 0
    shown = capsys.readouterr()
    calls = json.loads(shown.out)["calls"]
    assert [call["function"].partition("(")[0] for call in calls] == ["setOperator", "setTreasury", "setListed"]
    assert all(call["tx_hash"] for call in calls)
    assert "the owner is the wallet that trades" in shown.err
    assert yard.nonce() == 4
    assert yard.run(*flags, owner=WALLET) == 0
    assert document(capsys)["calls"] == []
    assert yard.nonce() == 4
    assert all(one.is_success for one in yard.record.read())


def test_nobody_is_asked_in_vain_and_who_says_no_sends_nothing(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert yard.run() == REFUSED
    assert "nobody is there to confirm" in capsys.readouterr().out
    for typed, code in (("no\n", REFUSED), ("", REFUSED), (" Yes \n", 0)):
        answer = io.StringIO(typed)
        monkeypatch.setattr(answer, "isatty", lambda: True)
        monkeypatch.setattr("sys.stdin", answer)
        assert yard.run() == code
        assert ("not confirmed" in capsys.readouterr().out) == (code == REFUSED)
    assert yard.nonce() == 1


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--owner", "0x12"), "is not an address"),
        (("--owner", "0x" + "00" * 20), "the zero address is nobody's"),
        (("--treasury", WALLET), "operators may sweep everything to the treasury"),
        (("--configure",), "only the owner's calls count"),
        (("--chain", "devnett"), "no chain 'devnett', did you mean"),
        (("--salt", "-1"), "--salt"),
        (("--tip-share-max-bps", "10001"), "--tip-share-max-bps"),
        (("--guardian", "0xABCDEFabcdefABCDEFabcdefabcdefabcdefabcd"), "wrong checksum"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    yard: Yard, capsys: pytest.CaptureFixture[str], flags: tuple[str, ...], words: str
) -> None:
    assert yard.run("--yes", *flags) == REFUSED
    assert words in capsys.readouterr().out
    assert yard.nonce() == 0


def test_without_a_wallet_nobody_can_pay(yard: Yard, capsys: pytest.CaptureFixture[str]) -> None:
    yard.spoil(r"  wallet:\n(    .*\n)+", "")
    assert yard.run("--yes") == REFUSED
    assert "add a `wallet` section" in capsys.readouterr().out


def test_a_node_of_another_chain_gets_nothing(yard: Yard, capsys: pytest.CaptureFixture[str]) -> None:
    yard.spoil(r"chain_id: \d+", "chain_id: 5")
    assert yard.run("--yes") == WRONG_CHAIN
    assert "serves chain 31337" in capsys.readouterr().out


def test_a_wallet_that_cannot_pay_and_gas_that_costs_too_much_are_named(
    yard: Yard, capsys: pytest.CaptureFixture[str]
) -> None:
    yard.rpc.request("anvil_setBalance", WALLET, hex(10**15))
    assert yard.run("--yes") == FAILED
    assert "has 0.001 native coin, the deployment may cost" in capsys.readouterr().out
    yard.rpc.request("anvil_setBalance", WALLET, hex(100 * NATIVE_UNITS))
    yard.rpc.request("anvil_setNextBlockBaseFeePerGas", hex(500 * 10**9))
    yard.rpc.request("evm_mine")
    assert yard.run("--yes") == FAILED
    assert "gwei, configured are 200 at most" in capsys.readouterr().out


def test_the_published_transaction_makes_the_proxy_where_a_chain_lacks_it(
    yard: Yard, capsys: pytest.CaptureFixture[str]
) -> None:
    yard.rpc.request("anvil_setCode", PROXY, "0x")
    yard.rpc.request("anvil_setNonce", PROXY, "0x0")
    assert yard.run("--yes") == FAILED
    told = capsys.readouterr().out
    assert PROXY_TRANSACTION in told
    assert "send 0.01 native coin to" in told
    yard.rpc.request("anvil_setNonce", PROXY_SENDER, "0x0")
    yard.rpc.request("eth_sendTransaction", {"from": SAFE, "to": PROXY_SENDER, "value": hex(10**16)})
    yard.rpc.request("eth_sendRawTransaction", f"0x{PROXY_TRANSACTION}")
    assert yard.code(PROXY) == f"0x{PROXY_CODE.hex()}"
    assert create_address(PROXY_SENDER, 0) == PROXY
    assert yard.run("--yes") == 0


def test_nobody_holds_the_key_of_the_proxys_maker() -> None:
    """The signature was chosen, and the key follows from it: 27, 0x2222..., 0x2222... (EIP-155 came later)."""
    raw = bytes.fromhex(PROXY_TRANSACTION)
    assert (raw[-65:-33], raw[-32:]) == (b"\x22" * 32, b"\x22" * 32)
    fields = raw[2 : -(1 + 33 + 33)]
    unsigned = bytes([0xF8, len(fields)]) + fields
    signature = b"\x22" * 64 + b"\x00"
    public = PublicKey.from_signature_and_message(signature, keccak(unsigned), hasher=None).format(compressed=False)
    assert "0x" + keccak(public[1:])[-20:].hex() == PROXY_SENDER


def test_another_contract_in_the_proxys_place_is_not_trusted(yard: Yard, capsys: pytest.CaptureFixture[str]) -> None:
    yard.rpc.request("anvil_setCode", PROXY, "0x00")
    assert yard.run("--yes") == FAILED
    assert "another contract at" in capsys.readouterr().out
    yard.rpc.request("anvil_setCode", PROXY, f"0x{PROXY_CODE.hex()}")


def test_other_code_at_the_address_is_never_called_deployed(yard: Yard, capsys: pytest.CaptureFixture[str]) -> None:
    place = expected_address(yard, SAFE, 0)
    yard.rpc.request("anvil_setCode", place, "0x6001")
    assert yard.run("--yes") == FAILED
    assert "not the one built here: it has 2 bytes" in capsys.readouterr().out
    other = deployment.Deployment(deployment.require_build(), WALLET, yard.native, 0)
    assert yard.run("--yes", owner=WALLET) == 0
    yard.rpc.request("anvil_setCode", place, yard.code(other.address))
    assert yard.run("--yes") == FAILED
    assert "was made with other addresses" in capsys.readouterr().out


def test_contracts_that_are_not_built_cannot_be_deployed(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(executor_code, "_FILE", yard.folder / "none.json")
    assert yard.run("--yes") == FAILED
    assert "run `make setup`" in capsys.readouterr().out


def test_text_tells_what_is_left_for_the_owner(yard: Yard, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["contracts", "deploy", "--config", str(yard.file), "--owner", SAFE, "--yes"]
    assert invoke(command) == 0
    shown = capsys.readouterr().out
    assert "deployed in block 1 by 0x" in shown
    assert "to send, in this order:" in shown
    assert "    data 0x558a7297" in shown
    assert invoke([*command[:4], "--owner", WALLET, "--yes", "--configure"]) == 0
    shown = capsys.readouterr().out
    assert "sent as 0x" in shown
    assert "nothing is left for its owner to set up" in shown


@pytest.mark.parametrize(("code", "is_plain"), [("0x", True), ("0xef0100" + "11" * 20, True), ("0x6001", False)])
def test_an_owner_without_code_of_its_own_is_a_plain_key(
    yard: Yard, capsys: pytest.CaptureFixture[str], code: str, *, is_plain: bool
) -> None:
    yard.rpc.request("anvil_setCode", SAFE, code)
    assert yard.run("--yes") == 0
    assert ("the owner is a plain key" in capsys.readouterr().err) == is_plain


def test_a_creation_that_would_revert_is_not_sent(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(deployment, "PROXY_CODE", b"\xfe")
    yard.rpc.request("anvil_setCode", PROXY, "0xfe")
    assert yard.run("--yes") == FAILED
    assert "the deployment would fail: " in capsys.readouterr().out
    assert (yard.nonce(), yard.record.read()) == (0, ())


def test_a_call_of_the_owner_that_has_no_effect_is_said(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("headrace.app.cli.contracts.deploying.calldata", lambda _: calldata(Pause()))
    assert yard.run("--yes", "--configure", owner=WALLET) == FAILED
    assert "this was sent and is not so" in capsys.readouterr().out
