"""CryptoSwap's mechanics against a devnet contract of our own, which proves nothing about Curve's.

Beside the suite: which refusals the cases reached, that a state which logs cannot follow says so and one they can
follow is right, pools that change in silence, and killed pools.
"""

import random
from collections import Counter

import msgspec
import pytest
from tests.conformance.protocols.cryptoswap_subject import EXCHANGE, SILENT, YEAR, CryptoSwapSubject, PoolSpec
from tests.conformance.protocols.local_chain import LocalChain
from tests.conformance.protocols.subject import Subject, draw_cases, quote
from tests.conformance.protocols.suite import (
    ACTIONS,
    LEAST_CASES,
    SEED,
    DexConformance,
    History,
    Recording,
    read_states,
)

from headrace.adapters.protocols.curve_cryptoswap import logs
from headrace.adapters.protocols.curve_cryptoswap.state import CryptoSwapState
from headrace.adapters.protocols.traded import indices
from headrace.devnet.abi import encode_call
from headrace.errors import MalformedPoolError, UnquotableError
from headrace.kernels.cryptoswap import Generation
from headrace.kernels.cryptoswap_inverse import candidates
from headrace.kernels.cryptoswap_newton import ONE
from headrace.kernels.curve import Curves, hop
from headrace.kernels.least_input import TRIES_MAX
from headrace.model.address import PoolId
from headrace.model.block import BlockContext
from headrace.model.executor_step import CurveCall, CurveStep
from headrace.model.pool import Pool
from headrace.model.proof import Proof
from headrace.ports.pool import PoolState

_ACTIONS_PER_ROUND = 12


@pytest.fixture(scope="module")
def subject(local_chain: LocalChain) -> CryptoSwapSubject:
    return CryptoSwapSubject(local_chain)


