"""The Uniswap v3 plug-in as a subject of the conformance suite: random actions, planted faults, broken logs.

Oracle: the amounts that a pool asks and pays in its callback, through a probe. A quote must be refused exactly where
the pool reverts or asks for less than the whole input.
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
from tests.conformance.protocols.uniswap_v3_pools import LONG_STEP_FEE, Asked, AwkwardPools

from headrace.adapters.protocols.uniswap_v3 import UniswapV3, logs
from headrace.adapters.protocols.uniswap_v3.state import UniswapV3State
from headrace.devnet.recipe.uniswap_v2 import NO_DEADLINE
from headrace.devnet.recipe.uniswap_v3 import MAX_TICK, V3Position, mint_v3_position
from headrace.kernels import tick_math, tick_segments, tick_table
from headrace.kernels.tick_math import SQRT_PRICE_MAX, SQRT_PRICE_MIN, sqrt_price_at_tick_up
from headrace.kernels.tick_table import TickTable, WordRun
from headrace.kernels.tick_walk import extreme_limit
from headrace.model.address import Address, Hash32
from headrace.model.event import Log
from headrace.model.pool import Pool
from headrace.ports.pool import PoolState

SEED = 20_260_102


class V3Subject:
    """Seventeen awkward pools over tokens of 6, 8 and 18 decimals; every second one with the protocol's fee on."""

    def __init__(self, chain: LocalChain) -> None:
        self.chain = chain
        self.dex = UniswapV3()
        self.awkward = AwkwardPools(chain, SEED)
        self.pools = tuple(self.awkward.pools)
        self.no_pool = chain.tokens[0]
        self._reserves = {(pool.id, token): self._balance(pool, token) for pool in self.pools for token in pool.tokens}
        self._minted: list[int] = []

    def reserve(self, state: PoolState, token: Address) -> int:
        return self._reserves[state.pool.id, token]

    def ask_contract(self, cases: Sequence[Case]) -> list[int | None]:
        asked = [_asked(case) for case in cases]
        answers = self.awkward.ask(asked)
        return [
            done.amount_out if done is not None and done.amount_in == one.amount else None
            for one, done in zip(asked, answers, strict=True)
        ]

    def slack_units(self, case: Case) -> float:
        """A unit of output, and one of input at the price, for every stop that the swap may make."""
        state = own(case.state)
        zero_for_one = case.token_in == state.pool.tokens[0]
        ratio = (state.point.sqrt_price_x96 / 2**96) ** 2
        stops = len(state.table.ticks) + 2 * MAX_TICK // (state.table.tick_spacing << 8)
        return (stops + 2) * (1 + (ratio if zero_for_one else 1 / ratio))

    def act(self, draw: random.Random) -> str:
        pool = draw.choice([one for one in self.pools if one.fee_pips != LONG_STEP_FEE])  # its price must stay high
        price, tick, *_ = self.chain.deployer.call(pool.address, "slot0()(uint160,int24)")
        assert isinstance(price, int)
        assert isinstance(tick, int)
        if price == 0:
            self.chain.deployer.transact(pool.address, "initialize(uint160)", sqrt_price_at_tick_up(-1234) + 5)
            return "initialize"
        kind = draw.choices(("swap", "mint", "burn", "set fee"), (6, 3, 3, 1))[0]
        if kind == "swap":
            return self._swap_at_random(draw, pool, price)
        if kind == "burn" and self._minted:
            return self._burn_at_random(draw)
        if kind == "set fee":
            shares = draw.choice((0, 4, 10)), draw.choice((0, 5, 7))
            self.chain.deployer.transact(pool.address, "setFeeProtocol(uint8,uint8)", *shares)
            return kind
        return self._mint_at_random(draw, pool, tick)

    @property
    def action_minima(self) -> Mapping[str, int]:
        return {"swap": 30, "swap to a tick": 30, "mint": 20, "burn": 20, "burn all": 10, "initialize": 1, "set fee": 5}

    @property
    def mutants(self) -> Mapping[str, Callable[[], AbstractContextManager[object]]]:
        def net_of_wrong_sign(table: TickTable, tick: int) -> int:
            exact = sum(net for at, net in zip(table.ticks, table.net, strict=True) if at <= tick)
            crossed = table.net[table.ticks.index(tick)] if tick in table.ticks else 0
            return max(exact - 2 * crossed, 0)

        def fee_of_part(amount: int, fee_pips: int) -> int:
            return -(-amount * fee_pips // 10**6) + amount

        return {
            "word edges skipped": partial(_planted, (tick_table, "WORD_BITS", 22)),
            "input of a whole piece rounded down": partial(
                _planted,
                (tick_table, "amount0_up", tick_math.amount0_down),
                (tick_table, "amount1_up", tick_math.amount1_down),
            ),
            "output of a whole piece rounded up": partial(_planted, (tick_table, "amount1_down", tick_math.amount1_up)),
            "output of a part rounded up": partial(_planted, (tick_segments, "amount0_down", tick_math.amount0_up)),
            "fee ignored on whole pieces": partial(_planted, (tick_table, "with_fee_up", lambda amount, _: amount)),
            "fee taken of the part moved": partial(_planted, (tick_table, "with_fee_up", fee_of_part)),
            "fee ignored on the last piece": partial(
                _planted, (tick_segments, "less_fee_down", lambda amount, _: amount)
            ),
            "net liquidity of the wrong sign": partial(_planted, (TickTable, "liquidity_at", net_of_wrong_sign)),
            "the tick under the price taken for crossed": partial(
                _planted,
                (
                    tick_segments,
                    "bisect_left",
                    lambda keys, key: min(bisect_right(keys, key), len(keys) - 1),
                ),
            ),
            "next price rounded down": partial(_planted, (tick_segments, "next_price_from_amount0_in_up", _price_down)),
        }

    def broken(self, log: Log) -> Iterator[Log]:
        yield msgspec.structs.replace(log, topics=(*log.topics, log.topics[0]))
        words = [log.data[i : i + 64] for i in range(2, len(log.data), 64)]
        if log.topics[0] == logs.SWAP:
            for place, value in ((2, 0), (2, 2**160), (3, 2**128), (3, 1), (4, 2**23), (4, 887_272), (4, 12)):
                yield _with_word(log, words, place, value)
        elif log.topics[0] == logs.INITIALIZE:
            yield log  # the pool has a price by now
        else:
            yield msgspec.structs.replace(log, topics=(*log.topics[:2], log.topics[3], log.topics[2]))
            yield msgspec.structs.replace(log, topics=(*log.topics[:3], Hash32("0x" + "7" * 64)))
            yield msgspec.structs.replace(log, topics=(*log.topics[:3], Hash32("0x" + "q" * 64)))
            place = 1 if log.topics[0] == logs.MINT else 0
            yield _with_word(log, words, place, 2**128)
            yield _with_word(log, words, place, 2**128 - 1)

    def _balance(self, pool: Pool, token: Address) -> int:
        return self.chain.deployer.call_integer(token, "balanceOf(address)(uint256)", pool.address)

    def _swap_at_random(self, draw: random.Random, pool: Pool, price: int) -> str:
        """To the price of one of the pool's first ticks, or by an amount but not far: a transaction has 2^24 gas."""
        ticks = [
            tick
            for one in self.awkward.specs[self.pools.index(pool)].positions
            for tick in (one.tick_lower, one.tick_upper)
        ]
        if ticks and draw.random() < 0.6:
            kind, limit, amount = "swap to a tick", sqrt_price_at_tick_up(draw.choice(ticks)), 2**128
            zero_for_one = limit < price
        else:
            kind, zero_for_one, amount = "swap", draw.random() < 0.5, int(10 ** draw.uniform(3, 30))
            limit = min(
                max(price * 9 // 10 if zero_for_one else price * 11 // 10, SQRT_PRICE_MIN + 1), SQRT_PRICE_MAX - 1
            )
        (done,) = self.awkward.ask([Asked(pool, amount, limit, zero_for_one)])
        if done is None or done.amount_in == 0:  # the router takes no swap that pays nothing in
            return "swap refused"
        path = pool.tokens if zero_for_one else pool.tokens[::-1]
        request = (*path, pool.fee_pips, self.chain.deployer.sender, NO_DEADLINE, amount, 0, limit)
        signature = "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))"
        self.chain.deployer.transact(self.awkward.exchange.router, signature, request)
        return kind

    def _mint_at_random(self, draw: random.Random, pool: Pool, tick: int) -> str:
        if abs(tick) > 300_000:  # there an amount may be worth no liquidity
            return "mint refused"
        spacing = self.chain.deployer.call_integer(pool.address, "tickSpacing()(int24)")
        lower = min(tick // spacing + draw.randint(-20, 15), MAX_TICK // spacing - 13)
        lower = max(lower, -(MAX_TICK // spacing))
        amount = int(10 ** draw.uniform(12, 18))
        position = V3Position(lower * spacing, (lower + draw.randint(1, 12)) * spacing, amount, amount)
        manager = self.awkward.exchange.positions
        before = self.chain.deployer.call_integer(manager, "totalSupply()(uint256)")
        spec = self.awkward.specs[self.pools.index(pool)]
        mint_v3_position(self.chain.deployer, self.awkward.exchange, spec, position)
        self._minted.append(before + 1)
        return "mint"

    def _burn_at_random(self, draw: random.Random) -> str:
        token_id = self._minted[index := draw.randrange(len(self._minted))]
        manager = self.awkward.exchange.positions
        types = "(uint96,address,address,address,uint24,int24,int24,uint128,uint256,uint256,uint128,uint128)"
        held = self.chain.deployer.call(manager, "positions(uint256)" + types, token_id)[7]
        assert isinstance(held, int)
        share = held if draw.random() < 0.4 else max(held // draw.randint(2, 9), 1)
        signature = "decreaseLiquidity((uint256,uint128,uint256,uint256,uint256))"
        self.chain.deployer.transact(manager, signature, (token_id, share, 0, 0, NO_DEADLINE))
        if share < held:
            return "burn"
        del self._minted[index]
        return "burn all"


def own(state: PoolState) -> UniswapV3State:
    assert isinstance(state, UniswapV3State)
    return state


def _asked(case: Case) -> Asked:
    zero_for_one = case.token_in == case.state.pool.tokens[0]
    return Asked(case.state.pool, case.amount_in, extreme_limit(zero_for_one=zero_for_one), zero_for_one)


def _with_word(log: Log, words: list[str], place: int, value: int) -> Log:
    return msgspec.structs.replace(log, data="0x" + "".join([*words[:place], f"{value:064x}", *words[place + 1 :]]))


def _price_down(sqrt_price_x96: int, liquidity: int, amount: int) -> int:
    shifted = liquidity << 96
    return shifted * sqrt_price_x96 // (shifted + amount * sqrt_price_x96)


@contextmanager
def _planted(*faults: tuple[object, str, object]) -> Iterator[None]:
    """Replace parts of the arithmetic, and keep what is worked out with them apart from the sound tables."""
    kept: dict[tuple[int, int, bool], WordRun] = {}
    exact = TickTable.run

    def run(table: TickTable, word: int, *, zero_for_one: bool) -> WordRun:
        key = (id(table), word, zero_for_one)
        if key not in kept:
            spare = TickTable(table.fee_pips, table.tick_spacing, table.entries())
            kept[key] = exact(spare, word, zero_for_one=zero_for_one)
        return kept[key]

    with ExitStack() as stack:
        for owner, name, fault in (*faults, (TickTable, "run", run)):
            stack.enter_context(patch.object(owner, name, fault))
        yield
