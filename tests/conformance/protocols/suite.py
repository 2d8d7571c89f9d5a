"""The conformance suite of `headrace.ports.pool.DEX`: every protocol's plug-in passes it, against deployed bytecode.

A protocol's test module subclasses `DexConformance` and gives a module-scoped fixture `subject`.
"""

import json
import random
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import pytest
from tests.conformance.protocols.executed import EXECUTED, Trial, bought_back
from tests.conformance.protocols.subject import (
    Case,
    Subject,
    directions,
    draw_cases,
    quote,
)
from tests.conformance.protocols.subject import (
    read_states as read_states,  # noqa: PLC0414 - test modules of protocols import it from here
)

from headrace.devnet.anvil import BLOCK_GAS_LIMIT
from headrace.errors import MalformedAnswerError, MalformedLogError, MalformedPoolError, RpcError, UnquotableError
from headrace.kernels.curve import Curves, hop
from headrace.model.address import Address, Hash32, PoolId
from headrace.model.block import BlockContext
from headrace.model.event import Log
from headrace.pipeline.market.speakers import Speakers
from headrace.ports.pool import PoolState

SEED = 20_260_101
CASES = 10_000
LEAST_CASES = 600
ACTIONS = 240
_ACTIONS_PER_ROUND = 12
_TINY = 1e-9  # of the pool
_MID = 0.3  # of the pool
_LEAST_EXECUTED = 4  # of the plans
_CLASS_MINIMA = {"tiny": 1000, "mid": 1000, "large": 200, "past the pool": 500, "paid": 3000, "refused": 500}


class Recording(NamedTuple):
    """The bytecode's answers, asked once."""

    states: tuple[PoolState, ...]
    at: BlockContext
    cases: list[Case]
    answers: list[int | None]


class History(NamedTuple):
    """States folded from logs beside states read, after each round of transactions.

    A state that says that it is outdated is read again, as the market does; `untold` holds it as it was folded, beside
    what was read.
    """

    kinds: Counter[str]
    rounds: list[tuple[dict[PoolId, PoolState], dict[PoolId, PoolState]]]
    logs: list[Log]
    before: dict[PoolId, PoolState]
    untold: Sequence[tuple[PoolState, PoolState]] = ()


def kind_of(subject: Subject, case: Case) -> str:
    share = case.amount_in / max(1, subject.reserve(case.state, case.token_in))
    if share >= 1:
        return "past the pool"
    return "tiny" if share < _TINY else "mid" if share < _MID else "large"


def recorded(subject: Subject) -> Recording:
    states = read_states(subject)
    cases = draw_cases(subject, states, CASES, SEED)
    return Recording(states, subject.chain.next_context(), cases, subject.ask_contract(cases))


