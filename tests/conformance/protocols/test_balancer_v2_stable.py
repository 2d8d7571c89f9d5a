"""Balancer v2 stable pools against the vault and the pools as published (2021's and 2022's)."""

import random
from collections import Counter

import msgspec
import pytest
from tests.conformance.protocols import balancer_stable_pools as made_as
from tests.conformance.protocols.balancer_stable_subject import BalancerStableSubject
from tests.conformance.protocols.balancer_vault_subject import GIVEN_IN, GIVEN_OUT
from tests.conformance.protocols.local_chain import LocalChain
from tests.conformance.protocols.subject import Case, draw_cases, quote
from tests.conformance.protocols.suite import SEED, DexConformance, read_states

from headrace.adapters.protocols.balancer_v2_stable import quoting
from headrace.adapters.protocols.balancer_v2_stable.logs import AMP_STARTED, AMP_STOPPED
from headrace.adapters.protocols.balancer_v2_stable.state import BalancerV2StableState
from headrace.adapters.protocols.balancer_v2_vault.logs import PAUSE_CHANGED
from headrace.devnet.abi import encode_call, signed_word
from headrace.errors import UnquotableError
from headrace.kernels import balancer_stable
from headrace.kernels.balancer_stable import AMP_PRECISION
from headrace.kernels.curve import Curves, hop
from headrace.kernels.fixed_point_power import ONE
from headrace.model.address import ZERO_ADDRESS, Address
from headrace.model.block import BlockContext, next_block
from headrace.model.pool import Pool
from headrace.ports.pool import PoolState

ODD_BALANCES = 6000
START = "startAmplificationParameterUpdate(uint256,uint256)"
STOP = "stopAmplificationParameterUpdate()"
_NO_ORACLE = (
    1 << 64
)  # last change in a later block: meta-stable pools then leave their price oracle, which may revert, alone
_REQUEST = "(uint8,address,address,uint256,bytes32,uint256,address,address,bytes)"


@pytest.fixture(scope="module")
def subject(local_chain: LocalChain) -> BalancerStableSubject:
    return BalancerStableSubject(local_chain)


def own(state: PoolState) -> BalancerV2StableState:
    assert isinstance(state, BalancerV2StableState)
    return state


def first_way(state: BalancerV2StableState, amount_in: int) -> Case:
    return Case(state, state.pool.tokens[0], state.pool.tokens[1], amount_in)


