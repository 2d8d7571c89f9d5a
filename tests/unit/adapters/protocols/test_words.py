import pytest

from headrace.adapters.protocols.words import (
    address_of,
    array_at,
    call_data,
    id_of,
    signed,
    topic,
    words_of_bytes,
    words_of_hex,
)


def test_a_selector_and_a_topic_are_the_published_ones() -> None:
    assert call_data("transfer(address,uint256)", 1, 2).hex() == "a9059cbb" + f"{1:064x}{2:064x}"
    assert topic("Transfer(address,address,uint256)").startswith("0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a116")


def test_words_are_read_big_endian() -> None:
    assert words_of_bytes(b"") == ()
    assert words_of_hex("0x" + f"{5:064x}{(1 << 256) - 1:064x}", 2) == (5, (1 << 256) - 1)
    assert [signed(word) for word in (5, (1 << 256) - 1, 1 << 255)] == [5, -1, -(1 << 255)]
    assert address_of(0xAB) == "0x" + "0" * 38 + "ab"
    assert id_of(0xAB) == "0x" + "0" * 62 + "ab"


@pytest.mark.parametrize("text", ["", "0x1", "0x" + "0" * 62, "0x" + "g" * 64, "0" * 64, "0x" + "0" * 128])
def test_what_is_no_single_word_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        words_of_hex(text, 1)


def test_arrays_are_found_by_their_offset() -> None:
    assert array_at((64, 96, 0, 2, 8, 9), 1) == (8, 9)
    assert array_at((32, 0), 0) == ()


@pytest.mark.parametrize("words", [(), (31,), (32,), (64, 5), (32, 2, 1), (1 << 255, 0), (32, 1 << 255)])
def test_an_array_that_leads_out_of_the_data_is_refused(words: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="array"):
        array_at(words, 0)


def test_an_address_of_more_than_20_bytes_is_refused() -> None:
    with pytest.raises(ValueError, match="no address"):
        address_of(1 << 160)
