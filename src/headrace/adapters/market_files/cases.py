"""A swap's line as a case: which amount is given, which is expected, and in which block it is asked."""

from headrace.adapters.market_files.lines import REVERTS, HeaderLine, SwapLine
from headrace.adapters.market_files.market_file import SwapCase
from headrace.adapters.protocols.document_values import Unfit
from headrace.model.block import BlockContext, BlockHeader

_LIMIT_END = 1 << 160


def swap_case(number: int, line: SwapLine, last: HeaderLine | BlockHeader, blocks_before: int) -> SwapCase:
    """The case of the file's line `number`, asked in the block before it unless it tells another.

    Raises:
        Unfit: not one amount with the other one expected, or a field out of its range.
    """
    is_output = line.amount_out is not None
    amount, expected = (line.amount_out, line.expected_in) if is_output else (line.amount_in, line.expected_out)
    other, filled = (line.amount_in, line.expected_out) if is_output else (line.amount_out, line.expected_in)
    if amount is None or expected is None or other is not None:
        raise Unfit("amount_in", "write amount_in and expected_out, or amount_out and expected_in")
    given, wanted = ("amount_out", "expected_in") if is_output else ("amount_in", "expected_out")
    if amount < 0:
        raise Unfit(given, f"{amount} is negative")
    _require_limit(line)
    return SwapCase(
        line=number,
        pool=line.pool,
        token_in=line.token_in,
        token_out=line.token_out,
        amount=amount,
        expected=_expected(wanted, expected),
        is_exact_output=is_output,
        at=_asked_in(line, last),
        call=line.call,
        blocks_before=blocks_before,
        price_limit_x96=line.price_limit_x96,
        filled=_filled(line, filled, amount, is_output=is_output),
    )


def _expected(field: str, value: int | str) -> int | None:
    if value == REVERTS:
        return None
    if isinstance(value, str):
        raise Unfit(field, f'write an integer or "{REVERTS}"')
    if value < 0:
        raise Unfit(field, f"{value} is negative")
    return value


def _require_limit(line: SwapLine) -> None:
    if line.price_limit_x96 is None:
        return
    if line.call:
        raise Unfit("price_limit_x96", "no view is asked with a limit: leave out `call`")
    if not 0 <= line.price_limit_x96 < _LIMIT_END:
        raise Unfit("price_limit_x96", f"{line.price_limit_x96} is no unsigned 160-bit number")


def _filled(line: SwapLine, value: int | str | None, amount: int, *, is_output: bool) -> int | None:
    """How much of the amount given is filled, where there is a limit and somebody told."""
    field = "expected_out" if is_output else "expected_in"
    if value is None:
        return None
    if line.price_limit_x96 is None:
        raise Unfit(field, "write amount_in and expected_out, or amount_out and expected_in; both with a limit only")
    if isinstance(value, str) or not 0 <= value <= amount:
        raise Unfit(field, f"write how much of the {amount} is filled: an integer up to that")
    return value


def _asked_in(line: SwapLine, last: HeaderLine | BlockHeader) -> BlockContext:
    at = BlockContext(
        number=last.number if line.number is None else line.number,
        timestamp=last.timestamp if line.timestamp is None else line.timestamp,
        base_fee_wei=last.base_fee_wei,
        coinbase=last.coinbase,
    )
    for field, value in (("number", at.number), ("timestamp", at.timestamp)):
        if value < 0:
            raise Unfit(field, f"{value} is negative")
    return at