class TestBalancerV2Stable(DexConformance):
    def told_by_logs(self, state: PoolState) -> PoolState:
        rates = tuple(rate and msgspec.structs.replace(rate, provided=None) for rate in own(state).rates)
        return msgspec.structs.replace(own(state), rates=rates, read_at=None)

    def test_any_balances_give_what_the_pools_own_function_gives(self, subject: BalancerStableSubject) -> None:
        """The vault's part played by the call's sender: pools from a few units to beyond 112 bits, of every balance."""
        draw, reached, asked = random.Random(SEED), Counter[str](), []
        states = [own(state) for state in read_states(subject)]
        at = subject.chain.next_context()
        for i in range(ODD_BALANCES):
            state = states[i % len(states)]
            bits = draw.choice(((0, 12), (20, 60), (60, 64), (60, 64), (80, 85), (104, 112)))
            cash = tuple(int(2 ** draw.uniform(*bits)) * ONE // scaling + 1 for scaling in state.terms.scalings)
            way = first, second = draw.sample(range(len(cash)), 2)
            given_in = draw.random() < 0.7
            amount = int(cash[way[0 if given_in else 1]] * 10 ** draw.uniform(-9, 1)) + draw.randrange(1, 3)
            odd = msgspec.structs.replace(state, cash=cash)
            find = balancer_stable.amount_out if given_in else balancer_stable.amount_in_asked
            ours = find(quoting.curve_at(odd, at), first, second, amount)
            asked.append((ours, self.own_function(subject, odd, way, GIVEN_IN if given_in else GIVEN_OUT, amount)))
        answers = subject.chain.call_all((call, "latest") for _, call in asked)
        for (ours, call), words in zip(asked, answers, strict=True):
            theirs = words[0] if words else None
            assert ours == theirs, call
            reached["reverts" if theirs is None else "answers"] += 1
        print("reached", dict(reached))  # noqa: T201 - a test that passes says what it covered
        assert min(reached.values()) >= ODD_BALANCES // 10

    def test_exact_outputs_are_asked_as_the_vault_asks(self, subject: BalancerStableSubject) -> None:
        at = subject.chain.next_context()
        cases = draw_cases(subject, read_states(subject), 1500, SEED)
        given = [(case, answer) for case, answer in zip(cases, subject.ask_contract(cases), strict=True) if answer]
        requests = [(subject.query(case, GIVEN_OUT, answer), "latest") for case, answer in given]
        agreed = 0
        for (case, answer), words in zip(given, subject.chain.call_all(requests), strict=True):
            try:
                asked = subject.dex.asked_in(case.state, case.token_in, case.token_out, answer, at)
            except UnquotableError:
                asked = None
            assert asked == (signed_word(words[2]) if words else None)
            agreed += asked is not None
        assert agreed >= 1000

    def test_a_rate_whose_cache_has_run_out_is_the_providers(self, subject: BalancerStableSubject) -> None:
        chain, tokens = subject.chain, subject.chain.tokens[:2]
        for make in (made_as.composable, made_as.phantom, made_as.meta_stable):
            pool_id = subject.rated(make, tokens, {tokens[0]: 1.5}, (300, 10**15), (1e4, 1e4), seconds_cached=1000)
            pool, provider = subject.described(pool_id), subject.provider_of[pool_id, tokens[0]]
            subject.providers.tell(provider, 3 * ONE // 2)
            subject.providers.tell(provider, 155 * ONE // 100)
            fresh, context = self.read_alone(subject, pool), chain.next_context()
            case = first_way(fresh, 10**9)
            edge = fresh.rates[0].expires_at if fresh.rates[0] else 0
            quotes = []
            for timestamp in (context.timestamp, edge, edge + 1):
                at = msgspec.structs.replace(context, timestamp=timestamp)
                quotes.append(quote(subject, case, at))
                assert quotes[-1] == self.at_time(subject, case, at)
            assert quotes[0] == quotes[1]
            assert (quotes[1] == quotes[2]) == (make is made_as.phantom)
            chain.rpc.request("evm_increaseTime", 2000)
            chain.rpc.request("evm_mine")
            with pytest.raises(UnquotableError):
                subject.dex.quote_out(fresh, tokens[0], tokens[1], 10**9, chain.next_context())
            assert subject.dex.is_outdated(fresh, chain.head().number + 20)
            known = self.read_alone(subject, pool)
            assert not subject.dex.is_outdated(known, chain.head().number)
            assert subject.dex.is_outdated(known, chain.head().number + 1)
            for rate in (16 * ONE // 10, 7 * ONE // 10):
                subject.providers.tell(provider, rate)
                again = first_way(self.read_alone(subject, pool), 10**9)
                theirs = self.at_time(subject, again, chain.next_context())
                assert theirs == quote(subject, again, chain.next_context()) is not None
            subject.providers.silence(provider)
            mute = first_way(self.read_alone(subject, pool), 10**9)
            assert (
                self.at_time(subject, mute, chain.next_context()) is quote(subject, mute, chain.next_context()) is None
            )

    def test_amplification_moves_as_its_log_says_or_is_not_quoted(self, subject: BalancerStableSubject) -> None:
        chain, deployer = subject.chain, subject.chain.deployer
        for pool, factor in ((subject.pools[0], 2), (subject.pools[3], 2), (subject.pools[7], 0.5)):
            contract, before = Address(pool.id[:42]), self.read_alone(subject, pool)
            assert before.amplification is not None
            end, height = int(before.amplification.end * factor) // AMP_PRECISION, chain.head().number
            ends_at = chain.head().timestamp + 3 * 86400
            subject.allow(contract, START)
            subject.allow(contract, STOP)
            deployer.transact(contract, START, end, ends_at)
            deployer.flush()
            head, logs = chain.logs_after(height)
            moving = subject.dex.apply(before, next(log for log in logs if log.topics[0] == AMP_STARTED))
            for seconds in (1, 5000, 86400, 2 * 86400 + 7, 3 * 86400, 4 * 86400):
                at = msgspec.structs.replace(next_block(head, 1), timestamp=head.timestamp + seconds)
                case = first_way(moving, 10**15)
                assert quote(subject, case, at) == self.at_time(subject, case, at) is not None
            unseen = self.read_alone(subject, pool)
            assert unseen.amplification is None
            assert quote(subject, first_way(unseen, 10**15), chain.next_context()) is None
            assert not subject.dex.is_outdated(unseen, chain.head().number)
            assert subject.dex.is_outdated(unseen, chain.head().number + 1)
            assert quoting.shape(unseen, pool.tokens[0], pool.tokens[1]).ann == 0
            height = chain.head().number
            deployer.transact(contract, STOP)
            deployer.flush()
            log = next(log for log in chain.logs_after(height)[1] if log.topics[0] == AMP_STOPPED)
            after = self.read_alone(subject, pool)
            assert self.told_by_logs(subject.dex.apply(moving, log)) == self.told_by_logs(after)
            case = first_way(after, 10**15)
            assert [quote(subject, case, chain.next_context())] == subject.ask_contract([case])

    def test_a_pool_without_liquidity_gives_nothing(self, subject: BalancerStableSubject) -> None:
        tokens = subject.chain.tokens[1:3]
        caches = dict.fromkeys(tokens, (ZERO_ADDRESS, 0))
        for contract in (
            made_as.plain_of_2021(subject, tokens, 100, 10**15),
            made_as.composable(subject, caches, 100, 10**15),
        ):
            state = self.read_alone(subject, subject.described(subject.pool_id(contract)))
            cases = [first_way(state, amount) for amount in (1, 10**6, 10**30)]
            assert subject.ask_contract(cases) == [None] * 3
            assert [quote(subject, case, subject.chain.next_context()) for case in cases] == [None] * 3
            curves = Curves(1)
            curves.put(0, subject.dex.shape(state, *tokens))
            assert hop(curves.arrays, 0, 1e6) == (0.0, 0.0)

    def test_a_swap_for_the_pools_own_token_is_refused_by_name(self, subject: BalancerStableSubject) -> None:
        (state, *_) = (own(state) for state in read_states(subject) if state.pool.id in subject.own_token)
        contract, token = Address(state.pool.id[:42]), state.pool.tokens[0]
        assert contract not in state.pool.tokens
        for way in ((contract, token), (token, contract)):
            with pytest.raises(UnquotableError, match="joins or exits"):
                subject.dex.quote_out(state, *way, 10**6, subject.chain.next_context())

    def test_a_paused_pool_is_refused_until_it_is_resumed(self, subject: BalancerStableSubject) -> None:
        chain = subject.chain
        of_2021 = (("setPaused(bool)", (True,)), ("setPaused(bool)", (False,)))
        of_2022 = (("pause()", ()), ("unpause()", ()))
        for place, calls in ((0, of_2021), (8, of_2022)):
            pool = subject.pools[place]
            contract = Address(pool.id[:42])
            for (signature, arguments), is_paused in zip(calls, (True, False), strict=True):
                subject.allow(contract, signature)
                before, height = self.read_alone(subject, pool), chain.head().number
                chain.deployer.transact(contract, signature, *arguments)
                chain.deployer.flush()
                (log,) = [one for one in chain.logs_after(height)[1] if one.topics[0] == PAUSE_CHANGED]
                assert subject.dex.pool_of(log) == pool.id
                after = subject.dex.apply(before, log)
                assert after == self.read_alone(subject, pool)
                case = first_way(after, 10**15)
                (answer,) = subject.ask_contract([case])
                assert (answer is None) == is_paused
                assert quote(subject, case, chain.next_context()) == answer

    def read_alone(self, subject: BalancerStableSubject, pool: Pool) -> BalancerV2StableState:
        block = subject.chain.head().hash
        return own(subject.chain.through_chain(lambda chain: subject.dex.read(chain, [pool], block))[0])

    def at_time(self, subject: BalancerStableSubject, case: Case, at: BlockContext) -> int | None:
        """What the vault pays in a block of that time."""
        request: list[object] = [subject.swap_call(case), "latest", {}, {"time": hex(at.timestamp)}]
        (words,) = subject.chain.call_all([request])
        return words[0] if words else None

    def own_function(
        self, subject: BalancerStableSubject, state: BalancerV2StableState, way: list[int], kind: int, amount: int
    ) -> dict[str, str]:
        tokens, own_token = state.pool.tokens, Address(state.pool.id[:42])
        registered = sorted((*tokens, own_token)) if state.pool.id in subject.own_token else list(tokens)
        held = dict(zip(tokens, state.cash, strict=True))
        sender = subject.chain.deployer.sender
        token_in, token_out = (tokens[place] for place in way)
        pool_id = bytes.fromhex(state.pool.id[2:])
        request = (kind, token_in, token_out, amount, pool_id, _NO_ORACLE, sender, sender, b"")
        if len(registered) == 2:
            data = encode_call(f"onSwap({_REQUEST},uint256,uint256)", request, held[token_in], held[token_out])
        else:
            balances = [held.get(token, 1 << 111) for token in registered]
            places = (registered.index(token_in), registered.index(token_out))
            data = encode_call(f"onSwap({_REQUEST},uint256[],uint256,uint256)", request, balances, *places)
        return {"from": subject.exchange.vault, "to": own_token, "data": data}
