"""Uniswap v4's PoolManager beside its swaps: whose key a pool has, which hooks bar it, its storage, the ends of int128.

Oracles: PositionManager's `poolKeys`, StateView, V4Quoter, the manager itself and v4-core's own PoolSwapTest, which
settles.
"""

import random
from collections.abc import Sequence

import pytest
from tests.conformance.protocols.local_chain import LocalChain
from tests.conformance.protocols.suite import read_states
from tests.conformance.protocols.uniswap_v4_pools import (
    FEE_HOOK,
    KEY,
    QUIET_HOOK,
    SWAP_HOOK,
    Asked,
    PoolSpec,
    Position,
    key_tuple,
    minted,
    put_hook,
)
from tests.conformance.protocols.uniswap_v4_subject import VENUE, V4Subject, own, pool_of

from headrace.adapters.protocols.uniswap_v4 import PoolKey, UniswapV4, UniswapV4Venue, logs
from headrace.adapters.protocols.uniswap_v4.key import DYNAMIC_FEE
from headrace.adapters.protocols.uniswap_v4.state import ProtocolFee, UniswapV4State
from headrace.adapters.protocols.words import signed, words_of_hex
from headrace.devnet.abi import encode_call
from headrace.devnet.deployer import Log as ReceiptLog
from headrace.devnet.recipe.uniswap_v2 import NO_DEADLINE
from headrace.errors import MalformedLogError, MalformedPoolError, UnquotableError
from headrace.kernels.tick_flaws import UNSET
from headrace.kernels.tick_math import FEE_DENOMINATOR, sqrt_price_at_tick_up
from headrace.kernels.tick_table import TickTable
from headrace.kernels.tick_walk import extreme_limit, walk
from headrace.model.address import ZERO_ADDRESS, Address, Hash32, PoolId
from headrace.model.event import Log
from headrace.model.pool import Pool
from headrace.ports.chain import Call, Chain

INT128_END = 2**127
NOWHERE = Hash32("0x" + "00" * 32)
SWAPS = 90
FEW = 12  # positions' worth of ticks in the pools whose reading is counted


class CountingChain:
    """Passes calls on and counts rounds and calls."""

    def __init__(self, chain: Chain) -> None:
        self.rounds: list[int] = []
        self._chain = chain

    async def call_many(self, calls: Sequence[Call], block: Hash32) -> tuple[bytes | None, ...]:
        if calls:
            self.rounds.append(len(calls))
        return await self._chain.call_many(calls, block)


@pytest.fixture(scope="module")
def subject(local_chain: LocalChain) -> V4Subject:
    return V4Subject(local_chain)


@pytest.fixture(scope="module")
def first_logs(subject: V4Subject) -> list[Log]:
    """Every log of the manager since the chain began, before any other test adds to them."""
    _, found = subject.chain.logs_after(0)
    return [log for log in found if log.topics and log.topics[0] in logs.TOPICS]


def described(subject: V4Subject, dex: UniswapV4, pool: PoolId) -> Pool:
    block = subject.chain.head().hash
    return subject.chain.through_chain(lambda chain: dex.describe(chain, VENUE, pool, block))


def venue(subject: V4Subject, positions: Address | None = None) -> UniswapV4:
    return UniswapV4({VENUE: UniswapV4Venue(subject.awkward.exchange.manager, positions)})


def test_pools_folded_from_their_first_log_on_equal_those_read_from_storage(
    subject: V4Subject, first_logs: list[Log]
) -> None:
    held = {
        pool.id: UniswapV4State(
            pool, key.hooks, ProtocolFee(0, 0), UNSET, TickTable(key.fee_pips, key.tick_spacing, {})
        )
        for pool, key in zip(subject.pools, subject.keys, strict=True)
    }
    for log in first_logs:
        pool = subject.dex.pool_of(log)
        held[pool] = subject.dex.apply(held[pool], log)
    assert tuple(held.values()) == read_states(subject)
    assert len(first_logs) > 200
    assert {log.topics[0] for log in first_logs} == {logs.INITIALIZE, logs.MODIFY_LIQUIDITY, logs.PROTOCOL_FEE_UPDATED}


