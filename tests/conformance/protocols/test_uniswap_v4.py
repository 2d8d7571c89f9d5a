"""Uniswap v4 against its published bytecode: the PoolManager itself, V4Quoter, StateView, PositionManager.

Beside the suite: what the suite's cases reached, price limits and exact outputs, the quoter, amounts at the ends of
int128, where keys come from, and how few calls a reading takes.
"""

import random
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from tests.conformance.protocols import limited as limits
from tests.conformance.protocols.local_chain import LocalChain
from tests.conformance.protocols.subject import Case, Subject, draw_cases, quote
from tests.conformance.protocols.suite import DexConformance, History, Recording, read_states
from tests.conformance.protocols.uniswap_v4_pools import KEY, Asked, key_tuple
from tests.conformance.protocols.uniswap_v4_subject import SEED, V4Subject, own

from headrace.adapters.protocols.uniswap_v4.key import NATIVE
from headrace.adapters.protocols.uniswap_v4.quoting import GAS_SETTLEMENT
from headrace.adapters.protocols.uniswap_v4.state import UniswapV4State
from headrace.devnet.abi import encode_call
from headrace.devnet.anvil import BLOCK_GAS_LIMIT
from headrace.errors import UnexecutableError, UnquotableError
from headrace.kernels.shape import TickSegments
from headrace.kernels.tick_math import FEE_DENOMINATOR, sqrt_price_at_tick_up
from headrace.kernels.tick_segments import crossed_ticks, fill
from headrace.kernels.tick_walk import extreme_limit

QUOTE_IN = f"quoteExactInputSingle(({KEY},bool,uint128,bytes))"
QUOTE_OUT = f"quoteExactOutputSingle(({KEY},bool,uint128,bytes))"


@pytest.fixture(scope="module")
def subject(local_chain: LocalChain) -> V4Subject:
    return V4Subject(local_chain)


class TestUniswapV4(DexConformance):
    def test_step_and_gas_stand_for_the_swap(self, subject: Subject, recording: Recording) -> None:
        """The step names the pool by its key; the Executor has none for the native currency."""
        refused = 0
        for state in map(own, recording.states):
            token_in, token_out = state.pool.tokens[::-1]
            assert 40_000 <= subject.dex.gas(state, token_in, token_out, 1000) <= BLOCK_GAS_LIMIT
            if NATIVE in state.pool.tokens:
                with pytest.raises(UnexecutableError, match="native"):
                    subject.dex.step(state, token_in, token_out)
                refused += 1
                continue
            step = subject.dex.step(state, token_in, token_out)
            assert (step.token_in, step.token_out, step.pool_id) == (token_in, token_out, state.pool.id)  # type: ignore[union-attr]
        assert refused == 1

    def test_the_cases_crossed_ticks_words_and_gaps_at_every_kind_of_fee(self, recording: Recording) -> None:
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
            "starts on a tick": 400,
            "a unit or nothing paid": 100,
            "fee of the protocol in this direction": 2000,
            "no fee at all": 200,
            "all is fee": 200,
            "a hook": 300,
            "native currency": 200,
            "spacing 1": 300,
            "spacing 60": 1000,
            "spacing 32767": 200,
        }
        for feature, least in minima.items():
            assert reached[feature] >= least, f"{feature}: {reached}"

    def test_quotes_hold_where_swaps_have_left_prices_on_ticks(self, subject: V4Subject, history: History) -> None:
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
        self, subject: V4Subject, history: History, tmp_path: Path
    ) -> None:
        """At every fee, that of all there is too."""
        del history
        swaps = draw_swaps([own(state) for state in read_states(subject)], 3000)
        answers = subject.awkward.ask([asked for _, asked in swaps])
        made = [limits.limited(state, x.amount, x.limit_x96, zero_for_one=x.zero_for_one) for state, x in swaps]
        limits.compare(subject.dex, made, answers, tmp_path)
        dear = [fees(state)[not x.zero_for_one] == FEE_DENOMINATOR for state, x in swaps]
        assert sum(answer is not None and all_of_it for answer, all_of_it in zip(answers, dear, strict=True)) >= 30

    def test_the_quoter_agrees_on_refusals_and_outputs_and_the_gas_is_near_its_own(
        self, subject: V4Subject, history: History
    ) -> None:
        del history
        at = subject.chain.next_context()
        drawn = [case for case in draw_cases(subject, read_states(subject), 2000, SEED + 3) if case.amount_in < 2**127]
        estimates: list[float] = []
        for case, words in zip(drawn, ask_quoter(subject, QUOTE_IN, drawn), strict=True):
            ours = quote(subject, case, at)
            assert ours == (None if words is None else words[0]), case
            if words is not None:
                gas = subject.dex.gas(case.state, case.token_in, case.token_out, case.amount_in)
                estimates.append((gas - GAS_SETTLEMENT) / words[1])
        print("gas estimate over the quoter's", min(estimates), max(estimates))  # noqa: T201 - what it covered
        assert len(estimates) >= 1000
        assert sum(0.7 < ratio < 1.5 for ratio in estimates) > 0.8 * len(estimates)
        assert min(estimates) > 0.5

    def test_the_pools_exact_output_asks_for_the_least_input_or_more(
        self, subject: V4Subject, history: History
    ) -> None:
        """More only where the output is exactly what whole pieces pay: the pool then walks the last one to its end."""
        del history
        at = subject.chain.next_context()
        paid = [
            case._replace(amount_in=answer)
            for case in draw_cases(subject, read_states(subject), 1600, SEED + 4)
            if (answer := quote(subject, case, at))
        ]
        compared = dearer = 0
        for case, words in zip(paid, ask_quoter(subject, QUOTE_OUT, paid), strict=True):
            if words is None:
                continue
            least = subject.dex.quote_in(case.state, case.token_in, case.token_out, case.amount_in, at)
            assert least <= words[0], case
            assert subject.dex.asked_in(case.state, case.token_in, case.token_out, case.amount_in, at) == words[0]
            dearer += least < words[0]
            compared += 1
        print("exact outputs", compared, "dearer than the least", dearer)  # noqa: T201 - what it covered
        assert compared >= 600, compared
        assert dearer <= compared // 20

    def test_a_fee_of_all_there_is_takes_everything_and_pays_nothing(
        self, subject: V4Subject, recording: Recording
    ) -> None:
        seen = 0
        for state in map(own, recording.states):
            for down, fee in zip((True, False), fees(state), strict=True):
                if fee < FEE_DENOMINATOR or not state.point.liquidity:
                    continue
                a, b = state.pool.tokens if down else state.pool.tokens[::-1]
                assert subject.dex.quote_out(state, a, b, 10**12, recording.at) == 0
                with pytest.raises(UnquotableError):
                    subject.dex.quote_in(state, a, b, 1, recording.at)
                shape = subject.dex.shape(state, a, b)
                assert isinstance(shape, TickSegments)
                assert shape.input_max == 0
                seen += 1
        assert seen == 3  # two directions of one pool, and the one that the protocol's fee fills up


