"""What somebody who types `headrace quote` wants to know."""

import re

import msgspec

from headrace.app.config.exact import scaled_integer
from headrace.errors import ConfigError, UsageError
from headrace.model.address import Address

MOVES_MAX = 10
_PIPS = 1_000_000
_DECIMALS_MAX = 36
_MOVE = re.compile(r"(.*?) *(bps|%|)")
_PIPS_DECIMALS = {"bps": 2, "": 2, "%": 4}


class QuoteRequest(msgspec.Struct, frozen=True):
    """One swap to quote, as it was typed.

    Attributes:
        token_in: a symbol or an address, as is `token_out`.
        amount: whole tokens sold, as decimal text.
        moves_pips: falls of the price to which each pool's depth is wanted, in millionths of it; none for no depths.
    """

    token_in: str
    token_out: str
    amount: str
    moves_pips: tuple[int, ...] = ()


def checked_amount(text: str) -> str:
    """The text itself, if something can be sold by it.

    Raises:
        UsageError: not a plain decimal number, or nothing.
    """
    if _scaled(text, _DECIMALS_MAX, "--amount") == 0:
        raise UsageError("--amount: nothing is sold: give an amount above 0")
    return text


def require_two_tokens(token_in: Address, token_out: Address) -> None:
    """A swap is of one token for another.

    Raises:
        UsageError: both are the same.
    """
    if token_in == token_out:
        raise UsageError(f"--token-in and --token-out are the same token {token_in}: name another to buy")


def moves_of(texts: list[str]) -> tuple[int, ...]:
    """Falls of a price such as "50", "50bps" or "0.5%", in pips.

    Raises:
        UsageError: one is no such number, nothing, all there is or finer than 0.01 bps; or there are too many.
    """
    if len(texts) > MOVES_MAX:
        raise UsageError(f"--depth: {len(texts)} of them: give at most {MOVES_MAX}")
    return tuple(_move(text) for text in texts)


def _move(text: str) -> int:
    match = _MOVE.fullmatch(text.strip())
    assert match is not None, "anything matches"
    pips = _scaled(match[1], _PIPS_DECIMALS[match[2]], "--depth")
    if not 0 < pips < _PIPS:
        raise UsageError(f"--depth: {text} is not between 0 and 10000 bps (100 %)")
    return pips


def _scaled(text: str, decimals: int, where: str) -> int:
    try:
        return scaled_integer(text, decimals, where)
    except ConfigError as error:
        raise UsageError(str(error)) from error