def test_storage_is_read_as_state_view_reads_it(subject: V4Subject, first_logs: list[Log]) -> None:
    del first_logs
    view, deployer = subject.awkward.exchange.state_view, subject.chain.deployer
    for state in map(own, read_states(subject)):
        pool = bytes.fromhex(state.pool.id[2:])
        slot0 = deployer.call(view, "getSlot0(bytes32)(uint160,int24,uint24,uint24)", pool)
        packed = state.protocol_fee.one_for_zero << 12 | state.protocol_fee.zero_for_one
        fee = state.key.fee_pips if state.point != UNSET else 0
        assert slot0 == (state.point.sqrt_price_x96, state.point.tick, packed, fee)
        for tick, entry in list(state.table.entries().items())[:FEW]:
            assert deployer.call(view, "getTickLiquidity(bytes32,int24)(uint128,int128)", pool, tick) == entry


def test_a_reading_takes_a_few_calls_in_two_rounds(subject: V4Subject, first_logs: list[Log]) -> None:
    del first_logs
    block = subject.chain.head().hash

    def rounds(pools: Sequence[Pool]) -> list[int]:
        async def count(chain: Chain) -> list[int]:
            counting = CountingChain(chain)
            await subject.dex.read(counting, pools, block)  # type: ignore[arg-type]
            return counting.rounds

        return subject.chain.through_chain(count)

    of_spacing = {key.tick_spacing: pool for key, pool in zip(subject.keys, subject.pools, strict=True)}
    counted = {spacing: rounds([pool]) for spacing, pool in of_spacing.items()}
    together = rounds(subject.pools)
    print("calls by spacing", counted, "all", len(subject.pools), together)  # noqa: T201 - what it measured
    assert counted[1] == [7, 1]
    assert counted[60] == [1, 1]
    assert together[0] < len(subject.pools)
    assert len(together) == 2


def test_the_position_manager_tells_the_key_of_a_pool_known_by_its_id_alone(subject: V4Subject) -> None:
    deployer, positions = subject.chain.deployer, subject.awkward.exchange.positions
    key = next(one for one in subject.keys if one.tick_spacing == 10 and one.currency0 != ZERO_ADDRESS)
    dex = venue(subject, positions)
    with pytest.raises(MalformedPoolError, match="knows no such pool"):
        described(subject, dex, key.id)
    for token in (key.currency0, key.currency1):
        deployer.transact(token, "transfer(address,uint256)", positions, 10**20)
    unlock_data = minted(key, Position(-600_000, 600_000, 1000), deployer.sender)
    deployer.transact(positions, "modifyLiquidities(bytes,uint256)", unlock_data, NO_DEADLINE)
    deployer.flush()
    pool = described(subject, dex, key.id)
    assert pool == pool_of(key, subject.awkward.exchange.manager)
    block = subject.chain.head().hash
    fresh = venue(subject, positions)  # that has described nothing, as after a restart with pools from a file
    (state,) = subject.chain.through_chain(lambda chain: fresh.read(chain, (pool,), block))
    assert state == next(one for one in read_states(subject) if one.pool == pool)
    with pytest.raises(MalformedPoolError, match="names no PositionManager"):
        described(subject, venue(subject), key.id)


def test_a_pool_is_described_from_its_first_log(subject: V4Subject, first_logs: list[Log]) -> None:
    born = [log for log in first_logs if log.topics[0] == logs.INITIALIZE]
    for log in born:
        dex = venue(subject)
        pool = dex.learn(log)
        assert described(subject, dex, pool) in subject.pools
    stranger = UniswapV4({VENUE: UniswapV4Venue(Address("0x" + "77" * 20))})
    with pytest.raises(MalformedLogError, match="no PoolManager"):
        stranger.learn(born[0])
    assert stranger.pool_of(born[0]) == PoolId(subject.awkward.exchange.manager)
    stranger.learn_key(subject.keys[0])
    with pytest.raises(MalformedPoolError, match="does not answer like one"):
        described(subject, stranger, subject.keys[0].id)