def lived(subject: Subject) -> History:
    """Random transactions, in rounds; after each the logs are folded and the contracts read."""
    draw = random.Random(SEED)
    held = {state.pool.id: state for state in read_states(subject)}
    untold: list[tuple[PoolState, PoolState]] = []
    history = History(Counter(), [], [], dict(held), untold)
    height = subject.chain.head().number
    for _ in range(ACTIONS // _ACTIONS_PER_ROUND):
        history.kinds.update(subject.act(draw) for _ in range(_ACTIONS_PER_ROUND))
        subject.chain.deployer.flush()
        head, logs = subject.chain.logs_after(height)
        height = head.number
        for log in logs:
            if log.topics and log.topics[0] in subject.dex.topics and (pool := subject.dex.pool_of(log)) in held:
                held[pool] = subject.dex.apply(held[pool], log)
                history.logs.append(log)
        read = {state.pool.id: state for state in read_states(subject)}
        for pool in [pool for pool, state in held.items() if subject.dex.is_outdated(state, height)]:
            untold.append((held[pool], read[pool]))
            held[pool] = read[pool]
            history.kinds["read again"] += 1
        history.rounds.append((dict(held), read))
    return history


class DexConformance:
    """Subclass it; `subject` is the module's own fixture, `recording` and `history` follow from it."""

    refused_min = 1  # of the quotes that are tried through the Executor, how many must have been refused

    def test_ten_thousand_quotes_equal_the_bytecode_to_the_unit(self, subject: Subject, recording: Recording) -> None:
        ours = [quote(subject, case, recording.at) for case in recording.cases]
        wrong = [
            (case, mine, theirs)
            for case, mine, theirs in zip(recording.cases, ours, recording.answers, strict=True)
            if mine != theirs
        ]
        assert not wrong, f"{len(wrong)} differ (seed {SEED}), first {wrong[:3]}"
        reached = Counter(kind_of(subject, case) for case in recording.cases)
        reached.update("refused" if answer is None else "paid" for answer in recording.answers)
        print("reached", dict(reached))  # noqa: T201 - a test that passes says what it covered
        assert len(recording.cases) >= CASES
        for kind, least in _CLASS_MINIMA.items():
            assert reached[kind] >= least, f"{kind}: {reached}"

    def test_quote_in_is_the_least_input_by_the_bytecode(self, subject: Subject) -> None:
        at = subject.chain.next_context()
        cases = draw_cases(subject, read_states(subject), LEAST_CASES, SEED + 1)
        asked = [(case, answer) for case, answer in zip(cases, subject.ask_contract(cases), strict=True) if answer]
        least = [subject.dex.quote_in(case.state, case.token_in, case.token_out, answer, at) for case, answer in asked]
        exact = subject.ask_contract([case._replace(amount_in=x) for (case, _), x in zip(asked, least, strict=True)])
        below = subject.ask_contract(
            [case._replace(amount_in=x - 1) for (case, _), x in zip(asked, least, strict=True)]
        )
        for (case, wanted), x, at_least, under in zip(asked, least, exact, below, strict=True):
            assert x <= case.amount_in
            assert at_least is not None
            assert at_least >= wanted
            assert under is None or under < wanted, f"{case}: {x - 1} is enough"
        assert len(asked) >= LEAST_CASES // 3

    def test_quote_in_is_refused_beyond_what_any_input_buys(self, subject: Subject, recording: Recording) -> None:
        for state in recording.states:
            for token_in, token_out in directions(state):
                for amount in (subject.reserve(state, token_out) + 1, 0, -1):
                    with pytest.raises(UnquotableError):
                        subject.dex.quote_in(state, token_in, token_out, amount, recording.at)

    def test_amounts_and_tokens_that_no_swap_takes_are_refused(self, subject: Subject, recording: Recording) -> None:
        stranger = Address("0x" + "77" * 20)
        for state in recording.states:
            first, second = state.pool.tokens[:2]
            bad = (
                (first, second, 0),
                (first, second, -5),
                (first, stranger, 9),
                (stranger, first, 9),
                (first, first, 9),
            )
            for token_in, token_out, amount in bad:
                with pytest.raises(UnquotableError):
                    subject.dex.quote_out(state, token_in, token_out, amount, recording.at)
            with pytest.raises(UnquotableError):
                subject.dex.quote_in(state, first, stranger, 9, recording.at)

    def test_every_planted_fault_is_caught_by_the_recorded_answers(
        self, subject: Subject, recording: Recording
    ) -> None:
        for name, planted in subject.mutants.items():
            with planted():
                caught = sum(
                    quote(subject, case, recording.at) != answer
                    for case, answer in zip(recording.cases, recording.answers, strict=True)
                )
            print(f"{name}: caught by {caught}")  # noqa: T201 - a test that passes says what it covered
            assert caught > 0, name

    def test_the_shape_gives_the_exact_quote_to_a_billionth(self, subject: Subject, recording: Recording) -> None:
        compared = 0
        for case, answer in zip(recording.cases, recording.answers, strict=True):
            if answer is None:
                continue
            curves = Curves(1)
            curves.put(0, subject.dex.shape(case.state, case.token_in, case.token_out))
            given, slope = hop(curves.arrays, 0, float(case.amount_in))
            assert abs(given - answer) <= 1e-9 * answer + subject.slack_units(case), f"{case}: {given} for {answer}"
            assert slope >= 0
            compared += 1
        assert compared >= _CLASS_MINIMA["paid"]

    def told_by_logs(self, state: PoolState) -> PoolState:
        """The state without what says as of which block it was read; overridden where there is such a thing."""
        return state

    def test_folded_logs_equal_the_state_read_from_the_chain(self, subject: Subject, history: History) -> None:
        for folded, read in history.rounds:
            for pool, state in folded.items():
                assert self.told_by_logs(state) == self.told_by_logs(read[pool])
        assert sum(history.kinds.values()) >= 200
        print("actions", dict(history.kinds))  # noqa: T201 - a test that passes says what it covered
        for kind, least in subject.action_minima.items():
            assert history.kinds[kind] >= least, f"{kind}: {history.kinds}"
        assert history.rounds[-1][0] != history.before

    def test_no_log_of_the_deployed_contracts_is_of_an_unknown_event(self, subject: Subject, history: History) -> None:
        """A market would take a pool out for it: all that the contracts said, from their making on."""
        speakers = Speakers({subject.dex.protocol_id: subject.dex}, subject.pools)
        _, logs = subject.chain.logs_after(0)
        heard = Counter(log.topics[0] in subject.dex.topics for log in logs if log.address in speakers)
        print("heard", {"folded": heard[True], "harmless": heard[False]})  # noqa: T201 - what it covered
        assert [unknown for log in logs for unknown in speakers.unknown_events(log)] == []
        known = subject.dex.topics | subject.dex.harmless_topics
        assert all(log.topics[0] in known for log in logs if log.address in speakers)
        assert heard[True] >= len(history.logs) > 0

    def test_a_log_that_is_not_what_it_claims_is_refused(self, subject: Subject, history: History) -> None:
        by_topic = {(log.topics[0], log.address): log for log in history.logs}
        tried = 0
        for log in by_topic.values():
            state = history.rounds[-1][1][subject.dex.pool_of(log)]
            for broken in (*common_breaks(log), *subject.broken(log)):
                with pytest.raises(MalformedLogError):
                    subject.dex.apply(state, broken)
                tried += 1
        assert tried >= 5

    def test_what_is_no_pool_is_not_described(self, subject: Subject) -> None:
        venue = subject.pools[0].venue
        block = subject.chain.head().hash
        ids = (subject.no_pool, "0x" + "99" * ((len(subject.no_pool) - 2) // 2))
        for pool in ids:
            with pytest.raises(MalformedPoolError):
                subject.chain.through_chain(
                    lambda chain, pool=pool: subject.dex.describe(chain, venue, PoolId(pool), block)  # type: ignore[misc]
                )

    def test_nothing_is_read_at_a_block_that_the_node_does_not_know(self, subject: Subject) -> None:
        """Protocols that ask for the block name it, others leave it to the node; it is never a pool's fault."""
        unknown = Hash32("0x" + "ab" * 32)
        with pytest.raises((MalformedAnswerError, RpcError), match=f"{unknown}|the node answered"):
            subject.chain.through_chain(lambda chain: subject.dex.read(chain, subject.pools, unknown))

    def test_a_pool_is_described_as_it_was_made(self, subject: Subject) -> None:
        block = subject.chain.head().hash
        for pool in subject.pools:
            found = subject.chain.through_chain(
                lambda chain, pool=pool: subject.dex.describe(chain, pool.venue, pool.id, block)  # type: ignore[misc]
            )
            assert found == pool

    def test_a_quote_executed_through_the_executor_pays_itself_to_the_unit(
        self, subject: Subject, trial: Trial
    ) -> None:
        wrong = [done for done in trial.executions if done.paid != done.quoted]
        assert not wrong, f"{len(wrong)} differ, first {wrong[:3]}"
        for done in trial.executions:
            assert done.kept == bought_back(done.paid), f"{done}: the step spent something else than its input"
        reached = Counter(kind_of(subject, done.case) for done in trial.executions)
        gas = sorted(done.gas_used for done in trial.executions)
        print(f"executed {dict(reached)}, gas of a plan {gas[0]} to {gas[-1]}")  # noqa: T201 - what it covered
        assert len(trial.executions) == EXECUTED
        assert reached["mid"] >= _LEAST_EXECUTED
        assert reached["tiny"] + reached["large"] >= _LEAST_EXECUTED

    def test_what_is_not_quoted_does_not_execute(self, trial: Trial) -> None:
        print(f"refused {trial.refused}")  # noqa: T201 - a test that passes says what it covered
        assert trial.refused >= self.refused_min
        assert not trial.paid_though_refused

    def test_executed_quotes_catch_planted_faults(self, subject: Subject, trial: Trial) -> None:
        caught = Counter[str]()
        for name, planted in subject.mutants.items():
            with planted():
                caught[name] = sum(quote(subject, done.case, trial.at) != done.paid for done in trial.executions)
        print("caught by executions", dict(caught))  # noqa: T201 - a test that passes says what it covered
        assert any(caught.values())

    def test_a_state_written_as_a_document_is_read_back_equal(
        self, subject: Subject, recording: Recording, history: History
    ) -> None:
        for state in (*recording.states, *history.rounds[-1][1].values()):
            document = subject.dex.state_to_document(state)
            again = json.loads(json.dumps(document))
            assert subject.dex.state_from_document(state.pool, again) == state
            assert not any(isinstance(value, int | float) for value in document.values() if not isinstance(value, bool))
            for field in document:
                with pytest.raises(MalformedPoolError, match=state.pool.id):
                    subject.dex.state_from_document(state.pool, again | {field: {"not": "this"}})

    def test_step_and_gas_stand_for_the_swap(self, subject: Subject, recording: Recording) -> None:
        for state in recording.states:
            token_in, token_out = state.pool.tokens[:2]
            step = subject.dex.step(state, token_in, token_out)
            assert (step.token_in, step.token_out) == (token_in, token_out)
            assert 40_000 <= subject.dex.gas(state, token_in, token_out, 1000) <= BLOCK_GAS_LIMIT
            assert state.pool.protocol == subject.dex.protocol_id


def common_breaks(log: Log) -> Sequence[Log]:
    """Faults that no protocol may take."""
    replace = msgspec.structs.replace
    return (
        replace(log, data=log.data[:-2]),
        replace(log, data=log.data[:-64]),
        replace(log, data="0x"),
        replace(log, data="zz" + log.data[2:]),
        replace(log, data=log.data[:-1] + "g"),
        replace(log, topics=()),
        replace(log, topics=("0x" + "ab" * 32, *log.topics[1:])),
        replace(log, address=Address("0x" + "55" * 20)),
    )
