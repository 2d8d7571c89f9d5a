"""Balancer v2's weighted pools for the suite: as published, of 2022 and of 2021, one with asset managers."""

import random
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from unittest.mock import patch

from tests.conformance.protocols.balancer_vault_subject import GIVEN_IN, GIVEN_OUT, BalancerVaultSubject
from tests.conformance.protocols.local_chain import LocalChain
from tests.conformance.protocols.subject import Case

from headrace.adapters.protocols.balancer_v2 import BalancerV2
from headrace.adapters.protocols.balancer_v2.state import BalancerV2State
from headrace.adapters.protocols.balancer_v2_vault import quoting as vault_quoting
from headrace.devnet.abi import encode_arguments
from headrace.devnet.artifacts import balancer_artifact
from headrace.devnet.recipe.balancer_v2 import WeightedPoolSpec, create_weighted_pools
from headrace.kernels import weighted
from headrace.kernels.fixed_point_power import ONE, divide_down, multiply_down, power_down, power_up
from headrace.model.address import ZERO_ADDRESS, Address, PoolId
from headrace.model.pool import Pool

_PERCENT = ONE // 100
_WITHDRAW, _DEPOSIT, _UPDATE = 0, 1, 2
_NEAR_LIMIT = 49 * 10**32  # of the 51.9e32 that fit 112 bits
_ACTIONS = {"swap": 6, "swap for exact": 3, "join": 3, "exit": 3, "exit in one token": 2, "fee": 2, "manage": 3}

TermsOfPool = tuple[tuple[Address, ...], tuple[int, ...], tuple[int, ...], int]


def _cash(state: BalancerV2State, index: int) -> int:
    return state.cash[index]