def test_pools_whose_hook_or_fee_can_change_a_swap_are_not_described(subject: V4Subject) -> None:
    put_hook(subject.chain, SWAP_HOOK)
    low, high = subject.chain.tokens[:2]
    hooked, dynamic = PoolKey(low, high, 3000, 60, SWAP_HOOK), PoolKey(low, high, DYNAMIC_FEE, 60, QUIET_HOOK)
    for key, field in ((hooked, "hooks"), (dynamic, "fee_pips")):
        subject.awkward.create(PoolSpec(key, 2**96, ()))  # the manager takes both
        dex = venue(subject)
        dex.learn_key(key)
        with pytest.raises(MalformedPoolError) as caught:
            described(subject, dex, key.id)
        assert (caught.value.pool, caught.value.field) == (key.id, field)


def test_a_hook_after_the_swap_pays_less_than_the_pools_own_code_would(subject: V4Subject) -> None:
    """v4-core's FeeTakingHook keeps 1.23 % of the output: two pools that differ in the hook alone."""
    put_hook(subject.chain, FEE_HOOK, "FeeTakingHook", subject.awkward.exchange.manager)
    low, high = subject.chain.tokens[:2]
    plain, hooked = PoolKey(low, high, 2600, 60, QUIET_HOOK), PoolKey(low, high, 2600, 60, FEE_HOOK)
    for key in (plain, hooked):
        subject.awkward.create(PoolSpec(key, 2**96, (Position(-6000, 6000, 10**18),)))
    subject.chain.deployer.flush()
    down = extreme_limit(zero_for_one=True)
    without, with_hook = subject.awkward.ask([Asked(key, 10**15, down, True) for key in (plain, hooked)])
    assert without is not None
    assert with_hook is not None
    assert with_hook.amount_out == without.amount_out - without.amount_out * 123 // 10_000
    dex = venue(subject)
    dex.learn_key(hooked)
    with pytest.raises(MalformedPoolError, match="AFTER_SWAP, AFTER_SWAP_RETURNS_DELTA"):
        described(subject, dex, hooked.id)


def test_swaps_one_after_the_other_end_where_the_walk_says(subject: V4Subject) -> None:
    """Each swap's log, amounts and end, against the state that was folded from the logs before it."""
    draw, held = random.Random(11), {state.pool.id: own(state) for state in read_states(subject)}
    keys = [key for key in subject.keys if 10 <= key.tick_spacing <= 200 and key.currency0 != ZERO_ADDRESS]
    compared = crossed = 0
    for key in (draw.choice(keys) for _ in range(SWAPS)):
        state, down = held[key.id], draw.random() < 0.5
        table = state.table_for(zero_for_one=down)
        price, amount = state.point.sqrt_price_x96, int(10 ** draw.uniform(3, 20)) * draw.choice((1, 1, -1))
        limit = price * draw.randint(70, 99) // 100 if down else price * draw.randint(101, 130) // 100
        if table.fee_pips >= FEE_DENOMINATOR:
            continue
        done = walk(table, state.point, amount, limit, zero_for_one=down)
        if done is None:
            continue
        signature = f"swap({KEY},(bool,int256,uint160),(bool,bool),bytes)"
        request = (key_tuple(key), (down, -amount, limit), (False, False), b"")
        nonce = subject.chain.deployer.transact(subject.awkward.exchange.swap_router, signature, *request)
        (log,) = [swap_log(one) for one in subject.chain.deployer.logs(nonce) if one.topics[0] == logs.SWAP]
        amounts = (-done.amount_in, done.amount_out) if down else (done.amount_out, -done.amount_in)
        point = (done.point.sqrt_price_x96, done.point.liquidity, done.point.tick)
        assert [signed(word) for word in words_of_hex(log.data)] == [*amounts, *point, table.fee_pips]
        held[key.id] = own(subject.dex.apply(state, log))
        compared, crossed = compared + 1, crossed + done.crossed
    print("swaps in sequence", compared, "ticks crossed", crossed)  # noqa: T201 - what it covered
    assert compared >= SWAPS // 2
    assert crossed >= SWAPS // 2
    assert {state.pool.id: state for state in read_states(subject)} == held