@pytest.fixture(scope="module")
def history(subject: CryptoSwapSubject, recording: Recording) -> History:
    """As the market lives: logs are folded, and what says that it is outdated is read again."""
    del recording  # it stands on the state before
    draw, dex = random.Random(SEED), subject.dex
    held: dict[PoolId, PoolState] = {state.pool.id: state for state in read_states(subject)}
    found = History(Counter(), [], [], dict(held))
    height = subject.chain.head().number
    for _ in range(ACTIONS // _ACTIONS_PER_ROUND):
        subject.touched_in_silence.clear()
        found.kinds.update(subject.act(draw) for _ in range(_ACTIONS_PER_ROUND))
        subject.chain.deployer.flush()
        head, new = subject.chain.logs_after(height)
        height = head.number
        moved, spoken = set(subject.touched_in_silence), set[PoolId]()
        for log in new:
            if log.topics and log.topics[0] in dex.topics and (pool := dex.pool_of(log)) in held:
                held[pool] = dex.apply(held[pool], log)
                found.logs.append(log)
                (moved if log.topics[0] in logs.MOVING else spoken).add(pool)
        read = {state.pool.id: state for state in read_states(subject)}
        for pool in spoken - moved:
            assert told(held[pool]) == told(read[pool])
            found.kinds["followed by logs alone"] += 1
        for pool, state in held.items():
            assert dex.is_outdated(state, height) or state == read[pool]
            held[pool] = read[pool] if dex.is_outdated(state, height) else state
        found.rounds.append((dict(held), read))
    return found


def told(state: PoolState) -> CryptoSwapState:
    """All of a state but what says when it was read."""
    assert isinstance(state, CryptoSwapState)
    return msgspec.structs.replace(state, stale_from=None, ramp_read_at=0)


class TestCurveCryptoSwap(DexConformance):
    def test_quote_in_is_the_least_input_by_the_bytecode(self, subject: Subject) -> None:
        """As in the suite, but that the output trembles by some 10^-18 of D: `candidates` says how much less may do."""
        at = subject.chain.next_context()
        cases = draw_cases(subject, read_states(subject), LEAST_CASES, SEED + 1)
        asked = [(case, answer) for case, answer in zip(cases, subject.ask_contract(cases), strict=True) if answer]
        least = [subject.dex.quote_in(case.state, case.token_in, case.token_out, answer, at) for case, answer in asked]
        exact = subject.ask_contract([case._replace(amount_in=x) for (case, _), x in zip(asked, least, strict=True)])
        below = subject.ask_contract(
            [case._replace(amount_in=x - 1) for (case, _), x in zip(asked, least, strict=True)]
        )
        above = 0
        for (case, wanted), x, at_least, under in zip(asked, least, exact, below, strict=True):
            assert at_least is not None
            assert at_least >= wanted
            assert under is None or under < wanted, f"{case}: {x - 1} is enough"
            assert isinstance(case.state, CryptoSwapState)
            index_in, index_out = indices(case.state.pool, case.token_in, case.token_out)
            among = candidates(case.state.in_block(at.timestamp), index_in, index_out, wanted)
            assert min(x, case.amount_in) >= among[0]
            assert x <= case.amount_in or len(among) > TRIES_MAX
            above += x > case.amount_in
        print("not the least", above, "of", len(asked))  # noqa: T201 - a test that passes says what it covered
        assert len(asked) >= LEAST_CASES // 3
        assert above <= len(asked) // 10

    def test_the_cases_reached_every_refusal(self, subject: CryptoSwapSubject, recording: Recording) -> None:
        reached: Counter[str] = Counter()
        for case in recording.cases:
            try:
                way = (case.token_in, case.token_out)
                subject.dex.quote_out(case.state, *way, case.amount_in, recording.at)
                reached["paid"] += 1
            except UnquotableError as error:
                reached[error.why] += 1
        print("reached", dict(reached))  # noqa: T201 - a test that passes says what it covered
        minima = {
            "the output is less than nothing": 300,
            "unsafe value of the balance out": 30,
            "unsafe values of the balances": 1,
            "Loss": 1,
        }
        for why, least in minima.items():
            assert reached[why] >= least, f"{why}: {reached}"

    def test_logs_alone_were_followed(self, history: History) -> None:
        assert history.kinds["followed by logs alone"] >= 5
        assert history.kinds[SILENT] >= 5

    def test_a_state_is_quoted_only_on_the_block_it_was_read_at(
        self, subject: CryptoSwapSubject, recording: Recording
    ) -> None:
        case = next(case for case, answer in zip(recording.cases, recording.answers, strict=True) if answer)
        later = msgspec.structs.replace(recording.at, number=recording.at.number + 1)
        assert quote(subject, case, recording.at)
        assert not subject.dex.is_outdated(case.state, recording.at.number - 1)
        assert subject.dex.is_outdated(case.state, recording.at.number)
        with pytest.raises(UnquotableError, match="read it"):
            subject.dex.quote_out(case.state, case.token_in, case.token_out, case.amount_in, later)
        with pytest.raises(UnquotableError, match="read it"):
            subject.dex.quote_in(case.state, case.token_in, case.token_out, 10, later)

    def test_each_generation_says_what_proves_it(self, subject: CryptoSwapSubject, recording: Recording) -> None:
        proofs = {state.terms.generation: subject.dex.proof_of(state) for state in own(recording)}
        assert proofs == {Generation.TRIPLE: Proof.RECORDED, Generation.PAIR: Proof.UNPROVEN}

    def test_the_step_names_the_call_with_unsigned_indices(
        self, subject: CryptoSwapSubject, recording: Recording
    ) -> None:
        state = recording.states[0]
        first, _, third = state.pool.tokens
        step = subject.dex.step(state, third, first)
        assert step == CurveStep(third, first, state.pool.address, CurveCall.EXCHANGE_UINT256, 2, 0)
        assert not subject.dex.supports_flash_swap


def own(recording: Recording) -> list[CryptoSwapState]:
    return [state for state in recording.states if isinstance(state, CryptoSwapState)]


def test_a_killed_pool_gives_nothing_and_an_empty_one_cannot_be_told(
    subject: CryptoSwapSubject, history: History
) -> None:
    del history  # it trades with all pools
    tokens = subject.chain.tokens[2:]
    empty = subject.create(PoolSpec(tokens, (1, 1), (ONE,), 400_000, 145 * 10**12))
    subject.chain.deployer.flush()
    with pytest.raises(MalformedPoolError, match="empty"):
        subject.described(PoolId(empty))
    pool = subject.pools[-1]
    subject.chain.deployer.transact(pool.address, "kill_me()")
    subject.chain.deployer.flush()
    state = read_one(subject, pool)
    at = subject.chain.next_context()
    first, second = pool.tokens
    for quoted in (subject.dex.quote_out, subject.dex.quote_in):
        with pytest.raises(UnquotableError, match="killed"):
            quoted(state, first, second, 10**6, at)
    curves = Curves(1)
    curves.put(0, subject.dex.shape(state, first, second))
    assert hop(curves.arrays, 0, 1e6) == (0.0, 0.0)


def test_a_ramp_of_a_and_gamma_is_followed_second_by_second(subject: CryptoSwapSubject, history: History) -> None:
    del history
    pool = subject.pools[0]
    head = subject.chain.head()
    signature = "ramp_A_gamma(uint256,uint256,uint256)"
    subject.chain.deployer.transact(pool.address, signature, 5_000_000, 4 * 10**13, head.timestamp + YEAR)
    subject.chain.deployer.flush()
    state, at = read_one(subject, pool), subject.chain.next_context()
    data = "0x" + "f446c1d0"  # A()
    for seconds in (1, 77, YEAR // 3, YEAR, 2 * YEAR):
        time = {"time": hex(at.timestamp + seconds)}
        (answer,) = subject.chain.call_all([({"to": pool.address, "data": data}, "latest", {}, time)])
        assert answer is not None
        assert state.ramp.at(at.timestamp + seconds)[0] == answer[0]
        later = BlockContext(at.number, at.timestamp + seconds, at.base_fee_wei, at.coinbase)
        asked = {
            "from": subject.chain.deployer.sender,
            "to": pool.address,
            "data": encode_call(EXCHANGE, 0, 1, 10**9, 0),
        }
        (paid,) = subject.chain.call_all([(asked, "latest", {}, time)])
        assert paid is not None
        assert subject.dex.quote_out(state, pool.tokens[0], pool.tokens[1], 10**9, later) == paid[0]


def read_one(subject: CryptoSwapSubject, pool: Pool) -> CryptoSwapState:
    block = subject.chain.head().hash
    return subject.chain.through_chain(lambda chain: subject.dex.read(chain, [pool], block))[0]
