"""Storage that no manager can have is refused; storage of real pools is read in the conformance suite."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import cast

import pytest

from headrace.adapters.protocols.uniswap_v4 import PoolKey, UniswapV4, UniswapV4Venue, logs, reading
from headrace.adapters.protocols.uniswap_v4.key import NATIVE
from headrace.adapters.protocols.uniswap_v4.state import PROTOCOL, ProtocolFee, UniswapV4State
from headrace.adapters.protocols.words import call_data
from headrace.errors import MalformedPoolError, UnexecutableError, UnquotableError
from headrace.kernels.tick_flaws import UNSET
from headrace.kernels.tick_math import SQRT_PRICE_MAX
from headrace.kernels.tick_table import PricePoint, TickTable
from headrace.model.address import Address, Hash32, PoolId, keccak_hex
from headrace.model.block import BlockContext
from headrace.model.event import Log
from headrace.model.executor_step import UniswapV4Step
from headrace.model.pool import Pool
from headrace.ports.chain import Call, Chain
from headrace.ports.pool import DEX

MANAGER, POSITIONS = Address("0x" + "ab" * 20), Address("0x" + "cd" * 20)
BLOCK = Hash32("0x" + "11" * 32)
LOW, HIGH = Address("0x" + "01" * 20), Address("0x" + "02" * 20)
KEY = PoolKey(LOW, HIGH, 3000, 60)
AT = BlockContext(1, 1, 1, LOW)
LIQUIDITY = 10**18
POOL = Pool(KEY.id, MANAGER, PROTOCOL, "v4", (LOW, HIGH), 3000)


def words(*values: int) -> bytes:
    return b"".join((value % 2**256).to_bytes(32, "big") for value in values)


def slot(pool: PoolId, offset: int, key: int | None = None) -> int:
    """Slots of `mapping(PoolId => Pool.State) _pools` at slot 6, by Solidity's layout of storage."""
    base = int(keccak_hex(bytes.fromhex(pool[2:]) + words(6)), 16) + offset
    return base if key is None else int(keccak_hex(words(key, base)), 16)


def slot0(price: int = 2**96, tick: int = 0, packed: int = 0, fee: int = 3000, rest: int = 0) -> int:
    return price | tick % 2**24 << 160 | packed << 184 | fee << 208 | rest << 232


def tick_word(gross: int, net: int) -> int:
    return gross | net % 2**128 << 128


def storage(key: PoolKey = KEY, tick: int = 600) -> dict[int, int]:
    index = tick // key.tick_spacing
    return {
        slot(key.id, 0): slot0(fee=key.fee_pips),
        slot(key.id, 3): LIQUIDITY,
        slot(key.id, 4, tick): tick_word(LIQUIDITY, -LIQUIDITY),
        slot(key.id, 4, -tick): tick_word(LIQUIDITY, LIQUIDITY),
        slot(key.id, 5, index >> 8): 1 << (index & 255),
        slot(key.id, 5, -index >> 8): 1 << (-index & 255),
    }


class ScriptedNode:
    """A manager's storage behind `extsload`, and a PositionManager's answer; a scripted answer to everything else."""

    def __init__(self, slots: Mapping[int, int], key: bytes | None = None, answer: bytes | None = None) -> None:
        self.rounds: list[int] = []
        self._slots, self._key, self._answer = slots, key, answer
        self._is_scripted = answer is not None

    async def call_many(self, calls: Sequence[Call], block: Hash32) -> tuple[bytes | None, ...]:
        assert block == BLOCK
        self.rounds.append(len(calls))
        return tuple(self._reply(call) for call in calls)

    def _reply(self, call: Call) -> bytes | None:
        if call.to == POSITIONS:
            assert call.data == call_data("poolKeys(bytes25)", int(KEY.id[:52], 16) << 56)
            return self._key
        if self._is_scripted or call.to != MANAGER:
            return self._answer
        assert call.data[:4] == call_data("extsload(bytes32[])")
        asked = [int.from_bytes(call.data[i : i + 32], "big") for i in range(4, len(call.data), 32)]
        assert asked[:2] == [32, len(asked) - 2]
        return words(32, len(asked) - 2, *(self._slots.get(one, 0) for one in asked[2:]))


def node(slots: Mapping[int, int] | None = None, key: bytes | None = None, answer: bytes | None = None) -> Chain:
    return cast("Chain", ScriptedNode(storage() if slots is None else slots, key, answer))


def dex(*keys: PoolKey) -> UniswapV4:
    return UniswapV4({"v4": UniswapV4Venue(MANAGER, POSITIONS, keys), "bare": UniswapV4Venue(MANAGER)})


def read(chain: Chain) -> UniswapV4State:
    (state,) = asyncio.run(dex(KEY).read(chain, (POOL,), BLOCK))
    return state


