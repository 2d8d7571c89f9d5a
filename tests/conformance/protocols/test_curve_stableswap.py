"""StableSwap against pools of our own with Curve's interface: mechanics, not proof (see the subject)."""

import msgspec
import pytest
from tests.conformance.protocols.curve_stableswap_subject import (
    CurveStableswapSubject,
    lived_as_the_market,
    own,
)
from tests.conformance.protocols.local_chain import LocalChain
from tests.conformance.protocols.subject import Case, draw_cases
from tests.conformance.protocols.suite import SEED, DexConformance, History, Recording, read_states

from headrace.adapters.protocols.curve_stableswap import CurveStableswap
from headrace.adapters.protocols.curve_stableswap.state import CurveStableswapState
from headrace.adapters.protocols.curve_stableswap.views import view_out
from headrace.devnet.abi import encode_call
from headrace.errors import UnquotableError
from headrace.kernels.stableswap import ProductRounding
from headrace.model.executor_step import CurveCall, CurveStep


@pytest.fixture(scope="module")
def subject(local_chain: LocalChain) -> CurveStableswapSubject:
    return CurveStableswapSubject(local_chain)


@pytest.fixture(scope="module")
def history(subject: CurveStableswapSubject, recording: Recording) -> History:
    del recording  # it stands on the state before
    history, kept = lived_as_the_market(subject)
    print("states", dict(kept))  # noqa: T201 - a test that passes says what it covered
    assert kept["folded"] >= 20
    assert kept["read again"] >= 40
    return history


def is_ramping(state: CurveStableswapState) -> bool:
    """Then a call on the head sees another A than the next block, by the node's clock."""
    return state.ramp.initial_a != state.ramp.future_a and state.ramp.future_time > state.read_time > 0


class TestCurveStableswap(DexConformance):
    refused_min = 0  # once its pools have lived for a while, they refuse nothing that a plan can hold

    def test_the_kind_of_each_pool_is_found_by_its_answers(self, subject: CurveStableswapSubject) -> None:
        found = [own(state).terms for state in read_states(subject)]
        assert [terms.a_precision for terms in found] == [1, 100, 100, 100, 100]
        assert [terms.view.scales_first for terms in found] == [True, False, False, False, False]
        late = ProductRounding.AT_THE_END
        assert [terms.rounding is late for terms in found] == [False, False, False, True, True]
        assert [terms.follows_logs for terms in found] == [True, True, True, False, False]

    def test_the_pools_own_estimates_are_met(self, subject: CurveStableswapSubject) -> None:
        at, states = subject.chain.next_context(), read_states(subject)
        cases = draw_cases(subject, [state for state in states if not is_ramping(own(state))], 500, SEED + 2)
        requests = [(self.view_call(case), "latest") for case in cases]
        compared = 0
        for case, answer in zip(cases, subject.chain.call_all(requests), strict=True):
            if answer is not None:
                ours = view_out(own(case.state), case.token_in, case.token_out, case.amount_in, at)
                assert ours == answer[0], case
                compared += 1
        assert compared >= 300

    def test_a_state_is_refused_in_the_blocks_it_was_not_read_for(
        self, subject: CurveStableswapSubject, recording: Recording
    ) -> None:
        state = own(recording.states[-1])
        first, second = state.pool.tokens[:2]
        later = msgspec.structs.replace(recording.at, number=recording.at.number + 1)
        assert subject.dex.quote_out(state, first, second, 10**22, recording.at)
        assert not subject.dex.is_outdated(state, recording.at.number - 1)
        assert subject.dex.is_outdated(state, recording.at.number)
        for quote in (subject.dex.quote_out, subject.dex.quote_in):
            with pytest.raises(UnquotableError, match="read again"):
                quote(state, first, second, 10**9, later)

    def test_pools_that_were_never_described_are_found_out_when_they_are_read(
        self, subject: CurveStableswapSubject
    ) -> None:
        fresh, block = CurveStableswap(), subject.chain.head().hash
        states = subject.chain.through_chain(lambda chain: fresh.read(chain, subject.pools[:2], block))
        assert states == read_states(subject)[:2]

    def test_the_step_names_the_call_and_the_indices(self, subject: CurveStableswapSubject) -> None:
        state = read_states(subject)[0]
        first, _, third = state.pool.tokens
        step = subject.dex.step(state, third, first)
        assert step == CurveStep(third, first, state.pool.address, CurveCall.EXCHANGE_INT128, 2, 0)

    def view_call(self, case: Case) -> dict[str, str]:
        coins = own(case.state).terms.coins
        indices = coins.index(case.token_in), coins.index(case.token_out)
        data = encode_call("get_dy(int128,int128,uint256)", *indices, case.amount_in)
        return {"to": case.state.pool.address, "data": data}
