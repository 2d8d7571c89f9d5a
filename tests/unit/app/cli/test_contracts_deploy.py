"""`headrace contracts deploy` on a chain of its own; the chain says what is there, eth_abi and the devnet's code what
the address must be."""

import io
import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from coincurve import PublicKey
from eth_abi.abi import encode as abi_encode
from eth_hash.auto import keccak
from tests.support.intents import intent, transaction

from headrace.adapters.chains.evm.chain import EvmChain
from headrace.adapters.signers.keystore.hidden import Hidden
from headrace.adapters.signers.keystore.signer import KeystoreSigner
from headrace.adapters.stores.deployments import DeploymentFile
from headrace.adapters.stores.sqlite.journal import SqliteJournal
from headrace.adapters.stores.sqlite.lock import WriterLock
from headrace.app.cli.contracts import deployment
from headrace.app.cli.contracts.deployment import PROXY, PROXY_CODE, PROXY_SENDER, PROXY_TRANSACTION
from headrace.app.cli.doctor import executor_code
from headrace.app.cli.invocation import invoke
from headrace.app.config.load import load_config
from headrace.app.config.tree import Config
from headrace.devnet.abi import decode_result, encode_call
from headrace.devnet.accounts import GUARDIAN, OPERATOR, OWNER, TREASURY, account_address, account_key
from headrace.devnet.anvil import Anvil
from headrace.devnet.artifacts import own_artifact
from headrace.devnet.deployer import create2_address, create_address
from headrace.devnet.rpc import Rpc, quantity, text
from headrace.model.account import OWN_ACCOUNT, Account
from headrace.model.address import Address, ChainId
from headrace.model.executor_call import Pause, calldata
from headrace.model.intent import Payload, Purpose, SlotKey
from headrace.model.record import IntentOpened, PayloadSigned, RunStarted
from headrace.model.transaction import SignedTransaction, UnsignedTransaction

pytestmark = pytest.mark.usefixtures("no_terminal")
WALLET, SAFE = account_address(OPERATOR), account_address(OWNER)
REFUSED, LOCKED, FAILED, WRONG_CHAIN = 2, 5, 8, 3
NATIVE_UNITS = 10**18


class Yard:
    """A chain that mines at once, and a configuration whose wallet pays on it."""

    def __init__(self, rpc: Rpc, url: str, folder: Path, devnet_text: str) -> None:
        self.rpc = rpc
        self.folder = folder
        self.text = re.sub(r"ws://127.0.0.1:\d+", url, devnet_text, count=1)
        self.spoil(r"data_dir: .*", f"data_dir: {folder / 'data'}")

    def spoil(self, pattern: str, new: str) -> None:
        self.text, count = re.subn(pattern, new, self.text, count=1)
        assert count == 1, pattern

    @property
    def file(self) -> Path:
        path = self.folder / "headrace.yaml"
        path.write_text(self.text)
        return path

    @property
    def config(self) -> Config:
        return load_config(self.file)

    @property
    def record(self) -> DeploymentFile:
        config = self.config
        return DeploymentFile(config.deployments_path("devnet"), ChainId(config.chain.chain_id))

    @property
    def native(self) -> Address:
        return self.config.chain.wrapped_native_address

    def run(self, *more: str, owner: Address = SAFE, salt: int = 0) -> int:
        command = ["contracts", "deploy", "--config", str(self.file), "--owner", owner, "--salt", str(salt), "--json"]
        return invoke([*command, *more])

    def nonce(self) -> int:
        return quantity(self.rpc.request("eth_getTransactionCount", WALLET, "latest"))

    def code(self, address: str) -> str:
        return text(self.rpc.request("eth_getCode", address, "latest"))

    def read(self, address: str, signature: str, *args: object) -> object:
        call = {"to": address, "data": encode_call(signature, *args)}
        return decode_result(signature, text(self.rpc.request("eth_call", call, "latest")))[0]


@pytest.fixture
def yard(tmp_path: Path, devnet_text: str) -> Iterator[Yard]:
    with Anvil.start() as anvil, anvil.connect() as rpc:
        rpc.request("evm_setAutomine", True)
        yield Yard(rpc, anvil.ws_url, tmp_path, devnet_text)


