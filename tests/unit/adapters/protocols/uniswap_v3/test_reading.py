"""Answers that no pool can give are refused; answers of real pools are read in the conformance suite."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import cast

import pytest

from headrace.adapters.protocols.uniswap_v3 import UniswapV3
from headrace.adapters.protocols.uniswap_v3.state import UniswapV3State
from headrace.adapters.protocols.words import call_data
from headrace.errors import MalformedPoolError, UnquotableError
from headrace.kernels.tick_flaws import UNSET
from headrace.kernels.tick_math import SQRT_PRICE_MAX, sqrt_price_at_tick_up
from headrace.kernels.tick_table import PricePoint, TickTable
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.block import BlockContext
from headrace.model.executor_step import UniswapV3Step
from headrace.model.pool import Pool
from headrace.ports.chain import Call, Chain
from headrace.ports.pool import DEX

ADDRESS = PoolId("0x" + "ab" * 20)
BLOCK = Hash32("0x" + "11" * 32)
TOKENS = (Address("0x" + "01" * 20), Address("0x" + "02" * 20))
AT = BlockContext(1, 1, 1, TOKENS[0])
LIQUIDITY = 10**18
DEX_UNDER_TEST: DEX = UniswapV3()

Answers = Mapping[str, bytes | None]


def words(*values: int) -> bytes:
    return b"".join((value % 2**256).to_bytes(32, "big") for value in values)


def tick_words(gross: int, net: int) -> bytes:
    return words(gross, net, 0, 0, 0, 0, 0, 1)


SOUND: Answers = {
    "token0()": words(int(TOKENS[0], 16)),
    "token1()": words(int(TOKENS[1], 16)),
    "fee()": words(3000),
    "tickSpacing()": words(60),
    "slot0()": words(2**96, 0, 0, 1, 1, 0, 1),
    "liquidity()": words(LIQUIDITY),
    "tickBitmap 0": words(1 << 10),
    "tickBitmap -1": words(1 << 246),
    "ticks 600": tick_words(LIQUIDITY, -LIQUIDITY),
    "ticks -600": tick_words(LIQUIDITY, LIQUIDITY),
}


class ScriptedNode:
    """Answers calls from a table; an unknown bitmap word is empty."""

    def __init__(self, answers: Answers) -> None:
        self.batches: list[int] = []
        self._answers = {
            call_data(f"{name.split()[0]}({kind})" if " " in name else name)
            + (words(int(name.split()[1])) if " " in name else b""): answer
            for name, answer in answers.items()
            for kind in ({"tickBitmap": "int16", "ticks": "int24"}.get(name.split()[0], ""),)
        }

    async def call_many(self, calls: Sequence[Call], block: Hash32) -> tuple[bytes | None, ...]:
        assert block == BLOCK
        self.batches.append(len(calls))
        return tuple(self._answers.get(call.data, words(0)) for call in calls)


def node(**changes: bytes | None) -> Chain:
    renamed = {name.replace("__", " ").replace("_minus", "-"): answer for name, answer in changes.items()}
    known = {name if " " in name else f"{name}()": answer for name, answer in renamed.items()}
    return cast("Chain", ScriptedNode({**SOUND, **known}))


def describe(chain: Chain) -> Pool:
    return asyncio.run(DEX_UNDER_TEST.describe(chain, "v3", ADDRESS, BLOCK))


def read(chain: Chain) -> UniswapV3State:
    (state,) = asyncio.run(DEX_UNDER_TEST.read(chain, (describe(node()),), BLOCK))
    assert isinstance(state, UniswapV3State)
    return state


def test_a_sound_pool_is_described_and_read() -> None:
    pool = describe(node())
    assert (pool.tokens, pool.fee_pips, pool.address, pool.venue) == (TOKENS, 3000, Address(ADDRESS), "v3")
    state = read(node())
    assert state.point == PricePoint(2**96, 0, LIQUIDITY)
    assert state.table == TickTable(3000, 60, {}).with_position(-600, 600, LIQUIDITY)


def test_questions_go_out_in_bounded_batches() -> None:
    scripted = ScriptedNode(
        {**SOUND, "tickSpacing()": words(1), "ticks 10": SOUND["ticks 600"], "ticks -10": SOUND["ticks -600"]}
    )
    asyncio.run(DEX_UNDER_TEST.read(cast("Chain", scripted), (describe(node()),), BLOCK))
    assert max(scripted.batches) <= 1000
    assert sum(scripted.batches) == 3 + 3 + 6932 + 2  # the lens is not answered here


def test_a_pool_without_a_price_is_read_and_gives_no_quote() -> None:
    state = read(
        node(slot0=words(0, 0, 0, 0, 0, 0, 0), liquidity=words(0), tickBitmap__0=words(0), tickBitmap___minus1=words(0))
    )
    assert state.point == UNSET
    for token_in, token_out in (TOKENS, TOKENS[::-1]):
        with pytest.raises(UnquotableError):
            DEX_UNDER_TEST.quote_out(state, token_in, token_out, 1000, AT)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"token0": None}, "token0"),
        ({"token0": b""}, "token0"),
        ({"token0": words(0)}, "token0"),
        ({"token0": words(int(TOKENS[1], 16))}, "token0"),
        ({"token1": words(2**160)}, "token0"),
        ({"fee": words(10**6)}, "fee"),
        ({"fee": words(3000, 1)}, "fee"),
        ({"tickSpacing": words(0)}, "tickSpacing"),
        ({"tickSpacing": words(-60)}, "tickSpacing"),
        ({"tickSpacing": words(16_384)}, "tickSpacing"),
    ],
)
def test_what_is_no_pool_is_not_described(changes: dict[str, bytes | None], field: str) -> None:
    with pytest.raises(MalformedPoolError) as caught:
        describe(node(**changes))
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("changes", "field", "kind"),
    [
        ({"slot0": None, "globalState": words(2**96, 0, 100, 0, 0, 1)}, "globalState", "Algebra"),
        ({"slot0": None, "globalState": words(2**96, 0, 100, 100, 0, 0, 0, 1)}, "globalState", "Algebra"),
        ({"slot0": words(2**96, 0, 0, 1, 1, 1)}, "slot0", "Slipstream"),
        ({"currentFee": words(500)}, "currentFee", "Ramses"),
    ],
)
def test_a_relative_whose_fee_moves_is_refused_by_its_name(
    changes: dict[str, bytes | None], field: str, kind: str
) -> None:
    with pytest.raises(MalformedPoolError, match=kind) as caught:
        describe(node(**changes))
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"slot0": None}, "slot0"),
        ({"slot0": words(2**96, 0)}, "slot0"),
        ({"slot0": words(1, 0, 0, 0, 0, 0, 1)}, "sqrt_price_x96"),
        ({"slot0": words(SQRT_PRICE_MAX, 887_271, 0, 0, 0, 0, 1)}, "sqrt_price_x96"),
        ({"slot0": words(2**96, 5, 0, 0, 0, 0, 1)}, "tick"),
        ({"slot0": words(2**96, -900_000, 0, 0, 0, 0, 1)}, "tick"),
        ({"slot0": words(0, 0, 0, 0, 0, 0, 0)}, "sqrt_price_x96"),
        ({"slot0": words(0, 0, 0, 0, 0, 0, 0), "liquidity": words(0)}, "sqrt_price_x96"),
        ({"liquidity": words(-1)}, "liquidity"),
        ({"liquidity": words(LIQUIDITY + 1)}, "liquidity"),
        ({"liquidity": b"\1"}, "liquidity"),
        ({"tickSpacing": words(0)}, "tickSpacing"),
        ({"tickSpacing": None}, "tickSpacing"),
        ({"tickBitmap__0": None}, "tickBitmap"),
        ({"tickBitmap__57": words(1 << 255)}, "ticks"),
        ({"ticks__600": None}, "ticks"),
        ({"ticks__600": tick_words(2**128, -LIQUIDITY)}, "ticks"),
        ({"ticks__600": tick_words(0, 0)}, "ticks"),
        ({"ticks__600": tick_words(LIQUIDITY, -LIQUIDITY - 1)}, "ticks"),
        ({"ticks__600": tick_words(LIQUIDITY, -LIQUIDITY + 1)}, "ticks"),
        ({"ticks__600": tick_words(LIQUIDITY, LIQUIDITY)}, "ticks"),
    ],
)
def test_a_state_that_no_pool_can_have_is_refused(changes: dict[str, bytes | None], field: str) -> None:
    with pytest.raises(MalformedPoolError) as caught:
        read(node(**changes))
    assert caught.value.field == field


def test_step_and_gas_follow_the_direction_and_the_crossings() -> None:
    state = read(node())
    assert DEX_UNDER_TEST.step(state, *TOKENS) == UniswapV3Step(*TOKENS, Address(ADDRESS))
    assert DEX_UNDER_TEST.supports_flash_swap
    still = DEX_UNDER_TEST.gas(state, *TOKENS, 1000)
    beyond = DEX_UNDER_TEST.gas(state, *TOKENS, 10**30)
    assert still == beyond == DEX_UNDER_TEST.gas(state, *TOKENS[::-1], 1000)
    table = state.table.with_position(60, 120, 10**17)
    wider = UniswapV3State(state.pool, PricePoint(2**96, 0, LIQUIDITY), table)
    to_180 = int(LIQUIDITY * (sqrt_price_at_tick_up(180) / 2**96 - 1) * 1.01)
    assert DEX_UNDER_TEST.gas(wider, *TOKENS[::-1], to_180) > still
    with pytest.raises(UnquotableError):
        DEX_UNDER_TEST.step(state, TOKENS[0], TOKENS[0])


def test_a_foreign_state_is_a_bug() -> None:
    class Foreign:
        pool = Pool(ADDRESS, Address(ADDRESS), DEX_UNDER_TEST.protocol_id, "v3", TOKENS, 3000)

    with pytest.raises(AssertionError):
        DEX_UNDER_TEST.quote_out(Foreign(), *TOKENS, 5, AT)
