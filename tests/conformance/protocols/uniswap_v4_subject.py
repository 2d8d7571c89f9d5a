"""The Uniswap v4 plug-in as a subject of the conformance suite: random actions, planted faults, broken logs.

Oracle: the balance delta that the PoolManager answers to a swap, through a probe. A quote must be refused exactly where
the manager reverts or asks for less than the whole input.
"""

import random
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from unittest.mock import patch

import msgspec
from tests.conformance.protocols.local_chain import LocalChain
from tests.conformance.protocols.subject import Case
from tests.conformance.protocols.uniswap_v4_pools import (
    KEY,
    Asked,
    AwkwardPools,
    PoolSpec,
    Position,
    key_tuple,
)

from headrace.adapters.protocols.uniswap_v4 import PoolKey, UniswapV4, UniswapV4Venue, logs
from headrace.adapters.protocols.uniswap_v4.state import PROTOCOL, UniswapV4State
from headrace.devnet.recipe.uniswap_v3 import MAX_TICK
from headrace.kernels import tick_math, tick_segments, tick_table
from headrace.kernels.tick_math import (
    SQRT_PRICE_MAX,
    SQRT_PRICE_MIN,
    amount0_up,
    amount1_up,
    sqrt_price_at_tick_up,
)
from headrace.kernels.tick_table import TickTable, WordRun
from headrace.kernels.tick_walk import extreme_limit
from headrace.model.address import ZERO_ADDRESS, Address, Hash32, PoolId
from headrace.model.event import Log
from headrace.model.pool import Pool
from headrace.ports.pool import PoolState

SEED = 20_260_104
VENUE = "uniswap_v4"
_SPACED_AT_LEAST = 10  # below that a swap across empty words may cost more gas than a transaction has