class BalancerSubject(BalancerVaultSubject):
    """Eight pools; tokens of 6, 8 and 18 decimals."""

    def __init__(self, chain: LocalChain) -> None:
        super().__init__(chain)
        self.dex = BalancerV2()
        specs = tuple(WeightedPoolSpec(*terms) for terms in self._terms())
        made = [pool.pool_id for pool in create_weighted_pools(chain.deployer, self.exchange, specs)]
        self.managed_id = self._managed_pool()
        made += [self.managed_id, *self._pools_of_2021()]
        chain.deployer.flush()
        self.pools = tuple(self.described(pool_id) for pool_id in made)

    def slack_units(self, case: Case) -> float:
        """One unit of the output, the fee's rounding by one unit of the input, the power's margin of the balance."""
        state = case.state
        assert isinstance(state, BalancerV2State)
        index_in, index_out = (state.pool.tokens.index(token) for token in (case.token_in, case.token_out))
        balance_in, balance_out = state.balance(index_in), state.balance(index_out)
        price = balance_out / balance_in * state.terms.weights[index_in] / state.terms.weights[index_out]
        return 1.0 + price + 3e-14 * balance_out

    def act(self, draw: random.Random) -> str:
        kind = draw.choices(tuple(_ACTIONS), tuple(_ACTIONS.values()))[0]
        pool = next(p for p in self.pools if p.id == self.managed_id) if kind == "manage" else draw.choice(self.pools)
        getattr(self, "_" + kind.replace(" ", "_"))(draw, pool)
        return kind

    @property
    def action_minima(self) -> Mapping[str, int]:
        return {kind: 5 * weight for kind, weight in _ACTIONS.items()}

    @property
    def mutants(self) -> Mapping[str, Callable[[], AbstractContextManager[object]]]:
        def other_shortcuts(x: int, y: int, *, has_shortcuts: bool) -> int | None:
            return power_up(x, y, has_shortcuts=not has_shortcuts)

        def without_margin(x: int, y: int, *, has_shortcuts: bool) -> int | None:
            up, down = power_up(x, y, has_shortcuts=has_shortcuts), power_down(x, y, has_shortcuts=has_shortcuts)
            return None if up is None or down is None else (up + down) // 2

        return {
            "power rounded down": partial(patch.object, weighted, "power_up", power_down),
            "power not rounded": partial(patch.object, weighted, "power_up", without_margin),
            "the other contract's shortcuts": partial(patch.object, weighted, "power_up", other_shortcuts),
            "fee rounded down": partial(patch.object, weighted, "multiply_up", multiply_down),
            "base rounded down": partial(patch.object, weighted, "divide_up", divide_down),
            "exponent upside down": partial(patch.object, weighted, "divide_down", lambda a, b: divide_down(b, a)),
            "31 % at once": partial(patch.object, weighted, "RATIO_MAX", 31 * _PERCENT),
            "what is lent out forgotten": partial(patch.object, BalancerV2State, "balance", _cash),
            "the vault's balances unlimited": partial(patch.object, vault_quoting, "refuse_balances", lambda *_: None),
            "no limit of 112 bits": partial(patch.object, vault_quoting, "BALANCE_END", 1 << 256),
        }

    def manage(self, kind: int, token: Address, amount: int) -> None:
        """Queue a transfer between the vault and the managed pool's asset manager, who is the deployer."""
        operation = (kind, bytes.fromhex(self.managed_id[2:]), token, amount)
        signature = "managePoolBalance((uint8,bytes32,address,uint256)[])"
        self.chain.deployer.transact(self.exchange.vault, signature, [operation])

    def _terms(self) -> list[TermsOfPool]:
        a, b, c, d = self.chain.tokens
        e18 = [t for t in self.chain.tokens if self.chain.decimals[t] == 18]
        percent = [one * _PERCENT for one in (50, 50, 80, 20, 50, 25, 25, 99, 1, 50, 50)]
        return [
            ((a, b), tuple(percent[:2]), self.whole((a, b), 1000, 2_500_000), 3 * 10**15),
            ((b, c), tuple(percent[2:4]), self.whole((b, c), 40_000, 7), 10**15),
            ((a, c, d), tuple(percent[4:7]), self.whole((a, c, d), 5, 60_000, 10**9), 10**16),
            ((a, d), tuple(percent[7:9]), self.whole((a, d), 10**6, 300), 10**12),
            (tuple(e18), tuple(percent[9:]), (_NEAR_LIMIT, 10**21), 10**17),
        ]

    def _managed_pool(self) -> PoolId:
        """A pool with asset managers, which no factory makes: most of one token is lent out."""
        deployer, tokens = self.chain.deployer, self.chain.tokens[1:3]
        fees = deployer.call_address(self.exchange.weighted_factory, "getProtocolFeePercentagesProvider()(address)")
        weights, zero, managers = (60 * _PERCENT, 40 * _PERCENT), (ZERO_ADDRESS,) * 2, (deployer.sender,) * 2
        params = ("Managed", "M", tokens, weights, zero, managers, 2 * 10**15)
        types = ("(string,string,address[],uint256[],address[],address[],uint256)", "address", "address", "uint256")
        artifact = balancer_artifact("20220908-weighted-pool-v2", "WeightedPool")
        pool = deployer.deploy(
            artifact, (*types, "uint256", "address"), params, self.exchange.vault, fees, 90 * 86400, 0, deployer.sender
        )
        self.managed_id = self._joined(pool, self.whole(tokens, 900, 1700))
        self.manage(_WITHDRAW, tokens[1], self.whole(tokens, 0, 1600)[1])
        return self.managed_id

    def pool_of_2021(self, tokens: tuple[Address, ...], share: int) -> Address:
        """Queue a pool of the first deployment, without liquidity; `share` is the first token's weight in percent."""
        types = ("address", "string", "string", "address[]", "uint256[]", "uint256", "uint256", "uint256", "address")
        weights = (share * _PERCENT, (100 - share) * _PERCENT)
        frame = (self.exchange.vault, "Old", "O", tokens, weights, 3 * 10**15, 90 * 86400, 0)
        artifact = balancer_artifact("20210418-weighted-pool", "WeightedPool")
        return self.chain.deployer.deploy(artifact, types, *frame, self.chain.deployer.sender)

    def bootstrapping_pool(self, tokens: tuple[Address, ...]) -> Address:
        """Queue a pool whose weights move."""
        types = ("address", "string", "string", "address[]", "uint256[]", "uint256", "uint256", "uint256", "address")
        task = "deprecated/20210721-liquidity-bootstrapping-pool"
        frame = (self.exchange.vault, "Boot", "B", tokens, (ONE // 2, ONE // 2), 3 * 10**15, 90 * 86400, 0)
        artifact = balancer_artifact(task, "LiquidityBootstrappingPool")
        return self.chain.deployer.deploy(artifact, (*types, "bool"), *frame, self.chain.deployer.sender, True)

    def _pools_of_2021(self) -> list[PoolId]:
        made = []
        for tokens, share in ((self.chain.tokens[:2], 50), (self.chain.tokens[2:], 80)):
            made.append(self._joined(self.pool_of_2021(tokens, share), self.whole(tokens, 3_000, 90_000)))
        return made

    def _joined(self, pool: Address, amounts: tuple[int, ...]) -> PoolId:
        pool_id = self.pool_id(pool)
        self.join(pool_id, encode_arguments(("uint256", "uint256[]"), 0, amounts))
        return pool_id

    def _swap(self, draw: random.Random, pool: Pool, kind: int = GIVEN_IN) -> None:
        balances = self.balances(pool)
        is_delicate = pool.id == self.managed_id or max(balances) * 1.2 > (1 << 112)
        most = 1e-3 if is_delicate else 0.05
        first, second = draw.sample(range(len(balances)), 2)
        amount = int(balances[second if kind else first] * most * 10 ** draw.uniform(-4, 0))
        self.swap(pool.id, (pool.tokens[first], pool.tokens[second]), kind, max(amount, 1))

    def _swap_for_exact(self, draw: random.Random, pool: Pool) -> None:
        self._swap(draw, pool, GIVEN_OUT)

    def _join(self, draw: random.Random, pool: Pool) -> None:
        amounts = [int(one * draw.uniform(0, 0.002)) for one in self.balances(pool)]
        payload = encode_arguments(("uint256", "uint256[]", "uint256"), 1, amounts, 0)
        self.join(pool.id, payload)

    def _exit(self, draw: random.Random, pool: Pool) -> None:
        self.leave(pool.id, encode_arguments(("uint256", "uint256"), 1, self.share(draw, pool)))

    def _exit_in_one_token(self, draw: random.Random, pool: Pool) -> None:
        payload = encode_arguments(("uint256", "uint256", "uint256"), 0, self.share(draw, pool), 0)
        self.leave(pool.id, payload)

    def _fee(self, draw: random.Random, pool: Pool) -> None:
        fee = draw.choice((10**12, 10**15, 3 * 10**15, draw.randrange(10**12, 10**17)))
        self.chain.deployer.transact(Address(pool.id[:42]), "setSwapFeePercentage(uint256)", fee)

    def _manage(self, draw: random.Random, pool: Pool) -> None:
        kind = draw.choice((_WITHDRAW, _DEPOSIT, _UPDATE))
        lent = self._lent(pool)
        amount = int(lent * draw.uniform(0.98, 1.02)) if kind == _UPDATE else draw.randrange(1, max(2, lent // 200))
        self.manage(kind, pool.tokens[1], amount)

    def _lent(self, pool: Pool) -> int:
        signature = "getPoolTokenInfo(bytes32,address)(uint256,uint256,uint256,address)"
        found = self.chain.deployer.call(self.exchange.vault, signature, bytes.fromhex(pool.id[2:]), pool.tokens[1])[1]
        assert isinstance(found, int)
        return found