def test_a_pools_storage_is_where_mainnet_has_it() -> None:
    """The slot of the 0.05 % pool of ETH and USDC in the mapping of mainnet's PoolManager."""
    pool = PoolKey(NATIVE, Address("0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"), 500, 10).id
    assert next(iter(reading._pool_slots(pool, 10))) == slot(pool, 0)
    assert slot(pool, 0) == 0xDA8CAC368D67CD2F2D8AAA5CC531768E0FA3B1D205C5C5DE60DA078E1F59BDFC


def test_a_sound_pool_is_described_and_read() -> None:
    assert asyncio.run(dex(KEY).describe(node(), "v4", KEY.id, BLOCK)) == POOL
    slots = storage() | {slot(KEY.id, 0): slot0(2**96, 0, 200 << 12 | 1000)}
    state = read(node(slots))
    assert state.point == PricePoint(2**96, 0, LIQUIDITY)
    assert state.protocol_fee == ProtocolFee(1000, 200)
    assert state.table == TickTable(3000, 60, {}).with_position(-600, 600, LIQUIDITY)


def test_a_price_below_one_has_a_negative_tick() -> None:
    price = 2**96 - 2**90
    state = read(node(storage() | {slot(KEY.id, 0): slot0(price, -315)}))
    assert state.point == PricePoint(price, -315, LIQUIDITY)


def test_many_pools_share_calls_of_a_bounded_size() -> None:
    narrow = PoolKey(LOW, HIGH, 100, 1)
    keys = (KEY, narrow, PoolKey(LOW, HIGH, 500, 60))
    slots = {at: value for key in keys for at, value in storage(key).items()}
    scripted = ScriptedNode(slots)
    plugin = dex(*keys)
    pools = [Pool(key.id, MANAGER, PROTOCOL, "v4", (LOW, HIGH), key.fee_pips) for key in keys]
    states = asyncio.run(plugin.read(cast("Chain", scripted), pools, BLOCK))
    assert [state.pool for state in states] == pools
    assert [sorted(state.table.ticks) for state in states] == [[-600, 600]] * 3
    assert scripted.rounds == [-(-(3 * 2 + 2 * 116 + 6932) // 1000), 1]


def test_a_great_many_slots_go_out_in_several_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "SLOTS_PER_CALL", 1)
    scripted = ScriptedNode(storage())
    (state,) = asyncio.run(dex(KEY).read(cast("Chain", scripted), (POOL,), BLOCK))
    assert state == read(node())
    assert scripted.rounds == [100, 18, 2]


def test_no_pools_are_read_without_a_question() -> None:
    scripted = ScriptedNode({})
    assert asyncio.run(dex().read(cast("Chain", scripted), (), BLOCK)) == ()
    assert scripted.rounds == []


def test_a_pool_without_a_price_is_read_and_gives_no_quote() -> None:
    state = read(node({}))
    assert state.point == UNSET
    for token_in, token_out in ((LOW, HIGH), (HIGH, LOW)):
        with pytest.raises(UnquotableError):
            dex(KEY).quote_out(state, token_in, token_out, 1000, AT)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({slot(KEY.id, 0): slot0(fee=500)}, "slot0"),
        ({slot(KEY.id, 0): slot0(rest=1)}, "slot0"),
        ({slot(KEY.id, 0): slot0(packed=1001)}, "protocol_fee"),
        ({slot(KEY.id, 0): slot0(packed=1001 << 12)}, "protocol_fee"),
        ({slot(KEY.id, 0): slot0(price=1)}, "sqrt_price_x96"),
        ({slot(KEY.id, 0): slot0(price=SQRT_PRICE_MAX, tick=887_271)}, "sqrt_price_x96"),
        ({slot(KEY.id, 0): slot0(tick=5)}, "tick"),
        ({slot(KEY.id, 0): slot0(tick=-900_000)}, "tick"),
        ({slot(KEY.id, 0): 0}, "sqrt_price_x96"),
        ({slot(KEY.id, 0): 0, slot(KEY.id, 3): 0}, "sqrt_price_x96"),
        ({slot(KEY.id, 3): LIQUIDITY + 1}, "liquidity"),
        ({slot(KEY.id, 3): 2**128}, "liquidity"),
        ({slot(KEY.id, 5, 57): 1 << 255}, "ticks"),
        ({slot(KEY.id, 4, 600): tick_word(0, 0)}, "ticks"),
        ({slot(KEY.id, 4, 600): tick_word(LIQUIDITY, -LIQUIDITY - 1)}, "ticks"),
        ({slot(KEY.id, 4, 600): tick_word(LIQUIDITY, -LIQUIDITY + 1)}, "ticks"),
        ({slot(KEY.id, 4, 600): tick_word(LIQUIDITY, LIQUIDITY)}, "ticks"),
    ],
)
def test_storage_that_no_pool_can_have_is_refused(changes: dict[int, int], field: str) -> None:
    with pytest.raises(MalformedPoolError) as caught:
        read(node(storage() | changes))
    assert (caught.value.pool, caught.value.field) == (KEY.id, field)


