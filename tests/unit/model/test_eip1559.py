"""Signed bytes against two oracles: eth-account (another implementation) and published vectors."""

import random

import msgspec
import pytest
from eth_account import Account as EthAccount
from tests.support.intents import ACCOUNT, SIGNER, transaction
from tests.support.places import shared_data

from headrace.adapters.signers.keystore.hidden import Hidden
from headrace.adapters.signers.keystore.signer import CURVE_ORDER, KeystoreSigner
from headrace.errors import KeystoreError
from headrace.model.address import Address, ChainId
from headrace.model.eip1559 import signing_payload
from headrace.model.transaction import UnsignedTransaction

EDGES = (0, 1, 0x7F, 0x80, 0xFF, 0x100, 2**64 - 1, 2**64, 2**256 - 1)
SIZES = (0, 1, 2, 54, 55, 56, 57, 255, 256, 700, 65_536)
CASES = 400


def _fields(unsigned: UnsignedTransaction, nonce: int) -> dict[str, object]:
    return {
        "type": 2,
        "chainId": unsigned.chain_id,
        "nonce": nonce,
        "maxPriorityFeePerGas": unsigned.priority_fee_wei,
        "maxFeePerGas": unsigned.max_fee_wei,
        "gas": unsigned.gas_limit,
        "to": bytes.fromhex(unsigned.to[2:]),
        "value": unsigned.value_wei,
        "data": unsigned.data,
    }


def _number(rng: random.Random, bits: int) -> int:
    edge = rng.choice(EDGES)
    return edge if rng.random() < 0.5 and edge < 2**bits else rng.getrandbits(rng.randint(1, bits))


def _random(rng: random.Random, sender: Address) -> tuple[UnsignedTransaction, int]:
    data = rng.randbytes(rng.choice(SIZES[:-1]))
    if len(data) == 1 and rng.random() < 0.5:
        data = bytes([rng.choice([0, 0x7F, 0x80])])
    fee = _number(rng, 200)
    unsigned = UnsignedTransaction(
        ChainId(_number(rng, 32) or 1),
        sender,
        Address("0x" + rng.randbytes(20).hex()),
        _number(rng, 256),
        data,
        _number(rng, 64),
        fee,
        rng.randint(0, fee),
    )
    return unsigned, _number(rng, 64) % (2**64 - 1)


def test_bytes_and_hash_are_those_of_eth_account_on_random_transactions() -> None:
    rng = random.Random(1)
    seen = {"leading zero in r or s": 0, "odd parity": 0, "empty data": 0, "long data": 0}
    for _ in range(CASES):
        key = rng.randint(1, CURVE_ORDER - 1).to_bytes(32)
        signer = KeystoreSigner(Hidden(key))
        unsigned, nonce = _random(rng, signer.address)
        signed = signer.sign(unsigned, nonce)
        expected = EthAccount.from_key(key).sign_transaction(_fields(unsigned, nonce))
        assert signed.raw == bytes(expected.raw_transaction)
        assert signed.hash == "0x" + bytes(expected.hash).hex()
        seen["leading zero in r or s"] += min(expected.r, expected.s) < 2**248
        seen["odd parity"] += expected.v
        seen["empty data"] += not unsigned.data
        seen["long data"] += len(unsigned.data) > 255
    assert min(seen.values()) >= 3, seen


@pytest.mark.parametrize("size", SIZES)
def test_every_length_form_of_data_is_eth_accounts(size: int) -> None:
    unsigned = transaction(b"\x9c" * size)
    expected = EthAccount.from_key(bytes(31) + b"\x01").sign_transaction(_fields(unsigned, 3))
    assert SIGNER.sign(unsigned, 3).raw == bytes(expected.raw_transaction)


def test_the_published_vectors_have_our_signing_payload() -> None:
    """Recorded type-2 transactions without access list: payload re-signed gives the recorded sender's bytes."""
    vectors = msgspec.json.decode(shared_data("crypto/typed_transactions_2930_1559_4844_7702.json").read_bytes())
    checked = 0
    for vector in vectors:
        sent = vector["transaction"]
        if sent.get("type") != "0x2" or sent.get("accessList") or not sent.get("to"):
            continue
        unsigned = UnsignedTransaction(
            ChainId(int(sent["chainId"], 16)),
            ACCOUNT.operator,
            Address(sent["to"].lower()),
            int(sent["value"], 16),
            bytes.fromhex(sent["data"].removeprefix("0x")),
            int(sent["gas"], 16),
            int(sent["maxFeePerGas"], 16),
            int(sent["maxPriorityFeePerGas"], 16),
        )
        payload = signing_payload(unsigned, int(sent["nonce"], 16))
        raw = bytes.fromhex(vector["expected_raw_transaction"].removeprefix("0x"))
        body = payload[3:] if payload[1] == 0xF8 else payload[4:] if payload[1] == 0xF9 else payload[2:]
        assert body in raw
        checked += 1
    assert checked >= 1


def test_the_same_input_gives_the_same_bytes() -> None:
    assert SIGNER.sign(transaction(), 5) == SIGNER.sign(transaction(), 5)
    assert SIGNER.sign(transaction(), 5) != SIGNER.sign(transaction(), 6)


def test_another_accounts_transaction_is_refused() -> None:
    foreign = msgspec.structs.replace(transaction(), sender=Address("0x" + "77" * 20))
    with pytest.raises(KeystoreError, match="0x77"):
        SIGNER.sign(foreign, 0)


@pytest.mark.parametrize(
    "key", [bytes(32), CURVE_ORDER.to_bytes(32), b"\xff" * 32, b"", b"\x01" * 31, b"\x01" * 33], ids=len
)
def test_what_is_no_private_key_is_refused(key: bytes) -> None:
    with pytest.raises(KeystoreError, match="check what was pasted"):
        KeystoreSigner(Hidden(key))
