"""What tokens say of themselves; the answers of real tokens are quoted as their contracts give them."""

import asyncio

import pytest
from eth_abi.abi import encode
from tests.support.log_archive import MemoryArchive

from headrace.adapters.metadata.erc20 import Metadata, TokenReader, symbol_of
from headrace.model.address import ZERO_ADDRESS, Address, ChainId
from headrace.model.token import Token
from headrace.ports.chain import Call

TOKEN = Address("0x" + "70" * 20)
NAMED = Address("0x" + "71" * 20)
MKR = bytes.fromhex("4d4b52" + "00" * 29)  # 0x9f8F72aA9304c8B593d555F12eF6589cC3A579A2, bytes32
USDC = bytes.fromhex("00" * 31 + "20" + "00" * 31 + "04" + "55534443" + "00" * 28)


def said(text: str) -> bytes:
    return encode(["string"], [text])


def read(decimals: bytes | None, symbol: bytes | None) -> Metadata:
    def answer(call: Call) -> bytes | None:
        return decimals if call.data.hex() == "313ce567" else symbol

    chain = MemoryArchive(answer=answer)
    reader = TokenReader(chain, ChainId(1), {NAMED: "USDT"})
    return asyncio.run(reader.read([TOKEN, NAMED], chain.tip.header.hash))


@pytest.mark.parametrize(
    ("answer", "symbol"), [(MKR, "MKR"), (USDC, "USDC"), (said("stETH"), "stETH"), (said("x"), "x")]
)
def test_symbols_are_read_as_string_or_as_bytes32(answer: bytes, symbol: str) -> None:
    assert symbol_of(answer) == symbol


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        bytes(32),
        said(""),
        said("A B"),
        said("\x1b[2J"),
        said("USD₮0"),
        said("А"),  # noqa: RUF001 - a Cyrillic letter that looks like another is the case
        said("x" * 33),
        said("x" * 5000),
        b"\xff" * 32,
        b"\xff" * 64,
        USDC[:-32],
        USDC[:40],
        b"\x00" * 31 + b"\x40" + USDC[32:],
        b"abc",
    ],
)
def test_what_cannot_be_shown_is_no_symbol(answer: bytes) -> None:
    assert symbol_of(answer) is None


def test_a_token_without_a_symbol_goes_by_its_address() -> None:
    for symbol in (None, b"", said("\n")):
        assert read((6).to_bytes(32, "big"), symbol).tokens[TOKEN] == Token(ChainId(1), TOKEN, "0x70707070", 6)


def test_the_configurations_symbols_stand_and_nobody_takes_them() -> None:
    for spoof in ("USDT", "usdt", "UsDt"):
        tokens = read((18).to_bytes(32, "big"), said(spoof)).tokens
        assert tokens[NAMED].symbol == "USDT"
        assert tokens[TOKEN].symbol == "0x70707070"


@pytest.mark.parametrize(
    ("decimals", "why"),
    [
        (None, "does not tell its decimals"),
        (b"", "does not tell its decimals"),
        (bytes(31), "does not tell its decimals"),
        (bytes(64), "does not tell its decimals"),
        ((37).to_bytes(32, "big"), "has 37 decimals, more than 36"),
        (b"\xff" * 32, "decimals, more than 36"),
    ],
)
def test_a_token_without_usable_decimals_is_named(decimals: bytes | None, why: str) -> None:
    metadata = read(decimals, said("T"))
    assert not metadata.tokens
    assert why in metadata.unusable[TOKEN]
    assert TOKEN in metadata.unusable[TOKEN]


def test_zero_and_36_decimals_are_usable() -> None:
    for decimals in (0, 36):
        assert read(decimals.to_bytes(32, "big"), said("T")).tokens[TOKEN].decimals == decimals


def test_the_native_currency_has_no_contract_to_ask_and_no_token_goes_by_its_name() -> None:
    asked: list[Address] = []

    def answer(call: Call) -> bytes:
        asked.append(call.to)
        return (6).to_bytes(32, "big") if call.data.hex() == "313ce567" else said("Native")

    chain = MemoryArchive(answer=answer)
    reader = TokenReader(chain, ChainId(1), {})
    found = asyncio.run(reader.read([ZERO_ADDRESS, TOKEN], chain.tip.header.hash))
    assert set(asked) == {TOKEN}
    assert found.tokens[ZERO_ADDRESS] == Token(ChainId(1), ZERO_ADDRESS, "native", 18)
    assert found.tokens[TOKEN].symbol == TOKEN[:10]
    assert not found.unusable
