"""Balancer v3 for the suite: weighted and stable pools, with rates and without, through router and vault.

Oracle: the router's swap for an exact input, called for each case on the head's state: it unlocks the vault, swaps,
pays and takes. The bytecode is compiled from the sources of version 1.0.0; pools that were deployed before 2025's end
differ from it where `kernels.balancer_v3` says so.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from unittest.mock import patch

import msgspec
from tests.conformance.protocols.balancer_v3_market import (
    SWAP_IN,
    SWAP_OUT,
    BalancerV3Market,
    PoolTerms,
    swap_arguments,
)
from tests.conformance.protocols.local_chain import LocalChain
from tests.conformance.protocols.subject import Case

from headrace.adapters.protocols.balancer_v3 import BalancerV3, quoting
from headrace.adapters.protocols.balancer_v3.logs import AGGREGATE_FEE_CHANGED, FEE_CHANGED, SWAP
from headrace.adapters.protocols.balancer_v3.state import BalancerV3State, StableTerms
from headrace.devnet.abi import encode_call
from headrace.devnet.recipe.tokens import MAX_UINT256
from headrace.kernels import balancer_v3, weighted
from headrace.kernels.balancer_stable import balance_up
from headrace.kernels.curve import Curves, hop
from headrace.kernels.fixed_point_power import ONE, divide_down, multiply_down
from headrace.model.address import Address, PoolId
from headrace.model.event import Log
from headrace.model.pool import Pool
from headrace.ports.pool import PoolState

_SENTINEL = 0x1234567890ABCDEF1234567890ABCDEF1234567890ABCDEF1234567890ABCDEF
_INFO_SIGNATURE = "getPoolTokenInfo(address)(address[],(uint8,address,bool)[],uint256[],uint256[])"
_ACTIONS = {"swap": 6, "swap for exact": 3, "join": 3, "exit": 3, "exit in one token": 2, "fee": 2, "aggregate fee": 2}


class BalancerV3Subject:
    """Nine pools of two to four tokens with 6, 8 and 18 decimals."""

    def __init__(self, chain: LocalChain) -> None:
        self.chain = chain
        self.dex = BalancerV3()
        self.market = BalancerV3Market(chain)
        self.no_pool = chain.tokens[0]
        self.pools = tuple(self.described(self.market.make(terms)) for terms in self._terms())

    def _terms(self) -> list[PoolTerms]:
        a, b, c, d = self.chain.tokens
        e18 = tuple(token for token in self.chain.tokens if self.chain.decimals[token] == 18)
        tenth = 10**17
        return [
            PoolTerms((a, b), (1e3, 2.5e6), 3 * 10**15, weights=(50, 50)),
            PoolTerms((b, c), (4e4, 7), 10**15, weights=(80, 20)),
            PoolTerms((a, c, d), (5, 6e4, 1e9), tenth // 10, weights=(50, 25, 25)),
            PoolTerms((a, d), (1e4, 3e2), 10**13, weights=(95, 5), rates={a: 1.37, d: 2.0}),
            PoolTerms(e18, (3.3e20, 1e3), 10**13, weights=(50, 50)),
            PoolTerms((a, b), (1e6, 2.1e6), 4 * 10**14, amplification=200),
            PoolTerms((a, b, c), (3e5, 1e5, 9e3), 10**12, amplification=5000),
            PoolTerms((b, c, d), (7e4, 2e5, 1e5), 10**15, amplification=60, rates={b: 0.61, d: 1.2265}),
            PoolTerms(self.chain.tokens, (1e4, 3e4, 2e4, 5e3), tenth, amplification=2),
        ]

    def described(self, pool: Address) -> Pool:
        block = self.chain.head().hash
        return self.chain.through_chain(lambda chain: self.dex.describe(chain, "balancer", PoolId(pool), block))

    def reserve(self, state: PoolState, token: Address) -> int:
        assert isinstance(state, BalancerV3State)
        return state.balances[state.pool.tokens.index(token)]

    def ask_contract(self, cases: Sequence[Case]) -> list[int | None]:
        answers = self.chain.call_all((self.swap_call(case), "latest") for case in cases)
        return [None if answer is None else answer[0] for answer in answers]

    def swap_call(self, case: Case, signature: str = SWAP_IN, limit: int = 0) -> dict[str, str]:
        """The transaction of a case, from the deployer, who holds and approved every token."""
        way = (case.token_in, case.token_out)
        data = encode_call(signature, *swap_arguments(case.state.pool.id, way, _SENTINEL, limit))
        filled = data.replace(f"{_SENTINEL:064x}", f"{case.amount_in:064x}")
        return {"from": self.chain.deployer.sender, "to": self.market.router, "data": filled}

    def slack_units(self, case: Case) -> float:
        """One unit of the output, two of the input or of 18 decimals, and the power's margin of the balance."""
        state = case.state
        assert isinstance(state, BalancerV3State)
        curves = Curves(1)
        curves.put(0, self.dex.shape(state, case.token_in, case.token_out))
        slope = hop(curves.arrays, 0, 0.0)[1] / (1.0 - state.swap_fee / ONE)
        index_in, index_out = (state.pool.tokens.index(token) for token in (case.token_in, case.token_out))
        units = [by * rate / ONE for by, rate in zip(state.terms.scalings, state.rates, strict=True)]
        margin = 8.0 if isinstance(state.curve, StableTerms) else 3e-14 * state.balances[index_out] * units[index_out]
        return 1.0 + slope * 2.0 / units[index_in] + (margin + 2.0) / units[index_out]

    def act(self, draw: random.Random) -> str:
        kind = draw.choices(tuple(_ACTIONS), tuple(_ACTIONS.values()))[0]
        getattr(self, "_" + kind.replace(" ", "_"))(draw, draw.choice(self.pools))
        return kind

    @property
    def action_minima(self) -> Mapping[str, int]:
        return {kind: 5 * weight for kind, weight in _ACTIONS.items()}

    @property
    def mutants(self) -> Mapping[str, Callable[[], AbstractContextManager[object]]]:
        kernel = balancer_v3

        def as_in_v2(
            amplification: int, balances: tuple[int, ...], invariant: int, index: int, *, multiplies_first: bool
        ) -> int:
            return balance_up(amplification, balances, invariant, index, multiplies_first=not multiplies_first)

        return {
            "the amplification's precision multiplied last": partial(patch.object, kernel, "balance_up", as_in_v2),
            "fee rounded down": partial(patch.object, kernel, "multiply_up", multiply_down),
            "the rate out not rounded up": partial(patch.object, kernel, "_rate_up", lambda rate: rate),
            "no least amount": partial(patch.object, kernel, "_traded", lambda _, amount: amount),
            "any proportion": partial(patch.object, kernel, "_check_proportion", lambda *_: None),
            "31 % at once": partial(patch.object, weighted, "RATIO_MAX", 31 * ONE // 100),
            "base rounded down": partial(patch.object, weighted, "divide_up", divide_down),
            "balances unlimited": partial(patch.object, quoting, "_refuse_balance", lambda *_: None),
        }

    def broken(self, log: Log) -> Iterator[Log]:
        replace = msgspec.structs.replace
        yield replace(log, topics=log.topics[:-1])
        yield replace(log, topics=(*log.topics, log.topics[0]))
        yield replace(log, topics=(log.topics[0], log.topics[0], *log.topics[2:]))
        if len(log.topics) == 4:
            yield replace(log, data=log.data[:66] + f"{1 << 129:064x}" + log.data[130:])
        if log.topics[0] == SWAP:
            yield replace(log, data="0x" + f"{1 << 129:064x}" + log.data[66:])
            yield replace(log, topics=(*log.topics[:3], "0x" + "00" * 12 + "66" * 20))
        if log.topics[0] in {FEE_CHANGED, AGGREGATE_FEE_CHANGED}:
            yield replace(log, data=f"0x{2 * ONE:064x}")

    def _balances(self, pool: Pool) -> list[int]:
        signature = (
            "getPoolData(address)((bytes32,address[],(uint8,address,bool)[],uint256[],uint256[],uint256[],uint256[]))"
        )
        (data,) = self.chain.deployer.call(self.market.vault, signature, pool.id)
        assert isinstance(data, tuple)
        return msgspec.convert(data[3], list[int])

    def _swap(self, draw: random.Random, pool: Pool) -> None:
        self._trade(draw, pool, SWAP_IN)

    def _swap_for_exact(self, draw: random.Random, pool: Pool) -> None:
        self._trade(draw, pool, SWAP_OUT)

    def _trade(self, draw: random.Random, pool: Pool, signature: str) -> None:
        balances = self._balances(pool)
        first, second = draw.sample(range(len(balances)), 2)
        amount = int(balances[first if signature == SWAP_IN else second] * 0.01 * 10 ** draw.uniform(-2, 0))
        limit = 0 if signature == SWAP_IN else 1 << 127
        way = (pool.tokens[first], pool.tokens[second])
        arguments = swap_arguments(pool.id, way, amount, limit)
        self.chain.deployer.transact(self.market.router, signature, *arguments)

    def _join(self, draw: random.Random, pool: Pool) -> None:
        amounts = [int(one * draw.uniform(0, 0.01)) for one in self._balances(pool)]
        signature = "addLiquidityUnbalanced(address,uint256[],uint256,bool,bytes)"
        self.chain.deployer.transact(self.market.router, signature, pool.id, amounts, 0, False, b"")

    def _exit(self, draw: random.Random, pool: Pool) -> None:
        signature = "removeLiquidityProportional(address,uint256,uint256[],bool,bytes)"
        least = (0,) * len(pool.tokens)
        self.chain.deployer.transact(self.market.router, signature, pool.id, self._share(draw, pool), least, False, b"")

    def _exit_in_one_token(self, draw: random.Random, pool: Pool) -> None:
        signature = "removeLiquiditySingleTokenExactIn(address,uint256,address,uint256,bool,bytes)"
        token = draw.choice(pool.tokens)
        self.chain.deployer.transact(
            self.market.router, signature, pool.id, self._share(draw, pool), token, 1, False, b""
        )

    def _share(self, draw: random.Random, pool: Pool) -> int:
        deployer = self.chain.deployer
        deployer.transact(Address(pool.id), "approve(address,uint256)", self.market.router, MAX_UINT256)
        held = deployer.call_integer(Address(pool.id), "balanceOf(address)(uint256)", deployer.sender)
        return int(held * draw.uniform(0.0001, 0.003))

    def _fee(self, draw: random.Random, pool: Pool) -> None:
        fee = draw.randrange(10**15, 10**17 // 2)
        signature = "setStaticSwapFeePercentage(address,uint256)"
        self.chain.deployer.transact(self.market.vault, signature, pool.id, fee)

    def _aggregate_fee(self, draw: random.Random, pool: Pool) -> None:
        controller = self.chain.deployer.call_address(self.market.vault, "getProtocolFeeController()(address)")
        signature = "setProtocolSwapFeePercentage(address,uint256)"
        fee = draw.randrange(0, 5 * 10**6) * 10**11
        self.chain.deployer.transact(controller, signature, pool.id, fee)
