"""Uniswap v3 against its published bytecode: the pool itself, QuoterV2, SwapRouter, NonfungiblePositionManager.

Beside the suite: what the suite's cases reached, price limits and exact outputs, and the quoter.
"""

import random
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.conformance.protocols import limited as limits
from tests.conformance.protocols.local_chain import LocalChain
from tests.conformance.protocols.subject import Case, draw_cases, quote
from tests.conformance.protocols.suite import DexConformance, History, Recording, read_states
from tests.conformance.protocols.uniswap_v3_pools import LONG_STEP_FEE, Asked
from tests.conformance.protocols.uniswap_v3_subject import SEED, V3Subject

from headrace.adapters.protocols.uniswap_v3.state import UniswapV3State
from headrace.devnet.abi import encode_call
from headrace.kernels.tick_math import sqrt_price_at_tick_up
from headrace.kernels.tick_segments import crossed_ticks, fill
from headrace.kernels.tick_walk import extreme_limit, walk

QUOTE_IN = "quoteExactInputSingle((address,address,uint256,uint24,uint160))"
QUOTE_OUT = "quoteExactOutputSingle((address,address,uint256,uint24,uint160))"


class Swapped(NamedTuple):
    """A swap to be asked for, with the state that it starts from."""

    state: UniswapV3State
    asked: Asked


@pytest.fixture(scope="module")
def subject(local_chain: LocalChain) -> V3Subject:
    return V3Subject(local_chain)


class TestUniswapV3(DexConformance):
    def test_the_cases_crossed_ticks_words_and_gaps(self, subject: V3Subject, recording: Recording) -> None:
        reached: Counter[str] = Counter()
        for case, answer in zip(recording.cases, recording.answers, strict=True):
            reached.update(features(case, answer))
        print("reached", dict(sorted(reached.items())))  # noqa: T201 - a test that passes says what it covered
        minima = {
            "crossed 0": 3000,
            "crossed 1 to 9": 300,
            "crossed 10 to 29": 200,
            "crossed 30 and more": 100,
            "crossed an edge of a word": 500,
            "crossed a gap": 200,
            "starts on a tick": 500,
            "a unit or nothing paid": 100,
        }
        for feature, least in minima.items():
            assert reached[feature] >= least, f"{feature}: {reached}"
        shares = {pool.id for i, pool in enumerate(subject.pools[:-1]) if i % 2 == 0}
        assert sum(case.state.pool.id in shares for case in recording.cases) >= 4000

    def test_quotes_hold_where_swaps_have_left_prices_on_ticks(self, subject: V3Subject, history: History) -> None:
        del history  # its transactions have moved the pools
        states = read_states(subject)
        cases = draw_cases(subject, states, 4000, SEED + 1)
        at = subject.chain.next_context()
        answers = subject.ask_contract(cases)
        assert [quote(subject, case, at) for case in cases] == answers
        points = [state.point for state in map(own, states)]
        below = [p for p in points if p.sqrt_price_x96 and p.sqrt_price_x96 == sqrt_price_at_tick_up(p.tick + 1)]
        assert len(below) >= 1, "no pool stands where a downward crossing ended"
        assert sum(answer is not None for answer in answers) >= 2000

    def test_price_limits_and_exact_outputs_equal_the_pools(
        self, subject: V3Subject, history: History, tmp_path: Path
    ) -> None:
        del history
        swaps = draw_swaps([own(state) for state in read_states(subject)], 4000)
        answers = subject.awkward.ask([one.asked for one in swaps])
        limits.compare(subject.dex, [limited_swap(one) for one in swaps], answers, tmp_path)

    def test_quotes_hold_where_the_pools_product_overflows(self, subject: V3Subject) -> None:
        """At a high price, far from the next stop, the pool's 256-bit product wraps and it takes a second formula."""
        states = [own(state) for state in read_states(subject)]
        state = next(state for state in states if state.pool.fee_pips == LONG_STEP_FEE)
        draw = random.Random(SEED + 5)
        amounts = [int(2 ** draw.uniform(100, 119)) for _ in range(400)]
        token0, token1 = state.pool.tokens
        cases = [Case(state, token0, token1, amount) for amount in amounts]
        at = subject.chain.next_context()
        assert [quote(subject, case, at) for case in cases] == subject.ask_contract(cases)
        assert sum(amount * state.point.sqrt_price_x96 >= 2**256 for amount in amounts) >= 100

    def test_the_quoter_agrees_on_output_price_and_ticks(self, subject: V3Subject, history: History) -> None:
        del history
        cases = draw_cases(subject, read_states(subject), 800, SEED + 3)
        compared = 0
        estimates: list[float] = []
        for case, words in zip(cases, ask_quoter(subject, QUOTE_IN, cases), strict=True):
            state, down = own(case.state), case.token_in == case.state.pool.tokens[0]
            filled = fill(state.table, state.point, case.amount_in, zero_for_one=down)
            if filled is None or words is None:
                continue
            done = walk(state.table, state.point, case.amount_in, extreme_limit(zero_for_one=down), zero_for_one=down)
            assert done is not None
            assert words[:2] == [filled.amount_out, done.point.sqrt_price_x96]
            if sqrt_price_at_tick_up(done.point.tick) != done.point.sqrt_price_x96:
                crossed = crossed_ticks(state.table, state.point, filled.tick_reached, zero_for_one=down)
                assert done.crossed == crossed
                assert abs(words[2] - crossed) <= 1  # the quoter may count the tick that the pool stands on
                estimates.append(subject.dex.gas(state, case.token_in, case.token_out, case.amount_in) / words[3])
            compared += 1
        assert compared >= 400, compared
        print("gas estimate over the quoter's", min(estimates), max(estimates))  # noqa: T201 - what it covered
        assert sum(0.7 < ratio < 1.5 for ratio in estimates) > 0.8 * len(estimates)
        assert min(estimates) > 0.5

    def test_the_pools_exact_output_asks_for_the_least_input_or_more(
        self, subject: V3Subject, history: History
    ) -> None:
        """More only where the output is exactly what whole pieces pay: the pool then walks the last one to its end."""
        del history
        states = read_states(subject)
        at = subject.chain.next_context()
        paid = [
            case._replace(amount_in=answer)
            for case in draw_cases(subject, states, 2000, SEED + 4)
            if (answer := quote(subject, case, at))
        ]
        compared = dearer = 0
        for case, words in zip(paid, ask_quoter(subject, QUOTE_OUT, paid), strict=True):
            if words is None:
                continue
            least = subject.dex.quote_in(case.state, case.token_in, case.token_out, case.amount_in, at)
            assert least <= words[0], case
            if least < words[0]:
                assert ends_on_a_stop(case), case
                dearer += 1
            compared += 1
        print("exact outputs", compared, "dearer than the least", dearer)  # noqa: T201 - what it covered
        assert compared >= 800, compared


