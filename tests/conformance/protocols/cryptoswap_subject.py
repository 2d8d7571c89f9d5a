"""CryptoSwap for the suite's mechanics: a contract of our own with the interface of Curve's first generation.

Oracle: `exchange` of `contracts/src/devnet/CryptoPool.sol`, called for each case on the head's state. That contract is
ours, so what agrees here proves reading, logs, refusals and rounding in the machine's arithmetic, and nothing about
Curve's contracts: the recorded quotes of tests/golden do that.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from unittest.mock import patch

import msgspec
from tests.conformance.protocols.local_chain import LocalChain
from tests.conformance.protocols.subject import Case

from headrace.adapters.protocols.curve_cryptoswap import CurveCryptoSwap
from headrace.adapters.protocols.curve_cryptoswap.state import CryptoSwapState, Ramp
from headrace.devnet.abi import encode_call
from headrace.devnet.artifacts import own_artifact
from headrace.devnet.recipe.tokens import approve_all
from headrace.kernels import cryptoswap, cryptoswap_newton
from headrace.kernels.cryptoswap import CryptoSwapPool
from headrace.kernels.cryptoswap_newton import ONE
from headrace.model.address import Address, PoolId
from headrace.model.event import Log
from headrace.model.pool import Pool
from headrace.ports.pool import PoolState

EXCHANGE = "exchange(uint256,uint256,uint256,uint256)"
_TYPES = ("address[]", "uint256[]", "uint256[2]", "uint256[3]")
_ACTIONS = {
    "swap": 6,
    "add": 2,
    "remove": 2,
    "remove in one coin": 2,
    "ramp": 2,
    "stop the ramp": 1,
    "new fees": 4,
    "claim in silence": 1,
}
SILENT = "claim in silence"
YEAR = 365 * 86_400  # with A rising so slowly, the curve as of the last block is the next one to a billionth


class PoolSpec(msgspec.Struct, frozen=True):
    """A pool to be made: whole tokens, prices of all but the first in the first, 18 decimals."""

    tokens: tuple[Address, ...]
    amounts: tuple[int, ...]
    prices: tuple[int, ...]
    ann: int
    gamma: int
    fees: tuple[int, int, int] = (3_000_000, 30_000_000, 5 * 10**14)


class CryptoSwapSubject:
    """Seven pools; coins of 6, 8 and 18 decimals; one mid-ramp, one after a ramp, one far from balance."""

    def __init__(self, chain: LocalChain) -> None:
        self.chain = chain
        self.dex = CurveCryptoSwap()
        self.no_pool = chain.tokens[0]
        self.touched_in_silence: set[PoolId] = set()
        specs = self._specs()
        made = [self.create(spec) for spec in specs]
        approve_all(chain.deployer, chain.tokens, made)
        for pool, spec in zip(made, specs, strict=True):
            self._add(pool, [n * 10 ** chain.decimals[t] for n, t in zip(spec.amounts, spec.tokens, strict=True)])
        chain.deployer.flush()
        now = chain.head().timestamp
        self._ramp(made[1], 2_800_000, 14 * 10**12, now + YEAR)
        self._ramp(made[4], 541_000, 29 * 10**12, now + YEAR)
        self._ramp(made[5], 450_000, 10**14, now + YEAR)
        chain.deployer.transact(made[5], "stop_ramp_A_gamma()")
        chain.deployer.flush()
        self.pools = tuple(self.described(PoolId(pool)) for pool in made)

    def reserve(self, state: PoolState, token: Address) -> int:
        assert isinstance(state, CryptoSwapState)
        return state.balances[state.pool.tokens.index(token)]

    def ask_contract(self, cases: Sequence[Case]) -> list[int | None]:
        time = {"time": hex(self.chain.next_context().timestamp)}
        answers = self.chain.call_all((self._swap_call(case), "latest", {}, time) for case in cases)
        return [None if answer is None else answer[0] for answer in answers]

    def slack_units(self, case: Case) -> float:
        """One unit kept by the pool, three roundings in common units, and the noise of the contract's iteration."""
        state = case.state
        assert isinstance(state, CryptoSwapState)
        index_out = state.pool.tokens.index(case.token_out)
        scale = state.in_block(state.ramp.future_time).scales[index_out]
        return 1.0 + 3 * ONE / scale + 1e-14 * state.balances[index_out]

    def act(self, draw: random.Random) -> str:
        kind = draw.choices(tuple(_ACTIONS), tuple(_ACTIONS.values()))[0]
        getattr(self, "_act_" + kind.replace(" ", "_"))(draw, draw.choice(self.pools).address)
        return kind

    @property
    def action_minima(self) -> Mapping[str, int]:
        return {kind: 5 * weight for kind, weight in _ACTIONS.items()}

    @property
    def mutants(self) -> Mapping[str, Callable[[], AbstractContextManager[object]]]:
        newton, after, fee = cryptoswap_newton.balance_by_newton, cryptoswap.balance_after, cryptoswap.fee

        def regrouped(curve: cryptoswap_newton.Curve, others: Sequence[int], *, is_grouped: bool) -> int:
            return newton(curve, others, is_grouped=not is_grouped)

        def one_less(pool: CryptoSwapPool, common: Sequence[int], out: int, invariant: int) -> tuple[int, int]:
            left, k0 = after(pool, common, out, invariant)
            return left - 1, k0

        def fee_before(pool: CryptoSwapPool, common: Sequence[int]) -> int:
            del common
            return fee(pool, pool.common(pool.balances))

        def scaled_up(pool: CryptoSwapPool, balances: Sequence[int]) -> list[int]:
            return [-(-balance * scale // ONE) for balance, scale in zip(balances, pool.scales, strict=True)]

        return {
            "one term grouped otherwise": partial(patch.object, cryptoswap, "balance_by_newton", regrouped),
            "the pool keeps no unit": partial(patch.object, cryptoswap, "balance_after", one_less),
            "fee of the balances before": partial(patch.object, cryptoswap, "fee", fee_before),
            "fee a ten-billionth too high": partial(patch.object, cryptoswap, "fee", lambda *a: fee(*a) + 1),
            "balances rounded up": partial(patch.object, CryptoSwapPool, "common", scaled_up),
            "iterations go on": partial(patch.object, cryptoswap_newton, "TOLERANCE", 10**17),
            "the end of the ramp": partial(patch.object, Ramp, "at", lambda r, _: (r.future_ann, r.future_gamma)),
            "D as stored in a ramp": partial(patch.object, cryptoswap, "invariant_of", lambda p, _: p.invariant),
            "losses unnoticed": partial(patch.object, cryptoswap, "_refuse_loss", lambda *_: None),
            "inputs up to D": partial(patch.object, cryptoswap, "share_limits", lambda _: (0, ONE)),
            "outputs unlimited": partial(patch.object, cryptoswap, "_refuse_share", lambda *_, **__: None),
        }

    def broken(self, log: Log) -> Iterator[Log]:
        replace = msgspec.structs.replace
        yield replace(log, topics=(*log.topics, log.topics[0]))
        yield replace(log, data=log.data + "00" * 32)
        if len(log.topics) > 1:
            yield replace(log, topics=log.topics[:1])
        words = len(log.data) // 64
        if len(log.topics) == 1:
            yield replace(log, data="0x" + f"{1 << 200:064x}" * words)

    def create(self, spec: PoolSpec) -> Address:
        """Queue a pool without liquidity."""
        artifact, (ann, gamma) = own_artifact("CryptoPool"), (spec.ann, spec.gamma)
        return self.chain.deployer.deploy(artifact, _TYPES, spec.tokens, spec.prices, (ann, gamma), spec.fees)

    def described(self, pool: PoolId) -> Pool:
        """What the plug-in finds at an address."""
        block = self.chain.head().hash
        return self.chain.through_chain(lambda chain: self.dex.describe(chain, "curve", pool, block))

    def _specs(self) -> list[PoolSpec]:
        by_decimals = {self.chain.decimals[token]: token for token in self.chain.tokens}
        six, eight, eighteen = by_decimals[6], by_decimals[8], by_decimals[18]
        other = next(t for t in self.chain.tokens if self.chain.decimals[t] == 18 and t != eighteen)
        big = ((six, eight, eighteen), (6_000_000, 100, 2_000), (60_000 * ONE, 3_000 * ONE))
        small = ((eighteen, six, other), (700, 2_000_000, 9_000_000), (ONE // 3_000, ONE // 12_000))
        return [
            PoolSpec(*big, 1_707_629, 11_809_167_828_997),
            PoolSpec(*small, 2_700_000, 13 * 10**12, (26_000_000, 45_000_000, 23 * 10**13)),
            PoolSpec((eighteen, other), (4_000, 9_000_000), (ONE // 2_200,), 400_000, 145 * 10**12),
            PoolSpec(
                (six, eighteen), (5_000_000, 1_700), (3_000 * ONE,), 20_000_000, 10**14, (10**6, 4 * 10**7, 10**16)
            ),
            PoolSpec((eight, six), (90, 5_400_000), (ONE // 60_000,), 540_000, 28 * 10**12),
            PoolSpec((other, eight), (3_000_000, 40), (70_000 * ONE,), 400_000, 145 * 10**12),
            PoolSpec((other, six), (4_000, 280_000), (ONE,), 400_000, 145 * 10**12),
        ]

    def _swap_call(self, case: Case) -> dict[str, str]:
        tokens = case.state.pool.tokens
        way = (tokens.index(case.token_in), tokens.index(case.token_out))
        data = encode_call(EXCHANGE, *way, case.amount_in, 0)
        return {"from": self.chain.deployer.sender, "to": case.state.pool.address, "data": data}

    def _balances(self, pool: Address) -> list[int]:
        count = len(next(known.tokens for known in self.pools if known.address == pool))
        return [self.chain.deployer.call_integer(pool, "balances(uint256)(uint256)", k) for k in range(count)]

    def _share(self, draw: random.Random, pool: Address) -> int:
        return int(self.chain.deployer.call_integer(pool, "totalSupply()(uint256)") * draw.uniform(0.0005, 0.004))

    def _add(self, pool: Address, amounts: list[int]) -> None:
        self.chain.deployer.transact(pool, "add_liquidity(uint256[])", amounts)

    def _ramp(self, pool: Address, ann: int, gamma: int, until: int) -> None:
        self.chain.deployer.transact(pool, "ramp_A_gamma(uint256,uint256,uint256)", ann, gamma, until)

    def _act_swap(self, draw: random.Random, pool: Address) -> None:
        balances = self._balances(pool)
        first, second = draw.sample(range(len(balances)), 2)
        amount = int(balances[first] * 10 ** draw.uniform(-4, -1.7))
        self.chain.deployer.transact(pool, EXCHANGE, first, second, amount, 0)

    def _act_add(self, draw: random.Random, pool: Address) -> None:
        self._add(pool, [int(balance * draw.uniform(0.0005, 0.004)) for balance in self._balances(pool)])

    def _act_remove(self, draw: random.Random, pool: Address) -> None:
        self.chain.deployer.transact(pool, "remove_liquidity(uint256)", self._share(draw, pool))

    def _act_remove_in_one_coin(self, draw: random.Random, pool: Address) -> None:
        index = draw.randrange(len(self._balances(pool)))
        signature = "remove_liquidity_one_coin(uint256,uint256)"
        self.chain.deployer.transact(pool, signature, self._share(draw, pool), index)

    def _act_ramp(self, draw: random.Random, pool: Address) -> None:
        ann = self.chain.deployer.call_integer(pool, "A()(uint256)")
        gamma = self.chain.deployer.call_integer(pool, "gamma()(uint256)")
        until = self.chain.head().timestamp + YEAR
        self._ramp(pool, int(ann * draw.uniform(0.9, 1.1)), int(gamma * draw.uniform(0.9, 1.1)), until)

    def _act_stop_the_ramp(self, draw: random.Random, pool: Address) -> None:
        del draw
        self.chain.deployer.transact(pool, "stop_ramp_A_gamma()")

    def _act_new_fees(self, draw: random.Random, pool: Address) -> None:
        fees = (draw.randrange(10**6, 10**7), draw.randrange(10**7, 10**8), draw.randrange(10**14, 10**16))
        self.chain.deployer.transact(pool, "apply_new_parameters(uint256,uint256,uint256)", *fees)

    def _act_claim_in_silence(self, draw: random.Random, pool: Address) -> None:
        known = next(known for known in self.pools if known.address == pool)
        amount = int(self._balances(pool)[0] * draw.uniform(0.0001, 0.001))
        self.chain.deployer.transact(known.tokens[0], "transfer(address,uint256)", pool, amount)
        self.chain.deployer.transact(pool, "claim_admin_fees()")
        self.touched_in_silence.add(known.id)
