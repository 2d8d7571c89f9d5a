from decimal import Decimal, getcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.model import money
from headrace.model.address import Address, ChainId
from headrace.model.token import Amount, Token, decimal_text

USDC = Token(ChainId(1), Address("0x" + "aa" * 20), "USDC", 6)
WETH = Token(ChainId(1), Address("0x" + "bb" * 20), "WETH", 18)


def test_amounts_of_one_token_add_and_print_exactly() -> None:
    assert str(Amount(USDC, 1_500_000) + Amount(USDC, 1)) == "1.500001 USDC"
    assert str(Amount(WETH, 2**256 - 1)).startswith(
        "115792089237316195423570985008687907853269984665640564039457.5840079"
    )
    assert (Amount(USDC, 1) - Amount(USDC, 3)).units == -2
    assert decimal_text(1200, 0) == "1200"


def test_amounts_of_two_tokens_never_mix() -> None:
    with pytest.raises(AssertionError):
        Amount(USDC, 1) + Amount(WETH, 1)
    with pytest.raises(AssertionError):
        Amount(USDC, 1) - Amount(WETH, 1)


@given(st.integers(0, 2**128), st.integers(0, 36), st.integers(1, 10**24))
def test_dollars_at_risk_are_rounded_up_to_the_next_millionth(units: int, decimals: int, usd_pico: int) -> None:
    """Oracle: exact decimal arithmetic."""
    getcontext().prec = 200
    exact = Decimal(units) * Decimal(usd_pico) / Decimal(10) ** (decimals + 6)
    up = money.usd_micro_up(units, decimals, usd_pico)
    assert exact <= up < exact + 1


@given(st.integers(0, 10**15), st.integers(0, 36), st.integers(1, 10**24))
def test_units_worth_a_sum_are_the_least_and_the_largest(usd_micro: int, decimals: int, usd_pico: int) -> None:
    least = money.units_up(usd_micro, decimals, usd_pico)
    most = money.units_down(usd_micro, decimals, usd_pico)
    assert least * usd_pico >= usd_micro * 10 ** (decimals + 6) > (least - 1) * usd_pico
    assert most * usd_pico <= usd_micro * 10 ** (decimals + 6) < (most + 1) * usd_pico
