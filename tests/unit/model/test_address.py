import pytest

from headrace.errors import ConfigError
from headrace.model.address import checksum, parse_address

# Oracle: the published examples of EIP-55.
EIP_55 = [
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0xde709f2102306220921060314715629080e2fb77",
]


@pytest.mark.parametrize("text", EIP_55)
def test_the_checksum_is_that_of_eip_55(text: str) -> None:
    assert checksum(parse_address(text)) == text


def test_one_mistyped_digit_in_mixed_case_is_refused_and_the_right_form_is_named() -> None:
    with pytest.raises(ConfigError, match="wrong checksum") as caught:
        parse_address("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1Beaed", "chains.x")
    assert EIP_55[0] in str(caught.value)
    assert caught.value.where == "chains.x"


@pytest.mark.parametrize(
    "text", ["", "0x", "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0x" + "g" * 40, "0x" + "0" * 41]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="not an address"):
        parse_address(text)
