"""`headrace contracts verify | roles | allowlist` on the devnet's Executor, which its recipe set up: the oracle is what
the owner's own transactions did to it."""

import json
import re
from pathlib import Path

import msgspec
import pytest

from headrace.app.cli.contracts.deployment import require_build
from headrace.app.cli.doctor import executor_code
from headrace.app.cli.invocation import invoke
from headrace.app.config.load import load_config
from headrace.app.config.tree import Config
from headrace.devnet.accounts import GUARDIAN, OPERATOR, OWNER, TREASURY, account_address
from headrace.devnet.deployer import Deployer
from headrace.devnet.rpc import Rpc
from headrace.model.address import Address, checksum
from headrace.model.executor_call import SetListed, decode_call

pytestmark = pytest.mark.usefixtures("no_terminal")
NOBODY = Address("0x" + "99" * 20)
STRANGER = Address("0x" + "77" * 20)


class Looker:
    """Runs a command with the devnet's configuration, and gives its exit code and document."""

    def __init__(self, folder: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.text = re.sub(r"data_dir: .*", f"data_dir: {folder / 'data'}", text, count=1)
        self.file = folder / "headrace.yaml"
        self._capsys = capsys

    def look(self, command: str, *flags: str) -> tuple[int, dict[str, object]]:
        code = self.run(command, "--json", *flags)
        return code, msgspec.json.decode(self._capsys.readouterr().out, type=dict[str, object])

    def show(self, command: str, *flags: str) -> str:
        self.run(command, *flags)
        return self._capsys.readouterr().out

    def run(self, command: str, *flags: str) -> int:
        self.file.write_text(self.text)
        return invoke(["contracts", command, "--config", str(self.file), *flags])

    @property
    def config(self) -> Config:
        self.file.write_text(self.text)
        return load_config(self.file)

    @property
    def executor(self) -> Address:
        return self.config.execution.flash_loan.contract_address

    def as_owner(self, signature: str, *arguments: object) -> None:
        self.send_as_owner(*((signature, arguments),))

    def send_as_owner(self, *calls: tuple[str, tuple[object, ...]]) -> None:
        with Rpc(int(self.config.chain.rpc.reveal().rsplit(":", 1)[1])) as rpc:
            owner = Deployer(rpc, account_address(OWNER))
            for signature, arguments in calls:
                owner.transact(self.executor, signature, *arguments)
            owner.flush()


@pytest.fixture
def looker(tmp_path: Path, devnet_text: str, capsys: pytest.CaptureFixture[str]) -> Looker:
    return Looker(tmp_path, devnet_text, capsys)


def test_the_code_is_compared_and_its_immutables_are_told(looker: Looker) -> None:
    code, found = looker.look("verify")
    assert (code, found["difference"]) == (0, "")
    assert found["owner"] == checksum(account_address(OWNER))
    assert found["wrapped_native"] == checksum(looker.config.chain.wrapped_native_address)
    shown = looker.show("verify")
    assert "the code is the one built here" in shown
    assert f"owner          {found['owner']}" in shown


@pytest.mark.parametrize(("symbol", "words"), [("", "there is no code"), ("USDC", "bytes, the build has")])
def test_other_code_is_a_difference(looker: Looker, symbol: str, words: str) -> None:
    address = looker.config.chain.tokens[symbol] if symbol else NOBODY
    code, found = looker.look("verify", "--address", address)
    assert code == 1
    assert words in str(found["difference"])
    assert (found["owner"], found["wrapped_native"]) == ("", "")
    assert "NOT as it should be" in looker.show("verify", "--address", address)


def test_another_wrapped_native_coin_is_a_difference(looker: Looker) -> None:
    looker.text = re.sub(r"wrapped_native: \S+", "wrapped_native: USDC", looker.text, count=1)
    code, found = looker.look("verify")
    assert code == 1
    assert "configured is" in str(found["difference"])


def test_the_build_knows_one_byte_and_one_place_of_an_immutable_from_another() -> None:
    build = require_build()
    (first, *_), *_ = build.immutables
    owner = bytes(12) + b"\xaa" * 20
    code = bytearray(build.code)
    for places in build.immutables:
        for start, length in places:
            code[start : start + length] = owner[-length:]
    assert build.difference(bytes(code)) == ""
    assert set(build.addresses(bytes(code))) == {Address("0x" + "aa" * 20)}
    two_owners = bytearray(code)
    two_owners[sum(first) - 1] ^= 1
    assert "not the same at all of its places" in build.difference(bytes(two_owners))
    code[0] ^= 1
    assert build.difference(bytes(code)).startswith("byte 0 is 0x")
    assert "bytes, the build has" in build.difference(bytes(code[:-1]))


def test_code_that_answers_otherwise_than_it_holds_is_a_difference(
    looker: Looker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor_code.ExecutorBuild, "addresses", lambda *_: (STRANGER, STRANGER))
    assert looker.look("verify")[1]["difference"] == "it answers other addresses than its code holds"


def test_every_role_is_told_as_it_is_now(looker: Looker) -> None:
    looker.send_as_owner(
        ("setOperator(address,bool)", (STRANGER, True)),
        ("setOperator(address,bool)", (STRANGER, False)),
        ("setListed(address[],bool)", ([NOBODY], True)),
        ("setTipShareMax(uint16)", (1250,)),
        ("pause()", ()),
    )
    code, found = looker.look("roles")
    shown = looker.show("roles", "--from-block", "0")
    looker.send_as_owner(
        ("setListed(address[],bool)", ([NOBODY], False)), ("setTipShareMax(uint16)", (0,)), ("unpause()", ())
    )
    config = looker.config
    listed = {(checksum(address), symbol) for symbol, address in config.chain.tokens.items()}
    tokens = msgspec.convert(found["tokens"], list[dict[str, str]])
    assert code == 0
    assert {(one["address"], one["symbol"]) for one in tokens} == {*listed, (checksum(NOBODY), "")}
    assert found["owner"] == checksum(account_address(OWNER))
    assert found["guardian"] == checksum(account_address(GUARDIAN))
    assert found["treasury"] == checksum(account_address(TREASURY))
    assert found["operators"] == [checksum(account_address(OPERATOR))]
    assert found["former_operators"] == [checksum(STRANGER)]
    assert (found["is_paused"], found["tip_share_max_bps"], found["from_block"]) == (True, 1250, 0)
    assert "paused          yes" in shown
    assert "up to 12.5 % of a profit" in shown
    assert f"former operator {checksum(STRANGER)}" in shown
    again = looker.look("roles")[1]
    assert len(msgspec.convert(again["tokens"], list[dict[str, str]])) == len(listed)
    assert "paused          no" in looker.show("roles")


def test_roles_from_a_later_block_say_from_where(looker: Looker) -> None:
    found = looker.look("roles", "--from-block", str(2**40))[1]
    assert (found["operators"], found["tokens"], found["from_block"]) == ([], [], 2**40)
    assert "operator        nobody" in looker.show("roles", "--from-block", str(2**40))


def test_a_start_token_that_is_not_listed_comes_with_the_call_that_lists_it(looker: Looker) -> None:
    assert looker.look("allowlist")[0] == 0
    config = looker.config
    usdc, native = config.chain.tokens["USDC"], config.chain.wrapped_native_address
    looker.as_owner("setListed(address[],bool)", [usdc, native], False)
    code, found = looker.look("allowlist")
    shown = looker.show("allowlist")
    call = msgspec.convert(found["to_list"], dict[str, str])
    status = {row["symbol"]: row["status"] for row in msgspec.convert(found["tokens"], list[dict[str, str]])}
    assert (code, status["USDC"], status["DAI"]) == (1, "not listed", "listed")
    assert status[config.chain.wrapped_native] == "wrapped native"
    assert decode_call(bytes.fromhex(call["data"][2:])) == SetListed((usdc,), is_listed=True)
    assert call["data"] in shown
    with Rpc(int(config.chain.rpc.reveal().rsplit(":", 1)[1])) as rpc:
        sent = {"from": account_address(OWNER), "to": call["to"], "data": call["data"]}
        rpc.request("eth_sendTransaction", sent)
        rpc.request("evm_mine")
    code, found = looker.look("allowlist")
    looker.as_owner("setListed(address[],bool)", [native], True)
    assert (code, found["to_list"]) == (0, None)


def test_a_listed_token_that_is_no_start_token_is_no_fault_and_its_call_is_shown_apart(looker: Looker) -> None:
    looker.text = re.sub(r"( +)- DAI\n", "", looker.text, count=1)
    assert "DAI" not in looker.config.chain.start_tokens
    code, found = looker.look("allowlist")
    call = msgspec.convert(found["to_unlist"], dict[str, str])
    dai = looker.config.chain.tokens["DAI"]
    assert code == 0
    assert decode_call(bytes.fromhex(call["data"][2:])) == SetListed((dai,), is_listed=False)
    assert "the guard protects what is listed" in looker.show("allowlist")


@pytest.mark.parametrize("command", ["roles", "allowlist"])
def test_what_is_no_executor_is_named(looker: Looker, command: str) -> None:
    code, found = looker.look(command, "--address", looker.config.chain.tokens["USDC"])
    assert code == 8
    assert "does not answer like an Executor" in json.dumps(found)


def test_a_chain_other_than_the_executors_wants_an_address(looker: Looker) -> None:
    begin = looker.text.index("  chains:\n    devnet:\n") + len("  chains:\n")
    end = looker.text.index("\n  agents:", begin)
    section = looker.text[begin:end].replace("    devnet:", "    other:", 1)
    looker.text = f"{looker.text[:end]}\n{section}{looker.text[end:]}"
    code, found = looker.look("verify", "--chain", "other")
    assert code == 2
    assert "give --address with --chain other" in json.dumps(found)
    assert looker.look("verify", "--chain", "other", "--address", looker.executor)[0] == 0
    assert looker.look("verify", "--chain", "other", "--address", "0x1")[0] == 2