def fees(state: UniswapV4State) -> tuple[int, int]:
    return state.fee_pips(zero_for_one=True), state.fee_pips(zero_for_one=False)


def features(case: Case, answer: int | None) -> list[str]:
    """What is special about a swap that the bytecode pays for."""
    if answer is None:
        return []
    state, down = own(case.state), case.token_in == case.state.pool.tokens[0]
    table, point, key = state.table_for(zero_for_one=down), state.point, state.key
    found = [f"spacing {key.tick_spacing}"]
    found += ["a hook"] * (key.hooks != NATIVE) + ["native currency"] * (key.currency0 == NATIVE)
    found += ["no fee at all"] * (table.fee_pips == 0) + ["all is fee"] * (table.fee_pips == FEE_DENOMINATOR)
    found += ["fee of the protocol in this direction"] * bool(state.protocol_fee[not down])
    found += ["a unit or nothing paid"] * (answer <= 1)
    found += ["starts on a tick"] * (sqrt_price_at_tick_up(point.tick) == point.sqrt_price_x96)
    if table.fee_pips == FEE_DENOMINATOR:
        return found
    filled = fill(table, point, case.amount_in, zero_for_one=down)
    assert filled is not None
    crossed = crossed_ticks(table, point, filled.tick_reached, zero_for_one=down)
    sizes = ((30, "crossed 30 and more"), (10, "crossed 10 to 29"), (1, "crossed 1 to 9"), (0, "crossed 0"))
    found.append(next(name for least, name in sizes if crossed >= least))
    low, high = sorted((filled.tick_reached, point.tick))
    ticks = [tick for tick in table.ticks if low <= tick <= high]
    if crossed and any(table.liquidity_at(a) == 0 for a, _ in pairwise([point.tick if down else low, *ticks])):
        found.append("crossed a gap")
    if table.word_of(filled.tick_reached) != table.word_of(point.tick):
        found.append("crossed an edge of a word")
    return found


def draw_swaps(states: Sequence[UniswapV4State], count: int) -> list[tuple[UniswapV4State, Asked]]:
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
        swaps.append((state, Asked(state.key, amount, min(limit, 2**160 - 1), down)))
    return swaps


def ask_quoter(subject: V4Subject, signature: str, cases: Sequence[Case]) -> list[list[int] | None]:
    """V4Quoter's answer to each case; its amount is the output for the quotes of an exact output."""
    calls = []
    for case in cases:
        one = subject.asked(case)
        request = (key_tuple(one.key), one.zero_for_one, one.amount, b"")
        calls.append(({"to": subject.awkward.exchange.quoter, "data": encode_call(signature, request)}, "latest"))
    return subject.chain.call_all(calls)
