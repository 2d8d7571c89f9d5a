"""The strict reader against two other implementations: eth-account writes what it reads, rlp judges what it refuses."""

import random

import msgspec
import pytest
import rlp  # type: ignore[import-untyped]  # it ships no types
from eth_account import Account as EthAccount
from rlp.exceptions import DecodingError  # type: ignore[import-untyped]  # it ships no types
from tests.support.intents import SIGNER, transaction
from tests.support.places import shared_data

from headrace.errors import TransactionDecodeError
from headrace.model.eip1559_fields import SignedFields, signed_fields

KEY = bytes(31) + b"\x01"
WORDS = (0, 1, 0x7F, 0x80, 0xFF, 0x100, 2**64, 2**256 - 1)
SIZES = (0, 1, 2, 54, 55, 56, 255, 256, 700, 65_536)
RAW = SIGNER.sign(transaction(b"\x9c" * 60), 3).raw
RANDOM_CASES, MUTATIONS = 300, 30_000


def _signed(rng: random.Random) -> tuple[bytes, SignedFields]:
    data = rng.randbytes(rng.choice(SIZES[:-1]))
    fee = rng.choice(WORDS[:-1])
    wanted = SignedFields(
        chain_id=rng.choice((1, 137, 2**40)),
        nonce=rng.choice(WORDS[:-2]),
        priority_fee_wei=rng.choice([w for w in WORDS if w <= fee]),
        max_fee_wei=fee,
        gas_limit=rng.choice(WORDS[:-2]),
        to=rng.randbytes(20),
        value_wei=rng.choice(WORDS),
        data=data,
    )
    return _by_eth_account(wanted, ()), wanted


def _by_eth_account(wanted: SignedFields, access_list: tuple[dict[str, object], ...]) -> bytes:
    fields = {
        "type": 2,
        "chainId": wanted.chain_id,
        "nonce": wanted.nonce,
        "maxPriorityFeePerGas": wanted.priority_fee_wei,
        "maxFeePerGas": wanted.max_fee_wei,
        "gas": wanted.gas_limit,
        "to": wanted.to,
        "value": wanted.value_wei,
        "data": wanted.data,
        "accessList": access_list,
    }
    return bytes(EthAccount.from_key(KEY).sign_transaction(fields).raw_transaction)


def test_what_eth_account_signs_is_read_back_field_by_field() -> None:
    rng = random.Random(2)
    seen = {"empty data": 0, "one byte": 0, "long data": 0, "nonce zero": 0, "value of 256 bits": 0}
    for _ in range(RANDOM_CASES):
        raw, wanted = _signed(rng)
        assert signed_fields(raw) == wanted
        seen["empty data"] += not wanted.data
        seen["one byte"] += len(wanted.data) == 1
        seen["long data"] += len(wanted.data) > 255
        seen["nonce zero"] += wanted.nonce == 0
        seen["value of 256 bits"] += wanted.value_wei == WORDS[-1]
    assert min(seen.values()) >= 10, seen


@pytest.mark.parametrize("size", SIZES)
def test_every_length_form_of_data_is_read(size: int) -> None:
    data = b"\x9c" * size
    assert signed_fields(SIGNER.sign(transaction(data), 3).raw).data == data


def test_the_published_vectors_are_read_and_other_types_refused() -> None:
    """Recorded transactions of other programs, of types 1 to 4."""
    vectors = msgspec.json.decode(shared_data("crypto/typed_transactions_2930_1559_4844_7702.json").read_bytes())
    read = refused = 0
    for vector in vectors:
        sent = vector["transaction"]
        raw = bytes.fromhex(vector["expected_raw_transaction"].removeprefix("0x"))
        if sent.get("type") != "0x2" or sent.get("accessList") or not sent.get("to"):
            with pytest.raises(TransactionDecodeError):
                signed_fields(raw)
            refused += 1
            continue
        found = signed_fields(raw)
        assert (found.nonce, found.chain_id) == (int(sent["nonce"], 16), int(sent["chainId"], 16))
        assert (found.data.hex(), found.to.hex()) == (sent["data"][2:], sent["to"].lower()[2:])
        read += 1
    assert read >= 1
    assert refused >= 1


