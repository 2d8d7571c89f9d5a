"""Solidly's family through the suite, on contracts of our own; `solidly_subject` says what that does not prove."""

import msgspec
import pytest
from tests.conformance.protocols.local_chain import LocalChain
from tests.conformance.protocols.solidly_subject import SolidlySubject
from tests.conformance.protocols.subject import Case, Subject, directions, quote
from tests.conformance.protocols.suite import DexConformance, History, Recording, read_states

from headrace.adapters.protocols.solidly import Solidly
from headrace.adapters.protocols.solidly.state import FeeSource, SolidlyState
from headrace.errors import UnquotableError
from headrace.kernels.shape import ConstantProduct, SolidlyStable
from headrace.kernels.solidly import Root
from headrace.ports.pool import PoolState


@pytest.fixture(scope="module")
def subject(local_chain: LocalChain) -> SolidlySubject:
    return SolidlySubject(local_chain)


def own(state: PoolState) -> SolidlyState:
    assert isinstance(state, SolidlyState)
    return state


class TestSolidly(DexConformance):
    def test_folded_logs_equal_the_state_read_from_the_chain(self, subject: Subject, history: History) -> None:
        """Reserves do; fee and pause are not in any log, and a state that was not read since says so."""
        fees_changed = 0
        for held, read in history.untold:
            old, new = own(held), own(read)
            fees_changed += old.fee != new.fee
            assert old.read_at < new.read_at
            assert not subject.dex.is_outdated(new, new.read_at)
            told = msgspec.structs.replace(old, fee=new.fee, is_paused=new.is_paused, read_at=new.read_at)
            assert told == new
        assert len(history.untold) == len(history.rounds) * len(subject.pools)
        print("actions", dict(history.kinds), "fees changed", fees_changed)  # noqa: T201 - what it covered
        for kind, least in subject.action_minima.items():
            assert history.kinds[kind] >= least, f"{kind}: {history.kinds}"
        assert fees_changed >= 20
        assert history.rounds[-1][0] != history.before

    def test_each_pair_is_recognised_for_what_it_is(self, recording: Recording) -> None:
        half = len(recording.states) // 2
        found = [own(state).terms for state in recording.states]
        assert [(one.root, one.fee_source) for one in found[:half]] == [(Root.SOLIDLY, FeeSource.OF_KIND)] * half
        assert [(one.root, one.fee_source) for one in found[half:]] == [(Root.VELODROME_V2, FeeSource.OF_PAIR)] * half
        assert [one.is_stable for one in found] == [*[True] * 6, False] * 2

    def test_an_outdated_state_gives_no_quote(self, subject: SolidlySubject, recording: Recording) -> None:
        state = recording.states[0]
        later = msgspec.structs.replace(recording.at, number=recording.at.number + 1)
        half = subject.reserve(state, state.pool.tokens[0]) // 2
        given = subject.dex.quote_out(state, *directions(state)[0], half, recording.at)
        assert subject.dex.quote_in(state, *directions(state)[0], given, recording.at) <= half
        with pytest.raises(UnquotableError, match="may have changed"):
            subject.dex.quote_out(state, *directions(state)[0], half, later)
        with pytest.raises(UnquotableError, match="may have changed"):
            subject.dex.quote_in(state, *directions(state)[0], given, later)

    def test_a_paused_factory_stops_its_pairs(self, subject: SolidlySubject) -> None:
        deployer = subject.chain.deployer
        deployer.transact(subject.factories[Root.SOLIDLY], "setPaused(bool)", True)
        deployer.flush()
        states = read_states(subject)
        cases = [
            Case(state, *directions(state)[0], subject.reserve(state, state.pool.tokens[0]) // 9) for state in states
        ]
        answers = subject.ask_contract(cases)
        ours = [quote(subject, case, subject.chain.next_context()) for case in cases]
        shape = subject.dex.shape(states[0], *directions(states[0])[0])
        deployer.transact(subject.factories[Root.SOLIDLY], "setPaused(bool)", False)
        deployer.flush()
        assert ours == answers
        assert [own(state).is_paused for state in states] == [answer is None for answer in answers]
        assert isinstance(shape, SolidlyStable)
        assert shape.reserve_out == 0

    def test_an_empty_pair_gives_nothing(self, subject: SolidlySubject) -> None:
        token_a, token_b, *_ = subject.chain.tokens
        for root, is_stable in ((Root.SOLIDLY, False), (Root.VELODROME_V2, False), (Root.VELODROME_V2, True)):
            pool = subject.described(subject.pair(root, (token_a, token_b, 0, 0), is_stable=is_stable))
            block = subject.chain.head().hash
            (state,) = subject.chain.through_chain(lambda chain, p=pool, b=block: subject.dex.read(chain, [p], b))  # type: ignore[misc]
            cases = [Case(state, *directions(state)[0], amount) for amount in (1, 10**9, 10**30)]
            assert subject.ask_contract(cases) == [None] * 3
            assert [quote(subject, case, subject.chain.next_context()) for case in cases] == [None] * 3
            shape = subject.dex.shape(state, *directions(state)[0])
            assert isinstance(shape, SolidlyStable if is_stable else ConstantProduct)
            assert shape.reserve_out == 0

    def test_a_plug_in_that_never_described_a_pool_reads_it_all_the_same(self, subject: SolidlySubject) -> None:
        block = subject.chain.head().hash
        fresh = subject.chain.through_chain(lambda chain: Solidly().read(chain, subject.pools, block))
        known = subject.chain.through_chain(lambda chain: subject.dex.read(chain, subject.pools, block))
        assert fresh == known
