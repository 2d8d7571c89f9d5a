"""What is concluded from the answers of a trial; honest answers are written by hand and spoilt one at a time.

That the answers are those of real tokens is shown in tests/conformance/token_inspector.
"""

from collections.abc import Mapping

import msgspec
import pytest
from tests.support.market import DAI, V2, WETH, header, pair

from headrace.adapters.inspectors.node.handling import Handling
from headrace.adapters.inspectors.node.round_trip import RoundTrip
from headrace.adapters.inspectors.node.script import Outcome, bare_setting, real_setting
from headrace.adapters.protocols.uniswap_v2.state import UniswapV2State
from headrace.model.address import ZERO_ADDRESS, Address, Hash32, keccak_hex
from headrace.model.event import Log
from headrace.model.token_verdict import Lie

UNIT = 10**18
POOL = pair(1, "a", WETH, DAI)
STATE = UniswapV2State(POOL, 1000 * UNIT, 2000 * UNIT)
SETTING = real_setting(header())
HANDLING = Handling(DAI.address, POOL.address, 400)
TRIP = RoundTrip(V2, STATE, DAI.address, WETH.address, UNIT, None, b"")
BOUGHT = 997 * 2000 * UNIT * UNIT // (1000 * 1000 * UNIT + 997 * UNIT)  # Uniswap v2 whitepaper, 3.2.1
NONE = Outcome(is_success=True, data=b"", logs=(), message="")
FAILED = Outcome(is_success=False, data=b"", logs=(), message="execution reverted")


def word(value: int) -> Outcome:
    return msgspec.structs.replace(NONE, data=value.to_bytes(32, "big"))


HANDLED: Mapping[str, Outcome] = {
    "decimals": word(18),
    "erc777": NONE,
    "take": word(1),
    "taken": word(400),
    "give": word(1),
    "given": word(100),
    "approve": word(1),
    "pull": word(1),
    "pulled": word(400),
    "market_before": word(5000),
    "pay": word(1),
    "market_after": word(5100),
    "kept": word(300),
    "decimals_later": word(18),
    "kept_later": word(300),
    "market_later": word(5100),
    "pay_later": word(1),
    "market_last": word(5400),
}


def test_the_answers_of_an_honest_token_pass() -> None:
    script = HANDLING.script(SETTING)
    assert [call.label for call in (*script.buying, *script.selling)] == list(HANDLED)
    assert HANDLING.judge(HANDLED).is_fit
    assert HANDLING.judge(HANDLED).lie is None


@pytest.mark.parametrize(
    ("label", "answer", "lie"),
    [
        ("decimals_later", word(6), Lie.CHANGES_DECIMALS),
        ("decimals", NONE, Lie.CHANGES_DECIMALS),
        ("erc777", word(1), Lie.CALLS_BACK),
        ("take", word(0), Lie.RETURNS_FALSE),
        ("give", word(2), Lie.RETURNS_FALSE),
        ("pull", msgspec.structs.replace(NONE, data=b"\1"), Lie.RETURNS_FALSE),
        ("pay_later", word(0), Lie.RETURNS_FALSE),
        ("kept_later", word(301), Lie.REBASES),
        ("market_later", word(5099), Lie.REBASES),
        ("take", FAILED, Lie.BLOCKS_TRANSFER),
        ("give", FAILED, Lie.BLOCKS_TRANSFER),
        ("pull", FAILED, Lie.BLOCKS_TRANSFER),
        ("taken", FAILED, Lie.BLOCKS_TRANSFER),
        ("market_before", NONE, Lie.BLOCKS_TRANSFER),
        ("pay", FAILED, Lie.BLOCKS_SALE),
        ("pay_later", FAILED, Lie.BLOCKS_SALE),
        ("taken", word(399), Lie.FEE_ON_TRANSFER),
        ("given", word(101), Lie.FEE_ON_TRANSFER),
        ("pulled", word(399), Lie.FEE_ON_TRANSFER),
        ("market_last", word(5399), Lie.FEE_ON_TRANSFER),
    ],
)
def test_one_wrong_answer_is_a_lie(label: str, answer: Outcome, lie: Lie) -> None:
    found = HANDLING.judge({**HANDLED, label: answer})
    assert (found.is_fit, found.lie) == (False, lie)


def test_silence_is_named_and_passes() -> None:
    found = HANDLING.judge({**HANDLED, "pull": NONE})
    assert (found.is_fit, found.lie) == (True, Lie.RETURNS_NOTHING)