@pytest.mark.parametrize("answer", [b"", b"\1", words(32), words(32, 5, 1), words(32, 1, 0), words(64, 0)])
def test_a_manager_that_does_not_answer_like_one_is_refused(answer: bytes) -> None:
    with pytest.raises(MalformedPoolError) as caught:
        read(node(answer=answer))
    assert (caught.value.pool, caught.value.field) == (KEY.id, "extsload")


def test_the_position_manager_is_asked_for_a_key_that_is_not_known_and_only_once() -> None:
    answer = words(int(LOW, 16), int(HIGH, 16), 3000, 60, 0)
    scripted = ScriptedNode(storage(), answer)
    plugin = dex()
    for _ in range(2):
        assert asyncio.run(plugin.describe(cast("Chain", scripted), "v4", KEY.id, BLOCK)) == POOL
    assert scripted.rounds == [1, 1, 1]


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        (None, "key"),
        (b"", "key"),
        (b"\1", "key"),
        (words(1, 2, 3, 4), "key"),
        (words(0, 0, 0, 0, 0), "key"),
        (words(1 << 200, int(HIGH, 16), 3000, 60, 0), "key"),
        (words(int(LOW, 16), int(HIGH, 16), 1 << 24, 60, 0), "key"),
        (words(int(LOW, 16), int(HIGH, 16), 3000, 61, 0), "id"),
        (words(int(LOW, 16), int(HIGH, 16), 3000, -60, 0), "tick_spacing"),
    ],
)
def test_an_answer_that_is_not_the_pools_key_is_refused(answer: bytes | None, field: str) -> None:
    with pytest.raises(MalformedPoolError) as caught:
        asyncio.run(dex().describe(node(key=answer), "v4", KEY.id, BLOCK))
    assert (caught.value.pool, caught.value.field) == (KEY.id, field)


@pytest.mark.parametrize(
    ("venue", "pool", "field"),
    [
        ("v4", "0x12", "id"),
        ("v4", "0x" + "AB" * 32, "id"),
        ("v4", MANAGER, "id"),
        ("elsewhere", KEY.id, "venue"),
        ("bare", KEY.id, "key"),
    ],
)
def test_what_names_no_pool_of_a_venue_is_not_described(venue: str, pool: str, field: str) -> None:
    with pytest.raises(MalformedPoolError) as caught:
        asyncio.run(dex().describe(node(), venue, PoolId(pool), BLOCK))
    assert (caught.value.pool, caught.value.field) == (pool, field)


def test_step_and_gas_follow_the_key_and_the_crossings() -> None:
    plugin: DEX = dex(KEY)
    state = read(node())
    assert plugin.step(state, LOW, HIGH) == UniswapV4Step(LOW, HIGH, MANAGER, 3000, 60, NATIVE)
    assert not plugin.supports_flash_swap
    still = plugin.gas(state, LOW, HIGH, 1000)
    assert still == plugin.gas(state, LOW, HIGH, 10**30) == plugin.gas(state, HIGH, LOW, 1000)
    with pytest.raises(UnquotableError):
        plugin.step(state, LOW, LOW)


def test_the_native_currency_is_quoted_and_has_no_step() -> None:
    key = PoolKey(NATIVE, HIGH, 3000, 60)
    pool = Pool(key.id, MANAGER, PROTOCOL, "v4", (NATIVE, HIGH), 3000)
    plugin = dex(key)
    (state,) = asyncio.run(plugin.read(node(storage(key)), (pool,), BLOCK))
    assert plugin.quote_out(state, NATIVE, HIGH, 1000, AT) == 996
    with pytest.raises(UnexecutableError, match="native currency") as caught:
        plugin.step(state, NATIVE, HIGH)
    assert caught.value.pool == key.id


def test_a_foreign_state_is_a_bug() -> None:
    class Foreign:
        pool = POOL

    with pytest.raises(AssertionError):
        dex().quote_out(Foreign(), LOW, HIGH, 5, AT)


def test_logs_of_a_pool_that_was_read_are_known_without_a_venue() -> None:
    plugin = UniswapV4()
    plugin.learn_key(KEY)
    charged = Log(MANAGER, (logs.PROTOCOL_FEE_UPDATED, Hash32(KEY.id)), "0x" + words(5).hex(), BLOCK, 1, BLOCK, 0)
    assert plugin.pool_of(charged) == PoolId(MANAGER)
    (state,) = asyncio.run(plugin.read(node(), (POOL,), BLOCK))
    assert plugin.pool_of(charged) == KEY.id
    assert plugin.apply(state, charged).protocol_fee == ProtocolFee(5, 0)
