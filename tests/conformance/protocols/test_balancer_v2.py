"""Balancer v2 weighted pools against the vault and the pools as published (2022's and 2021's)."""

import pytest
from tests.conformance.protocols.balancer_subject import BalancerSubject
from tests.conformance.protocols.local_chain import LocalChain
from tests.conformance.protocols.subject import Case, directions, draw_cases, quote
from tests.conformance.protocols.suite import SEED, DexConformance, read_states

from headrace.adapters.protocols.balancer_v2 import BalancerV2
from headrace.adapters.protocols.balancer_v2.quoting import _pair
from headrace.adapters.protocols.balancer_v2.state import BalancerV2State
from headrace.adapters.protocols.balancer_v2_vault.logs import PAUSE_CHANGED
from headrace.devnet.abi import signed_word
from headrace.errors import MalformedPoolError, MarketStaleError
from headrace.kernels import weighted
from headrace.kernels.shape import Weighted
from headrace.model.address import Address, PoolId
from headrace.model.event import Log
from headrace.ports.pool import PoolState


@pytest.fixture(scope="module")
def subject(local_chain: LocalChain) -> BalancerSubject:
    return BalancerSubject(local_chain)


def own(state: PoolState) -> BalancerV2State:
    assert isinstance(state, BalancerV2State)
    return state


def pair_of(case: Case) -> weighted.WeightedPair:
    tokens = case.state.pool.tokens
    return _pair(own(case.state), tokens.index(case.token_in), tokens.index(case.token_out))


class TestBalancerV2(DexConformance):
    def test_the_edge_of_thirty_percent_is_the_contracts(self, subject: BalancerSubject) -> None:
        at, cases = subject.chain.next_context(), []
        for state in read_states(subject):
            for token_in, token_out in directions(state):
                most = weighted.amount_in_max(pair_of(Case(state, token_in, token_out, 0)))
                cases += [Case(state, token_in, token_out, most + step) for step in (-1, 0, 1)]
        ours = [quote(subject, case, at) for case in cases]
        assert ours == subject.ask_contract(cases)
        assert ours.count(None) >= len(cases) // 3

    def test_exact_outputs_are_asked_as_the_vault_asks(self, subject: BalancerSubject) -> None:
        cases = draw_cases(subject, read_states(subject), 3000, SEED)
        outputs = [(case, answer) for case, answer in zip(cases, subject.ask_contract(cases), strict=True) if answer]
        requests = [(subject.query(case, 1, answer), "latest") for case, answer in outputs]
        agreed = 0
        for (case, answer), words in zip(outputs, subject.chain.call_all(requests), strict=True):
            asked = weighted.amount_in_asked(pair_of(case), answer)
            if words is not None:
                assert asked == signed_word(words[2])
                agreed += 1
            else:
                assert asked is None or subject.reserve(case.state, case.token_in) + asked >= 1 << 112
        assert agreed >= 1000

    def test_the_vaults_own_query_gives_the_same(self, subject: BalancerSubject) -> None:
        at, cases = subject.chain.next_context(), draw_cases(subject, read_states(subject), 500, SEED)
        requests = [(subject.query(case, 0, case.amount_in), "latest") for case in cases]
        answers = [None if words is None else -signed_word(words[3]) for words in subject.chain.call_all(requests)]
        assert answers == [quote(subject, case, at) for case in cases]

    def test_a_pool_without_liquidity_gives_nothing(self, subject: BalancerSubject) -> None:
        chain, tokens = subject.chain, subject.chain.tokens[1:3]
        pool_id = subject.pool_id(subject.pool_of_2021(tokens, 50))
        block = chain.head().hash
        pool = chain.through_chain(lambda port: subject.dex.describe(port, "balancer_v2", pool_id, block))
        (state,) = chain.through_chain(lambda port: subject.dex.read(port, [pool], block))
        cases = [Case(state, tokens[0], tokens[1], amount) for amount in (1, 10**6, 10**30)]
        assert subject.ask_contract(cases) == [None] * 3
        assert [quote(subject, case, chain.next_context()) for case in cases] == [None] * 3
        shape = subject.dex.shape(state, tokens[0], tokens[1])
        assert isinstance(shape, Weighted)
        assert shape.balance_out == 0

    def test_a_pool_whose_weights_move_is_not_described(self, subject: BalancerSubject) -> None:
        pool_id = subject.pool_id(subject.bootstrapping_pool(subject.chain.tokens[:2]))
        block = subject.chain.head().hash
        with pytest.raises(MalformedPoolError, match="move with time"):
            subject.chain.through_chain(lambda port: subject.dex.describe(port, "balancer_v2", pool_id, block))

    def test_a_paused_pool_is_refused_until_it_is_resumed(self, subject: BalancerSubject) -> None:
        chain, pool = subject.chain, subject.pools[0]
        contract = Address(pool.id[:42])
        subject.allow(contract, "pause()")
        subject.allow(contract, "unpause()")
        for signature, is_paused in (("pause()", True), ("unpause()", False)):
            before = own(read_states(subject)[0])
            height = chain.head().number
            chain.deployer.transact(contract, signature)
            chain.deployer.flush()
            _, logs = chain.logs_after(height)
            (log,) = [one for one in logs if one.topics[0] == PAUSE_CHANGED]
            assert subject.dex.pool_of(log) == pool.id
            after = subject.dex.apply(before, log)
            assert after == read_states(subject)[0]
            case = Case(after, pool.tokens[0], pool.tokens[1], 1000)
            (answer,) = subject.ask_contract([case])
            assert (answer is None) == is_paused
            assert quote(subject, case, chain.next_context()) == answer

    def test_a_paused_vault_makes_the_market_stale_and_is_refused(self, subject: BalancerSubject) -> None:
        chain, vault = subject.chain, subject.exchange.vault
        subject.allow(vault, "setPaused(bool)")
        for flag in (True, False):
            height = chain.head().number
            chain.deployer.transact(vault, "setPaused(bool)", flag)
            chain.deployer.flush()
            _, logs = chain.logs_after(height)
            with pytest.raises(MarketStaleError):
                subject.dex.pool_of(logs[-1])
            state = own(read_states(subject)[0])
            assert state.is_vault_paused == flag
            case = Case(state, state.pool.tokens[0], state.pool.tokens[1], 1000)
            (answer,) = subject.ask_contract([case])
            assert (answer is None) == flag
            assert quote(subject, case, chain.next_context()) == answer

    def test_a_strangers_log_speaks_of_the_stranger(self, subject: BalancerSubject, local_chain: LocalChain) -> None:
        header = local_chain.head()
        stranger = Address("0x" + "31" * 20)
        log = Log(stranger, tuple(subject.dex.topics)[:1], "0x", header.hash, header.number, header.hash, 0)
        assert subject.dex.pool_of(log) == PoolId(stranger)
        assert BalancerV2().pool_of(log) == PoolId(stranger)
