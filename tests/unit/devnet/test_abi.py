from headrace.devnet.abi import (
    decode_result,
    decode_words,
    encode_call,
    event_topic,
    parse_signature,
    signed_word,
)


def test_the_selector_is_that_of_the_standard() -> None:
    assert parse_signature("transfer(address,uint256)").selector == "a9059cbb"  # ERC-20
    assert parse_signature("totalSupply()(uint256)").selector == "18160ddd"


def test_nested_tuples_are_kept_whole() -> None:
    parsed = parse_signature("f((address,uint256[]),bytes)((int24,uint8),address)")
    assert parsed.inputs == ("(address,uint256[])", "bytes")
    assert parsed.outputs == ("(int24,uint8)", "address")


def test_arguments_follow_the_selector_as_words() -> None:
    data = encode_call("approve(address,uint256)", "0x" + "11" * 20, 5)
    assert data == "0x095ea7b3" + "11".rjust(26, "0") + "11" * 19 + f"{5:064x}"
    assert decode_words("0x" + data[10:])[1] == 5


def test_results_are_decoded_by_the_second_list() -> None:
    assert decode_result("f()(uint256,bool)", "0x" + f"{7:064x}{1:064x}") == (7, True)


def test_the_topic_of_an_event_is_that_of_the_standard() -> None:
    topic = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"  # ERC-20
    assert event_topic("Transfer(address,address,uint256)") == topic


def test_a_word_of_ones_is_minus_one_in_twos_complement() -> None:
    assert signed_word(2**256 - 1) == -1
    assert signed_word(2**255 - 1) == 2**255 - 1
