"""A token's decimals and symbol as its contract tells them.

Decimals decide what an amount means, so a token that does not tell them is unusable, and said so. A symbol is for
people only, and whoever makes a token chooses it: it is taken as a string or as bytes32 (MKR and others of 2017), and
where it holds anything but visible ASCII, is too long, or is that of a token which the configuration names, the token
goes by the beginning of its address instead. The zero address is the native currency, which has no contract to ask.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from headrace.adapters.protocols.words import call_data
from headrace.model.address import ZERO_ADDRESS, Address, ChainId, Hash32
from headrace.model.token import NATIVE_SYMBOL, Token, native_currency
from headrace.ports.chain import Call

DECIMALS_MAX = 36
_DECIMALS = call_data("decimals()")
_SYMBOL = call_data("symbol()")
_WORD = 32
_SHOWN = re.compile(rb"[!-~]{1,32}")
_ADDRESS_DIGITS = 10


class Reader(Protocol):
    """Whatever makes many reads of one state."""

    async def call_many(self, calls: Sequence[Call], block: Hash32) -> tuple[bytes | None, ...]:
        """As `headrace.ports.chain.Chain.call_many`."""
        ...


class Metadata(msgspec.Struct, frozen=True):
    """Tokens by address, and why others cannot be used."""

    tokens: Mapping[Address, Token]
    unusable: Mapping[Address, str]


class TokenReader:
    """Reads tokens of one chain; `named` are symbols that the configuration gives."""

    def __init__(self, reader: Reader, chain_id: ChainId, named: Mapping[Address, str]) -> None:
        """Read through `reader`."""
        self._reader = reader
        self._chain_id = chain_id
        self._named = named
        self._taken = {NATIVE_SYMBOL, *(symbol.lower() for symbol in named.values())}

    async def read(self, addresses: Sequence[Address], block: Hash32) -> Metadata:
        """Decimals and symbols of all, in few round trips.

        Raises:
            ChainError: the node failed.
        """
        contracts = [address for address in addresses if address != ZERO_ADDRESS]
        calls = [Call(address, data) for address in contracts for data in (_DECIMALS, _SYMBOL)]
        answers = iter(await self._reader.call_many(calls, block))
        is_native_asked = len(contracts) < len(addresses)
        tokens = {ZERO_ADDRESS: native_currency(self._chain_id)} if is_native_asked else {}
        unusable: dict[Address, str] = {}
        for address in contracts:
            decimals, symbol = next(answers), next(answers)
            digits = None if decimals is None or len(decimals) != _WORD else int.from_bytes(decimals, "big")
            if digits is None:
                unusable[address] = f"{address} does not tell its decimals"
            elif digits > DECIMALS_MAX:
                unusable[address] = f"{address} has {digits} decimals, more than {DECIMALS_MAX}"
            else:
                tokens[address] = Token(self._chain_id, address, self._symbol(address, symbol), digits)
        return Metadata(tokens, unusable)

    def _symbol(self, address: Address, answer: bytes | None) -> str:
        if address in self._named:
            return self._named[address]
        told = symbol_of(answer or b"")
        return address[:_ADDRESS_DIGITS] if told is None or told.lower() in self._taken else told


def symbol_of(answer: bytes) -> str | None:
    """The symbol in an answer to `symbol()`; None where it is not one that can be shown."""
    if len(answer) == _WORD:
        text = answer.rstrip(b"\0")
    else:
        offset, size = (int.from_bytes(answer[at : at + _WORD], "big") for at in (0, _WORD))
        if offset != _WORD or len(answer) < 2 * _WORD + size:
            return None
        text = answer[2 * _WORD : 2 * _WORD + size]
    return text.decode() if _SHOWN.fullmatch(text) else None