def log(address: Address, topic: Hash32, data: str) -> Log:
    block = header().hash
    return Log(address, (topic,), data, block, 101, block, 0)


SYNC = log(POOL.address, keccak_hex(b"Sync(uint112,uint112)"), f"0x{1001 * UNIT:064x}{2000 * UNIT - BOUGHT:064x}")
FOREIGN = msgspec.structs.replace(SYNC, address=DAI.address)
ENTERED = log(ZERO_ADDRESS, keccak_hex(b"Entered(address)"), "0x" + "00" * 32)
EARNED = 997 * BOUGHT * 1001 * UNIT // (1000 * (2000 * UNIT - BOUGHT) + 997 * BOUGHT)
TRAVELLED: Mapping[str, Outcome] = {
    "wrap": NONE,
    "fund": word(1),
    "funded": word(UNIT),
    "stock": word(2000 * UNIT),
    "buy": msgspec.structs.replace(NONE, logs=(FOREIGN, SYNC)),
    "bought": word(BOUGHT),
    "stock_later": word(2000 * UNIT - BOUGHT),
    "change": word(0),
    "held": word(BOUGHT),
    "sell": NONE,
    "left": word(0),
    "earned": word(EARNED),
}


def test_the_answers_of_an_honest_round_trip_pass() -> None:
    script = TRIP.script(SETTING)
    assert [call.label for call in (*script.buying, *script.selling)] == list(TRAVELLED)
    assert TRIP.judge(TRAVELLED, SETTING).is_fit


@pytest.mark.parametrize(
    ("label", "answer", "lie"),
    [
        ("buy", FAILED, Lie.BLOCKS_BUY),
        ("bought", word(BOUGHT - 1), Lie.FEE_ON_TRANSFER),
        ("change", word(1), Lie.OFF_QUOTE),
        ("buy", msgspec.structs.replace(NONE, logs=(ENTERED, SYNC)), Lie.CALLS_BACK),
        ("sell", msgspec.structs.replace(NONE, logs=(ENTERED,)), Lie.CALLS_BACK),
        ("held", word(BOUGHT + 1), Lie.REBASES),
        ("sell", FAILED, Lie.BLOCKS_SALE),
        ("left", word(1), Lie.FEE_ON_TRANSFER),
        ("earned", word(EARNED - 1), Lie.OFF_QUOTE),
        ("earned", word(EARNED + 1), Lie.OFF_QUOTE),
        ("funded", word(UNIT - 1), None),
    ],
)
def test_one_wrong_answer_on_the_way_is_a_lie(label: str, answer: Outcome, lie: Lie | None) -> None:
    found = TRIP.judge({**TRAVELLED, label: answer}, SETTING)
    assert (found.is_fit, found.lie) == (False, lie)


def test_a_pool_that_pays_less_than_quoted_is_told_apart_from_a_fee() -> None:
    less = {"bought": word(BOUGHT - 1), "stock_later": word(2000 * UNIT - BOUGHT + 1)}
    assert TRIP.judge({**TRAVELLED, **less}, SETTING).lie == Lie.OFF_QUOTE


def test_a_log_that_cannot_be_read_leaves_the_sale_unpriced() -> None:
    broken = msgspec.structs.replace(SYNC, data="0x")
    seen = {**TRAVELLED, "buy": msgspec.structs.replace(NONE, logs=(broken,)), "earned": word(1)}
    assert TRIP.judge(seen, SETTING).is_fit


def test_the_settings_show_a_real_block_and_a_bare_one_and_share_no_account() -> None:
    idle = msgspec.structs.replace(header(), base_fee_wei=7, coinbase=ZERO_ADDRESS)
    real, bare = real_setting(idle), bare_setting(idle)
    assert real.buying.base_fee_wei >= 10**9
    assert real.buying.coinbase != ZERO_ADDRESS
    assert real.tip_wei > 0
    assert (bare.buying.base_fee_wei, bare.buying.coinbase, bare.tip_wei) == (0, ZERO_ADDRESS, 0)
    assert real.actor("trader") not in {bare.actor("trader"), real.actor("probe")}
    assert real.selling.number - real.buying.number < 256 - 2  # what geth simulates at once
    coined = msgspec.structs.replace(idle, coinbase=Address("0x" + "07" * 20))
    assert real_setting(coined).buying.coinbase == coined.coinbase
