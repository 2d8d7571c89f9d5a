"""Recorded quotes as their files hold them: `ADDRESS|CALL|WAY|AMOUNT` and the chain's answer (degenbot's tests)."""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from headrace.adapters.market_files.lines import SwapLine, TokenLine
from headrace.model.address import Address, PoolId
from tests.support.places import shared_data

FOLDER = "vectors/onchain_parity"


class Token(msgspec.Struct):
    address: str
    symbol: str
    decimals: int

    def line(self) -> TokenLine:
        return TokenLine(address=Address(self.address), decimals=self.decimals, symbol=self.symbol)


class Question(NamedTuple):
    pool: PoolId
    call: str
    way: tuple[str, ...]
    amount: int


class Answer(msgspec.Struct):
    value: int | None = None


class AnswerFile(msgspec.Struct):
    entries: dict[str, Answer]


def answers(pattern: str) -> Iterator[tuple[Question, int | str]]:
    """Every answer of the files so named; a call without one reverted."""
    for file in sorted((shared_data(FOLDER) / "golden").glob(pattern)):
        for key, answer in msgspec.json.decode(file.read_bytes(), type=AnswerFile).entries.items():
            pool, call, *way, amount = key.split("|")
            question = Question(PoolId(pool.lower()), call, tuple(way), int(amount))
            yield question, "reverts" if answer.value is None else answer.value


def lines_of(question: Question, tokens: dict[str, Address], expected: int | str) -> Iterator[SwapLine]:
    """What a view said that is what the swap pays: as the view's, as a swap's, and as our least input for it."""
    told = view_line(question, tokens, expected)
    yield told
    yield msgspec.structs.replace(told, call="")
    if isinstance(expected, int) and expected:
        yield SwapLine(
            pool=told.pool,
            token_in=told.token_in,
            token_out=told.token_out,
            amount_out=expected,
            expected_in=question.amount,
        )


def view_line(question: Question, tokens: dict[str, Address], expected: int | str) -> SwapLine:
    """What a view said of a way between two symbols."""
    symbol_in, symbol_out = question.way[0].split("->")
    return SwapLine(
        pool=question.pool,
        token_in=tokens[symbol_in],
        token_out=tokens[symbol_out],
        amount_in=question.amount,
        expected_out=expected,
        call=question.call,
    )


def state_files(pattern: str) -> Iterator[bytes]:
    """The recorded states so named."""
    for file in sorted((shared_data(FOLDER) / "chain_data").glob(pattern)):
        yield file.read_bytes()