def swap_log(log: ReceiptLog) -> Log:
    """A log of a receipt in the form of the port; where it stands in the chain does not matter here."""
    topics = tuple(Hash32(topic) for topic in log.topics)
    return Log(log.address, topics, log.data, NOWHERE, 0, NOWHERE, 0)


def test_amounts_beyond_int128_revert_and_are_refused(subject: V4Subject) -> None:
    """A pool at a price of 2^60 that holds 2^128 of token1, paid in by halves: a little token0 buys more than fits."""
    token0, token1 = subject.chain.tokens[2:]
    key = PoolKey(token0, token1, 2500, 60)
    at, low, high = 415_920, 402_000, 430_020
    spec = PoolSpec(key, sqrt_price_at_tick_up(at) + 12_345, (Position(low, high, 2**97),) * 5)
    subject.awkward.create(spec)
    pool = pool_of(key, subject.awkward.exchange.manager)
    dex = venue(subject)
    dex.learn_key(key)
    subject.chain.deployer.flush()
    block = subject.chain.head().hash
    (state,) = subject.chain.through_chain(lambda chain: dex.read(chain, (pool,), block))
    draw, context = random.Random(7), subject.chain.next_context()
    down = extreme_limit(zero_for_one=True)
    asked = [Asked(key, int(2 ** draw.uniform(40, 75)), down, True) for _ in range(300)]
    beyond = 0
    for one, done in zip(asked, subject.awkward.ask(asked), strict=True):
        if done is not None and done.amount_in == one.amount:
            assert dex.quote_out(state, token0, token1, one.amount, context) == done.amount_out
            continue
        beyond += done is None
        with pytest.raises(UnquotableError):
            dex.quote_out(state, token0, token1, one.amount, context)
    assert beyond >= 20
    least = dex.quote_in(state, token0, token1, INT128_END - 2**80, context)
    enough, less = subject.awkward.ask([Asked(key, least, down, True), Asked(key, least - 1, down, True)])
    assert enough is not None
    assert less is not None
    assert less.amount_out < INT128_END - 2**80 <= enough.amount_out
    with pytest.raises(UnquotableError):
        dex.quote_in(state, token0, token1, INT128_END, context)
    assert_settled_up_to_int128(subject, dex, state)


def assert_settled_up_to_int128(subject: V4Subject, dex: UniswapV4, state: UniswapV4State) -> None:
    """The manager swaps exactly 2^127, but no single payment settles it."""
    context, (token0, token1), key = subject.chain.next_context(), state.pool.tokens, state.key
    limit = extreme_limit(zero_for_one=False)
    swap = f"swap({KEY},(bool,int256,uint160),(bool,bool),bytes)"
    calls = [
        {
            "from": subject.chain.deployer.sender,
            "to": subject.awkward.exchange.swap_router,
            "data": encode_call(swap, key_tuple(key), (False, -amount, limit), (False, False), b""),
        }
        for amount in (INT128_END - 1, INT128_END)
    ]
    settled, unsettled = subject.chain.call_all([(call, "latest") for call in calls])
    assert settled is not None
    assert unsettled is None
    (swapped,) = subject.awkward.ask([Asked(key, INT128_END, limit, False)])
    assert swapped is not None
    assert swapped.amount_in == INT128_END
    assert dex.quote_out(state, token1, token0, INT128_END - 1, context) == settled[0] >> 128
    with pytest.raises(UnquotableError):
        dex.quote_out(state, token1, token0, INT128_END, context)
