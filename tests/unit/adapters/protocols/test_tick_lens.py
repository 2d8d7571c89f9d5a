"""The form of the lens's question and answer; what it sees is compared in the conformance tests."""

import pytest

from headrace.adapters.protocols.tick_lens import TICK_LENS, TickPage, read_page, ticks_call
from headrace.kernels.tick_table import TickLiquidity
from headrace.model.address import Address
from headrace.ports.chain import CREATION

POOL = Address("0x" + "ab" * 20)


def entry(tick: int, gross: int, net: int) -> bytes:
    return tick.to_bytes(3, "big", signed=True) + gross.to_bytes(16, "big") + net.to_bytes(16, "big", signed=True)


def header(word_next: int, version: int = 1) -> bytes:
    return bytes([version]) + word_next.to_bytes(2, "big", signed=True)


def test_a_question_is_the_lens_with_its_arguments_behind_it() -> None:
    call = ticks_call(POOL, 60, range(-58, 58))
    assert call.to == CREATION
    assert call.data[: len(TICK_LENS)] == TICK_LENS
    arguments = [int.from_bytes(call.data[len(TICK_LENS) + at :][:32], "big", signed=True) for at in range(0, 128, 32)]
    assert arguments == [int(POOL, 16), 60, -58, 57]


def test_an_answer_is_a_page_of_ticks() -> None:
    assert read_page(header(-7)) == TickPage({}, -7)
    answer = header(58) + entry(-887_220, 5, 5) + entry(60, 2**128 - 1, -(2**127))
    ticks = {-887_220: TickLiquidity(5, 5), 60: TickLiquidity(2**128 - 1, -(2**127))}
    assert read_page(answer) == TickPage(ticks, 58)


@pytest.mark.parametrize("answer", [None, b"", header(5)[:2], header(5, version=2), header(5) + entry(1, 2, 3)[:-1]])
def test_what_is_no_page_is_none(answer: bytes | None) -> None:
    assert read_page(answer) is None
