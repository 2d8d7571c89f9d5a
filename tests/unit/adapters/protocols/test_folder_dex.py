"""What every protocol does alike, on two protocols of the market and on all of them."""

import pytest

from headrace.adapters.protocols.uniswap_v2 import UniswapV2
from headrace.adapters.protocols.uniswap_v2.state import PROTOCOL, UniswapV2State
from headrace.adapters.protocols.uniswap_v3 import UniswapV3
from headrace.app.dexes import every_dex
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.block import BlockContext
from headrace.model.event import Log
from headrace.model.pool import Pool

LOW, HIGH, PAIR = (Address("0x" + digit * 40) for digit in "123")
STATE = UniswapV2State(Pool(PoolId(PAIR), PAIR, PROTOCOL, "a", (LOW, HIGH), 3000), 10**9, 10**9)
AT = BlockContext(1, 12, 0, LOW)
LOG = Log(PAIR, (), "0x", Hash32("0x"), 1, Hash32("0x"), 0)


def test_a_state_of_another_protocol_is_a_mistake_of_the_caller() -> None:
    assert UniswapV2({}).quote_out(STATE, LOW, HIGH, 1000, AT) > 0
    other = UniswapV3()
    for mistaken in (
        lambda: other.apply(STATE, LOG),
        lambda: other.quote_out(STATE, LOW, HIGH, 1000, AT),
        lambda: other.quote_in(STATE, LOW, HIGH, 1000, AT),
        lambda: other.shape(STATE, LOW, HIGH),
        lambda: other.state_to_document(STATE),
    ):
        with pytest.raises(AssertionError, match="UniswapV2State"):
            mistaken()


def test_each_protocol_is_listed_under_its_own_name_and_listens_to_something() -> None:
    for name, dex in every_dex().items():
        assert dex.protocol_id == name
        assert dex.topics
