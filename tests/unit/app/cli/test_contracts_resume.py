"""`headrace contracts deploy` interrupted, outpaced and beside others: what is signed is sent once, says the chain."""

from contextlib import closing

import msgspec
import pytest
from tests.support.intents import intent, transaction
from tests.support.yard import FAILED, LOCKED, SAFE, WALLET, Yard, document, expected_address

from headrace.adapters.chains.evm.chain import EvmChain
from headrace.adapters.signers.keystore.hidden import Hidden
from headrace.adapters.signers.keystore.signer import KeystoreSigner
from headrace.adapters.stores.sqlite.journal import SqliteJournal
from headrace.adapters.stores.sqlite.lock import WriterLock
from headrace.app.cli.contracts import deployment
from headrace.app.cli.contracts.deployment import PROXY
from headrace.app.cli.invocation import invoke
from headrace.devnet.accounts import OPERATOR, account_key
from headrace.model.account import OWN_ACCOUNT, Account
from headrace.model.address import ChainId
from headrace.model.intent import Payload, Purpose, SlotKey
from headrace.model.record import IntentOpened, PayloadSigned, RunStarted
from headrace.model.transaction import SignedTransaction, UnsignedTransaction

pytestmark = pytest.mark.usefixtures("no_terminal")


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
