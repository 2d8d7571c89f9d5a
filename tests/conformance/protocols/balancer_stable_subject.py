"""Balancer v2's stable pools for the suite: every deployment whose bytecode is published, with rates and without.

Protocol fees are taken from half of them, so that joins and exits pay them and swaps are seen not to.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from unittest.mock import patch

import msgspec
from tests.conformance.protocols import balancer_stable_pools as made_as
from tests.conformance.protocols.balancer_vault_subject import GIVEN_IN, GIVEN_OUT, BalancerVaultSubject
from tests.conformance.protocols.local_chain import LocalChain
from tests.conformance.protocols.subject import Case

from headrace.adapters.protocols.balancer_v2_stable import BalancerV2Stable, quoting
from headrace.adapters.protocols.balancer_v2_stable.logs import AMP_STOPPED
from headrace.adapters.protocols.balancer_v2_stable.state import BalancerV2StableState
from headrace.adapters.protocols.balancer_v2_vault import quoting as vault_quoting
from headrace.devnet.abi import encode_arguments
from headrace.kernels import balancer_stable
from headrace.kernels.curve import Curves, hop
from headrace.kernels.fixed_point_power import ONE, divide_up, multiply_down, multiply_up
from headrace.kernels.ramp import Ramp
from headrace.model.address import ZERO_ADDRESS, Address, PoolId
from headrace.model.event import Log
from headrace.model.pool import Pool

YEAR = 365 * 86400
_ACTIONS = {"swap": 6, "swap for exact": 3, "join": 3, "exit": 3, "pool token swap": 3, "fee": 2, "rate": 2}


class BalancerStableSubject(BalancerVaultSubject):
    """Nine pools of two to four tokens with 6, 8 and 18 decimals."""

    dex: BalancerV2Stable

    def __init__(self, chain: LocalChain) -> None:
        super().__init__(chain)
        self.dex = BalancerV2Stable()
        self.providers = made_as.RateProviders(self)
        self.provider_of: dict[tuple[PoolId, Address], Address] = {}
        self.own_token: set[PoolId] = set()
        made = self._made()
        self.phantom_id = made[5]  # whose pool token is only swapped for
        for pool_id in self.own_token:
            self.allow(Address(pool_id[:42]), "setSwapFeePercentage(uint256)")
        self.pools = tuple(self.described(pool_id) for pool_id in made)

    def _made(self) -> list[PoolId]:
        a, b, c, d = self.chain.tokens
        e18 = [token for token in self.chain.tokens if self.chain.decimals[token] == 18]
        return [
            self.funded(made_as.plain_of_2021(self, (a, b), 200, 4 * 10**14), (1e6, 2.1e6)),
            self.funded(made_as.plain_of_2021(self, (a, b, c, d), 5000, 10**12), (3e5, 1e5, 9e5, 2e3)),
            self.rated(made_as.meta_stable, e18, {e18[0]: 1.2265}, (50, 10**15), (83, 101)),
            self.funded(made_as.plain_of_2022(self, (b, c, d), 1, 10**16), (7e4, 2e5, 1e5)),
            self.funded(made_as.plain_of_2022(self, e18, 20, 10**12), (4.9e15, 1.1e15)),
            self.rated(made_as.phantom, (a, c, d), {d: 0.61}, (1500, 10**15), (4e5, 3e5, 6e5)),
            self.rated(made_as.composable_first, (b, c), {c: 1.09}, (500, 10**17), (5e5, 8e5)),
            self.rated(made_as.composable, (a, b, c, d), {a: 1.4, b: 2.3}, (60, 3 * 10**14), (1e4, 3e4, 2e4, 5e3)),
            self.rated(made_as.composable, (a, d), {}, (900, 10**15), (20, 50)),
        ]

    def rated(
        self,
        make: made_as.Maker,
        tokens: Sequence[Address],
        rates: Mapping[Address, float],
        terms: tuple[int, int],
        amounts: tuple[float, ...],
        seconds_cached: int = YEAR,
    ) -> PoolId:
        """A pool with providers of those rates, all cached for as long; terms are amplification and fee."""
        providers = {token: self.providers.add(int(rate * ONE)) for token, rate in rates.items()}
        caches = {token: (providers.get(token, ZERO_ADDRESS), seconds_cached) for token in tokens}
        pool_id = self.funded(make(self, caches, *terms), amounts)
        self.provider_of |= {(pool_id, token): provider for token, provider in providers.items()}
        return pool_id

    def funded(self, pool: Address, amounts: tuple[float, ...]) -> PoolId:
        """Add the first liquidity."""
        pool_id = self.pool_id(pool)
        tokens, _ = self.registered(pool_id)
        traded = [token for token in tokens if token != pool]
        by_token = dict(zip(traded, self.whole(traded, *amounts), strict=True))
        self.join(pool_id, made_as.first_liquidity([by_token.get(token, 0) for token in tokens]))
        if pool in tokens:
            self.own_token.add(pool_id)
        self.chain.deployer.flush()
        return pool_id

    def slack_units(self, case: Case) -> float:
        """One unit of the output, the fee's rounding by one of the input, two thousand of 18 decimals.

        The contract divides by the amplification before it multiplies by that number's thousand.
        """
        assert isinstance(case.state, BalancerV2StableState)
        shape, curves = quoting.shape(case.state, case.token_in, case.token_out), Curves(1)
        curves.put(0, shape)
        return 1.0 + hop(curves.arrays, 0, 0.0)[1] / shape.gamma_in + 2000.0 / shape.scale_out

    def act(self, draw: random.Random) -> str:
        kind = draw.choices(tuple(_ACTIONS), tuple(_ACTIONS.values()))[0]
        fit = {
            "join": {pool.id for pool in self.pools} - {self.phantom_id},
            "exit": {pool.id for pool in self.pools} - {self.phantom_id},
            "pool token swap": self.own_token,
            "rate": {pool_id for pool_id, _ in self.provider_of},
        }
        pool = draw.choice([pool for pool in self.pools if pool.id in fit.get(kind, {pool.id})])
        getattr(self, "_" + kind.replace(" ", "_"))(draw, pool)
        return kind

    @property
    def action_minima(self) -> Mapping[str, int]:
        return {kind: 5 * weight for kind, weight in _ACTIONS.items()}

    @property
    def mutants(self) -> Mapping[str, Callable[[], AbstractContextManager[object]]]:
        kernel, up, down = balancer_stable, balancer_stable.invariant_up, balancer_stable.invariant_down

        def one_less(amplification: int, balances: tuple[int, ...], invariant: int, index: int) -> int:
            return found(amplification, balances, invariant, index) - 1

        found = kernel.balance_up
        return {
            "the first invariant computed as the later": partial(patch.object, kernel, "invariant_up", down),
            "the later invariant computed as the first": partial(patch.object, kernel, "invariant_down", up),
            "no unit kept": partial(patch.object, kernel, "balance_up", one_less),
            "fee rounded down": partial(patch.object, kernel, "multiply_up", multiply_down),
            "output rounded up": partial(patch.object, kernel, "divide_down", divide_up),
            "scaled up by rounding up": partial(patch.object, kernel, "multiply_down", multiply_up),
            "three steps of Newton": partial(patch.object, kernel, "ROUNDS_MAX", 3),
            "the start of the line": partial(patch.object, Ramp, "value", lambda ramp, _: ramp.start - 1),
            "rates forgotten": partial(patch.object, quoting, "_rate_at", lambda *_: ONE),
            "the vault's balances unlimited": partial(patch.object, vault_quoting, "refuse_balances", lambda *_: None),
            "no limit of 112 bits": partial(patch.object, vault_quoting, "BALANCE_END", 1 << 256),
        }

    def broken(self, log: Log) -> Iterator[Log]:
        yield from super().broken(log)
        if log.topics[0] == AMP_STOPPED:
            yield msgspec.structs.replace(log, data=f"0x{999:064x}")

    def _swap(self, draw: random.Random, pool: Pool, kind: int = GIVEN_IN) -> None:
        balances = self.balances(pool)
        first, second = draw.sample(range(len(balances)), 2)
        amount = int(balances[second if kind else first] * 0.03 * 10 ** draw.uniform(-2, 0))
        self.swap(pool.id, (pool.tokens[first], pool.tokens[second]), kind, max(amount, 1))

    def _swap_for_exact(self, draw: random.Random, pool: Pool) -> None:
        self._swap(draw, pool, GIVEN_OUT)

    def _join(self, draw: random.Random, pool: Pool) -> None:
        amounts = [int(one * draw.uniform(0, 0.01)) for one in self.balances(pool)]
        self.join(pool.id, encode_arguments(("uint256", "uint256[]", "uint256"), 1, amounts, 0))

    def _exit(self, draw: random.Random, pool: Pool) -> None:
        place = draw.randrange(len(pool.tokens))
        self.leave(pool.id, encode_arguments(("uint256", "uint256", "uint256"), 0, self.share(draw, pool), place))

    def _pool_token_swap(self, draw: random.Random, pool: Pool) -> None:
        own, token = Address(pool.id[:42]), draw.choice(pool.tokens)
        if draw.random() < 0.5:
            self.swap(pool.id, (own, token), GIVEN_IN, self.share(draw, pool))
        else:
            amount = int(self.balances(pool)[pool.tokens.index(token)] * 0.01)
            self.swap(pool.id, (token, own), GIVEN_IN, amount)

    def _fee(self, draw: random.Random, pool: Pool) -> None:
        fee = draw.choice((10**12, 10**15, 3 * 10**15, draw.randrange(10**12, 10**17)))
        self.chain.deployer.transact(Address(pool.id[:42]), "setSwapFeePercentage(uint256)", fee)

    def _rate(self, draw: random.Random, pool: Pool) -> None:
        """A provider says something else, and the pool asks it."""
        token = draw.choice([token for token in pool.tokens if (pool.id, token) in self.provider_of])
        provider = self.provider_of[pool.id, token]
        self.providers.tell(provider, int(self.providers.rates[provider] * draw.uniform(1.0, 1.01)))
        name = "updateTokenRateCache" if pool.id in self.own_token else "updatePriceRateCache"
        self.chain.deployer.transact(Address(pool.id[:42]), f"{name}(address)", token)