def _judged(raw: bytes) -> list[bytes] | None:
    """The twelve items by the rlp library, or None where it or a rule of EIP-1559 refuses them."""
    try:
        items = rlp.decode(raw[1:], strict=True)
    except DecodingError:
        return None
    if raw[0] != 2 or not isinstance(items, list) or len(items) != 12 or items[8] != []:
        return None
    strings = items[:8] + items[9:]
    if not all(isinstance(item, bytes) for item in strings):
        return None
    integers = [*items[:5], items[6], *items[9:]]
    is_canonical = all(len(item) <= 32 and item[:1] != b"\x00" for item in integers)
    is_signed = items[9] in {b"", b"\x01"} and items[10] and items[11]
    return strings if is_canonical and is_signed and len(items[5]) == 20 else None


def _mutated(rng: random.Random, raw: bytes) -> bytes:
    at = rng.choice((rng.randrange(12), rng.randrange(len(raw)), len(raw) - 1 - rng.randrange(70)))
    match rng.randrange(4):
        case 0:
            return (
                raw[:at] + rng.choice((rng.randbytes(1), b"\x00", b"\x80", b"\x81", b"\xc0", b"\xb8")) + raw[at + 1 :]
            )
        case 1:
            return raw[:at] + rng.randbytes(rng.randint(1, 3)) + raw[at:]
        case 2:
            return raw[:at] + raw[at + rng.randint(1, 3) :]
        case _:
            return raw[: rng.randrange(len(raw) + 1)]


def test_mutated_bytes_are_read_if_and_only_if_rlp_reads_them() -> None:
    rng = random.Random(3)
    seen = {"read": 0, "refused": 0}
    for _ in range(MUTATIONS):
        raw = _mutated(rng, RAW)
        judged = _judged(raw) if raw else None
        try:
            found = signed_fields(raw)
        except TransactionDecodeError:
            assert judged is None, raw.hex()
            seen["refused"] += 1
            continue
        assert judged is not None, raw.hex()
        assert (found.to, found.data) == (judged[5], judged[7])
        integers = (found.chain_id, found.nonce, found.priority_fee_wei, found.max_fee_wei, found.gas_limit)
        assert integers == tuple(int.from_bytes(item) for item in judged[:5])
        assert found.value_wei == int.from_bytes(judged[6])
        seen["read"] += 1
    assert seen["read"] >= 3_000, seen
    assert seen["refused"] >= 10_000, seen


def _wrapped(items: list[object]) -> bytes:
    encoded: bytes = rlp.encode(items)
    return b"\x02" + encoded


ITEMS: list[object] = rlp.decode(RAW[1:])


def _with(index: int, item: object) -> bytes:
    return _wrapped([*ITEMS[:index], item, *ITEMS[index + 1 :]])


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "type missing"),
        (b"\x01" + RAW[1:], "type 1 instead of 2"),
        (b"\x02", "no list"),
        (b"\x02\x80", "transaction is no list"),
        (b"\x02\xc0", "no chain"),
        (RAW + b"\x00", "1 bytes behind"),
        (RAW[:-1], "ends behind"),
        (_wrapped([*ITEMS, b"\x01"]), "more than twelve"),
        (_wrapped(ITEMS[:-1]), "no s"),
        (_with(1, [b"\x01"]), "nonce is no string"),
        (_with(1, b"\x00\x01"), "nonce is not in its shortest form"),
        (_with(6, b"\x01" * 33), "above 256 bits"),
        (_with(5, b""), "target of 0 bytes"),
        (_with(5, b"\x01" * 21), "target of 21 bytes"),
        (_with(8, [[b"\x01" * 20, []]]), "access list of 23 bytes"),
        (_with(8, b""), "access list is no list"),
        (_with(9, b"\x02"), "signature out of range"),
        (_with(10, b""), "signature out of range"),
        (_with(11, b""), "signature out of range"),
        (_with(11, b"\x01" * 33), "s is not in its shortest form"),
        (b"\x02\xf8\x01\x01", "transaction is not in its shortest form"),
        (b"\x02\xf9\x00\x40" + b"\x01" * 64, "transaction is not in its shortest form"),
        (b"\x02\xc2\x81\x05", "chain is not in its shortest form"),
        (b"\x02\xc1\x83", "chain ends behind"),
        (b"\x02\xf8", "not in its shortest form"),
    ],
)
def test_what_is_no_signed_transaction_is_refused_in_words(raw: bytes, words: str) -> None:
    with pytest.raises(TransactionDecodeError, match=words):
        signed_fields(raw)


def test_an_access_list_of_another_program_is_refused() -> None:
    _, wanted = _signed(random.Random(4))
    raw = _by_eth_account(wanted, ({"address": "0x" + "11" * 20, "storageKeys": []},))
    with pytest.raises(TransactionDecodeError, match="access list"):
        signed_fields(raw)