class V4Subject:
    """Awkward pools over tokens of 6, 8 and 18 decimals and the native currency."""

    def __init__(self, chain: LocalChain) -> None:
        self.chain = chain
        self.awkward = AwkwardPools(chain, SEED)
        manager = self.awkward.exchange.manager
        self.keys = tuple(spec.key for spec in self.awkward.specs)
        self.dex = UniswapV4({VENUE: UniswapV4Venue(manager, self.awkward.exchange.positions, self.keys)})
        self.pools = tuple(pool_of(key, manager) for key in self.keys)
        self.no_pool = "0x" + "5a" * 32
        self._key_of = dict(zip((pool.id for pool in self.pools), self.keys, strict=True))
        self._held: list[tuple[PoolKey, Position]] = []
        self._reserves = {
            (pool.id, token): amount
            for pool, spec in zip(self.pools, self.awkward.specs, strict=True)
            for token, amount in zip(pool.tokens, _amounts(spec), strict=True)
        }

    def reserve(self, state: PoolState, token: Address) -> int:
        return self._reserves[state.pool.id, token]

    def ask_contract(self, cases: Sequence[Case]) -> list[int | None]:
        asked = [self.asked(case) for case in cases]
        answers = self.awkward.ask(asked)
        return [
            done.amount_out if done is not None and done.amount_in == one.amount else None
            for one, done in zip(asked, answers, strict=True)
        ]

    def asked(self, case: Case) -> Asked:
        down = case.token_in == case.state.pool.tokens[0]
        return Asked(self._key_of[case.state.pool.id], case.amount_in, extreme_limit(zero_for_one=down), down)

    def slack_units(self, case: Case) -> float:
        """A unit of output, and one of input at the price, for every stop that the swap may make."""
        held = own(case.state)
        zero_for_one = case.token_in == held.pool.tokens[0]
        ratio = (held.point.sqrt_price_x96 / 2**96) ** 2
        stops = len(held.table.ticks) + 2 * MAX_TICK // (held.table.tick_spacing << 8)
        return (stops + 2) * (1 + (ratio if zero_for_one else 1 / ratio))

    def act(self, draw: random.Random) -> str:
        key = draw.choice(self.keys)
        price, tick = self.slot0(key)
        if price == 0:
            first = sqrt_price_at_tick_up(-1234) + 5
            self.awkward.create(PoolSpec(key, first, ()))
            return "initialize"
        kinds = ("swap", "add", "remove", "set fee", "donate", "collect")
        kind = draw.choices(kinds, (6, 3, 3, 1, 1, 1))[0]
        if kind == "swap" and key.tick_spacing >= _SPACED_AT_LEAST:
            return self._swap_at_random(draw, key, price)
        if kind in {"remove", "collect"} and self._held:
            return self._remove_at_random(draw) if kind == "remove" else self._collect_at_random(draw)
        if kind == "set fee":
            self.awkward.set_protocol_fee(key, draw.choice((0, 4, 1000)) << 12 | draw.choice((0, 4, 999)))
            return kind
        if kind == "donate" and self._liquidity(key) and key.currency0 != ZERO_ADDRESS:
            return self._donate_at_random(draw, key)
        return self._add_at_random(draw, key, tick)

    @property
    def action_minima(self) -> Mapping[str, int]:
        return {
            "swap": 15,
            "swap to a tick": 20,
            "add": 30,
            "remove": 12,
            "remove all": 8,
            "initialize": 1,
            "set fee": 5,
            "donate": 3,
            "collect": 5,
        }

    @property
    def mutants(self) -> Mapping[str, Callable[[], AbstractContextManager[object]]]:
        def net_of_wrong_sign(table: TickTable, tick: int) -> int:
            exact = sum(net for at, net in zip(table.ticks, table.net, strict=True) if at <= tick)
            crossed = table.net[table.ticks.index(tick)] if tick in table.ticks else 0
            return max(exact - 2 * crossed, 0)

        return {
            "word edges skipped": partial(planted, (tick_table, "WORD_BITS", 22)),
            "input of a whole piece rounded down": partial(
                planted,
                (tick_table, "amount0_up", tick_math.amount0_down),
                (tick_table, "amount1_up", tick_math.amount1_down),
            ),
            "output of a whole piece rounded up": partial(planted, (tick_table, "amount1_down", tick_math.amount1_up)),
            "output of a part rounded up": partial(planted, (tick_segments, "amount0_down", tick_math.amount0_up)),
            "net liquidity of the wrong sign": partial(planted, (TickTable, "liquidity_at", net_of_wrong_sign)),
            "the tick under the price taken for crossed": partial(
                planted,
                (tick_segments, "bisect_left", lambda keys, key: min(bisect_right(keys, key), len(keys) - 1)),
            ),
            "the protocol's fee forgotten": partial(planted, (UniswapV4State, "table_for", _providers_alone)),
            "the protocol's fees of both ways exchanged": partial(planted, (UniswapV4State, "table_for", _other)),
            "the two fees added": partial(planted, (UniswapV4State, "table_for", _added)),
            "the two fees rounded down": partial(planted, (UniswapV4State, "table_for", _rounded_down)),
        }

    def broken(self, log: Log) -> Iterator[Log]:
        yield msgspec.structs.replace(log, topics=(*log.topics, log.topics[0]))
        yield msgspec.structs.replace(log, topics=(log.topics[0], Hash32("0x" + "7" * 64), *log.topics[2:]))
        words = [log.data[i : i + 64] for i in range(2, len(log.data), 64)]
        if log.topics[0] == logs.SWAP:
            for place, value in ((2, 0), (2, 2**160), (3, 2**128), (3, 1), (4, 2**23), (4, 887_272), (4, 12), (5, 7)):
                yield with_word(log, words, place, value)
        elif log.topics[0] == logs.INITIALIZE:
            yield log  # the pool has a price by now
        elif log.topics[0] == logs.PROTOCOL_FEE_UPDATED:
            for value in (1001, 1001 << 12, 1 << 24):
                yield with_word(log, words, 0, value)
        else:
            for place, value in ((0, 2**23), (1, -(2**23)), (0, 7), (2, 2**127), (2, -(2**127)), (2, 2**127 - 1)):
                yield with_word(log, words, place, value)

    def slot0(self, key: PoolKey) -> tuple[int, int]:
        """Price and tick on the head, by StateView, after everything queued."""
        view, pool = self.awkward.exchange.state_view, bytes.fromhex(key.id[2:])
        price, tick, *_ = self.chain.deployer.call(view, "getSlot0(bytes32)(uint160,int24,uint24,uint24)", pool)
        assert isinstance(price, int)
        assert isinstance(tick, int)
        return price, tick

    def _liquidity(self, key: PoolKey) -> int:
        view, pool = self.awkward.exchange.state_view, bytes.fromhex(key.id[2:])
        return self.chain.deployer.call_integer(view, "getLiquidity(bytes32)(uint128)", pool)

    def _swap_at_random(self, draw: random.Random, key: PoolKey, price: int) -> str:
        """To the price of one of the pool's first ticks, or by an amount but not far: a transaction has 2^24 gas."""
        spec = self.awkward.specs[self.keys.index(key)]
        ticks = [tick for one in spec.positions for tick in (one.tick_lower, one.tick_upper)]
        if ticks and draw.random() < 0.6:
            kind, limit, amount = "swap to a tick", sqrt_price_at_tick_up(draw.choice(ticks)), 2**100
            down = limit < price
        else:
            kind, down, amount = "swap", draw.random() < 0.5, int(10 ** draw.uniform(3, 28))
            limit = min(max(price * 9 // 10 if down else price * 11 // 10, SQRT_PRICE_MIN + 1), SQRT_PRICE_MAX - 1)
        (done,) = self.awkward.ask([Asked(key, amount, limit, down)])
        if done is None or (done.amount_in > 10**21 and key.currency0 == ZERO_ADDRESS):
            return "swap refused"
        signature = f"swap({KEY},(bool,int256,uint160),(bool,bool),bytes)"
        router, value = self.awkward.exchange.swap_router, done.amount_in if key.currency0 == ZERO_ADDRESS else 0
        self.chain.deployer.transact(
            router, signature, key_tuple(key), (down, -amount, limit), (False, False), b"", value_wei=value
        )
        return kind

    def _donate_at_random(self, draw: random.Random, key: PoolKey) -> str:
        amounts, router = (draw.randint(0, 10**9), draw.randint(1, 10**9)), self.awkward.exchange.donate_router
        self.chain.deployer.transact(router, f"donate({KEY},uint256,uint256,bytes)", key_tuple(key), *amounts, b"")
        return "donate"

    def _collect_at_random(self, draw: random.Random) -> str:
        key, position = draw.choice(self._held)
        self.awkward.modify(key, position._replace(liquidity=0))
        return "collect"

    def _add_at_random(self, draw: random.Random, key: PoolKey, tick: int) -> str:
        if abs(tick) > 300_000:  # there a little liquidity may be worth more than there is
            return "add refused"
        spacing = key.tick_spacing
        lower = min(tick // spacing + draw.randint(-20, 15), MAX_TICK // spacing - 13)
        lower = max(lower, -(MAX_TICK // spacing))
        upper = min(lower + draw.randint(1, 12), MAX_TICK // spacing)
        position = Position(lower * spacing, upper * spacing, int(10 ** draw.uniform(8, 15)))
        self.awkward.modify(key, position)
        self._held.append((key, position))
        return "add"

    def _remove_at_random(self, draw: random.Random) -> str:
        key, position = self._held.pop(draw.randrange(len(self._held)))
        share = position.liquidity if draw.random() < 0.4 else position.liquidity // draw.randint(2, 9)
        self.awkward.modify(key, position._replace(liquidity=-share))
        if share < position.liquidity:
            self._held.append((key, position._replace(liquidity=position.liquidity - share)))
            return "remove"
        return "remove all"


def own(state: PoolState) -> UniswapV4State:
    assert isinstance(state, UniswapV4State)
    return state


def pool_of(key: PoolKey, manager: Address) -> Pool:
    return Pool(PoolId(key.id), manager, PROTOCOL, VENUE, (key.currency0, key.currency1), key.fee_pips)


def with_word(log: Log, words: list[str], place: int, value: int) -> Log:
    changed = [*words[:place], f"{value % 2**256:064x}", *words[place + 1 :]]
    return msgspec.structs.replace(log, data="0x" + "".join(changed))


def _amounts(spec: PoolSpec) -> tuple[int, int]:
    """What the positions hold of both tokens at the starting price."""
    amount0 = amount1 = 0
    for lower, upper, liquidity in spec.positions:
        low, high = sqrt_price_at_tick_up(lower), sqrt_price_at_tick_up(upper)
        at = min(max(spec.sqrt_price_x96, low), high)
        amount0 += amount0_up(at, high, liquidity)
        amount1 += amount1_up(low, at, liquidity)
    return amount0, amount1


def _providers_alone(held: UniswapV4State, *, zero_for_one: bool) -> TickTable:
    del zero_for_one
    return held.table


def _other(held: UniswapV4State, *, zero_for_one: bool) -> TickTable:
    return held.table.with_fee(held.fee_pips(zero_for_one=not zero_for_one))


def _added(held: UniswapV4State, *, zero_for_one: bool) -> TickTable:
    fee = held.protocol_fee.zero_for_one if zero_for_one else held.protocol_fee.one_for_zero
    return held.table.with_fee(min(fee + held.pool.fee_pips, 10**6))


def _rounded_down(held: UniswapV4State, *, zero_for_one: bool) -> TickTable:
    fee = held.protocol_fee.zero_for_one if zero_for_one else held.protocol_fee.one_for_zero
    return held.table.with_fee(fee + held.pool.fee_pips + -fee * held.pool.fee_pips // 10**6)


@contextmanager
def planted(*faults: tuple[object, str, object]) -> Iterator[None]:
    """Replace parts of the arithmetic, and keep what is worked out with them apart from the sound tables."""
    kept: dict[tuple[int, int, int, bool], WordRun] = {}
    exact = TickTable.run

    def run(table: TickTable, word: int, *, zero_for_one: bool) -> WordRun:
        key = (id(table.ticks), table.fee_pips, word, zero_for_one)
        if key not in kept:
            spare = TickTable(table.fee_pips, table.tick_spacing, table.entries())
            kept[key] = exact(spare, word, zero_for_one=zero_for_one)
        return kept[key]

    with ExitStack() as stack:
        for owner, name, fault in (*faults, (TickTable, "run", run)):
            stack.enter_context(patch.object(owner, name, fault))
        yield