def limited_swap(one: Swapped) -> limits.Asked:
    return limits.limited(one.state, one.asked.amount, one.asked.limit_x96, zero_for_one=one.asked.zero_for_one)


def own(state: object) -> UniswapV3State:
    assert isinstance(state, UniswapV3State)
    return state


def ends_on_a_stop(case: Case) -> bool:
    """Whether the pool's exact-output swap of this amount ends at the price of a tick."""
    state, down = own(case.state), case.token_in == case.state.pool.tokens[0]
    limit = extreme_limit(zero_for_one=down)
    done = walk(state.table, state.point, -case.amount_in, limit, zero_for_one=down)
    assert done is not None
    return done.point.sqrt_price_x96 in {sqrt_price_at_tick_up(done.point.tick + over) for over in (0, 1)}


def features(case: Case, answer: int | None) -> list[str]:
    """What is special about a swap that the bytecode pays for."""
    if answer is None:
        return []
    state, down = own(case.state), case.token_in == case.state.pool.tokens[0]
    table, point = state.table, state.point
    filled = fill(table, point, case.amount_in, zero_for_one=down)
    assert filled is not None
    crossed = crossed_ticks(table, point, filled.tick_reached, zero_for_one=down)
    sizes = ((30, "crossed 30 and more"), (10, "crossed 10 to 29"), (1, "crossed 1 to 9"), (0, "crossed 0"))
    found = [next(name for least, name in sizes if crossed >= least)]
    low, high = sorted((filled.tick_reached, point.tick))
    ticks = [tick for tick in table.ticks if low <= tick <= high]
    if crossed and any(table.liquidity_at(a) == 0 for a, _ in pairwise([point.tick if down else low, *ticks])):
        found.append("crossed a gap")
    if table.word_of(filled.tick_reached) != table.word_of(point.tick):
        found.append("crossed an edge of a word")
    if point.tick in table.ticks and sqrt_price_at_tick_up(point.tick) == point.sqrt_price_x96:
        found.append("starts on a tick")
    if answer <= 1:
        found.append("a unit or nothing paid")
    return found


def draw_swaps(states: Sequence[UniswapV3State], count: int) -> list[Swapped]:
    """Exact inputs and outputs; limits near the price, on ticks, at the bounds and on the wrong side."""
    draw = random.Random(SEED + 2)
    swaps = []
    for i in range(count):
        state = states[i % len(states)]
        down = draw.random() < 0.5
        limit, kind = extreme_limit(zero_for_one=down), draw.random()
        if kind < 0.4:
            limit = state.point.sqrt_price_x96 + int(state.point.sqrt_price_x96 * draw.uniform(-0.2, 0.2))
        elif kind < 0.7 and state.table.ticks:
            limit = sqrt_price_at_tick_up(draw.choice(state.table.ticks)) + draw.choice((0, 0, 1, -1))
        amount = int(10 ** draw.uniform(0, 27)) * draw.choice((1, -1))
        swaps.append(Swapped(state, Asked(state.pool, amount, min(limit, 2**160 - 1), down)))
    return swaps


def ask_quoter(subject: V3Subject, signature: str, cases: Sequence[Case]) -> list[list[int] | None]:
    """QuoterV2's answer to each case; its amount is the output for the quotes of an exact output."""
    calls = []
    for case in cases:
        request = (case.token_in, case.token_out, case.amount_in, case.state.pool.fee_pips, 0)
        calls.append(({"to": subject.awkward.exchange.quoter, "data": encode_call(signature, request)}, "latest"))
    return subject.chain.call_all(calls)