def expected_address(yard: Yard, owner: Address, salt: int) -> Address:
    salt_word = keccak(abi_encode(["address", "uint256"], [owner, salt]))
    arguments = abi_encode(["address", "address"], [owner, yard.native])
    code = bytes.fromhex(own_artifact("Executor").creation_code) + arguments
    return create2_address(PROXY, salt_word, keccak(code))


def document(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    return msgspec.json.decode(capsys.readouterr().out, type=dict[str, object])


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


class Died(BaseException):
    """Stands for a kill: nothing of ours catches it."""


def die(*_: object) -> None:
    raise Died


def test_who_dies_between_signing_and_sending_sends_the_same_bytes_at_the_next_start(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(EvmChain, "send", die)
        with pytest.raises(Died):
            yard.run("--yes")
    (signed,) = yard.record.read()
    assert (signed.nonce, yard.nonce()) == (0, 0)
    capsys.readouterr()
    assert yard.run("--yes") == 0
    found = document(capsys)
    assert found["tx_hash"] == signed.tx_hash
    (kept,) = yard.record.read()
    assert (kept.raw, kept.block, yard.nonce()) == (signed.raw, found["block"], 1)


def test_who_dies_before_the_record_is_written_has_sent_nothing(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", die)
        with pytest.raises(Died):
            yard.run("--yes")
    assert yard.record.read() == ()
    assert (yard.nonce(), yard.code(expected_address(yard, SAFE, 0))) == (0, "0x")
    assert yard.run("--yes") == 0


def test_who_dies_while_waiting_finds_it_there_with_its_block(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("headrace.app.cli.contracts.sending.Sender._awaited", die)
        with pytest.raises(Died):
            yard.run("--yes")
    capsys.readouterr()
    assert yard.run() == 0
    found = document(capsys)
    assert (found["tx_hash"], found["block"]) == (yard.record.read()[0].tx_hash, 1)
    roles = ["contracts", "roles", "--config", str(yard.file), "--address", str(found["contract"]), "--json"]
    assert invoke(roles) == 0
    assert document(capsys)["from_block"] == 0  # block 1 less the depth of reorgs


def test_what_offers_too_little_by_now_is_replaced_on_its_nonce(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(EvmChain, "send", die)
        with pytest.raises(Died):
            yard.run("--yes")
    (first,) = yard.record.read()
    yard.rpc.request("anvil_setNextBlockBaseFeePerGas", hex(3 * first.max_fee_wei))
    yard.rpc.request("evm_mine")
    capsys.readouterr()
    assert yard.run("--yes") == 0
    one, other = yard.record.read()
    assert (one.tx_hash, one.nonce, other.nonce) == (first.tx_hash, 0, 0)
    assert other.max_fee_wei > 3 * first.max_fee_wei
    assert other.priority_fee_wei * 8 >= first.priority_fee_wei * 9
    assert document(capsys)["tx_hash"] == other.tx_hash
    assert yard.nonce() == 1


def test_a_nonce_that_was_used_for_something_else_is_not_waited_for(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(EvmChain, "send", die)
        with pytest.raises(Died):
            yard.run("--yes")
    yard.rpc.request("eth_sendTransaction", {"from": WALLET, "to": SAFE, "value": "0x1"})
    capsys.readouterr()
    assert yard.run("--yes") == 0
    assert [one.nonce for one in yard.record.read()] == [0, 1]
    assert document(capsys)["tx_hash"] == yard.record.read()[1].tx_hash


def test_what_is_in_no_block_in_time_is_waited_for_by_the_same_command(
    yard: Yard, capsys: pytest.CaptureFixture[str]
) -> None:
    yard.rpc.request("evm_setAutomine", False)
    yard.spoil(r"max_execution_time_seconds: \d+", "max_execution_time_seconds: 1")
    assert yard.run("--yes") == FAILED
    error = msgspec.convert(document(capsys)["error"], dict[str, object])
    assert (error["kind"], error["retry"]) == ("NotIncludedError", "same")
    assert "run the same command again" in str(error["message"])
    yard.rpc.request("evm_mine")
    assert yard.run() == 0
    assert document(capsys)["tx_hash"] == yard.record.read()[0].tx_hash
    assert len(yard.record.read()) == 1


def test_where_somebody_else_deploys_the_same_first_that_one_is_taken(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    same = deployment.Deployment(deployment.require_build(), SAFE, yard.native, 0)
    send = EvmChain.send

    async def be_late(chain: EvmChain, signed: object) -> None:
        order = {"from": SAFE, "to": PROXY, "data": "0x" + same.calldata.hex(), "gas": hex(8_000_000)}
        yard.rpc.request("eth_sendTransaction", order)
        await send(chain, signed)  # type: ignore[arg-type] # handed through

    monkeypatch.setattr(EvmChain, "send", be_late)
    assert yard.run("--yes") == 0
    found = document(capsys)
    assert (str(found["contract"]).lower(), found["tx_hash"]) == (same.address, "")
    (kept,) = yard.record.read()
    assert (kept.is_success, kept.block is None) == (False, False)


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


def test_a_raised_price_beyond_the_cap_is_not_paid(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(EvmChain, "send", die)
        with pytest.raises(Died):
            yard.run("--yes")
    (signed,) = yard.record.read()
    dear = msgspec.structs.replace(signed, max_fee_wei=180 * 10**9)
    yard.record.path.unlink()
    yard.record.append(dear)
    yard.rpc.request("anvil_setNextBlockBaseFeePerGas", hex(215 * 10**9))
    yard.rpc.request("evm_mine")
    assert yard.run("--yes") == FAILED
    assert "to replace" in capsys.readouterr().out


def test_under_a_running_agent_nothing_is_signed(yard: Yard, capsys: pytest.CaptureFixture[str]) -> None:
    config = yard.config
    config.data_dir.mkdir()
    lock = WriterLock(config.journal_path)
    assert yard.run("--yes") == LOCKED
    lock.release()
    assert "stop that one first" in capsys.readouterr().out
    assert yard.nonce() == 0


def test_while_an_execution_of_the_wallet_waits_for_its_nonce_nothing_is_signed(
    yard: Yard, capsys: pytest.CaptureFixture[str]
) -> None:
    config = yard.config
    chain_id = ChainId(config.chain.chain_id)
    account = Account(OWN_ACCOUNT, chain_id, WALLET, config.execution.flash_loan.contract_address)
    asked = msgspec.structs.replace(transaction(), chain_id=chain_id, sender=WALLET)
    signed = KeystoreSigner(Hidden(account_key(OPERATOR))).sign(asked, 0)
    payload = Payload(signed.hash, signed.raw, Purpose.EXECUTE, asked)
    slot = SlotKey(chain_id, WALLET, 0)
    with closing(SqliteJournal(config.journal_path)) as journal:
        opened = IntentOpened(intent("open"), 7)
        journal.append(
            (RunStarted("1", "", account, 5), opened, PayloadSigned(slot, "open", payload, 1)), is_synced=True
        )
    assert yard.run("--yes") == FAILED
    assert "is under way on nonce 0" in capsys.readouterr().out
    yard.rpc.request("eth_sendTransaction", {"from": WALLET, "to": SAFE, "value": "0x1"})
    assert yard.run("--yes") == 0


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


def test_a_record_that_is_no_record_is_refused_before_anything_is_signed(
    yard: Yard, capsys: pytest.CaptureFixture[str]
) -> None:
    path = yard.record.path
    path.parent.mkdir()
    bad = (b"{", b'{"version":2,"chain_id":31337,"signed":[]}', b'{"version":1,"chain_id":1,"signed":[]}')
    for data in bad:
        path.write_bytes(data)
        assert yard.run("--yes") == LOCKED
        assert "StoreError" in capsys.readouterr().out
    path.unlink()
    path.mkdir()
    assert yard.run("--yes") == LOCKED
    assert "cannot be" in capsys.readouterr().out
    assert yard.nonce() == 0


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


def test_bytes_that_are_not_what_was_to_be_signed_are_neither_kept_nor_sent(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sign = KeystoreSigner.sign

    def sign_other(signer: KeystoreSigner, asked: UnsignedTransaction, nonce: int) -> SignedTransaction:
        return sign(signer, msgspec.structs.replace(asked, value_wei=1), nonce)

    monkeypatch.setattr(KeystoreSigner, "sign", sign_other)
    assert yard.run("--yes") == FAILED
    assert "differ from what was to be signed in value_wei: nothing was sent" in capsys.readouterr().out
    assert (yard.nonce(), yard.record.read()) == (0, ())


def test_a_call_of_the_owner_that_has_no_effect_is_said(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("headrace.app.cli.contracts.deploying.calldata", lambda _: calldata(Pause()))
    assert yard.run("--yes", "--configure", owner=WALLET) == FAILED
    assert "this was sent and is not so" in capsys.readouterr().out
